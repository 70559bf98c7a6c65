"""What people do at Stripe: each doing is one or a few requests, about objects chosen by chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trueup.ops.simulation import shelves
from trueup.ops.simulation.asking import DAY, NAMES, Doing, Stripe, note, path_of, post
from trueup.ops.simulation.types import Json

CARDS: Final = (
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_amex",
    "pm_card_chargeCustomerFail",
    "pm_card_createDispute",
    "pm_card_authenticationRequired",
)

# --- customers -------------------------------------------------------------------------------------------------------


def sign_up(me: Stripe) -> None:
    """A customer, half of them with a card."""
    more: Json = {}
    if me.rng.random() < 0.25:
        try:
            more["test_clock"] = me.any("test_helpers.test_clock")["id"]
        except LookupError:
            more["test_clock"] = post(me, "/v1/test_helpers/test_clocks", frozen_time=_frozen(me))["id"]
    name = me.rng.choice(NAMES)
    made = post(me, "/v1/customers", name=name, email=f"{name.lower()}@example.com", metadata=note(me), **more)
    if me.rng.random() < 0.7:
        card(me, made)


def _frozen(me: Stripe) -> int:
    """A test clock may stand long before the present, or after it."""
    return 1_767_225_600 + me.rng.choice((-400, -3, 0, 0, 20)) * DAY


def card(me: Stripe, customer: Json | None = None) -> None:
    """A card, the default where it can be."""
    customer = customer or me.any("customer")
    token = me.rng.choice(CARDS[:3] if me.rng.random() < 0.6 else CARDS)
    method = post(me, f"/v1/payment_methods/{token}/attach", customer=customer["id"])
    post(me, path_of("customer", customer), invoice_settings={"default_payment_method": method["id"]})


def rename(me: Stripe) -> None:
    """Change a customer, now and then to and fro within a second."""
    customer = me.any("customer")
    for name in me.rng.choices(NAMES, k=me.rng.choice((1, 1, 1, 2, 3, 5))):
        change: Json = me.rng.choice(
            ({"name": name}, {"metadata": {"owner": name}}, {"phone": "+1555"}, {"email": f"{name}@example.org"})
        )
        post(me, path_of("customer", customer), **change)


def balance(me: Stripe) -> None:
    """Credit or debit."""
    customer = me.any("customer")
    post(
        me,
        path_of("customer", customer) + "/balance_transactions",
        amount=me.rng.choice((-500, 300)),
        currency=customer.get("currency") or "usd",
    )


def tax(me: Stripe) -> None:
    """A tax id comes, or goes."""
    if me.rng.random() < 0.7:
        post(me, path_of("customer", me.any("customer")) + "/tax_ids", type="eu_vat", value="DE123456789")
    else:
        found = me.any("tax_id")
        me.ask("DELETE", f"/v1/customers/{found['customer']}/tax_ids/{found['id']}")


def leave(me: Stripe) -> None:
    """A customer is deleted, now and then just after another change."""
    customer = me.any("customer")
    if me.rng.random() < 0.4:
        post(me, path_of("customer", customer), description="leaves")
    me.ask("DELETE", path_of("customer", customer))


def detach(me: Stripe) -> None:
    """A card is taken off, or its date changes."""
    method = me.any("payment_method")
    if me.rng.random() < 0.5:
        post(me, path_of("payment_method", method) + "/detach")
    else:
        post(me, path_of("payment_method", method), metadata=note(me))


def discount_off(me: Stripe) -> None:
    """The customer's discount ends."""
    me.ask("DELETE", path_of("customer", me.any("customer")) + "/discount")


# --- subscriptions ---------------------------------------------------------------------------------------------------


