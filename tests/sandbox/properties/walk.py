"""How every route of the sandbox is called so that it answers: what has to be there, and with which parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.sandbox.properties.scene import DESTINATION, MONTHLY, NO_REDIRECTS, Scene
from trueup.sandbox.payment_methods import methods

Asked = tuple[tuple[str, ...], dict[str, Any]]
"""What stands in the path's places, and the parameters."""


def at(*ids: str, **params: Any) -> Asked:
    return ids, params


def _of_customer(s: Scene, make: Callable[[str], str], **params: Any) -> Asked:
    customer = s.customer(None)
    return at(customer, make(customer), **params)


def _customers_method(s: Scene) -> Asked:
    customer = s.customer(None)
    return at(customer, s.card(customer))


def _event_of_destination(s: Scene) -> str:
    s.destination()
    s.customer(None)
    return s.first("/v2/core/events")


def _disabled(s: Scene) -> str:
    made = s.destination()
    s.api.post(f"/v2/core/event_destinations/{made}/disable")
    return made


def _removable(s: Scene) -> Asked:
    invoice, line = s.line()
    return at(invoice, lines=[{"id": line, "behavior": "delete"}])


def _deposits(s: Scene, kind: str) -> Asked:
    shared = {
        "payment_method": s.bank(),
        "allowed_payment_method_types": ["us_bank_account"],
        "mandate_data": {"customer_acceptance": {"type": "offline", "offline": {}}},
        "confirm": True,
    }
    money = {"amount": 1500, "currency": "usd"} if kind == "payment_intents" else {"customer": s.customer(None)}
    return at(s.make(f"/v1/{kind}", **shared, **money), amounts=[32, 45])


def _attached(s: Scene) -> Asked:
    invoice = s.api.get(f"/v1/invoices/{s.opened()}")
    card = s.card(invoice["customer"])
    intent = s.intent(customer=invoice["customer"], payment_method=card, confirm=True)
    return at(invoice["id"], payment_intent=intent)


def _lines_changed(s: Scene) -> Asked:
    invoice, line = s.line()
    return at(invoice, lines=[{"id": line, "description": "Less"}])


_BASIC: Final[Mapping[str, Callable[[Scene], Asked]]] = {
    "GET /v1/account": lambda _: at(),
    "GET /v1/accounts/{account}": lambda s: at(s.api.get("/v1/account")["id"]),
    "GET /v1/balance": lambda _: at(),
    "GET /v1/balance_transactions": lambda s: at(type="charge") if s.transaction() else at(),
    "GET /v1/balance_transactions/{id}": lambda s: at(s.transaction()),
    "GET /v1/events": lambda s: at(type="customer.created") if s.event() else at(),
    "GET /v1/events/{id}": lambda s: at(s.event()),
    "POST /v1/test_helpers/test_clocks": lambda s: at(frozen_time=s.api.engine.now(), name="Ours"),
    "GET /v1/test_helpers/test_clocks": lambda s: at(limit=1) if s.clock() else at(),
    "GET /v1/test_helpers/test_clocks/{test_clock}": lambda s: at(s.clock()),
    "DELETE /v1/test_helpers/test_clocks/{test_clock}": lambda s: at(s.clock()),
    "POST /v1/test_helpers/test_clocks/{test_clock}/advance": lambda s: at(
        s.clock(), frozen_time=s.api.engine.now() + 60
    ),
    "GET /v1/webhook_endpoints": lambda s: at(limit=2) if s.endpoint() else at(),
    "POST /v1/webhook_endpoints": lambda _: at(url="https://example.com", enabled_events=["invoice.paid"]),
    "DELETE /v1/webhook_endpoints/{webhook_endpoint}": lambda s: at(s.endpoint()),
    "GET /v1/webhook_endpoints/{webhook_endpoint}": lambda s: at(s.endpoint()),
    "POST /v1/webhook_endpoints/{webhook_endpoint}": lambda s: at(s.endpoint(), disabled=True),
    "GET /v2/core/event_destinations": lambda s: at(limit=2) if s.destination() else at(),
    "POST /v2/core/event_destinations": lambda _: at(**DESTINATION),
    "DELETE /v2/core/event_destinations/{id}": lambda s: at(s.destination()),
    "GET /v2/core/event_destinations/{id}": lambda s: at(s.destination()),
    "POST /v2/core/event_destinations/{id}": lambda s: at(s.destination(), name="Others"),
    "POST /v2/core/event_destinations/{id}/disable": lambda s: at(s.destination()),
    "POST /v2/core/event_destinations/{id}/enable": lambda s: at(_disabled(s)),
    "POST /v2/core/event_destinations/{id}/ping": lambda s: at(s.destination()),
    "GET /v2/core/events": lambda s: at(limit=2) if _event_of_destination(s) else at(),
    "GET /v2/core/events/{id}": lambda s: at(_event_of_destination(s)),
}

