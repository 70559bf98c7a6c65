"""Why a recorded payload lacks a field of the newest shape after upcasting.

``NOT_TOLD`` holds the day on which Stripe began to tell a field that no older path tells. Days come from the change log
of Stripe's Node library (https://github.com/stripe/stripe-node/blob/master/CHANGELOG.md, the release that added the
field) and, where marked, from the comparison of Stripe's published schemas in the shared `stripe/upcaster.md`.
``OPEN`` explains what is left.
"""

from __future__ import annotations

from typing import Final

NOT_TOLD: Final[dict[str, dict[str, str]]] = {
    "balance_transaction": {"balance_type": "2025-05-29"},
    "charge": {"amount_captured": "2020-09-21"},
    "checkout.session": {
        "automatic_tax": "2021-06-04",
        "created": "2022-09-29",
        "custom_fields": "2023-02-16",
        "custom_text": "2022-11-17",
        "expires_at": "2021-09-01",
        "shipping_options": "2021-11-16",
    },
    "credit_note": {"amount_shipping": "2023-02-02", "pretax_credit_amounts": "2025-01-27"},
    "credit_note_line_item": {"pretax_credit_amounts": "2025-01-27"},
    # After stripe-node 18.5.0 of 2025-08, and in every clover payload.
    "customer": {"tax.provider": "2025-09-30"},
    "discount": {"id": "2020-07-29"},
    "dispute": {
        "enhanced_eligibility_types": "2024-10-29",
        "evidence.enhanced_evidence": "2024-10-29",
        "evidence_details.enhanced_eligibility": "2024-10-29",
        # Schemas.
        "evidence_details.submission_method": "2026-10-28",
    },
    "invoice": {
        "amount_overpaid": "2025-03-31",
        "amount_shipping": "2023-02-02",
        "automatic_tax": "2021-06-04",
        "issuer": "2024-01-18",
        "payment_settings": "2021-02-08",
        # With credit notes, stripe-node 6.29.0.
        "post_payment_credit_notes_amount": "2019-04-18",
        "pre_payment_credit_notes_amount": "2019-04-18",
        # Schemas: where the time of finalising moved to.
        "status_transitions": "2019-02-19",
        "total_taxes[].taxability_reason": "2023-05-11",
    },
    # Schemas.
    "invoiceitem": {"quantity_decimal": "2026-03-25"},
    "line_item": {
        "discounts": "2020-07-29",
        # Plans belong to products since https://docs.stripe.com/upgrades#2018-02-05.
        "pricing.price_details.product": "2018-02-05",
        # Schemas.
        "subtotal": "2026-02-25",
        "taxes[].taxability_reason": "2023-05-11",
    },
    "payout": {"reconciliation_status": "2023-03-02"},
    "price": {"product": "2018-02-05"},
    "product": {"marketing_features": "2023-09-07"},
    # Schemas: billing_schedules.
    "subscription": {
        "automatic_tax": "2021-06-04",
        "billing_schedules": "2026-08-26",
        "invoice_settings": "2024-06-13",
    },
    "subscription_item": {"discounts": "2024-04-04"},
    "subscription_schedule": {
        "default_settings.invoice_settings.issuer": "2024-01-18",
        # Schemas.
        "pause_schedules": "2026-09-30",
        "phases[].currency": "2022-07-07",
        "phases[].items[].discounts": "2024-04-04",
    },
}

_OLD: Final = "told by younger payloads only; Stripe's change log does not say since when"
_BY_HAND: Final = "written by hand, or shortened by whoever recorded it"
_UPCOMING: Final = "`invoice.upcoming`: a preview has no id, and this one was shortened by whoever recorded it"
_ALONE: Final = "recorded alone: until 2025-03-31 only its subscription told the period"

OPEN: Final[dict[str, dict[str, str]]] = {
    "balance_transaction": {"reporting_category": _BY_HAND},
    "invoice": {
        "default_tax_rates": _UPCOMING,
        "discounts": _UPCOMING,
        "id": "`invoice.upcoming`: a preview has no id",
        "post_payment_credit_notes_amount": _BY_HAND,
        "pre_payment_credit_notes_amount": _BY_HAND,
        "starting_balance": _UPCOMING,
        "status_transitions": _UPCOMING,
    },
    "invoiceitem": {
        "quantity": "null in an example of 2018",
    },
    "line_item": {
        "parent.subscription_item_details.subscription_item": "a line of 2019 that does not name its item",
    },
    "list": {"has_more": "until 2014 lists had a `count`"},
    "plan": {"active": _OLD},
    "price, made": {"active": _OLD},
    "product": {"active": _BY_HAND},
    "promotion_code": {"promotion": _BY_HAND},
    "radar.early_fraud_warning": {"charge": _BY_HAND},
    "review": {"opened_reason": _OLD},
    "source_transaction": {"type": _BY_HAND},
    "subscription": {"billing_cycle_anchor": _BY_HAND},
    "subscription_item": {"current_period_end": _ALONE, "current_period_start": _ALONE},
    "subscription_schedule": {
        "default_settings.billing_cycle_anchor": _OLD,
        "default_settings.invoice_settings": _OLD,
    },
}


def not_told_before(kind: str, field: str, version: str) -> str | None:
    """The day since which Stripe tells a field, where a payload of this API version is older; else ``None``.

    A version is `2025-03-31.basil`, or empty where the recording does not name it; such a payload is taken for old.
    """
    since = NOT_TOLD.get(kind.partition(",")[0], {}).get(field)
    return since if since is not None and version[:10] < since else None


def reason(kind: str, field: str, version: str) -> str:
    """Why the field is missing, as half a sentence; empty when nobody has looked into it yet."""
    since = not_told_before(kind, field, version)
    return f"not told before {since}" if since is not None else OPEN.get(kind, {}).get(field, "")
