"""Events on demand: what causes an event is done, so that it really happens, with all that goes with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from trueup.kernel.errors import Broken, Refused
from trueup.sandbox.server.desk import Desk
from trueup.sandbox.world.store import Obj

_HOUR: Final = 3_600
_DAY: Final = 86_400


class Actor:
    """Somebody who uses the API. Whoever needs time gets a test clock, so that the sandbox's own stands as it stood."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._clock = ""

    def post(self, path: str, **params: Any) -> Obj:
        """Ask for a change."""
        return self._desk.request("POST", path, params)

    def try_(self, path: str, **params: Any) -> None:
        """Ask for a change that Stripe declines, as a card without cover does."""
        try:
            self.post(path, **params)
        except Refused:
            return

    def delete(self, path: str, **params: Any) -> Obj:
        """Delete something."""
        return self._desk.request("DELETE", path, params)

    def get(self, path: str, **params: Any) -> Obj:
        """Read something."""
        return self._desk.request("GET", path, params)

    def customer(self, card: str = "pm_card_visa", *, clock: bool = False) -> str:
        """A customer with a card, whose default it is; with ``clock`` under a test clock of its own."""
        if clock:
            self._clock = self.post("/v1/test_helpers/test_clocks", frozen_time=self._desk.now)["id"]
        under = {"test_clock": self._clock} if clock else {}
        made: str = self.post("/v1/customers", email="ada@example.com", name="Ada", **under)["id"]
        if card:
            self.card(made, card)
        return made

    def card(self, customer: str, card: str) -> str:
        """Attach a card and make it the default."""
        method: str = self.post(f"/v1/payment_methods/{card}/attach", customer=customer)["id"]
        self.post(f"/v1/customers/{customer}", invoice_settings={"default_payment_method": method})
        return method

    def get_method(self, customer: str) -> Obj:
        """A customer's payment method."""
        found: Obj = self.get(f"/v1/customers/{customer}/payment_methods")["data"][0]
        return found

    def product(self) -> str:
        """Something to sell."""
        made: str = self.post("/v1/products", name="Pro")["id"]
        return made

    def price(self, amount: int = 2_900) -> str:
        """A monthly price."""
        made: str = self.post(
            "/v1/prices", currency="usd", unit_amount=amount, recurring={"interval": "month"}, product=self.product()
        )["id"]
        return made

    def subscription(self, customer: str, **params: Any) -> Obj:
        """A monthly subscription."""
        return self.post("/v1/subscriptions", customer=customer, items=[{"price": self.price()}], **params)

    def pay(self, card: str = "pm_card_visa", **params: Any) -> Obj:
        """A single payment."""
        return self.post("/v1/payment_intents", **_payment(card), **params)

    def invoice(self, customer: str, **params: Any) -> str:
        """A draft of an invoice over one item."""
        made: str = self.post("/v1/invoices", customer=customer, **params)["id"]
        self.post("/v1/invoiceitems", customer=customer, invoice=made, amount=1_500, currency="usd")
        return made

    def wait(self, *, days: int = 0, hours: int = 0) -> None:
        """Let time pass on the customer's clock."""
        clock = self.get(f"/v1/test_helpers/test_clocks/{self._clock}")
        to = clock["frozen_time"] + days * _DAY + hours * _HOUR
        self.post(f"/v1/test_helpers/test_clocks/{self._clock}/advance", frozen_time=to)
        self._desk.engine.settle()

    def authenticate(self, intent: str, *, succeed: bool = True) -> None:
        """Do what the payer is asked to."""
        self._desk.authenticate(intent, succeed=succeed)


def _payment(card: str) -> dict[str, Any]:
    return {
        "amount": 1_500,
        "currency": "usd",
        "payment_method": card,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "confirm": True,
    }


Steps = Callable[[Actor], object]


def trigger(desk: Desk, event: str) -> list[str]:
    """Make an event happen; gives the types of all that happened, in order. Raises ``Refused`` for an unknown one."""
    steps = STEPS.get(event)
    if steps is None:
        raise Refused(
            f"Nobody knows how to make {event} happen.", code="no_trigger", hint=f"One of: {', '.join(known())}."
        )
    before = desk.engine.told()
    steps(Actor(desk))
    desk.engine.settle()
    happened = [one["type"] for one in desk.events()[before:]]
    if event not in happened:
        raise Broken(f"What causes {event} was done, and it did not happen.", code="not_triggered")
    return happened