_CATALOGUE: Final[Mapping[str, Callable[[Scene], Asked]]] = {
    "GET /v1/coupons": lambda s: at(limit=1) if s.coupon() else at(),
    "POST /v1/coupons": lambda _: at(amount_off=500, currency="usd", duration="once", id="LAUNCH"),
    "DELETE /v1/coupons/{coupon}": lambda s: at(s.coupon()),
    "GET /v1/coupons/{coupon}": lambda s: at(s.coupon(), expand=["applies_to"]),
    "POST /v1/coupons/{coupon}": lambda s: at(s.coupon(), name="Launch"),
    "GET /v1/plans": lambda s: at(limit=1) if s.plan() else at(),
    "POST /v1/plans": lambda _: at(product={"name": "Pro"}, currency="usd", amount=900, interval="month"),
    "DELETE /v1/plans/{plan}": lambda s: at(s.plan()),
    "GET /v1/plans/{plan}": lambda s: at(s.plan()),
    "POST /v1/plans/{plan}": lambda s: at(s.plan(), nickname="Basic"),
    "GET /v1/prices": lambda s: at(active=True) if s.price() else at(),
    "POST /v1/prices": lambda _: at(product_data={"name": "Pro"}, **MONTHLY),
    "GET /v1/prices/search": lambda _: at(query="active:'true'"),
    "GET /v1/prices/{price}": lambda s: at(s.price(), expand=["product", "tiers"]),
    "POST /v1/prices/{price}": lambda s: at(s.price(), nickname="Monthly"),
    "GET /v1/products": lambda s: at(active=True) if s.product() else at(),
    "POST /v1/products": lambda _: at(name="Pro", default_price_data=MONTHLY, metadata={"tier": "pro"}),
    "GET /v1/products/search": lambda _: at(query="name~'Pro'"),
    "DELETE /v1/products/{id}": lambda s: at(s.product()),
    "GET /v1/products/{id}": lambda s: at(s.product()),
    "POST /v1/products/{id}": lambda s: at(s.product(), description="All of it"),
    "GET /v1/promotion_codes": lambda s: at(active=True) if s.promotion() else at(),
    "POST /v1/promotion_codes": lambda s: at(promotion={"type": "coupon", "coupon": s.coupon()}, code="LAUNCH20"),
    "GET /v1/promotion_codes/{promotion_code}": lambda s: at(s.promotion()),
    "POST /v1/promotion_codes/{promotion_code}": lambda s: at(s.promotion(), active=False),
}

