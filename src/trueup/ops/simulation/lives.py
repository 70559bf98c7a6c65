"""What people do at Stripe: each doing is one or a few requests, about objects chosen by chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from trueup.ops.simulation.types import Json

HOUR: Final = 3_600
DAY: Final = 86_400
CARDS: Final = (
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_amex",
    "pm_card_chargeCustomerFail",
    "pm_card_createDispute",
    "pm_card_authenticationRequired",
)
NAMES: Final = ("Ada", "Bea", "Cleo", "Dora")
COUPONS: Final = ("WELCOME", "SUMMER")
PRODUCTS: Final = ("prod_basic", "prod_plus")
PLANS: Final = ("plan_basic", "plan_plus")
CURRENCIES: Final = ("usd", "usd", "usd", "eur", "jpy")


class Stripe(Protocol):
    """What a doing may use."""

    rng: random.Random

    def ask(self, method: str, path: str, **params: Any) -> Json:
        """Ask the API; raises ``Refused``."""
        ...

    def any(self, kind: str, **fields: Any) -> Json:
        """An object of a kind as it was last told, by chance; raises ``LookupError`` where there is none."""
        ...

    def turn(self, seconds: int) -> None:
        """Let the sandbox's own time pass."""
        ...


Doing = Callable[[Stripe], object]


def _post(me: Stripe, path: str, **params: Any) -> Json:
    return me.ask("POST", path, **params)


def _path(kind: str, obj: Json) -> str:
    names = {"test_helpers.test_clock": "test_helpers/test_clocks"}
    return f"/v1/{names.get(kind, kind + 's')}/{obj['id']}"


def _note(me: Stripe) -> dict[str, str]:
    return {me.rng.choice(("tier", "owner")): me.rng.choice(NAMES)}


# --- customers -------------------------------------------------------------------------------------------------------


def sign_up(me: Stripe) -> None:
    """A customer, half of them with a card."""
    more: Json = {}
    if me.rng.random() < 0.25:
        try:
            more["test_clock"] = me.any("test_helpers.test_clock")["id"]
        except LookupError:
            more["test_clock"] = _post(me, "/v1/test_helpers/test_clocks", frozen_time=_frozen(me))["id"]
    name = me.rng.choice(NAMES)
    made = _post(me, "/v1/customers", name=name, email=f"{name.lower()}@example.com", metadata=_note(me), **more)
    if me.rng.random() < 0.7:
        card(me, made)


def _frozen(me: Stripe) -> int:
    """A test clock may stand long before the present, or after it."""
    return 1_767_225_600 + me.rng.choice((-400, -3, 0, 0, 20)) * DAY


def card(me: Stripe, customer: Json | None = None) -> None:
    """A card, the default where it can be."""
    customer = customer or me.any("customer")
    token = me.rng.choice(CARDS[:3] if me.rng.random() < 0.6 else CARDS)
    method = _post(me, f"/v1/payment_methods/{token}/attach", customer=customer["id"])
    _post(me, _path("customer", customer), invoice_settings={"default_payment_method": method["id"]})


def rename(me: Stripe) -> None:
    """Change a customer, now and then to and fro within a second."""
    customer = me.any("customer")
    for name in me.rng.choices(NAMES, k=me.rng.choice((1, 1, 1, 2, 3, 5))):
        change: Json = me.rng.choice(
            ({"name": name}, {"metadata": {"owner": name}}, {"phone": "+1555"}, {"email": f"{name}@example.org"})
        )
        _post(me, _path("customer", customer), **change)


def balance(me: Stripe) -> None:
    """Credit or debit."""
    customer = me.any("customer")
    _post(
        me,
        _path("customer", customer) + "/balance_transactions",
        amount=me.rng.choice((-500, 300)),
        currency=customer.get("currency") or "usd",
    )


def tax(me: Stripe) -> None:
    """A tax id comes, or goes."""
    if me.rng.random() < 0.7:
        _post(me, _path("customer", me.any("customer")) + "/tax_ids", type="eu_vat", value="DE123456789")
    else:
        found = me.any("tax_id")
        me.ask("DELETE", f"/v1/customers/{found['customer']}/tax_ids/{found['id']}")


def leave(me: Stripe) -> None:
    """A customer is deleted, now and then just after another change."""
    customer = me.any("customer")
    if me.rng.random() < 0.4:
        _post(me, _path("customer", customer), description="leaves")
    me.ask("DELETE", _path("customer", customer))


def detach(me: Stripe) -> None:
    """A card is taken off, or its date changes."""
    method = me.any("payment_method")
    if me.rng.random() < 0.5:
        _post(me, _path("payment_method", method) + "/detach")
    else:
        _post(me, _path("payment_method", method), metadata=_note(me))


