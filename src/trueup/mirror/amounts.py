"""What lists of money filter, sort and add up by: the status, amount and moments of an object, in columns of its row.

Pure and total. Lists run over every payment, invoice, refund, dispute and subscription of an installation, and an
essence is text that no index sees into. Everything else that a list shows is read from the essence, row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from trueup.mirror.upcast.shape import LATEST_SECOND, currency_of, id_of, listed, mapping, text, whole

_LARGEST: Final = 2**63
_LONGEST: Final = 80
ANSWERABLE: Final = ("needs_response", "warning_needs_response")
"""Statuses of a dispute that wait for our answer."""

RENEWS: Final = "renews"
TRIAL_ENDS: Final = "trial_ends"
ENDS: Final = "ends"
"""What comes of a subscription next, by itself; that it ends comes before all else."""
FAILED: Final = "failed"
"""An invoice that was tried to collect and is not paid."""


class Amounts(NamedTuple):
    """The columns; ``NONE`` for an object that stands in no list.

    ``amount`` is in minor units of ``currency``: of an invoice that is not paid what remains, else its total.
    Of a subscription it is what a period costs by price and quantity, before discounts and tax.
    ``made`` is when the object was made, and ``due`` when something comes of it: an invoice is tried again or falls
    due, a dispute has to be answered, a subscription renews, ends or its trial does; both in unix seconds of Stripe's
    time. ``reason`` is Stripe's code: why a payment failed, a refund was given or a dispute opened; of an invoice
    ``FAILED``, of a subscription what comes of it. ``number`` is what an invoice is called by people, as ``folded``.
    """

    status: str | None = None
    currency: str | None = None
    amount: int | None = None
    made: int | None = None
    due: int | None = None
    reason: str | None = None
    number: str | None = None


NONE: Final = Amounts()


def amounts(object_type: str, data: dict[str, Any]) -> Amounts:
    """The columns of an object in the newest shape, of any content; the same of its essence."""
    found = _AMOUNTS.get(object_type)
    return NONE if found is None else found(data)


def folded(number: str) -> str | None:
    """An invoice's number as it is looked for, in any case; ``None`` for what none can be."""
    return _word(number.strip().casefold())


def charge_status(data: dict[str, Any]) -> str:
    """What came of a charge, in one word: whether it failed, and if not what became of the money."""
    if data.get("status") == "failed" or (text(data.get("failure_code")) is not None and not data.get("paid")):
        return "failed"
    if data.get("status") == "pending":
        return "pending"
    if data.get("captured") is False:
        return "canceled" if data.get("refunded") is True else "authorized"
    if whole(data.get("amount_refunded")):
        return "refunded" if data.get("refunded") is True else "partly_refunded"
    return "succeeded"


_OF_INTENTS: Final = {
    "requires_action": "needs_customer",
    "requires_confirmation": "needs_customer",
    "requires_capture": "authorized",
    "processing": "pending",
    "succeeded": "succeeded",
    "canceled": "canceled",
}


def intent_status(data: dict[str, Any]) -> str | None:
    """What came of a payment; ``None`` of one that was not tried yet, as Stripe makes one with each invoice."""
    return _OF_INTENTS.get(
        text(data.get("status")) or "", "failed" if mapping(data.get("last_payment_error")) else None
    )


def _charge(data: dict[str, Any]) -> Amounts:
    status = charge_status(data)
    outcome = mapping(data.get("outcome"))
    reason = text(outcome.get("reason")) or text(data.get("failure_code")) if status == "failed" else None
    return _amounts(status, data, data.get("amount"), reason=reason)


def _intent(data: dict[str, Any]) -> Amounts:
    # Its charge tells of it, and one payment is not told twice.
    status = None if id_of(data.get("latest_charge")) is not None else intent_status(data)
    if status is None:
        return NONE
    error = mapping(data.get("last_payment_error"))
    reason = text(error.get("decline_code")) or text(error.get("code")) if status == "failed" else None
    return _amounts(status, data, data.get("amount"), reason=reason)


