"""Any list of phases runs to its end, and any order of requests leaves a schedule that can go on."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.conftest import Api
from tests.sandbox.schedules.conftest import DAY, START, Acts, Json
from trueup.sandbox.invoices.invariants import broken
from trueup.sandbox.server.engine import Engine

INTERVALS = ("day", "week", "month", "year")
ENDED = {"release": "released", "cancel": "completed", "none": "completed"}
AFTER = {
    "release": {"active", "past_due", "trialing"},
    "none": {"active", "past_due", "trialing"},
    "cancel": {"canceled"},
}


class World:
    """A sandbox with a customer and something to buy."""

    def __init__(self, card: str = "pm_card_visa") -> None:
        self.engine = Engine(seed="anything")
        self.acts = Acts(Api(self.engine))
        self.customer = self.acts.customer(card)
        self.prices = [self.acts.price(1000 + 333 * at, interval) for at, interval in enumerate(INTERVALS)]
        self.prices += [self.acts.price(2500), self.acts.price(7700), self.acts.price(0)]
        self.once = self.acts.price(400, None)
        api = self.acts.api
        self.coupons = [
            api.post("/v1/coupons", percent_off=20, duration="forever")["id"],
            api.post("/v1/coupons", amount_off=150, currency="usd", duration="once")["id"],
            api.post("/v1/coupons", percent_off=50, duration="repeating", duration_in_months=2)["id"],
        ]

    def phase(self, drawn: Json) -> Json:
        """A phase whose prices and coupons are numbers so far."""
        items = [
            {**item, "price": self.prices[item["price"]], "discounts": [{"coupon": self.coupons[c]} for c in coupons]}
            for item in drawn["items"]
            for coupons in [item.get("discounts", [])]
        ]
        found = {**drawn, "items": items}
        if "discounts" in drawn:
            found["discounts"] = [{"coupon": self.coupons[at]} for at in drawn["discounts"]]
        if found.pop("extra", False):
            found["add_invoice_items"] = [{"price": self.once}]
        return found

    def close(self) -> None:
        """Let it go, once every invoice adds up."""
        with self.engine.change() as world:
            assert [fault for invoice in world.select("invoice") for fault in broken(invoice)] == []
        self.engine.close()


items = st.lists(
    st.fixed_dictionaries(
        {"price": st.integers(0, 6), "quantity": st.integers(0, 4)},
        optional={"discounts": st.lists(st.integers(0, 2), max_size=2, unique=True)},
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda item: str(item["price"]),
)
phases = st.lists(
    st.fixed_dictionaries(
        {
            "items": items,
            "duration": st.one_of(
                st.fixed_dictionaries({"interval": st.just("day"), "interval_count": st.integers(1, 45)}),
                st.fixed_dictionaries({"interval": st.just("week"), "interval_count": st.integers(1, 6)}),
                st.fixed_dictionaries({"interval": st.just("month"), "interval_count": st.integers(1, 3)}),
            ),
        },
        optional={
            "proration_behavior": st.sampled_from(("none", "create_prorations", "always_invoice")),
            "billing_cycle_anchor": st.sampled_from(("automatic", "phase_start")),
            "discounts": st.lists(st.integers(0, 2), max_size=2, unique=True),
            "metadata": st.dictionaries(st.sampled_from("abc"), st.sampled_from(("", "x", "y"))),
            "extra": st.booleans(),
            "trial": st.booleans(),
        },
    ),
    min_size=1,
    max_size=5,
)


def sound(drawn: list[Json]) -> list[Json]:
    """A trial has no anchor of its own."""
    return [
        {name: value for name, value in one.items() if name != "billing_cycle_anchor" or not one.get("trial")}
        for one in drawn
    ]


@settings(max_examples=25, deadline=None)
@given(
    drawn=phases.map(sound),
    end=st.sampled_from(("release", "cancel", "none")),
    start=st.integers(-40, 40),
    card=st.sampled_from(("pm_card_visa", "pm_card_visa", "pm_card_visa", "pm_card_chargeCustomerFail")),
)
def test_any_phases_are_gone_through_and_end_as_they_should(drawn: list[Json], end: str, start: int, card: str) -> None:
    world = World(card)
    acts = world.acts
    world.engine.advance(START + 40 * DAY)
    params: Json = {
        "customer": world.customer,
        "start_date": START + (40 + start) * DAY,
        "end_behavior": end,
        "phases": [world.phase(one) for one in drawn],
    }
    answer = acts.api.answer("POST", "/v1/subscription_schedules", params)
    if answer.status != 200:
        assert start < 0, answer.body
        assert b"in the future" in answer.body or b"trial" in answer.body, answer.body
        return
    schedule = acts.api.get("/v1/subscription_schedules")["data"][0]
    for one in schedule["phases"]:
        acts.until(max(acts.now, one["start_date"] + 1))
        found = acts.read(schedule)
        if found["status"] != "canceled":
            assert found["current_phase"] == {"start_date": one["start_date"], "end_date": one["end_date"]}
            wanted = {item["price"]: item["quantity"] for item in one["items"]}
            held = acts.subscription(schedule)["items"]["data"]
            assert {item["price"]["id"]: item["quantity"] for item in held} == wanted
    acts.until(max(acts.now, schedule["phases"][-1]["end_date"]))

    ended, subscription = acts.read(schedule), acts.subscription(schedule)
    aborted = ended["status"] == "canceled"
    assert card != "pm_card_visa" if aborted else ended["status"] == ENDED[end]
    assert subscription["status"] in ({"canceled"} if aborted else AFTER[end])
    assert (subscription["schedule"] is None) == (ended["status"] != "canceled" and end != "cancel")
    told = [event["type"] for event in acts.api.told if event["type"].startswith("subscription_schedule")]
    assert told.count("subscription_schedule.created") == 1
    assert len([one for one in told if one.endswith(("completed", "released", "canceled", "aborted"))]) == 1
    acts.until(acts.now + 70 * DAY)
    world.close()


doings = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 50)),
        st.tuples(st.just("phases"), phases.map(sound)),
        st.tuples(st.just("end"), st.sampled_from(("release", "cancel", "none", "renew"))),
        st.tuples(st.just("cut"), phases.map(sound)),
        st.tuples(st.just("preview"), st.none()),
        st.tuples(st.just("subscription"), st.sampled_from(("cancel_at_period_end", "metadata", "delete"))),
        st.tuples(st.sampled_from(("release", "cancel")), st.booleans()),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(first=phases.map(sound), later=doings, trial=st.booleans())
def test_any_requests_leave_a_schedule_that_goes_on(
    first: list[Json],
    later: list[tuple[str, Any]],
    trial: bool,
) -> None:
    world = World()
    acts = world.acts
    api = acts.api
    terms: Json = {"trial_period_days": 20} if trial else {}
    bought = api.post("/v1/subscriptions", customer=world.customer, items=[{"price": world.prices[2]}], **terms)
    schedule = api.post("/v1/subscription_schedules", from_subscription=bought["id"])
    path = f"/v1/subscription_schedules/{schedule['id']}"
    for doing, what in [("phases", first), *later]:
        present = acts.read(schedule)["current_phase"] or {"start_date": START, "end_date": START + DAY}
        if doing == "wait":
            world.engine.advance(acts.now + what * DAY + 7)
        elif doing in {"phases", "cut"}:
            told = [world.phase(dict(one)) for one in what]
            now = {"start_date": present["start_date"], "items": [{"price": world.prices[2], "quantity": 2}]}
            now |= {"end_date": "now" if doing == "cut" else present["end_date"]}
            status = api.answer("POST", path, {"phases": [now, *told]}).status
            assert status in {200, 400}
        elif doing == "end":
            assert api.answer("POST", path, {"end_behavior": what}).status in {200, 400}
        elif doing == "preview":
            assert api.answer("POST", "/v1/invoices/create_preview", {"schedule": schedule["id"]}).status in {
                200,
                400,
                404,
            }
        elif doing == "subscription":
            of = f"/v1/subscriptions/{bought['id']}"
            method = "DELETE" if what == "delete" else "POST"
            params: Any = {"cancel_at_period_end": {what: True}, "metadata": {what: {"a": "b"}}}.get(what, {})
            assert api.answer(method, of, params).status in {200, 400, 404}
        else:
            name = "preserve_cancel_date" if doing == "release" else "invoice_now"
            assert api.answer("POST", f"{path}/{doing}", {name: what}).status in {200, 400}
    world.engine.advance(acts.now + 200 * DAY)
    ended = acts.read(schedule)
    assert ended["status"] in {"active", "released", "completed", "canceled"}
    world.close()