def subscribe(me: Stripe) -> None:
    """A subscription, on trial, with a coupon, by invoice, or plainly."""
    found = me.any("price", type="recurring")
    more: Json = {}
    luck = me.rng.random()
    if luck < 0.2:
        more["trial_period_days"] = 14
        more["trial_settings"] = {"end_behavior": {"missing_payment_method": me.rng.choice(("cancel", "pause"))}}
    elif luck < 0.4:
        more["discounts"] = [{"coupon": me.any("coupon")["id"]}]
    elif luck < 0.6:
        more |= {"collection_method": "send_invoice", "days_until_due": 7}
    elif luck < 0.7:
        more["payment_behavior"] = "default_incomplete"
    post(
        me,
        "/v1/subscriptions",
        customer=me.any("customer")["id"],
        items=[{"price": found["id"], "quantity": me.rng.randint(1, 4)}],
        **more,
    )


def resubscribe(me: Stripe) -> None:
    """Change a subscription, now and then several times within a second."""
    found = me.any("subscription")
    item = found["items"]["data"][0]["id"]
    for _ in range(me.rng.choice((1, 1, 1, 2, 4))):
        luck = me.rng.random()
        if luck < 0.3:
            change: Json = {"items": [{"id": item, "quantity": me.rng.randint(1, 5)}]}
        elif luck < 0.4:
            change = {"items": [{"id": item, "price": me.any("price", type="recurring")["id"]}]}
        elif luck < 0.6:
            change = {"cancel_at_period_end": me.rng.random() < 0.5}
        elif luck < 0.8:
            change = {"metadata": note(me)}
        elif luck < 0.9:
            change = {"pause_collection": me.rng.choice(({"behavior": "void"}, ""))}
        else:
            change = {"trial_end": "now"}
        post(me, path_of("subscription", found), **change)


def unsubscribe(me: Stripe) -> None:
    """A subscription is canceled, now and then right after a change."""
    found = me.any("subscription")
    if me.rng.random() < 0.4:
        post(me, path_of("subscription", found), metadata=note(me))
    me.ask("DELETE", path_of("subscription", found))


def seats(me: Stripe) -> None:
    """An item more."""
    found = me.any("subscription")
    post(me, "/v1/subscription_items", subscription=found["id"], price=me.any("price", type="recurring")["id"])


def schedule(me: Stripe) -> None:
    """A schedule for a subscription, or the end of one."""
    luck = me.rng.random()
    if luck < 0.6:
        post(me, "/v1/subscription_schedules", from_subscription=me.any("subscription")["id"])
    else:
        found = me.any("subscription_schedule")
        post(me, f"/v1/subscription_schedules/{found['id']}/{'release' if luck < 0.8 else 'cancel'}")


# --- invoices and payments -------------------------------------------------------------------------------------------


def bill(me: Stripe) -> None:
    """An invoice of one's own making, some with more lines than an event shows."""
    customer = me.any("customer")
    made = post(me, "/v1/invoices", customer=customer["id"], collection_method="send_invoice", days_until_due=5)
    for number in range(me.rng.choice((0, 1, 2, 12))):
        post(
            me,
            "/v1/invoiceitems",
            customer=customer["id"],
            invoice=made["id"],
            amount=100 + number,
            currency=made["currency"],
        )
    if me.rng.random() < 0.6:
        post(me, path_of("invoice", made) + "/finalize")


def settle(me: Stripe) -> None:
    """Something becomes of an invoice."""
    found = me.any("invoice")
    luck = me.rng.random()
    if luck < 0.25:
        post(me, path_of("invoice", found) + "/finalize")
    elif luck < 0.5:
        post(me, path_of("invoice", found) + "/pay", **({"paid_out_of_band": True} if me.rng.random() < 0.5 else {}))
    elif luck < 0.65:
        post(me, path_of("invoice", found) + "/void")
    elif luck < 0.75:
        post(me, path_of("invoice", found) + "/mark_uncollectible")
    elif luck < 0.85:
        me.ask("DELETE", path_of("invoice", found))
    else:
        for name in me.rng.choices(NAMES, k=me.rng.choice((1, 2, 3))):
            post(me, path_of("invoice", found), description=name)