def known() -> list[str]:
    """Every event that can be made to happen."""
    return sorted(STEPS)


# --- what causes what ------------------------------------------------------------------------------------------------


def _renamed(actor: Actor) -> None:
    actor.post(f"/v1/customers/{actor.customer('')}", name="Grace")


def _trial(actor: Actor) -> None:
    actor.subscription(actor.customer(clock=True), trial_period_days=14)
    actor.wait(days=12)


def _trial_without_card(actor: Actor) -> str:
    customer = actor.customer("", clock=True)
    ends = {"end_behavior": {"missing_payment_method": "pause"}}
    made = actor.subscription(customer, trial_period_days=3, trial_settings=ends)["id"]
    actor.wait(days=4)
    actor.card(customer, "pm_card_visa")
    return str(made)


def _resumed(actor: Actor) -> None:
    resumed = actor.post(f"/v1/subscriptions/{_trial_without_card(actor)}/resume")
    if resumed["status"] == "paused":
        actor.post(f"/v1/invoices/{resumed['latest_invoice']}/pay")


def _quantity(actor: Actor) -> None:
    made = actor.subscription(actor.customer())
    actor.post(f"/v1/subscriptions/{made['id']}", items=_three(made))


def _three(subscription: Obj) -> list[dict[str, Any]]:
    return [{"id": subscription["items"]["data"][0]["id"], "quantity": 3}]


def _pending(actor: Actor) -> str:
    """An update that waits for the payer; gives the intent to be authenticated."""
    customer = actor.customer(clock=True)
    made = actor.subscription(customer)
    actor.card(customer, "pm_card_authenticationRequired")
    actor.post(
        f"/v1/subscriptions/{made['id']}",
        items=_three(made),
        payment_behavior="pending_if_incomplete",
        proration_behavior="always_invoice",
    )
    return str(actor.get("/v1/payment_intents", customer=customer)["data"][0]["id"])


def _pending_expired(actor: Actor) -> None:
    _pending(actor)
    actor.wait(days=1)


def _renewal(actor: Actor) -> None:
    actor.subscription(actor.customer(clock=True))
    actor.wait(days=32)


def _renewal_declined(actor: Actor) -> None:
    customer = actor.customer(clock=True)
    actor.subscription(customer)
    actor.card(customer, "pm_card_chargeCustomerFail")
    actor.wait(days=32)


def _action_required(actor: Actor) -> None:
    actor.subscription(actor.customer("pm_card_authenticationRequired"))


def _finalized(actor: Actor, **params: Any) -> str:
    made = actor.invoice(actor.customer(), **params)
    actor.post(f"/v1/invoices/{made}/finalize")
    return made


def _overdue(actor: Actor) -> None:
    made = actor.invoice(actor.customer(clock=True), collection_method="send_invoice", days_until_due=3)
    actor.post(f"/v1/invoices/{made}/finalize")
    actor.wait(days=4)


def _sent(actor: Actor) -> None:
    actor.post(f"/v1/invoices/{_finalized(actor, collection_method='send_invoice', days_until_due=30)}/send")


def _canceled_by_clock(actor: Actor) -> None:
    actor.subscription(actor.customer(clock=True), cancel_at_period_end=True)
    actor.wait(days=32)


def _refund(actor: Actor) -> None:
    actor.post("/v1/refunds", payment_intent=actor.pay()["id"])


def _refund_failed(actor: Actor) -> None:
    method = actor.get_method(actor.customer("pm_card_refundFail", clock=True))
    actor.post("/v1/refunds", payment_intent=actor.pay(method["id"], customer=method["customer"])["id"])
    actor.wait(days=10)


def _dispute_lost(actor: Actor) -> None:
    intent = actor.pay("pm_card_createDispute")["id"]
    dispute = actor.get("/v1/disputes", payment_intent=intent)["data"][0]["id"]
    actor.post(f"/v1/disputes/{dispute}/close")


