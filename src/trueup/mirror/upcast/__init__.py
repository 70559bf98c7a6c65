"""Payloads of every API version, 2014 to now, brought to the newest shape.

By shape, never by version: an endpoint's version says how it renders, not what a field holds, and new fields are
ported back to old versions. Where the new path is there it stays; else it is derived from the old one; what is not
known stays absent. Nothing is ever taken away. A change of a rule raises ``UPCAST_VERSION``, and what an older one made
is made again. How far it reaches: ``docs/upcaster.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from trueup.mirror.upcast import (
    catalog,
    checkout,
    credit_note,
    customer,
    event,
    invoice,
    line,
    payment,
    schedule,
    subscription,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

UPCAST_VERSION: Final = 3

_NEWEST: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "billing.alert": event.alert,
    "card": customer.card,
    "charge": payment.charge,
    "checkout.session": checkout.session,
    "coupon": catalog.coupon,
    "credit_note": credit_note.credit_note,
    "credit_note_line_item": credit_note.credit_note_line_item,
    "customer": customer.customer,
    "discount": catalog.discount,
    "event": event.event,
    "invoice": invoice.invoice,
    "invoiceitem": line.invoiceitem,
    "line_item": line.line_item,
    "payment_intent": payment.payment_intent,
    "plan": catalog.plan,
    "product": catalog.product,
    "promotion_code": catalog.promotion_code,
    "subscription": subscription.subscription,
    "subscription_item": subscription.subscription_item,
    "subscription_schedule": schedule.subscription_schedule,
}


def upcast(object_type: str, data: dict[str, Any], *, clean: bool = False) -> dict[str, Any]:
    """The object in the newest shape, in text that PostgreSQL can store as jsonb.

    ``data`` is JSON as Python reads it. It is never changed; the answer shares its parts, and is ``data`` itself when
    nothing is to be done, so neither may be changed in place afterwards. Idempotent. Never raises: a value of a type
    that Stripe does not send passes through, and so does an object of an unknown type. NUL characters and lone
    surrogates, which jsonb refuses, become U+FFFD, in keys too; ``clean`` says that there are none, as
    ``text.is_clean`` told of the body that ``data`` was read from, and saves looking for them.
    """
    if not clean and text.unstorable(data):
        data = text.storable(data)
    newest = _NEWEST.get(object_type)
    return data if newest is None else newest(data)