def discount_off(me: Stripe) -> None:
    """The customer's discount ends."""
    me.ask("DELETE", _path("customer", me.any("customer")) + "/discount")


# --- the catalogue ---------------------------------------------------------------------------------------------------


def stock(me: Stripe) -> None:
    """A product, some with an id that was there before, and a price."""
    chosen = {"id": me.rng.choice(PRODUCTS)} if me.rng.random() < 0.5 else {}
    made = _post(me, "/v1/products", name=me.rng.choice(NAMES), **chosen)
    if me.rng.random() < 0.8:
        price(me, made)


def price(me: Stripe, product: Json | None = None) -> None:
    """A price by the month, the year, or once."""
    product = product or me.any("product")
    recurring = me.rng.choice(({"interval": "month"}, {"interval": "month"}, {"interval": "year"}, None))
    more = {} if recurring is None else {"recurring": recurring}
    amount = me.rng.choice((900, 2900, 9900))
    _post(me, "/v1/prices", product=product["id"], currency=me.rng.choice(CURRENCIES), unit_amount=amount, **more)


def reprice(me: Stripe) -> None:
    """A price is renamed, or taken out of the shop and put back."""
    found = me.any("price")
    for _ in range(me.rng.choice((1, 1, 2, 3))):
        _post(me, _path("price", found), **me.rng.choice(({"active": False}, {"active": True}, {"nickname": "new"})))


def restock(me: Stripe) -> None:
    """A product is renamed or goes, and may come back under its id."""
    found = me.any("product")
    if me.rng.random() < 0.5:
        for name in me.rng.choices(NAMES, k=me.rng.choice((1, 2, 3))):
            _post(me, _path("product", found), name=name)
        return
    me.ask("DELETE", _path("product", found))
    if me.rng.random() < 0.6:
        me.turn(me.rng.choice((1, 1, 5)))
        _post(me, "/v1/products", id=found["id"], name=me.rng.choice(NAMES))


def coupon(me: Stripe) -> None:
    """A coupon, under one of a few ids."""
    terms: Json = me.rng.choice(
        (
            {"percent_off": 20, "duration": "repeating", "duration_in_months": 3},
            {"percent_off": 50, "duration": "once"},
            {"amount_off": 500, "currency": "usd", "duration": "forever"},
        )
    )
    _post(me, "/v1/coupons", id=me.rng.choice(COUPONS), **terms)


def recoupon(me: Stripe) -> None:
    """A coupon is renamed or goes, and may come back as another."""
    found = me.any("coupon")
    if me.rng.random() < 0.4:
        _post(me, _path("coupon", found), name=me.rng.choice(NAMES))
        return
    me.ask("DELETE", _path("coupon", found))
    if me.rng.random() < 0.6:
        me.turn(me.rng.choice((1, 1, 5)))
        _post(me, "/v1/coupons", id=found["id"], percent_off=me.rng.choice((5, 15)), duration="forever")


def promotion(me: Stripe) -> None:
    """A code for a coupon, or the end of one."""
    if me.rng.random() < 0.6:
        code = f"CODE{me.rng.randrange(1000)}"
        _post(me, "/v1/promotion_codes", promotion={"type": "coupon", "coupon": me.any("coupon")["id"]}, code=code)
    else:
        _post(me, _path("promotion_code", me.any("promotion_code")), active=me.rng.random() < 0.5)