_CUSTOMERS: Final[Mapping[str, Callable[[Scene], Asked]]] = {
    "GET /v1/customers": lambda s: at(email="ada@example.com") if s.customer() else at(),
    "POST /v1/customers": lambda _: at(name="Ada", address={"country": "US"}, balance=-500, metadata={"user_id": "7"}),
    "GET /v1/customers/search": lambda _: at(query="email:'ada@example.com'"),
    "DELETE /v1/customers/{customer}": lambda s: at(s.customer()),
    "GET /v1/customers/{customer}": lambda s: at(s.customer(), expand=["subscriptions", "tax_ids"]),
    "POST /v1/customers/{customer}": lambda s: at(s.customer(), name="Grace"),
    "GET /v1/customers/{customer}/balance_transactions": lambda s: at(_of_customer(s, s.movement)[0][0]),
    "POST /v1/customers/{customer}/balance_transactions": lambda s: at(s.customer(), amount=200, currency="usd"),
    "GET /v1/customers/{customer}/balance_transactions/{transaction}": lambda s: _of_customer(s, s.movement),
    "POST /v1/customers/{customer}/balance_transactions/{transaction}": lambda s: _of_customer(
        s, s.movement, description="A gift"
    ),
    "DELETE /v1/customers/{customer}/discount": lambda s: at(s.discounted_customer()),
    "GET /v1/customers/{customer}/payment_methods": lambda s: at(s.customer(), type="card"),
    "GET /v1/customers/{customer}/payment_methods/{payment_method}": _customers_method,
    "GET /v1/customers/{customer}/tax_ids": lambda s: at(_of_customer(s, s.tax_id)[0][0]),
    "POST /v1/customers/{customer}/tax_ids": lambda s: at(s.customer(), type="eu_vat", value="DE000000000"),
    "DELETE /v1/customers/{customer}/tax_ids/{id}": lambda s: _of_customer(s, s.tax_id),
    "GET /v1/customers/{customer}/tax_ids/{id}": lambda s: _of_customer(s, s.tax_id),
    "GET /v1/tax_ids": lambda s: at(limit=1) if s.own_tax_id() else at(),
    "POST /v1/tax_ids": lambda _: at(type="eu_vat", value="DE123456789"),
    "DELETE /v1/tax_ids/{id}": lambda s: at(s.own_tax_id()),
    "GET /v1/tax_ids/{id}": lambda s: at(s.own_tax_id()),
}