def _dispute_won(actor: Actor) -> None:
    method = actor.get_method(actor.customer("pm_card_createDispute", clock=True))
    intent = actor.pay(method["id"], customer=method["customer"])["id"]
    dispute = actor.get("/v1/disputes", payment_intent=intent)["data"][0]["id"]
    actor.post(f"/v1/disputes/{dispute}", evidence={"uncategorized_text": "winning_evidence"}, submit=True)
    actor.wait(days=1)


def _settled(actor: Actor) -> None:
    method = actor.get_method(actor.customer(clock=True))
    actor.pay(method["id"], customer=method["customer"])
    actor.wait(days=1)


def _undiscounted(actor: Actor) -> None:
    made = actor.subscription(actor.customer(), discounts=[{"coupon": _coupon(actor)}])
    actor.delete(f"/v1/subscriptions/{made['id']}/discount")


def _set_up(actor: Actor, card: str = "pm_card_visa", *, confirm: bool = True) -> str:
    automatic = {"enabled": True, "allow_redirects": "never"}
    made: str = actor.post(
        "/v1/setup_intents", payment_method=card, automatic_payment_methods=automatic, confirm=confirm
    )["id"]
    return made


def _declined(actor: Actor) -> None:
    actor.try_("/v1/payment_intents", **_payment("pm_card_chargeDeclined"))


def _coupon(actor: Actor) -> str:
    made: str = actor.post("/v1/coupons", percent_off=20, duration="repeating", duration_in_months=3)["id"]
    return made


def _promotion(actor: Actor) -> str:
    made: str = actor.post("/v1/promotion_codes", promotion={"type": "coupon", "coupon": _coupon(actor)})["id"]
    return made


def _credit_note(actor: Actor) -> str:
    invoice = _finalized(actor)
    made: str = actor.post("/v1/credit_notes", invoice=invoice, amount=500)["id"]
    return made


def _schedule(actor: Actor, *, months: int = 0) -> str:
    """A schedule: of a subscription that runs, or, with ``months``, of one that is canceled after them."""
    if not months:
        made = actor.subscription(actor.customer())["id"]
        return str(actor.post("/v1/subscription_schedules", from_subscription=made)["id"])
    phase = {"items": [{"price": actor.price()}], "duration": {"interval": "month", "interval_count": months}}
    customer = actor.customer(clock=True)
    made = actor.post(
        "/v1/subscription_schedules", customer=customer, start_date="now", end_behavior="cancel", phases=[phase]
    )
    return str(made["id"])


def _schedule_ended(actor: Actor) -> None:
    _schedule(actor, months=1)
    actor.wait(days=32)


def _schedule_changed(actor: Actor) -> None:
    actor.post(f"/v1/subscription_schedules/{_schedule(actor)}", end_behavior="cancel")


def _clock(actor: Actor) -> None:
    actor.customer("", clock=True)
    actor.wait(days=1)


