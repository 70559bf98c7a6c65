"""Payments, refunds, disputes, set-ups, and the passing of time, in any order."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.sandbox.properties.choices import AMOUNTS, CARDS, SPANS, Json, amount, given, having, which, yes
from tests.sandbox.properties.shop import Shop


class Money(Shop):
    """Whatever moves money, and time."""

    # --- invoices

    @rule(at=which, coin=amount, owned=yes)
    def invoice_item(self, at: int, coin: int, owned: bool) -> None:
        subscription = self.visitor.any("subscription", at) if owned else None
        customer = self.visitor.seen("subscription", at).get("customer") if owned else None
        customer = customer or self.visitor.any("customer", at)
        params = given(customer=customer, amount=coin, currency="usd", subscription=subscription)
        self.visitor.post("/v1/invoiceitems", **params)

    @rule(at=which, sent=yes, advances=yes, coupon=which)
    def draft(self, at: int, sent: bool, advances: bool, coupon: int) -> None:
        self.visitor.post(
            "/v1/invoices",
            **given(
                customer=self.visitor.any("customer", at),
                auto_advance=advances,
                pending_invoice_items_behavior="include",
                collection_method="send_invoice" if sent else None,
                days_until_due=3 if sent else None,
                discounts=self._discount(coupon),
            ),
        )

    @rule(
        at=which,
        what=st.sampled_from(
            ("finalize", "pay", "pay", "void", "mark_uncollectible", "send", "add_lines", "", "DELETE")
        ),
        out=yes,
    )
    def invoice(self, at: int, what: str, out: bool) -> None:
        path = f"/v1/invoices/{self.visitor.any('invoice', at)}"
        told: dict[str, Json] = {"pay": {"paid_out_of_band": out}, "": {"auto_advance": out, "description": "Thanks"}}
        params = told.get(what, {})
        if what == "add_lines":
            params = {"lines": [{"amount": AMOUNTS[at % len(AMOUNTS)], "description": "More"}]}
        if what == "DELETE":
            self.visitor.ask("DELETE", path)
        else:
            self.visitor.post(f"{path}/{what}" if what else path, **params)

    @having("invoice")
    @rule(at=which, coin=amount, how=st.sampled_from((None, "refund_amount", "credit_amount", "out_of_band_amount")))
    def credit(self, at: int, coin: int, how: str | None) -> None:
        params = given(invoice=self.visitor.any("invoice", at), amount=abs(coin))
        self.visitor.post("/v1/credit_notes", **params, **({how: abs(coin)} if how else {}))

    @having("credit_note")
    @rule(at=which)
    def void_credit(self, at: int) -> None:
        self.visitor.post(f"/v1/credit_notes/{self.visitor.any('credit_note', at)}/void")

    # --- payments

    @rule(at=which, coin=amount, card=st.sampled_from(CARDS), manual=yes, own=yes)
    def pay(self, at: int, coin: int, card: str, manual: bool, own: bool) -> None:
        method = self.visitor.seen("payment_method", at) if own else {}
        self.visitor.post(
            "/v1/payment_intents",
            **given(
                amount=coin,
                currency="usd",
                confirm=True,
                payment_method=method.get("id", card),
                customer=method.get("customer"),
                capture_method="manual" if manual else None,
                automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
            ),
        )

    @having("payment_intent")
    @rule(
        at=which,
        what=st.sampled_from(("confirm", "capture", "cancel", "authenticate", "fail")),
        card=st.sampled_from(CARDS),
    )
    def intent(self, at: int, what: str, card: str) -> None:
        intent = self.visitor.any("payment_intent", at)
        if what in {"authenticate", "fail"}:
            self.visitor.authenticate(intent, succeed=what == "authenticate")
        else:
            more = {"payment_method": card} if what == "confirm" and at % 2 else {}
            self.visitor.post(f"/v1/payment_intents/{intent}/{what}", **more)

    @having("charge")
    @rule(at=which, coin=st.none() | amount)
    def refund(self, at: int, coin: int | None) -> None:
        self.visitor.post("/v1/refunds", **given(charge=self.visitor.any("charge", at), amount=coin))

    @having("dispute")
    @rule(at=which, how=st.sampled_from(("winning_evidence", "losing_evidence", "maybe", "close")))
    def dispute(self, at: int, how: str) -> None:
        path = f"/v1/disputes/{self.visitor.any('dispute', at)}"
        if how == "close":
            self.visitor.post(f"{path}/close")
        else:
            self.visitor.post(path, evidence={"uncategorized_text": how}, submit=how != "maybe")

    @rule(at=which, card=st.sampled_from(CARDS), what=st.sampled_from(("make", "confirm", "cancel", "authenticate")))
    def set_up(self, at: int, card: str, what: str) -> None:
        intent = self.visitor.any("setup_intent", at)
        if what == "authenticate":
            self.visitor.authenticate(intent, succeed=at % 2 == 0)
        elif what == "make":
            customer = self.visitor.any("customer", at)
            self.visitor.post("/v1/setup_intents", customer=customer, payment_method=card, confirm=at % 2 == 0)
        else:
            self.visitor.post(f"/v1/setup_intents/{intent}/{what}")

    # --- time and reading

    @rule(far=yes)
    def clock(self, far: bool) -> None:
        if self.visitor.count("test_helpers.test_clock") < 3 + far:
            self.visitor.post("/v1/test_helpers/test_clocks", frozen_time=self.visitor.engine.now())

    @rule(at=which, span=st.sampled_from(SPANS))
    def turn(self, at: int, span: int) -> None:
        clock = self.visitor.any("test_helpers.test_clock", at)
        to = self.visitor.engine.now(clock) + span
        self.visitor.post(f"/v1/test_helpers/test_clocks/{clock}/advance", frozen_time=to)

    @rule(at=which)
    def drop_clock(self, at: int) -> None:
        clock = self.visitor.any("test_helpers.test_clock", at)
        if at > 8:
            self.visitor.ask("DELETE", f"/v1/test_helpers/test_clocks/{clock}")

    @rule(span=st.sampled_from(SPANS))
    def wait(self, span: int) -> None:
        self.visitor.advance(span)

    @rule(at=which, kind=st.sampled_from(("invoice", "subscription", "customer", "charge", "refund")), more=yes)
    def read(self, at: int, kind: str, more: bool) -> None:
        after = {"starting_after": self.visitor.any(kind, at)} if more else {}
        self.visitor.ask("GET", f"/v1/{kind}s", limit=at + 1, **after)
