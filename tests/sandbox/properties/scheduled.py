"""Schedules, and requests that are sent twice."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.sandbox.properties.choices import DAY, Json, given, having, prorating, quantity, which, yes
from tests.sandbox.properties.recurring import Recurring

phase = st.fixed_dictionaries(
    {
        "price": which,
        "quantity": quantity,
        "months": st.sampled_from((1, 1, 2, 12)),
        "prorate": prorating,
        "coupon": which,
        "trial": st.sampled_from((False, False, False, True)),
    }
)
end = st.sampled_from((None, "release", "cancel"))


class Scheduled(Recurring):
    """Whatever is asked of schedules."""

    def _phase(self, told: Json) -> Json:
        return given(
            items=[{"price": self._price(told["price"]), "quantity": told["quantity"]}],
            duration={"interval": "month", "interval_count": told["months"]},
            proration_behavior=told["prorate"],
            discounts=self._discount(told["coupon"]),
            trial=True if told["trial"] else None,
        )

    @rule(at=which, phases=st.lists(phase, min_size=1, max_size=3), ends=end, later=st.sampled_from((0, 0, 3, 40)))
    def schedule(self, at: int, phases: list[Json], ends: str | None, later: int) -> None:
        customer = self.visitor.seen("customer", at)
        now = self.visitor.engine.now(customer.get("test_clock") or "")
        self.visitor.post(
            "/v1/subscription_schedules",
            **given(
                customer=self.visitor.any("customer", at),
                start_date=now + later * DAY if later else "now",
                end_behavior=ends,
                phases=[self._phase(one) for one in phases],
            ),
        )

    @having("subscription")
    @rule(at=which)
    def schedule_subscription(self, at: int) -> None:
        self.visitor.post("/v1/subscription_schedules", from_subscription=self.visitor.any("subscription", at))

    @having("subscription_schedule")
    @rule(at=which, phases=st.lists(phase, min_size=1, max_size=2), ends=end, prorate=prorating)
    def reschedule(self, at: int, phases: list[Json], ends: str | None, prorate: str | None) -> None:
        found = self.visitor.seen("subscription_schedule", at)
        first = found["phases"][0]
        kept = {
            "items": [given(price=item["price"], quantity=item.get("quantity")) for item in first["items"]],
            "start_date": first["start_date"],
            "end_date": first["end_date"],
        }
        self.visitor.post(
            f"/v1/subscription_schedules/{found['id']}",
            **given(
                phases=[kept, *(self._phase(one) for one in phases)], end_behavior=ends, proration_behavior=prorate
            ),
        )

    @having("subscription_schedule")
    @rule(at=which, release=yes)
    def unschedule(self, at: int, release: bool) -> None:
        path = f"/v1/subscription_schedules/{self.visitor.any('subscription_schedule', at)}"
        self.visitor.post(f"{path}/{'release' if release else 'cancel'}")

    @rule(at=which, price=which)
    def twice(self, at: int, price: int) -> None:
        """The same key twice: the second time nothing is done, and the answer is the same."""
        customer, items = self.visitor.any("customer", at), [{"price": self._price(price)}]
        key = f"key-{len(self.visitor.steps)}"
        first = self.visitor.ask("POST", "/v1/subscriptions", key=key, customer=customer, items=items)
        before = len(self.visitor.told)
        assert self.visitor.ask("POST", "/v1/subscriptions", key=key, customer=customer, items=items) == first
        assert len(self.visitor.told) == before
