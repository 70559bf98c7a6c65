"""The catalogue of lives. Each is a generator: it does something, and yields when it goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trueup.kernel.records import Record
from trueup.sandbox.scenarios.life import FAILING_CARD, Life, Lived
from trueup.sandbox.scenarios.present import in_dunning, in_trial, leaving, renews_now
from trueup.sandbox.scenarios.scheduled import price_increase, scheduled_downgrade


def _over() -> Lived:
    """Nothing more happens."""
    return iter(())


def lead(me: Life) -> Lived:
    """Signs up and never buys."""
    me.sign_up()
    return _over()


def happy_monthly(me: Life) -> Lived:
    """Subscribes by the month and pays."""
    me.sign_up()
    me.card()
    yield me.after(hours=0.1)
    me.subscribe(coupon=me.rng.random() < 0.1)


def happy_yearly(me: Life) -> Lived:
    """Subscribes by the year and pays."""
    me.sign_up()
    me.card()
    me.subscribe(interval="year")
    return _over()


def annual_with_coupon(me: Life) -> Lived:
    """A year at once, a fifth off with a promotion code."""
    me.sign_up()
    me.card()
    yield me.after(hours=1)
    me.subscribe("pro", interval="year", coupon=True)


def launch_coupon(me: Life) -> Lived:
    """A fifth off for three months, then the whole price."""
    me.sign_up()
    me.card()
    me.subscribe(coupon=True)
    return _over()


def trial_converts(me: Life) -> Lived:
    """Fourteen days' trial, a card on the way, then pays."""
    me.sign_up()
    me.subscribe(trial=True)
    yield me.between(1, 12)
    me.card()


def trial_without_card(me: Life) -> Lived:
    """The trial ends without a card: canceled."""
    me.sign_up()
    me.subscribe(trial=True, missing="cancel")
    return _over()


def trial_paused(me: Life) -> Lived:
    """The trial ends without a card: paused."""
    me.sign_up()
    me.subscribe(trial=True, missing="pause")
    return _over()


def trial_resumed(me: Life) -> Lived:
    """The trial ends without a card: paused, and resumed with one weeks later."""
    me.sign_up()
    me.subscribe(trial=True, missing="pause")
    yield me.between(20, 40)
    me.card()
    me.resume()


def trial_canceled(me: Life) -> Lived:
    """Leaves during the trial."""
    me.sign_up()
    me.card()
    me.subscribe(trial=True)
    yield me.between(2, 10)
    me.leave()


def upgrade(me: Life) -> Lived:
    """From Starter to Pro, the difference paid at once."""
    me.sign_up()
    me.card()
    me.subscribe("starter")
    yield me.between(10, 60)
    if me.calm():
        me.switch("pro")


def upgrade_then_downgrade(me: Life) -> Lived:
    """From Starter to Pro, and back some months later; the rest is credited."""
    yield from upgrade(me)
    yield me.between(40, 110)
    if me.calm():
        me.switch("starter", proration_behavior="create_prorations")


def downgrade(me: Life) -> Lived:
    """From Pro to Starter."""
    me.sign_up()
    me.card()
    me.subscribe("pro")
    yield me.between(30, 120)
    if me.calm():
        me.switch("starter", proration_behavior="none")


def month_to_year(me: Life) -> Lived:
    """From the month to the year."""
    me.sign_up()
    me.card()
    me.subscribe("pro")
    yield me.between(30, 120)
    if me.calm():
        me.switch("pro", interval="year")


def seats(me: Life) -> Lived:
    """Seats come and go."""
    me.sign_up()
    me.card()
    me.subscribe(seats=3)
    for more in (me.rng.randint(1, 6), me.rng.choice((-2, -1, 1, 4)), 2):
        yield me.between(15, 60)
        if me.calm():
            me.seats(more)


def team_tiers(me: Life) -> Lived:
    """A graduated price, over its first step."""
    me.sign_up()
    me.card()
    me.subscribe("team", seats=me.rng.randint(8, 40))
    yield me.between(20, 70)
    if me.calm():
        me.seats(me.rng.randint(5, 30))


def recovered_dunning(me: Life) -> Lived:
    """The card fails, retries fail, a new card pays."""
    me.sign_up()
    me.card()
    me.subscribe()
    yield me.between(3, 20)
    me.card(FAILING_CARD)
    yield me.between(30, 34)
    me.card()
    latest = me.refresh()["latest_invoice"]
    if me.subscription["status"] == "past_due":
        me.attempt(me.ask, "POST", f"/v1/invoices/{latest}/pay")


def involuntary_churn(me: Life) -> Lived:
    """The card fails, all retries fail: canceled."""
    me.sign_up()
    me.card()
    me.subscribe()
    yield me.between(3, 60)
    me.card(FAILING_CARD)


def incomplete_expired(me: Life) -> Lived:
    """The very first payment fails, and nobody tries again for 23 hours."""
    me.sign_up()
    me.card(FAILING_CARD)
    me.subscribe()
    return _over()


def cancels(me: Life) -> Lived:
    """Leaves at the end of a period."""
    me.sign_up()
    me.card()
    me.subscribe()
    yield me.between(20, 150)
    if me.calm():
        me.leave()


def cancels_now(me: Life) -> Lived:
    """Leaves at once."""
    me.sign_up()
    me.card()
    me.subscribe()
    yield me.between(20, 150)
    if me.calm():
        me.leave(at_end=False)


def thinks_again(me: Life) -> Lived:
    """Wants to leave, and stays."""
    yield from cancels(me)
    if me.subscription.get("cancel_at"):
        yield me.after(days=1)
        if me.refresh()["status"] == "active":
            me.change(cancel_at_period_end=False)


