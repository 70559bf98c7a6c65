"""Payment methods, and the cards, bank accounts and sources that came before them."""

from __future__ import annotations

from typing import Any, Final

from trueup.customer.types import PaymentMethod
from trueup.mirror.types import MirrorObject
from trueup.mirror.upcast.shape import card_brand, id_of, text, whole

METHOD_TYPES: Final = frozenset({"payment_method", "card", "source", "bank_account"})
"""The Stripe types of objects that a customer can pay with."""

_SPENT_SOURCES: Final = frozenset({"canceled", "consumed", "failed"})


def details(method_id: str, data: dict[str, Any]) -> PaymentMethod:
    """What a payment method, card, bank account or source tells of itself; for a card its brand in today's spelling."""
    kind = text(data.get("type"))
    if text(data.get("object")) in {"card", "bank_account"}:
        # Here ``type`` is missing, or (until 2014) the card's brand.
        kind = text(data["object"])
    inner = data.get(kind) if kind is not None else None
    part: dict[str, Any] = inner if type(inner) is dict else data
    return PaymentMethod(
        id=method_id,
        type=kind,
        brand=card_brand(part.get("brand")) or text(part.get("bank_name")),
        last4=text(part.get("last4")),
        exp_month=whole(part.get("exp_month")),
        exp_year=whole(part.get("exp_year")),
    )


def attached(told: MirrorObject, stripe_customer_id: str) -> bool:
    """Whether a customer can pay with it. An object that names no customer comes from the customer's own list."""
    if told.deleted or ("customer" in told.data and id_of(told.data["customer"]) != stripe_customer_id):
        return False
    return told.object_type != "source" or text(told.data.get("status")) not in _SPENT_SOURCES