def _invoice(data: dict[str, Any]) -> Amounts:
    status = text(data.get("status"))
    owed = status in {"open", "uncollectible"}
    remaining = whole(data.get("amount_remaining"))
    due = whole(data.get("next_payment_attempt")) or whole(data.get("due_date")) if status == "open" else None
    return _amounts(
        status,
        data,
        remaining if owed and remaining is not None else data.get("total"),
        due=due,
        reason=FAILED if owed and whole(data.get("attempt_count")) else None,
        number=folded(text(data.get("number")) or ""),
    )


def _refund(data: dict[str, Any]) -> Amounts:
    return _amounts(data.get("status"), data, data.get("amount"), reason=data.get("reason"))


def _dispute(data: dict[str, Any]) -> Amounts:
    status = data.get("status")
    due = mapping(data.get("evidence_details")).get("due_by") if status in ANSWERABLE else None
    return _amounts(status, data, data.get("amount"), due=due, reason=data.get("reason"))


def _subscription(data: dict[str, Any]) -> Amounts:
    status = text(data.get("status"))
    if status not in {"active", "trialing", "past_due", "unpaid", "paused"}:
        return _amounts(status, data, None)
    price = _price(data)
    ends = whole(data.get("cancel_at")) or (_period_end(data) if data.get("cancel_at_period_end") is True else None)
    trial = whole(data.get("trial_end")) if status == "trialing" else None
    if ends is not None:
        return _amounts(status, data, price, due=ends, reason=ENDS)
    if trial is not None:
        return _amounts(status, data, price, due=trial, reason=TRIAL_ENDS)
    renews = _period_end(data) if status in {"active", "past_due"} and not data.get("pause_collection") else None
    return _amounts(status, data, price, due=renews, reason=None if renews is None else RENEWS)


def _period_end(data: dict[str, Any]) -> int | None:
    """When the first of its items renews."""
    ends = [whole(mapping(item).get("current_period_end")) for item in listed(data.get("items"))]
    return min((end for end in ends if end is not None), default=whole(data.get("current_period_end")))


def _price(data: dict[str, Any]) -> int | None:
    """What its items cost a period by price and quantity; ``None`` where these alone do not tell."""
    total = 0
    for item in listed(data.get("items")):
        price, quantity = mapping(mapping(item).get("price")), whole(mapping(item).get("quantity"))
        unit = whole(price.get("unit_amount"))
        metered = mapping(price.get("recurring")).get("usage_type") == "metered"
        if unit is None or quantity is None or metered or price.get("transform_quantity") is not None:
            return None
        total += unit * quantity
    return total if listed(data.get("items")) else None


def _amounts(
    status: object,
    data: dict[str, Any],
    amount: object,
    *,
    due: object = None,
    reason: object = None,
    number: str | None = None,
) -> Amounts:
    made, known = _second(data.get("created")), whole(amount)
    if made is None:
        return NONE
    return Amounts(
        status=_word(status) or "",
        currency=currency_of(data.get("currency")),
        amount=known if known is not None and -_LARGEST < known < _LARGEST else None,
        made=made,
        due=_second(due),
        reason=_word(reason),
        number=number,
    )


def _second(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= LATEST_SECOND else None


def _word(value: object) -> str | None:
    """A short code that an index can hold."""
    fits = type(value) is str and 0 < len(value) <= _LONGEST and value.isascii() and value.isprintable()
    return value if type(value) is str and fits else None


_AMOUNTS: Final[Mapping[str, Callable[[dict[str, Any]], Amounts]]] = {
    "charge": _charge,
    "payment_intent": _intent,
    "invoice": _invoice,
    "refund": _refund,
    "dispute": _dispute,
    "subscription": _subscription,
}
TYPES: Final = tuple(_AMOUNTS)
"""Types of objects that stand in a list."""