def item(me: Stripe) -> None:
    """Something for the next invoice, or nothing after all."""
    if me.rng.random() < 0.6:
        post(me, "/v1/invoiceitems", customer=me.any("customer")["id"], amount=700, currency="usd")
    else:
        me.ask("DELETE", path_of("invoiceitem", me.any("invoiceitem")))


def credit(me: Stripe) -> None:
    """A credit note."""
    post(me, "/v1/credit_notes", invoice=me.any("invoice")["id"], amount=100)


def pay(me: Stripe) -> None:
    """A payment outside of any invoice."""
    found = me.any("payment_method")
    post(
        me,
        "/v1/payment_intents",
        amount=me.rng.choice((500, 1500)),
        currency="usd",
        confirm=me.rng.random() < 0.7,
        capture_method=me.rng.choice(("automatic", "manual")),
        automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
        **({"customer": found["customer"], "payment_method": found["id"]} if found.get("customer") else {}),
    )


def repay(me: Stripe) -> None:
    """Something becomes of a payment."""
    found = me.any("payment_intent")
    post(me, path_of("payment_intent", found) + me.rng.choice(("/capture", "/cancel", "/confirm")))


def refund(me: Stripe) -> None:
    """Money goes back, all of it or in two parts within a second."""
    charge = me.any("charge")
    for _ in range(me.rng.choice((1, 1, 2))):
        post(me, "/v1/refunds", charge=charge["id"], amount=me.rng.choice((100, charge["amount"])))


def annotate(me: Stripe) -> None:
    """A note on a charge or a refund."""
    kind = me.rng.choice(("charge", "refund"))
    post(me, path_of(kind, me.any(kind)), metadata=note(me))


def dispute(me: Stripe) -> None:
    """An answer to a dispute, or none."""
    found = me.any("dispute")
    if me.rng.random() < 0.6:
        text = me.rng.choice(("winning_evidence", "losing_evidence"))
        post(me, path_of("dispute", found), evidence={"uncategorized_text": text}, submit=True)
    else:
        post(me, path_of("dispute", found) + "/close")


def set_up(me: Stripe) -> None:
    """A card is set up for later."""
    customer = me.any("customer")
    token = me.rng.choice(CARDS[:3])
    post(me, "/v1/setup_intents", customer=customer["id"], payment_method=token, confirm=True, usage="off_session",
          automatic_payment_methods={"enabled": True, "allow_redirects": "never"})  # fmt: skip


# --- time ------------------------------------------------------------------------------------------------------------


def advance(me: Stripe) -> None:
    """A test clock goes on."""
    found = me.any("test_helpers.test_clock")
    to = found["frozen_time"] + me.rng.choice((60, DAY, 15 * DAY, 32 * DAY))
    post(me, path_of("test_helpers.test_clock", found) + "/advance", frozen_time=to)


def end_clock(me: Stripe) -> None:
    """A test clock goes, and its customers with it."""
    me.ask("DELETE", path_of("test_helpers.test_clock", me.any("test_helpers.test_clock")))


DOINGS: Final[Mapping[Doing, int]] = {
    sign_up: 12,
    card: 4,
    rename: 14,
    balance: 2,
    tax: 2,
    leave: 4,
    detach: 3,
    discount_off: 1,
    shelves.stock: 6,
    shelves.price: 5,
    shelves.reprice: 3,
    shelves.restock: 4,
    shelves.coupon: 4,
    shelves.recoupon: 4,
    shelves.promotion: 2,
    shelves.plan: 2,
    subscribe: 14,
    resubscribe: 12,
    unsubscribe: 4,
    seats: 2,
    schedule: 4,
    bill: 5,
    settle: 6,
    item: 2,
    credit: 1,
    pay: 4,
    repay: 2,
    refund: 4,
    annotate: 2,
    dispute: 2,
    set_up: 1,
    advance: 6,
    end_clock: 1,
}
"""What is done, and how often."""