def returns(me: Life) -> Lived:
    """Leaves, and comes back months later."""
    yield from cancels_now(me)
    yield me.between(40, 90)
    if me.refresh()["status"] == "canceled":
        me.subscribe("pro")


def paused(me: Life) -> Lived:
    """Collection is paused until further notice."""
    me.sign_up()
    me.card()
    me.subscribe()
    yield me.between(20, 120)
    if me.calm():
        me.change(pause_collection={"behavior": "void"})


def paused_and_resumed(me: Life) -> Lived:
    """Collection is paused for 35 days."""
    me.sign_up()
    me.card()
    me.subscribe()
    yield me.between(20, 90)
    if me.calm():
        me.change(pause_collection={"behavior": "keep_as_draft", "resumes_at": me.now + 35 * 86_400})


def refunded(me: Life) -> Lived:
    """Asks for the money back soon after paying."""
    me.sign_up()
    me.card()
    me.subscribe()
    yield me.after(days=3)
    me.refund()


def partly_refunded(me: Life) -> Lived:
    """Gets half of a payment back."""
    me.sign_up()
    me.card()
    me.subscribe()
    yield me.between(5, 50)
    me.refund(50)


def disputed(me: Life) -> Lived:
    """Pays, disputes it at the bank, and is believed."""
    me.sign_up()
    me.card("pm_card_createDispute")
    me.subscribe()
    yield me.after(days=5)
    _answer(me, "losing_evidence")
    me.leave(at_end=False)


def dispute_won(me: Life) -> Lived:
    """Pays and disputes it at the bank; the evidence wins."""
    me.sign_up()
    me.card("pm_card_createDispute")
    me.subscribe()
    me.card()
    yield me.after(days=4)
    _answer(me, "winning_evidence")


def _answer(me: Life, evidence: str) -> None:
    charge = me.charge()
    if charge is not None:
        for dispute in me.ask("GET", "/v1/disputes", charge=charge["id"])["data"]:
            me.ask("POST", f"/v1/disputes/{dispute['id']}", evidence={"uncategorized_text": evidence}, submit=True)


def duplicate_customer(me: Life) -> Lived:
    """Signs up a second time with the same address, and pays there too."""
    me.sign_up()
    me.card()
    me.subscribe("starter")
    yield me.between(20, 80)
    me.sign_up(metadata={"user_id": me.company.user_id, "created_via": "support"})
    me.card()
    me.subscribe("pro")


def pays_by_invoice(me: Life) -> Lived:
    """Is sent invoices and pays them by transfer, each some days late or early."""
    me.sign_up()
    me.subscribe("pro", collection_method="send_invoice", days_until_due=14, seats=20)
    while True:
        yield me.between(8, 20)
        for invoice in me.ask("GET", "/v1/invoices", customer=me.customer["id"], status="open")["data"]:
            me.ask("POST", f"/v1/invoices/{invoice['id']}/pay", paid_out_of_band=True)
        if me.refresh()["status"] in {"canceled", "unpaid"}:
            return


def setup_fee(me: Life) -> Lived:
    """Pays for the setup once, with the first invoice."""
    me.company = me.companies.next_in("usd")
    me.sign_up()
    me.card()
    me.subscribe("pro", add_invoice_items=[{"price": me.shop.setup}])
    return _over()


def currency_variety(me: Life) -> Lived:
    """Buys for its offices in dollars, euro, pounds and yen, each a customer of its own with the same user."""
    user = me.company.user_id
    for currency in ("usd", "eur", "gbp", "jpy"):
        me.company = me.companies.next_in(currency)
        me.sign_up(metadata={"user_id": user, "created_via": "signup" if currency == "usd" else "office"})
        me.card()
        me.subscribe("pro", seats=2)
        yield me.between(1, 5)


def deleted(me: Life) -> Lived:
    """Asks to be forgotten."""
    me.sign_up()
    me.card()
    me.subscribe()
    yield me.between(20, 120)
    me.ask("DELETE", f"/v1/customers/{me.customer['id']}")


class Scenario(Record, frozen=True):
    """A life under its name. ``weight`` is how often it is met; ``days`` how long it takes until its point is made."""

    live: Callable[[Life], Lived]
    weight: int
    days: int

    @property
    def about(self) -> str:
        """One sentence."""
        return (self.live.__doc__ or "").strip()


def _of(weight: int, days: int, *lives: Callable[[Life], Lived]) -> dict[str, Scenario]:
    return {live.__name__: Scenario(live=live, weight=weight, days=days) for live in lives}


SCENARIOS: Final[dict[str, Scenario]] = {
    **_of(18, 0, in_trial),
    **_of(16, 40, renews_now),
    **_of(10, 0, lead),
    **_of(26, 0, happy_monthly),
    **_of(12, 0, happy_yearly),
    **_of(24, 14, trial_converts),
    **_of(12, 60, upgrade, seats),
    **_of(10, 16, trial_without_card),
    **_of(9, 60, involuntary_churn, recovered_dunning),
    **_of(9, 40, in_dunning),
    **_of(8, 90, cancels),
    **_of(6, 5, launch_coupon, annual_with_coupon),
    **_of(6, 40, leaving),
    **_of(6, 60, team_tiers, cancels_now),
    **_of(5, 60, partly_refunded, pays_by_invoice, month_to_year),
    **_of(4, 120, upgrade_then_downgrade, downgrade, paused_and_resumed),
    **_of(4, 20, trial_paused, trial_canceled, refunded),
    **_of(3, 120, paused, returns, thinks_again, duplicate_customer, deleted),
    **_of(3, 135, scheduled_downgrade, price_increase),
    **_of(2, 40, trial_resumed, disputed, dispute_won),
    **_of(2, 2, incomplete_expired, setup_fee),
    **_of(1, 30, currency_variety),
}
"""Every scenario by name."""
