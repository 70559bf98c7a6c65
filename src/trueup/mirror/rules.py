"""From an event to a fact, whom it concerns, and which of several versions is the newest.

Pure: the answer depends on the arguments alone. Everything signed can arrive here, so nothing is assumed about a value
before its type has been looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeGuard

from trueup.mirror.errors import Unusable
from trueup.mirror.types import Fact, Reading, Request
from trueup.mirror.upcast.shape import LATEST_SECOND

LONGEST_NAME: Final = 500
"""Ids and type names longer than this are not Stripe's; plan and coupon ids, which users choose, end far below."""

READ: Final = "trueup.read"
"""The ``object`` and ``type`` of an envelope of our own around an object that was read from the API."""

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")

_NOT_TOMBSTONES: Final = frozenset({"customer.subscription.deleted"})
"""Types that end in ``.deleted`` while the object lives on: a canceled subscription can still be read."""

_RANK_BY_VERB: Final = {
    "created": 0,
    "attached": 0,
    "finalized": 1,
    "finalization_failed": 1,
    "paid": 3,
    "succeeded": 3,
    "payment_succeeded": 3,
    "async_payment_succeeded": 3,
    "failed": 3,
    "payment_failed": 3,
    "async_payment_failed": 3,
    "setup_failed": 3,
    "captured": 3,
    "completed": 3,
    "refunded": 4,
    "voided": 4,
    "marked_uncollectible": 4,
    "canceled": 4,
    "expired": 4,
    "aborted": 4,
    "released": 4,
    "closed": 4,
    "detached": 4,
    "deleted": 5,
}
_RANK_OF_A_CHANGE: Final = 2

ABOUT_PAYMENTS: Final = frozenset({"dispute", "radar.early_fraud_warning", "refund", "review"})
"""The objects that name a payment and no customer: whose they are is told by their charge or payment intent."""
PAYMENTS: Final = frozenset({"charge", "payment_intent"})
"""What those name."""

_NO_REQUEST: Final = Request(id=None, idempotency_key=None)


def facts_of(event: object) -> Fact | None:
    """The fact told by a snapshot event, or ``None`` when it tells of no object that has a name.

    ``None`` is right and final for ``invoice.upcoming`` (a preview without an id), ``balance.available``, the
    entitlement summary and the discounts of old API versions: their events are kept, and nothing is mirrored.
    Raises ``Unusable`` when the envelope itself is not an event's. Never raises anything else, whatever JSON comes in.
    """
    if type(event) is not dict:
        raise Unusable("The event is not a JSON object.")
    event_id, event_type, created, told = event.get("id"), event.get("type"), event.get("created"), event.get("data")
    if not _is_name(event_id):
        raise Unusable("The event has no usable id.")
    if not _is_name(event_type):
        raise Unusable("The event has no usable type.")
    if type(created) is not int or not 0 <= created <= LATEST_SECOND:
        raise Unusable("The event's created is not a time in unix seconds.")
    data = told.get("object") if type(told) is dict else None
    if type(told) is not dict or type(data) is not dict:
        raise Unusable("The event has no data.object.")
    object_id, object_type = data.get("id"), data.get("object")
    if not _is_name(object_id) or not _is_name(object_type):
        return None
    previous = told.get("previous_attributes")
    if event.get("object") == READ:
        return Fact(
            object_type=object_type,
            object_id=object_id,
            created=created,
            event_id=event_id,
            event_type="",
            deleted=data.get("deleted") is True,
            data=data,
            customer=customer_of(object_type, data),
            reading=_reading_of(event.get("read")),
        )
    return Fact(
        object_type=object_type,
        object_id=object_id,
        created=created,
        event_id=event_id,
        event_type=event_type,
        deleted=data.get("deleted") is True or (event_type.endswith(".deleted") and event_type not in _NOT_TOMBSTONES),
        data=data,
        previous=previous if type(previous) is dict else None,
        customer=customer_of(object_type, data),
        request=_request_of(event["request"]) if "request" in event else None,
    )