STEPS: Final[Mapping[str, Steps]] = {
    "charge.captured": lambda a: a.post(f"/v1/payment_intents/{a.pay(capture_method='manual')['id']}/capture"),
    "charge.dispute.closed": _dispute_lost,
    "charge.dispute.created": lambda a: a.pay("pm_card_createDispute"),
    "charge.dispute.funds_reinstated": _dispute_won,
    "charge.dispute.funds_withdrawn": lambda a: a.pay("pm_card_createDispute"),
    "charge.failed": _declined,
    "charge.refunded": _refund,
    "charge.succeeded": lambda a: a.pay(),
    "charge.updated": _settled,
    "coupon.created": _coupon,
    "coupon.deleted": lambda a: a.delete(f"/v1/coupons/{_coupon(a)}"),
    "coupon.updated": lambda a: a.post(f"/v1/coupons/{_coupon(a)}", name="Launch"),
    "credit_note.created": _credit_note,
    "credit_note.voided": lambda a: a.post(f"/v1/credit_notes/{_credit_note(a)}/void"),
    "customer.created": lambda a: a.customer(""),
    "customer.deleted": lambda a: a.delete(f"/v1/customers/{a.customer('')}"),
    "customer.discount.created": lambda a: a.subscription(a.customer(), discounts=[{"coupon": _coupon(a)}]),
    "customer.discount.deleted": _undiscounted,
    "customer.subscription.created": lambda a: a.subscription(a.customer()),
    "customer.subscription.deleted": lambda a: a.delete(f"/v1/subscriptions/{a.subscription(a.customer())['id']}"),
    "customer.subscription.paused": _trial_without_card,
    "customer.subscription.pending_update_applied": lambda a: a.authenticate(_pending(a)),
    "customer.subscription.pending_update_expired": _pending_expired,
    "customer.subscription.resumed": _resumed,
    "customer.subscription.trial_will_end": _trial,
    "customer.subscription.updated": _quantity,
    "customer.updated": _renamed,
    "invoice.created": lambda a: a.invoice(a.customer("")),
    "invoice.deleted": lambda a: a.delete(f"/v1/invoices/{a.invoice(a.customer(''))}"),
    "invoice.finalized": _finalized,
    "invoice.marked_uncollectible": lambda a: a.post(f"/v1/invoices/{_finalized(a)}/mark_uncollectible"),
    "invoice.overdue": _overdue,
    "invoice.paid": lambda a: a.subscription(a.customer()),
    "invoice.payment_action_required": _action_required,
    "invoice.payment_failed": _renewal_declined,
    "invoice.payment_succeeded": _renewal,
    "invoice.sent": _sent,
    "invoice.upcoming": _renewal,
    "invoice.updated": lambda a: a.post(f"/v1/invoices/{a.invoice(a.customer(''))}", description="Thanks"),
    "invoice.voided": lambda a: a.post(f"/v1/invoices/{_finalized(a)}/void"),
    "invoice_payment.paid": lambda a: a.post(f"/v1/invoices/{_finalized(a)}/pay"),
    "invoiceitem.created": _quantity,
    "payment_intent.amount_capturable_updated": lambda a: a.pay(capture_method="manual"),
    "payment_intent.canceled": lambda a: a.post(f"/v1/payment_intents/{a.pay(capture_method='manual')['id']}/cancel"),
    "payment_intent.created": lambda a: a.pay(),
    "payment_intent.payment_failed": _declined,
    "payment_intent.requires_action": lambda a: a.pay("pm_card_authenticationRequired"),
    "payment_intent.succeeded": lambda a: a.pay(),
    "payment_method.attached": lambda a: a.customer(),
    "payment_method.detached": lambda a: a.post(f"/v1/payment_methods/{a.card(a.customer(''), 'pm_card_visa')}/detach"),
    "price.created": lambda a: a.price(),
    "price.updated": lambda a: a.post(f"/v1/prices/{a.price()}", nickname="Monthly"),
    "product.created": lambda a: a.product(),
    "product.deleted": lambda a: a.delete(f"/v1/products/{a.product()}"),
    "product.updated": lambda a: a.post(f"/v1/products/{a.product()}", name="Pro, renewed"),
    "promotion_code.created": _promotion,
    "promotion_code.updated": lambda a: a.post(f"/v1/promotion_codes/{_promotion(a)}", active=False),
    "refund.created": _refund,
    "refund.failed": _refund_failed,
    "setup_intent.canceled": lambda a: a.post(f"/v1/setup_intents/{_set_up(a, confirm=False)}/cancel"),
    "setup_intent.created": _set_up,
    "setup_intent.requires_action": lambda a: _set_up(a, "pm_card_authenticationRequired"),
    "setup_intent.setup_failed": lambda a: a.authenticate(_set_up(a, "pm_card_authenticationRequired"), succeed=False),
    "setup_intent.succeeded": _set_up,
    "subscription_schedule.canceled": lambda a: a.post(f"/v1/subscription_schedules/{_schedule(a)}/cancel"),
    "subscription_schedule.completed": _schedule_ended,
    "subscription_schedule.created": _schedule,
    "subscription_schedule.expiring": _schedule_ended,
    "subscription_schedule.released": lambda a: a.post(f"/v1/subscription_schedules/{_schedule(a)}/release"),
    "subscription_schedule.updated": _schedule_changed,
    "test_helpers.test_clock.advancing": _clock,
    "test_helpers.test_clock.created": _clock,
    "test_helpers.test_clock.ready": _clock,
}
"""A type of event -> the steps that cause it."""