_PAYMENTS: Final[Mapping[str, Callable[[Scene], Asked]]] = {
    "GET /v1/charges": lambda s: at(limit=1) if s.charge() else at(),
    "POST /v1/charges": lambda _: at(amount=1500, currency="usd", source="tok_visa"),
    "GET /v1/charges/search": lambda _: at(query="currency:'usd'"),
    "GET /v1/charges/{charge}": lambda s: at(s.charge(), expand=["refunds", "customer", "balance_transaction"]),
    "POST /v1/charges/{charge}": lambda s: at(s.charge(), description="Shoes"),
    "POST /v1/charges/{charge}/capture": lambda s: at(s.charge(capture_method="manual")),
    "GET /v1/disputes": lambda s: at(limit=1) if s.dispute() else at(),
    "GET /v1/disputes/{dispute}": lambda s: at(s.dispute()),
    "POST /v1/disputes/{dispute}": lambda s: at(s.dispute(), evidence={"uncategorized_text": "winning_evidence"}),
    "POST /v1/disputes/{dispute}/close": lambda s: at(s.dispute()),
    "GET /v1/mandates/{mandate}": lambda s: at(s.mandate()),
    "GET /v1/payment_intents": lambda s: at(limit=1) if s.paid() else at(),
    "POST /v1/payment_intents": lambda _: at(automatic_payment_methods=NO_REDIRECTS, **_MONEY),
    "GET /v1/payment_intents/search": lambda _: at(query="status:'succeeded'"),
    "GET /v1/payment_intents/{intent}": lambda s: at(s.paid(), expand=["latest_charge", "payment_method"]),
    "POST /v1/payment_intents/{intent}": lambda s: at(s.intent(), amount=1600),
    "POST /v1/payment_intents/{intent}/cancel": lambda s: at(s.intent(), cancellation_reason="abandoned"),
    "POST /v1/payment_intents/{intent}/capture": lambda s: at(s.paid(capture_method="manual"), amount_to_capture=900),
    "POST /v1/payment_intents/{intent}/confirm": lambda s: at(s.intent(), payment_method="pm_card_visa"),
    "POST /v1/payment_intents/{intent}/increment_authorization": lambda s: at(
        s.paid(
            capture_method="manual",
            payment_method_options={"card": {"request_incremental_authorization": "if_available"}},
        ),
        amount=1700,
    ),
    "POST /v1/payment_intents/{intent}/verify_microdeposits": lambda s: _deposits(s, "payment_intents"),
    "GET /v1/payment_methods": lambda s: at(customer=s.customer(), type="card"),
    "POST /v1/payment_methods": lambda s: at(type="card", card={"token": s.token()}),
    "GET /v1/payment_methods/{payment_method}": lambda s: at(s.method()),
    "POST /v1/payment_methods/{payment_method}": lambda s: at(s.card(s.customer()), metadata={"kept": "yes"}),
    "POST /v1/payment_methods/{payment_method}/attach": lambda s: at(s.method(), customer=s.customer()),
    "POST /v1/payment_methods/{payment_method}/detach": lambda s: at(s.card(s.customer())),
    "GET /v1/radar/early_fraud_warnings": lambda s: at(limit=1) if s.warning() else at(),
    "GET /v1/radar/early_fraud_warnings/{early_fraud_warning}": lambda s: at(s.warning()),
    "GET /v1/refunds": lambda s: at(limit=1) if s.refund() else at(),
    "POST /v1/refunds": lambda s: at(charge=s.charge(), amount=700, reason="requested_by_customer"),
    "GET /v1/refunds/{refund}": lambda s: at(s.refund()),
    "POST /v1/refunds/{refund}": lambda s: at(s.refund(), metadata={"why": "late"}),
    "POST /v1/refunds/{refund}/cancel": lambda s: at(s.make("/v1/refunds", charge=s.charge("pm_card_pendingRefund"))),
    "GET /v1/setup_attempts": lambda s: at(setup_intent=s.set_up(payment_method="pm_card_visa", confirm=True)),
    "GET /v1/setup_intents": lambda s: at(limit=1) if s.set_up() else at(),
    "POST /v1/setup_intents": lambda s: at(customer=s.customer(), automatic_payment_methods=NO_REDIRECTS),
    "GET /v1/setup_intents/{intent}": lambda s: at(s.set_up()),
    "POST /v1/setup_intents/{intent}": lambda s: at(s.set_up(), description="For later"),
    "POST /v1/setup_intents/{intent}/cancel": lambda s: at(s.set_up()),
    "POST /v1/setup_intents/{intent}/confirm": lambda s: at(s.set_up(), payment_method="pm_card_visa"),
    "POST /v1/setup_intents/{intent}/verify_microdeposits": lambda s: _deposits(s, "setup_intents"),
    "POST /v1/tokens": lambda _: at(card={"number": "4242424242424242", "exp_month": "12", "exp_year": "2034"}),
    "GET /v1/tokens/{token}": lambda s: at(s.token()),
}

_MONEY: Final[dict[str, Any]] = {"amount": 1500, "currency": "usd"}