def whole(fact: Fact) -> dict[str, Any]:
    """The object as told, its lists completed where the whole of them was read."""
    if fact.reading is None or not fact.reading.lists:
        return fact.data
    data = fact.data
    for field, elements in fact.reading.lists.items():
        data = _completed(data, field.split("."), elements)
    return data


def _completed(data: dict[str, Any], path: list[str], elements: list[Any]) -> dict[str, Any]:
    """The object with all elements of the list at a path; what is not on the way to it stays the same."""
    name, *rest = path
    held = data.get(name)
    inner = held if type(held) is dict else {}
    told = (
        _completed(inner, rest, elements)
        if rest
        else {"object": "list"} | inner | {"data": elements, "has_more": False}
    )
    return data | {name: told}


def _reading_of(told: object) -> Reading:
    """What our own envelope says of a reading."""
    if type(told) is not dict:
        return Reading()
    after, made, lists = told.get("after"), told.get("made"), told.get("lists")
    return Reading(
        after=tuple(one for one in after if _is_name(one)) if type(after) is list else (),
        made=made if type(made) is int and 0 <= made <= LATEST_SECOND else None,
        alone=told.get("alone") is True,
        lists={name: value for name, value in lists.items() if type(value) is list} if type(lists) is dict else {},
    )


def _request_of(told: object) -> Request | None:
    """What an event says of its request: an id alone in API versions before 2017-05-25, null where there was none."""
    if told is None:
        return _NO_REQUEST
    if type(told) is dict:
        request_id, key = told.get("id"), told.get("idempotency_key")
        if request_id is None and key is None:
            return _NO_REQUEST
        if request_id is None or _is_name(request_id):
            return Request(id=request_id, idempotency_key=key if _is_name(key) else None)
    return Request(id=told, idempotency_key=None) if _is_name(told) else None


def payment_of(fact: Fact) -> tuple[str | None, str | None]:
    """The ids of the charge and of the payment intent that an object is about, as far as it names them."""
    return _id_of(fact.data.get("charge")), _id_of(fact.data.get("payment_intent"))


def customer_of(object_type: str, data: Mapping[str, Any]) -> str | None:
    """The id of the Stripe customer that an object belongs to, expanded or not; a customer belongs to itself.

    ``None`` when none is named, as for a product, a detached payment method, or an invoice to a v2 account.
    """
    if object_type == "customer":
        return _id_of(data.get("id"))
    customer = _id_of(data.get("customer"))
    if customer is None and object_type == "tax_id":
        owner = data.get("owner")
        return _id_of(owner.get("customer")) if type(owner) is dict else None
    return customer


def affected_customers(fact: Fact) -> tuple[str, ...]:
    """The customers whose state may change by this fact: the present one first, then the one it was taken from."""
    before = _id_of(fact.previous.get("customer")) if fact.previous is not None else None
    if before is None or before == fact.customer:
        return () if fact.customer is None else (fact.customer,)
    return (before,) if fact.customer is None else (fact.customer, before)


def event_rank(event_type: str) -> int:
    """Where a type stands among the events of one object in one second.

    0 creation, 1 finalisation, 2 any other change, 3 the outcome of a payment, 4 an end, 5 deletion.
    """
    return _RANK_BY_VERB.get(event_type[event_type.rfind(".") + 1 :], _RANK_OF_A_CHANGE)


def version_of(event: object) -> str | None:
    """The API version that rendered the object in an event; ``None`` where it does not say."""
    version = event.get("api_version") if type(event) is dict else None
    return version if _is_name(version) else None


def _id_of(value: object) -> str | None:
    """The id in a field that holds either an id or the expanded object."""
    if type(value) is dict:
        value = value.get("id")
    return value if _is_name(value) else None


def _is_name(value: object) -> TypeGuard[str]:
    """Whether a value can name something: text that PostgreSQL can store, not empty, not endless."""
    return (
        type(value) is str
        and 0 < len(value) <= LONGEST_NAME
        and ("\x00" not in value if value.isascii() else _UNSTORABLE.search(value) is None)
    )
