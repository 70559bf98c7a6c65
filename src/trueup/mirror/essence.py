"""The essence of an object: the fields that customers' states are computed from.

The log holds every payload whole. Beside the pointer to it the mirror keeps only this, about a fifth of the size, so
that a fold reads and parses little. What is kept is kept as it is, and nulls fall away: a fold over essences gives what
a fold over whole objects gives, and a test holds it to that. Pure. Who adds a field here, or a column to
``mirror.amounts``, raises ``ESSENCE_VERSION``, and every row that an older one made is made again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

ESSENCE_VERSION: Final = 6

Projection: TypeAlias = Callable[[Any], Any]
Fields: TypeAlias = tuple[tuple[str, Projection | None], ...]


def essence(object_type: str, data: dict[str, Any]) -> dict[str, Any]:
    """The fields of an upcast object that states are computed from; of an unknown type those that most objects have.

    ``data`` is JSON as Python reads it, of any content. It is never changed; the answer shares its parts. Idempotent.
    """
    kept: dict[str, Any] = _ESSENCES.get(object_type, _other)(data)
    if "customer" in data and "customer" not in kept and object_type in _ESSENCES:
        # That an object belongs to nobody any more is something else than not being told whose it is.
        kept["customer"] = None
    return kept


def _kept(data: dict[str, Any], fields: Fields) -> dict[str, Any]:
    found = {}
    for name, projection in fields:
        value = data.get(name)
        if value is not None:
            found[name] = value if projection is None else projection(value)
    return found


def _of(*names: str, **nested: Projection) -> Projection:
    """Keeps these fields of a JSON object; anything else stays as it is."""
    fields = _fields(*names, **nested)

    def project(value: Any) -> Any:
        return _kept(value, fields) if type(value) is dict else value

    return project


def _each(projection: Projection) -> Projection:
    """Projects every element of a list, or of Stripe's list object."""

    def project(value: Any) -> Any:
        if type(value) is list:
            return [projection(one) for one in value]
        if type(value) is dict and type(value.get("data")) is list:
            kept: dict[str, Any] = {"data": [projection(one) for one in value["data"]]}
            if value.get("has_more") is True:
                kept["has_more"] = True
            return kept
        return value

    return project


def _fields(*names: str, **nested: Projection) -> Fields:
    return (*((name, None) for name in names), *nested.items())


_SPENT: Final = ("brand", "bank_name", "last4", "exp_month", "exp_year", "fingerprint")


def _method(value: Any) -> Any:
    """A payment method, card, bank account or source: what can be shown of it, and whose it is."""
    if type(value) is not dict:
        return value
    kept = _kept(value, _METHOD)
    kind = value.get("type")
    if type(kind) is str and kind not in kept and kind in value:
        kept[kind] = _shown(value[kind])
    return kept


_shown: Final = _of(*_SPENT)
_METHOD: Final = _fields(
    "id", "object", "type", "customer", "created", "status", *(name for name in _SPENT), card=_shown
)

_named: Final = _of("id", "object", "name", "active", "metadata", "deleted")
_price: Final = _of(
    "id",
    "nickname",
    "currency",
    "type",
    "billing_scheme",
    "unit_amount",
    "unit_amount_decimal",
    "tiers",
    "tiers_mode",
    "transform_quantity",
    "tax_behavior",
    "custom_unit_amount",
    "currency_options",
    "lookup_key",
    recurring=_of("interval", "interval_count", "usage_type"),
    product=_named,
)
_coupon: Final = _of(
    "id",
    "name",
    "percent_off",
    "amount_off",
    "currency",
    "currency_options",
    "duration",
    "duration_in_months",
    "applies_to",
    "valid",
)
_discount: Final = _of(
    "id",
    "object",
    "customer",
    "start",
    "end",
    "subscription",
    "subscription_item",
    "invoice",
    "promotion_code",
    source=_of("type", coupon=_coupon),
    coupon=_coupon,
)
_item: Final = _of(
    "id",
    "quantity",
    "created",
    "current_period_start",
    "current_period_end",
    "tax_rates",
    price=_price,
    discounts=_each(_discount),
)
_address: Final = _of("country", "state")
_error: Final = _of("code", "decline_code", "advice_code", "network_advice_code", "message", "type")
_paid_with: Final = _of("type", card=_shown, us_bank_account=_shown, sepa_debit=_shown)

