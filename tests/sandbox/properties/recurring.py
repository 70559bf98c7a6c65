"""Subscriptions: begun, changed, paused and ended in all ways."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.sandbox.properties.choices import DAY, Json, behavior, given, having, prorating, quantity, which, yes
from tests.sandbox.properties.money import Money


class Recurring(Money):
    """Whatever is asked of subscriptions."""

    @rule(
        at=which,
        prices=st.lists(st.tuples(which, quantity), min_size=1, max_size=3, unique_by=lambda one: one[0] % 4),
        how=behavior,
        trial=st.sampled_from((None, None, 0, 2, 14)),
        ends=st.sampled_from((None, None, "cancel", "pause", "create_invoice")),
        sent=st.sampled_from((False, False, False, True)),
        coupon=which,
        classic=yes,
        anchor=st.sampled_from((None, None, None, 5, 20)),
        last=st.sampled_from((None, None, "period", "min_period_end", 40)),
    )
    def subscribe(
        self,
        *,
        at: int,
        prices: list[tuple[int, int]],
        how: str | None,
        trial: int | None,
        ends: str | None,
        sent: bool,
        coupon: int,
        classic: bool,
        anchor: int | None,
        last: str | int | None,
    ) -> None:
        customer = self.visitor.seen("customer", at)
        now = self.visitor.engine.now(customer.get("test_clock") or "")
        self.visitor.post(
            "/v1/subscriptions",
            **given(
                customer=self.visitor.any("customer", at),
                items=[{"price": self._price(one), "quantity": count} for one, count in prices],
                payment_behavior=how,
                trial_period_days=trial,
                trial_settings={"end_behavior": {"missing_payment_method": ends}} if ends else None,
                collection_method="send_invoice" if sent else None,
                days_until_due=5 if sent else None,
                discounts=self._discount(coupon),
                billing_mode={"type": "classic"} if classic else None,
                billing_cycle_anchor=now + anchor * DAY if anchor else None,
                cancel_at_period_end=True if last == "period" else None,
                cancel_at=now + last * DAY if isinstance(last, int) else last if last != "period" else None,
            ),
        )

    @having("subscription")
    @rule(
        at=which,
        price=st.none() | which,
        count=quantity,
        how=behavior,
        prorate=prorating,
        adds=yes,
        anchor=st.sampled_from((None, None, "now", "unchanged")),
        trial=st.sampled_from((None, None, None, "now", 10)),
        coupon=which,
    )
    def change(
        self,
        *,
        at: int,
        price: int | None,
        count: int,
        how: str | None,
        prorate: str | None,
        adds: bool,
        anchor: str | None,
        trial: str | int | None,
        coupon: int,
    ) -> None:
        found = self.visitor.seen("subscription", at)
        item = given(quantity=count, price=None if price is None else self._price(price))
        if found and not adds:
            item["id"] = found["items"]["data"][count % len(found["items"]["data"])]["id"]
        now = self.visitor.engine.now((found or {}).get("test_clock") or "")
        self.visitor.post(
            f"/v1/subscriptions/{self.visitor.any('subscription', at)}",
            **given(
                items=[item],
                payment_behavior=how,
                proration_behavior=prorate,
                billing_cycle_anchor={"type": anchor} if anchor else None,
                trial_end=now + trial * DAY if isinstance(trial, int) else trial,
                discounts=self._discount(coupon),
            ),
        )

    @having("subscription")
    @rule(at=which, price=which, count=quantity)
    def preview_then_change(self, at: int, price: int, count: int) -> None:
        found = self.visitor.seen("subscription", at)
        if not found or found.get("status") != "active" or found["schedule"] or found["pending_update"]:
            return
        now = self.visitor.engine.now(found["test_clock"] or "")
        details = {
            "items": [{"id": found["items"]["data"][0]["id"], "price": self._price(price), "quantity": count}],
            "proration_behavior": "always_invoice",
            "proration_date": now,
        }
        preview = self.visitor.post(
            "/v1/invoices/create_preview", subscription=found["id"], subscription_details=details
        )
        changed = self.visitor.post(f"/v1/subscriptions/{found['id']}", **details, expand=["latest_invoice"])
        if "error" not in changed and changed["latest_invoice"]["id"] != found["latest_invoice"]:
            real = changed["latest_invoice"]
            for name in ("subtotal", "total", "amount_due", "currency", "billing_reason"):
                assert preview[name] == real[name], name
            assert _lines(preview) == _lines(real)

    @rule(at=which, details=st.sampled_from(({}, {"cancel_now": True}, {"proration_behavior": "none"})))
    def preview(self, at: int, details: Json) -> None:
        subscription = self.visitor.any("subscription", at)
        params = given(subscription=subscription, subscription_details=details or None)
        self.visitor.post("/v1/invoices/create_preview", **params)
        self.visitor.post("/v1/invoices/create_preview", customer=self.visitor.any("customer", at))

    @having("subscription")
    @rule(at=which, prorate=yes, now=yes)
    def cancel(self, at: int, prorate: bool, now: bool) -> None:
        path = f"/v1/subscriptions/{self.visitor.any('subscription', at)}"
        self.visitor.ask("DELETE", path, prorate=prorate, invoice_now=now)

    @having("subscription")
    @rule(at=which, flag=yes)
    def cancel_at_end(self, at: int, flag: bool) -> None:
        self.visitor.post(f"/v1/subscriptions/{self.visitor.any('subscription', at)}", cancel_at_period_end=flag)

    @having("subscription")
    @rule(at=which, how=st.sampled_from(("keep_as_draft", "void", "mark_uncollectible", "")), days=st.none() | which)
    def pause_collection(self, at: int, how: str, days: int | None) -> None:
        found = self.visitor.seen("subscription", at)
        now = self.visitor.engine.now((found or {}).get("test_clock") or "")
        resumes = None if days is None else now + days * 10 * DAY
        pause = given(behavior=how, resumes_at=resumes) if how else ""
        self.visitor.post(f"/v1/subscriptions/{self.visitor.any('subscription', at)}", pause_collection=pause)

    @having("subscription")
    @rule(
        at=which, resume=yes, invoiced=yes, unused=st.sampled_from((None, "now", "none", "item_current_period_start"))
    )
    def pause(self, at: int, resume: bool, invoiced: bool, unused: str | None) -> None:
        path = f"/v1/subscriptions/{self.visitor.any('subscription', at)}"
        if resume:
            self.visitor.post(f"{path}/resume", billing_cycle_anchor={"type": "now" if invoiced else "unchanged"})
        else:
            bill = {"unused_time_from": {"type": unused}} if unused else None
            more = given(bill_for=bill, invoicing_behavior="invoice" if invoiced else None)
            self.visitor.post(f"{path}/pause", type="subscription", **more)

    @having("subscription")
    @rule(at=which, price=which, how=st.sampled_from(("POST", "PUT", "DELETE")), count=quantity, prorate=prorating)
    def item(self, at: int, price: int, how: str, count: int, prorate: str | None) -> None:
        found = self.visitor.seen("subscription", at)
        items = found["items"]["data"] if found else [{"id": "si_none"}]
        more = given(proration_behavior=prorate)
        if how == "PUT":
            own = self.visitor.any("subscription", at)
            params = {"subscription": own, "price": self._price(price), "quantity": count, **more}
            self.visitor.post("/v1/subscription_items", **params)
        elif how == "POST":
            self.visitor.post(f"/v1/subscription_items/{items[0]['id']}", quantity=count, **more)
        else:
            self.visitor.ask("DELETE", f"/v1/subscription_items/{items[-1]['id']}", **more)

    @having("subscription")
    @rule(at=which)
    def drop_discount(self, at: int) -> None:
        self.visitor.ask("DELETE", f"/v1/subscriptions/{self.visitor.any('subscription', at)}/discount")


def _lines(invoice: Json) -> list[Any]:
    return [
        (line["amount"], line["description"], line["period"], line["quantity"]) for line in invoice["lines"]["data"]
    ]
