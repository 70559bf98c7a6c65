"""Payloads of every API version, 2014 to now, brought to the newest shape.

By shape, never by version: an endpoint's version says how it renders, not what a field holds, and new fields are
ported back to old versions. Where the new path is there it stays; else it is derived from the old one; what is not
known stays absent. Nothing is ever taken away. A change of a rule raises ``UPCAST_VERSION``, and what an older one made
is made again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from trueup.mirror.upcast import catalog, customer, invoice, payment, subscription

if TYPE_CHECKING:
    from collections.abc import Callable

UPCAST_VERSION: Final = 1

_NEWEST: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "card": payment.card,
    "charge": payment.charge,
    "coupon": catalog.coupon,
    "customer": customer.customer,
    "discount": catalog.discount,
    "invoice": invoice.invoice,
    "line_item": invoice.line_item,
    "payment_intent": payment.payment_intent,
    "plan": catalog.plan,
    "product": catalog.product,
    "promotion_code": catalog.promotion_code,
    "subscription": subscription.subscription,
    "subscription_item": subscription.subscription_item,
}

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_encode: Final = msgspec.json.Encoder().encode


def upcast(object_type: str, data: dict[str, Any]) -> dict[str, Any]:
    """The object in the newest shape, in text that PostgreSQL can store as jsonb.

    ``data`` is JSON as Python reads it. It is never changed; the answer shares its parts, and is ``data`` itself when
    nothing is to be done, so neither may be changed in place afterwards. Idempotent. Never raises: a value of a type
    that Stripe does not send passes through, and so does an object of an unknown type. NUL characters and lone
    surrogates, which jsonb refuses, become U+FFFD, in keys too.
    """
    if _unstorable(data):
        data = _storable(data)
    newest = _NEWEST.get(object_type)
    return data if newest is None else newest(data)


def _unstorable(data: dict[str, Any]) -> bool:
    """Whether text in there may need replacing. One pass in C is many times faster than looking at each value here."""
    try:
        return b"\\u0000" in _encode(data)
    except (UnicodeEncodeError, RecursionError):
        return True


def _storable(data: dict[str, Any]) -> dict[str, Any]:
    """A copy with every unstorable character replaced; not recursive, as JSON may be nested deeper than our stack."""
    top: dict[str, Any] = {}
    waiting: list[tuple[Any, Any]] = [(data, top)]
    inner: dict[str, Any] | list[Any]
    while waiting:
        source, target = waiting.pop()
        for key, value in source.items() if type(source) is dict else enumerate(source):
            place = _UNSTORABLE.sub(_REPLACEMENT, key) if type(key) is str else key
            if type(value) is str:
                target[place] = _UNSTORABLE.sub(_REPLACEMENT, value)
            elif type(value) is dict:
                target[place] = inner = {}
                waiting.append((value, inner))
            elif type(value) is list:
                target[place] = inner = [None] * len(value)
                waiting.append((value, inner))
            else:
                target[place] = value
    return top