_ESSENCES: Final[Mapping[str, Projection]] = {
    "customer": _of(
        "id",
        "name",
        "business_name",
        "individual_name",
        "email",
        "phone",
        "currency",
        "created",
        "delinquent",
        "balance",
        "metadata",
        "preferred_locales",
        "tax_exempt",
        "test_clock",
        address=_address,
        shipping=_of(address=_address),
        invoice_settings=_of(default_payment_method=_method),
        default_source=_method,
        sources=_each(_method),
        discount=_discount,
    ),
    "subscription": _of(
        "id",
        "customer",
        "status",
        "created",
        "start_date",
        "trial_start",
        "trial_end",
        "cancel_at",
        "cancel_at_period_end",
        "canceled_at",
        "ended_at",
        "pause_collection",
        "collection_method",
        "currency",
        "billing_cycle_anchor",
        "schedule",
        "metadata",
        "latest_invoice",
        "default_tax_rates",
        "test_clock",
        cancellation_details=_of("feedback", "reason"),
        default_payment_method=_method,
        default_source=_method,
        discounts=_each(_discount),
        items=_each(_item),
    ),
    "subscription_schedule": _of(
        "id",
        "customer",
        "status",
        "created",
        "subscription",
        "test_clock",
        "current_phase",
        "end_behavior",
        "canceled_at",
        "completed_at",
        "released_at",
        "metadata",
        phases=_each(
            _of("start_date", "end_date", "trial_end", "currency", "discounts", items=_each(_of("price", "quantity")))
        ),
    ),
    "payment_method": _method,
    "card": _method,
    "source": _method,
    "bank_account": _method,
    "product": _of("id", "name", "active", "metadata", "created", "type"),
    "discount": _discount,
    "price": _price,
    "coupon": _of(
        "id",
        "name",
        "percent_off",
        "amount_off",
        "currency",
        "currency_options",
        "duration",
        "duration_in_months",
        "applies_to",
        "valid",
    ),
    "invoice": _of(
        "id",
        "number",
        "status",
        "customer",
        "currency",
        "created",
        "amount_due",
        "amount_paid",
        "amount_remaining",
        "total",
        "due_date",
        "attempt_count",
        "next_payment_attempt",
        "collection_method",
        "billing_reason",
        "status_transitions",
        parent=_of("type", subscription_details=_of("subscription")),
    ),
    "charge": _of(
        "id",
        "status",
        "paid",
        "captured",
        "amount",
        "amount_captured",
        "amount_refunded",
        "refunded",
        "disputed",
        "currency",
        "created",
        "customer",
        "invoice",
        "failure_code",
        "failure_message",
        outcome=_of("reason", "type", "network_decline_code", "advice_code", "network_advice_code"),
        payment_intent=_of("id"),
        payment_method_details=_paid_with,
    ),
    "payment_intent": _of(
        "id",
        "status",
        "amount",
        "amount_received",
        "currency",
        "created",
        "customer",
        "canceled_at",
        "cancellation_reason",
        "invoice",
        payment_details=_of("order_reference"),
        last_payment_error=_error,
        latest_charge=_of("id"),
    ),
    "test_helpers.test_clock": _of("id", "created", "frozen_time", "status"),
    "refund": _of(
        "id", "status", "amount", "currency", "created", "charge", "payment_intent", "reason", "failure_reason"
    ),
    "dispute": _of(
        "id",
        "status",
        "amount",
        "currency",
        "created",
        "charge",
        "payment_intent",
        "reason",
        evidence_details=_of("due_by", "has_evidence", "past_due", "submission_count"),
    ),
}
_other: Final = _of("id", "customer", "status", "created")
