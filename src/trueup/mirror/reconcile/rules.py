"""Comparing an object as we have it with how Stripe has it. Pure: both are JSON in the newest shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from trueup.mirror.changes import changes
from trueup.mirror.order.fingerprint import UNTOLD
from trueup.mirror.reconcile.types import FieldDifference, Kind

_SIGNED: Final = "Stripe signs it anew each time it renders the object."
_COUNTER: Final = "A counter that other objects move, without an event of this one."
_ASKED: Final = "Never changes, and is told to those alone who ask for it."

EXEMPT: Final[Mapping[str, str]] = dict.fromkeys(UNTOLD, "It changes without an event of the object.") | {
    "hosted_invoice_url": _SIGNED,
    "invoice_pdf": _SIGNED,
    "receipt_url": _SIGNED,
    "webhooks_delivered_at": "Stripe's note on its own deliveries, written after the event.",
    "times_redeemed": _COUNTER,
    "next_invoice_sequence": _COUNTER,
    "tiers": _ASKED,
    "currency_options": _ASKED,
}
"""Fields at the top of an object in which an event and a reading of the same object rightly differ, and why.

The one list of these. What order leaves out of fingerprints (``order.fingerprint.UNTOLD``) is in it.
"""

EXEMPT_OF_TYPE: Final[Mapping[str, Mapping[str, str]]] = {
    "customer": {
        "sources": "Told by old API versions, and by newer ones to those alone who ask for it.",
        "subscriptions": "Told by old API versions, and by newer ones to those alone who ask for it.",
        "tax_ids": "Told to those alone who ask for it.",
    },
    "charge": {
        "refunds": "Told to those alone who ask for it, since 2022-11-15; refunds are compared by themselves.",
    },
    "payment_intent": {
        "charges": "Told by versions before 2022-11-15; charges are compared by themselves.",
    },
    "checkout.session": {
        "line_items": "Told to those alone who ask for it.",
        "url": "Gone from a reading once the session is over.",
    },
}
"""As ``EXEMPT``, of one type."""

SILENT_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "invoiceitem": {"invoice": "The invoice that is made next takes the item in, without an event of the item."},
}
"""Fields that change at Stripe without any event. They can only be read, and are no drift."""

_Data = Mapping[str, Any]

SILENT_BIRTHS: Final[Mapping[str, tuple[Callable[[_Data], bool], str]]] = {
    "invoice_payment": (
        lambda data: data.get("status") == "open",
        "Its events tell that it was paid, and not that it was made.",
    ),
    "price": (
        lambda data: data.get("active") is False and data.get("type") == "one_time",
        "Stripe makes one for an amount that is billed without a price, and does not tell.",
    ),
    "product": (
        lambda data: data.get("active") is False and data.get("updated") == data.get("created"),
        "The product of such a price: inactive since it was made.",
    ),
}
"""Types of which Stripe tells nothing as long as they are so, and why."""

LIST_ENVELOPE: Final = ("url", "total_count", "has_more")
"""What a list inside of an object says of itself rather than of its elements; some versions do, others do not."""


def differences(
    object_type: str, ours: Mapping[str, Any], theirs: Mapping[str, Any], *, same_version: bool
) -> tuple[tuple[FieldDifference, ...], int]:
    """What differs between an object as we have it and as Stripe has it, and how many differences are left out.

    Null and absent are one. A list that shows its beginning alone on either side is compared in what both show. Unless
    both were rendered in the same API version, fields that ours does not have are not compared: its version need not
    tell them.
    """
    left, right = _comparable(object_type, ours), _comparable(object_type, theirs)
    if left == right:
        return (), 0
    for name, held in tuple(right.items()):
        mine = left.get(name)
        if type(mine) is dict and type(held) is dict and "data" in mine and "data" in held:
            left[name], right[name] = _lists(mine, held)
    if not same_version:
        right = _known(left, right)
    found, more = changes(left, right)
    return tuple(FieldDifference(path=one.path, ours=one.before, theirs=one.after, cut=one.cut) for one in found), more


def is_silent(
    object_type: str, kind: Kind, fields: Sequence[FieldDifference], theirs: Mapping[str, Any] | None
) -> bool:
    """Whether a difference is of those that no event of Stripe's tells of, so that nothing was lost."""
    if kind is Kind.MISSING and theirs is not None:
        birth = SILENT_BIRTHS.get(object_type)
        return birth is not None and birth[0](theirs)
    silent = SILENT_FIELDS.get(object_type, {})
    return kind is Kind.STALE and bool(fields) and {one.path for one in fields} <= silent.keys()


def _comparable(object_type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    exempt = EXEMPT_OF_TYPE.get(object_type, {})
    return {name: value for name, value in data.items() if name not in EXEMPT and name not in exempt}


def _lists(ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two list objects without what they say of themselves, each cut to what the other shows where that is a part."""
    left, right = ours["data"], theirs["data"]
    if type(left) is list and type(right) is list:
        if theirs.get("has_more") is True:
            left = _shown(left, right)
        if ours.get("has_more") is True:
            right = _shown(right, left)
    return _bare(ours) | {"data": left}, _bare(theirs) | {"data": right}


def _shown(elements: list[Any], among: list[Any]) -> list[Any]:
    ids = {one.get("id") for one in among if type(one) is dict}
    return [one for one in elements if type(one) is dict and one.get("id") in ids]


def _bare(held: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in held.items() if name not in LIST_ENVELOPE}


def _known(ours: Any, theirs: Any) -> Any:
    """Theirs without the fields of hashes that ours does not have."""
    if type(ours) is dict and type(theirs) is dict:
        return {name: _known(ours[name], value) for name, value in theirs.items() if ours.get(name) is not None}
    if type(ours) is list and type(theirs) is list and len(ours) == len(theirs):
        return [_known(mine, other) for mine, other in zip(ours, theirs, strict=True)]
    return theirs