def plan(me: Stripe) -> None:
    """A plan, as prices were called, under an id of one's own; or the end of it."""
    if me.rng.random() < 0.5:
        _post(
            me,
            "/v1/plans",
            id=me.rng.choice(PLANS),
            product=me.any("product")["id"],
            currency="usd",
            interval="month",
            amount=1500,
        )
    else:
        me.ask("DELETE", _path("plan", me.any("plan")))


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
    _post(
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
            change = {"metadata": _note(me)}
        elif luck < 0.9:
            change = {"pause_collection": me.rng.choice(({"behavior": "void"}, ""))}
        else:
            change = {"trial_end": "now"}
        _post(me, _path("subscription", found), **change)


def unsubscribe(me: Stripe) -> None:
    """A subscription is canceled, now and then right after a change."""
    found = me.any("subscription")
    if me.rng.random() < 0.4:
        _post(me, _path("subscription", found), metadata=_note(me))
    me.ask("DELETE", _path("subscription", found))


def seats(me: Stripe) -> None:
    """An item more."""
    found = me.any("subscription")
    _post(me, "/v1/subscription_items", subscription=found["id"], price=me.any("price", type="recurring")["id"])


def schedule(me: Stripe) -> None:
    """A schedule for a subscription, or the end of one."""
    luck = me.rng.random()
    if luck < 0.6:
        _post(me, "/v1/subscription_schedules", from_subscription=me.any("subscription")["id"])
    else:
        found = me.any("subscription_schedule")
        _post(me, f"/v1/subscription_schedules/{found['id']}/{'release' if luck < 0.8 else 'cancel'}")


# --- invoices and payments -------------------------------------------------------------------------------------------


def bill(me: Stripe) -> None:
    """An invoice of one's own making, some with more lines than an event shows."""
    customer = me.any("customer")
    made = _post(me, "/v1/invoices", customer=customer["id"], collection_method="send_invoice", days_until_due=5)
    for number in range(me.rng.choice((0, 1, 2, 12))):
        _post(
            me,
            "/v1/invoiceitems",
            customer=customer["id"],
            invoice=made["id"],
            amount=100 + number,
            currency=made["currency"],
        )
    if me.rng.random() < 0.6:
        _post(me, _path("invoice", made) + "/finalize")


def settle(me: Stripe) -> None:
    """Something becomes of an invoice."""
    found = me.any("invoice")
    luck = me.rng.random()
    if luck < 0.25:
        _post(me, _path("invoice", found) + "/finalize")
    elif luck < 0.5:
        _post(me, _path("invoice", found) + "/pay", **({"paid_out_of_band": True} if me.rng.random() < 0.5 else {}))
    elif luck < 0.65:
        _post(me, _path("invoice", found) + "/void")
    elif luck < 0.75:
        _post(me, _path("invoice", found) + "/mark_uncollectible")
    elif luck < 0.85:
        me.ask("DELETE", _path("invoice", found))
    else:
        for name in me.rng.choices(NAMES, k=me.rng.choice((1, 2, 3))):
            _post(me, _path("invoice", found), description=name)


def item(me: Stripe) -> None:
    """Something for the next invoice, or nothing after all."""
    if me.rng.random() < 0.6:
        _post(me, "/v1/invoiceitems", customer=me.any("customer")["id"], amount=700, currency="usd")
    else:
        me.ask("DELETE", _path("invoiceitem", me.any("invoiceitem")))


def credit(me: Stripe) -> None:
    """A credit note."""
    _post(me, "/v1/credit_notes", invoice=me.any("invoice")["id"], amount=100)


def pay(me: Stripe) -> None:
    """A payment outside of any invoice."""
    found = me.any("payment_method")
    _post(
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
    _post(me, _path("payment_intent", found) + me.rng.choice(("/capture", "/cancel", "/confirm")))


def refund(me: Stripe) -> None:
    """Money goes back, all of it or in two parts within a second."""
    charge = me.any("charge")
    for _ in range(me.rng.choice((1, 1, 2))):
        _post(me, "/v1/refunds", charge=charge["id"], amount=me.rng.choice((100, charge["amount"])))


def annotate(me: Stripe) -> None:
    """A note on a charge or a refund."""
    kind = me.rng.choice(("charge", "refund"))
    _post(me, _path(kind, me.any(kind)), metadata=_note(me))


def dispute(me: Stripe) -> None:
    """An answer to a dispute, or none."""
    found = me.any("dispute")
    if me.rng.random() < 0.6:
        text = me.rng.choice(("winning_evidence", "losing_evidence"))
        _post(me, _path("dispute", found), evidence={"uncategorized_text": text}, submit=True)
    else:
        _post(me, _path("dispute", found) + "/close")


def set_up(me: Stripe) -> None:
    """A card is set up for later."""
    customer = me.any("customer")
    token = me.rng.choice(CARDS[:3])
    _post(me, "/v1/setup_intents", customer=customer["id"], payment_method=token, confirm=True, usage="off_session",
          automatic_payment_methods={"enabled": True, "allow_redirects": "never"})  # fmt: skip


# --- time ------------------------------------------------------------------------------------------------------------


def advance(me: Stripe) -> None:
    """A test clock goes on."""
    found = me.any("test_helpers.test_clock")
    to = found["frozen_time"] + me.rng.choice((60, DAY, 15 * DAY, 32 * DAY))
    _post(me, _path("test_helpers.test_clock", found) + "/advance", frozen_time=to)


def end_clock(me: Stripe) -> None:
    """A test clock goes, and its customers with it."""
    me.ask("DELETE", _path("test_helpers.test_clock", me.any("test_helpers.test_clock")))


DOINGS: Final[Mapping[Doing, int]] = {
    sign_up: 12,
    card: 4,
    rename: 14,
    balance: 2,
    tax: 2,
    leave: 4,
    detach: 3,
    discount_off: 1,
    stock: 6,
    price: 5,
    reprice: 3,
    restock: 4,
    coupon: 4,
    recoupon: 4,
    promotion: 2,
    plan: 2,
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
