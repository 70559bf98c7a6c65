"""What comes with time: renewals that are paid, that fail and that are made up for, and whole lives in a row."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.sandbox.properties.choices import CARDS, DAY, having, which, yes
from tests.sandbox.properties.scheduled import Scheduled

FAILING = st.sampled_from(
    (
        "pm_card_chargeCustomerFail",
        "pm_card_authenticationRequired",
        "pm_usBankAccount_insufficientFunds",
        "pm_card_createDispute",
    )
)
LONG = st.sampled_from((DAY, 3 * DAY, 8 * DAY, 31 * DAY, 45 * DAY, 70 * DAY))


class Passing(Scheduled):
    """Rules that let something become of what others made."""

    def _renew(self, at: int, extra: int) -> None:
        found = self.visitor.seen("subscription", at)
        clock = found["test_clock"] or ""
        if clock and self.visitor.seen_as("test_helpers.test_clock", clock).get("deleted"):
            return
        ends = min(item["current_period_end"] for item in found["items"]["data"])
        left = ends - self.visitor.engine.now(clock)
        if 0 <= left < 70 * DAY:
            self.visitor.advance(left + extra, clock)

    @having("subscription")
    @rule(at=which, extra=st.sampled_from((0, 1, 3_599, 3_601, 2 * DAY)))
    def renew(self, at: int, extra: int) -> None:
        self._renew(at, extra)

    @having("subscription")
    @rule(at=which, card=FAILING, days=st.sampled_from((0, 1, 4, 20)))
    def fall_behind(self, at: int, card: str, days: int) -> None:
        self._attach(self.visitor.seen("subscription", at)["customer"], card)
        self._renew(at, 3_601 + days * DAY)

    @having("subscription")
    @rule(at=which, card=st.sampled_from(CARDS), forgive=yes)
    def catch_up(self, at: int, card: str, forgive: bool) -> None:
        found = self.visitor.seen("subscription", at)
        self._attach(found["customer"], card if forgive else "pm_card_visa")
        self.visitor.post(f"/v1/invoices/{found['latest_invoice']}/pay")

    @having("payment_intent")
    @rule(at=which)
    def show_up(self, at: int) -> None:
        """The payer does what the newest payments wait for."""
        self.visitor.authenticate(self.visitor.any("payment_intent", at), succeed=at % 3 > 0)

    @rule(span=LONG)
    def live(self, span: int) -> None:
        self.visitor.advance(span)

    @rule(at=which, span=LONG)
    def live_under_a_clock(self, at: int, span: int) -> None:
        clock = self.visitor.any("test_helpers.test_clock", at)
        if not self.visitor.seen_as("test_helpers.test_clock", clock).get("deleted"):
            self.visitor.advance(span, clock)

    @having("subscription")
    @rule(at=which, days=st.sampled_from((1, 10, 29)), count=st.sampled_from((2, 3, 7)), refuse=yes)
    def grow(self, at: int, days: int, count: int, refuse: bool) -> None:
        """A change in mid-period, billed at once, with a card that may refuse."""
        found = self.visitor.seen("subscription", at)
        if found["test_clock"] is None:
            self.visitor.advance(days * DAY)
        if refuse:
            self._attach(found["customer"], "pm_card_chargeCustomerFail")
        self.preview_then_change(at=at, price=0, count=count)
        if refuse:
            behavior = "pending_if_incomplete" if count > 2 else "allow_incomplete"
            item = {"id": found["items"]["data"][0]["id"], "quantity": count + 1}
            path = f"/v1/subscriptions/{found['id']}"
            self.visitor.post(path, items=[item], proration_behavior="always_invoice", payment_behavior=behavior)
