"""A customer, its card and its subscription at API version 2026-10-28.endive, as a webhook shows them, unexpanded.

Each function gives a new object. ``at`` is unix seconds, amounts are minor units.
"""

from __future__ import annotations

from typing import Final

from trueup.kernel.records import Record
from trueup.ops.demo.catalog import plan_of
from trueup.ops.demo.companies import Card, Company, Place
from trueup.ops.demo.engine import Engine, Json, nulls

_NO_CUSTOMER: Final = nulls("currency customer_account default_source description discount phone shipping test_clock")
_NO_SUBSCRIPTION: Final = nulls(
    "application application_fee_percent billing_cycle_anchor_config billing_thresholds cancel_at canceled_at "
    "customer_account days_until_due default_payment_method default_source description ended_at latest_invoice "
    "next_pending_invoice_item_invoice on_behalf_of pause_collection pending_invoice_item_interval "
    "pending_setup_intent pending_update schedule status_details test_clock transfer_data trial_end trial_start"
)


class Terms(Record, frozen=True):
    """What a customer agreed to: a price, seats, and a trial or not.

    ``missing_payment_method`` is what happens to a trial that ends without a card: ``cancel`` or ``pause``.
    """

    price: Json
    quantity: int
    trial: bool
    missing_payment_method: str


def address(place: Place, line1: str) -> Json:
    """An address with all of Stripe's keys."""
    where = {"city": place.city, "country": place.country, "postal_code": place.postal_code, "state": place.state}
    return {**where, "line1": line1, "line2": None}


def customer(engine: Engine, at: int, company: Company, plan: str) -> Json:
    """A customer who owes nothing and has no card yet; ``plan`` is what they came for."""
    return {
        "id": engine.mint("cus_", 14),
        "object": "customer",
        **_NO_CUSTOMER,
        "address": address(company.place, company.line1),
        "balance": 0,
        "created": at,
        "delinquent": False,
        "email": company.email,
        "invoice_prefix": engine.mint("", 8).upper(),
        "invoice_settings": nulls("custom_fields default_payment_method footer rendering_options"),
        "livemode": False,
        "metadata": {"user_id": company.user_id, "plan": plan, "source": company.source},
        "name": company.name,
        "next_invoice_sequence": 1,
        "preferred_locales": [company.place.locale],
        "tax_exempt": "none",
    }


def payment_method(engine: Engine, at: int, payer: Json, card: Card) -> Json:
    """A card, attached to the customer ``payer``."""
    return {
        "id": engine.mint("pm_1"),
        "object": "payment_method",
        "allow_redisplay": "always",
        "billing_details": {
            **{key: payer[key] for key in ("address", "email", "name", "phone")},
            "tax_id": None,
        },
        "card": {
            "brand": card.brand,
            "checks": dict.fromkeys(("address_line1_check", "address_postal_code_check", "cvc_check"), "pass"),
            "country": card.country,
            "display_brand": card.brand,
            "exp_month": card.exp_month,
            "exp_year": card.exp_year,
            "fingerprint": engine.mint("", 16),
            "funding": "credit",
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": at,
        "customer": payer["id"],
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }


def subscription(engine: Engine, at: int, payer: Json, terms: Terms, end: int) -> Json:
    """A subscription whose first period ends at ``end``: trialing, or incomplete until its first invoice is paid."""
    made, plan = engine.mint("sub_1"), plan_of(terms.price)
    item: Json = {
        "id": engine.mint("si_", 14),
        "object": "subscription_item",
        "billed_until": None,
        "billing_thresholds": None,
        "created": at,
        "current_period_end": end,
        "current_period_start": at,
        "discounts": [],
        "metadata": {},
        "plan": plan,
        "price": terms.price,
        "quantity": terms.quantity,
        "subscription": made,
        "tax_rates": [],
    }
    items = {"object": "list", "data": [item], "has_more": False, "total_count": 1}
    settings = {"payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off"}
    trial = {"trial_start": at, "trial_end": end} if terms.trial else {}
    return {
        "id": made,
        "object": "subscription",
        **_NO_SUBSCRIPTION,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": end if terms.trial else at,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": at},
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": at,
        "currency": terms.price["currency"],
        "customer": payer["id"],
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": {**items, "url": f"/v1/subscription_items?subscription={made}"},
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": {**payer["metadata"], "plan": terms.price["metadata"]["plan"]},
        "payment_settings": settings,
        # Stripe still sends these two, although no schema lists them any more.
        "plan": plan,
        "quantity": terms.quantity,
        "start_date": at,
        "status": "trialing" if terms.trial else "incomplete",
        "trial_settings": {"end_behavior": {"missing_payment_method": terms.missing_payment_method}},
        **trial,
    }


def discount(engine: Engine, at: int, end: int, of: Json, coupon: str) -> Json:
    """A coupon at work on the subscription ``of`` from ``at`` until ``end``."""
    return {
        "id": engine.mint("di_1"),
        "object": "discount",
        **nulls("checkout_session customer_account invoice invoice_item promotion_code subscription_item"),
        "customer": of["customer"],
        "end": end,
        "source": {"coupon": coupon, "type": "coupon"},
        "start": at,
        "subscription": of["id"],
    }