_INVOICES: Final[Mapping[str, Callable[[Scene], Asked]]] = {
    "GET /v1/credit_notes": lambda s: at(limit=1) if s.note() else at(),
    "POST /v1/credit_notes": lambda s: at(invoice=s.opened(), amount=300, memo="Sorry"),
    "GET /v1/credit_notes/preview": lambda s: at(invoice=s.opened(), amount=300),
    "GET /v1/credit_notes/preview/lines": lambda s: at(invoice=s.opened(), amount=300),
    "GET /v1/credit_notes/{credit_note}/lines": lambda s: at(s.note()),
    "GET /v1/credit_notes/{id}": lambda s: at(s.note()),
    "POST /v1/credit_notes/{id}": lambda s: at(s.note(), memo="Sorry again"),
    "POST /v1/credit_notes/{id}/void": lambda s: at(s.note()),
    "GET /v1/invoice_payments": lambda s: at(status="open") if s.invoice_payment() else at(),
    "GET /v1/invoice_payments/{invoice_payment}": lambda s: at(s.invoice_payment()),
    "GET /v1/invoiceitems": lambda s: at(pending=True) if s.waiting() else at(),
    "POST /v1/invoiceitems": lambda s: at(customer=s.customer(), amount=900, currency="usd", description="Setup"),
    "DELETE /v1/invoiceitems/{invoiceitem}": lambda s: at(s.waiting()),
    "GET /v1/invoiceitems/{invoiceitem}": lambda s: at(s.waiting()),
    "POST /v1/invoiceitems/{invoiceitem}": lambda s: at(s.waiting(), amount=800),
    "GET /v1/invoices": lambda s: at(status="open") if s.opened() else at(),
    "POST /v1/invoices": lambda s: at(customer=s.customer(), auto_advance=True),
    "POST /v1/invoices/create_preview": lambda s: at(subscription=s.subscription()),
    "GET /v1/invoices/search": lambda _: at(query="status:'open'"),
    "DELETE /v1/invoices/{invoice}": lambda s: at(s.draft()),
    "GET /v1/invoices/{invoice}": lambda s: at(s.opened(), expand=["payments", "customer", "confirmation_secret"]),
    "POST /v1/invoices/{invoice}": lambda s: at(s.draft(), description="Thanks"),
    "POST /v1/invoices/{invoice}/add_lines": lambda s: at(s.draft(), lines=[{"amount": 100, "description": "More"}]),
    "POST /v1/invoices/{invoice}/attach_payment": _attached,
    "POST /v1/invoices/{invoice}/finalize": lambda s: at(s.draft()),
    "GET /v1/invoices/{invoice}/lines": lambda s: at(s.draft()),
    "POST /v1/invoices/{invoice}/lines/{line_item_id}": lambda s: at(*s.line(), description="Less"),
    "POST /v1/invoices/{invoice}/mark_uncollectible": lambda s: at(s.opened()),
    "POST /v1/invoices/{invoice}/pay": lambda s: at(s.opened()),
    "POST /v1/invoices/{invoice}/remove_lines": _removable,
    "POST /v1/invoices/{invoice}/send": lambda s: at(s.opened(collection_method="send_invoice", days_until_due=9)),
    "POST /v1/invoices/{invoice}/update_lines": _lines_changed,
    "POST /v1/invoices/{invoice}/void": lambda s: at(s.opened()),
}


_SUBSCRIPTIONS: Final[Mapping[str, Callable[[Scene], Asked]]] = {
    "GET /v1/subscription_items": lambda s: at(subscription=s.subscription()),
    "POST /v1/subscription_items": lambda s: at(subscription=s.subscription(), price=s.price(), quantity=2),
    "DELETE /v1/subscription_items/{item}": lambda s: at(_second_item(s)),
    "GET /v1/subscription_items/{item}": lambda s: at(s.item()),
    "POST /v1/subscription_items/{item}": lambda s: at(s.item(), quantity=3),
    "GET /v1/subscriptions": lambda s: at(status="active") if s.subscription() else at(),
    "POST /v1/subscriptions": lambda s: at(customer=s.customer(), items=[{"price": s.price()}], trial_period_days=7),
    "GET /v1/subscriptions/search": lambda _: at(query="status:'active'"),
    "DELETE /v1/subscriptions/{subscription_exposed_id}": lambda s: at(s.subscription(), prorate=True),
    "GET /v1/subscriptions/{subscription_exposed_id}": lambda s: at(s.subscription(), expand=["latest_invoice"]),
    "POST /v1/subscriptions/{subscription_exposed_id}": lambda s: at(s.subscription(), cancel_at_period_end=True),
    "DELETE /v1/subscriptions/{subscription_exposed_id}/discount": lambda s: at(s.discounted()),
    "POST /v1/subscriptions/{subscription}/migrate": lambda s: at(
        s.subscription(billing_mode={"type": "classic"}), billing_mode={"type": "flexible"}
    ),
    "POST /v1/subscriptions/{subscription}/pause": lambda s: at(s.subscription(), type="subscription"),
    "POST /v1/subscriptions/{subscription}/resume": lambda s: at(s.paused()),
    "POST /v1/subscription_schedules": lambda s: at(from_subscription=s.subscription()),
    "GET /v1/subscription_schedules": lambda s: at(limit=1) if s.schedule() else at(),
    "GET /v1/subscription_schedules/{schedule}": lambda s: at(s.schedule()),
    "POST /v1/subscription_schedules/{schedule}": lambda s: at(s.schedule(), end_behavior="cancel"),
    "POST /v1/subscription_schedules/{schedule}/cancel": lambda s: at(s.schedule()),
    "POST /v1/subscription_schedules/{schedule}/release": lambda s: at(s.schedule()),
}


def _second_item(s: Scene) -> str:
    return s.make("/v1/subscription_items", subscription=s.subscription(), price=s.price())


# --- what no single request makes happen ------------------------------------------------------------------------------


def _overpaid(s: Scene) -> None:
    invoice = s.api.get(f"/v1/invoices/{s.opened()}")
    customer = invoice["customer"]
    paid = s.make(
        "/v1/payment_intents",
        amount=2500,
        currency="usd",
        customer=customer,
        payment_method=s.card(customer),
        automatic_payment_methods=NO_REDIRECTS,
        confirm=True,
    )
    s.api.post(f"/v1/invoices/{invoice['id']}/attach_payment", payment_intent=paid)


def _mandate_ended(s: Scene) -> None:
    method = s.api.get(f"/v1/mandates/{s.mandate()}")["payment_method"]
    s.api.post(f"/v1/payment_methods/{method}/detach")


def _card_renewed(s: Scene) -> None:
    method = s.card(s.customer(None))
    with s.api.engine.change() as world:
        methods.renew(world, world.get("payment_method", method), exp_month=1, exp_year=2040)


def _warning_heeded(s: Scene) -> None:
    charge = s.api.get(f"/v1/radar/early_fraud_warnings/{s.warning()}")["charge"]
    s.api.post("/v1/refunds", charge=charge)


def _schedule_unpaid(s: Scene) -> None:
    customer = s.customer()
    made = s.subscribed(customer)["id"]
    schedule = s.api.post("/v1/subscription_schedules", from_subscription=made)
    phase = schedule["phases"][0]
    later = {"items": [{"price": s.price()}], "duration": {"interval": "year", "interval_count": 1}}
    first = {
        "items": [{"price": phase["items"][0]["price"]}],
        "start_date": phase["start_date"],
        "end_date": phase["end_date"],
    }
    s.api.post(f"/v1/subscription_schedules/{schedule['id']}", phases=[first, later])
    s.card(customer, "pm_card_chargeCustomerFail")
    s.api.advance(60 * 86_400)


STORIES: Final[tuple[Callable[[Scene], None], ...]] = (
    _overpaid,
    _mandate_ended,
    _card_renewed,
    _warning_heeded,
    _schedule_unpaid,
)
"""Events that need more than one request, or that happen to Stripe."""

CALLS: Final[Mapping[str, Callable[[Scene], Asked]]] = {
    **_BASIC,
    **_CATALOGUE,
    **_CUSTOMERS,
    **_PAYMENTS,
    **_INVOICES,
    **_SUBSCRIPTIONS,
}
