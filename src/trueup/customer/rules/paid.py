"""What a customer has paid, and what failed. Pure.

Charges tell it best: they carry refunds. An account that sends no charges tells it by its payments (payment intents),
and one that sends neither by its invoices. The kinds are never mixed in a sum, since one payment appears in each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.customer.rules.declines import NEVER_RETRIED, advice_of, explain_error
from trueup.customer.rules.known import Known, ref_of
from trueup.customer.rules.words import money_of
from trueup.customer.types import Failure, Payment
from trueup.kernel.money import Money
from trueup.mirror.types import MirrorObject
from trueup.mirror.upcast.shape import currency_of, id_of, mapping, moment, text, whole

_OF_CHARGES = ("failure_code", "failure_message", "outcome")
_OF_INTENTS = ("advice_code", "code", "decline_code", "message", "network_advice_code")
"""The fields that tell of a failure, and that the mirror keeps."""

_MOST_REFS = 8
"""A customer may have paid a thousand times; the newest facts stand for all."""


def payments(known: Known) -> tuple[Payment | None, tuple[Money, ...]]:
    """The last payment, and what was paid in all, per currency; both noted in ``known``."""
    charges = [told for told in known.paying if told.object_type == "charge"]
    intents = [told for told in known.paying if told.object_type == "payment_intent"]
    if charges:
        return _tallied(known, "charge", "charges", [one for one in charges if _collected(one.data)])
    if intents:
        return _tallied(known, "intent", "intents", [one for one in intents if one.data.get("status") == "succeeded"])
    invoices = [told for told in known.paying if told.object_type == "invoice"]
    return _tallied(known, "invoice", "invoices", [one for one in invoices if one.data.get("status") == "paid"])


def _tallied(known: Known, one: str, many: str, paid: list[MirrorObject]) -> tuple[Payment | None, tuple[Money, ...]]:
    paid.sort(key=_when, reverse=True)
    last: Payment | None = None
    totals: dict[str, int] = {}
    for told in paid:
        amount, at = money_of(_gross(told), told.data.get("currency")), moment(_when(told)[0])
        if amount is None or at is None or amount.minor == 0:
            # An invoice of nothing is paid at once, and nobody would call it a payment.
            continue
        totals[amount.currency] = totals.get(amount.currency, 0) + amount.minor - _refunded(told)
        if last is None:
            last = Payment(amount=amount, at=at, object_type=told.object_type, object_id=told.object_id)
            known.noted("last_payment", last, f"payment.{one}", (ref_of(told),))
    found = tuple(Money(minor=total, currency=currency) for currency, total in sorted(totals.items()) if total)
    if totals:
        known.noted("lifetime_paid", found, f"paid.{many}", tuple(ref_of(told) for told in paid[:_MOST_REFS]))
    return last, found


def _collected(charge: dict[str, Any]) -> bool:
    """Whether money moved: charges of old have no status, and one that is only authorized has not been captured."""
    if charge.get("captured") is False:
        return False
    status = charge.get("status")
    return status == "succeeded" if type(status) is str else charge.get("paid") is True


def _gross(told: MirrorObject) -> int | None:
    data = told.data
    match told.object_type:
        case "charge":
            captured = whole(data.get("amount_captured"))
            return captured if captured is not None else whole(data.get("amount"))
        case "payment_intent":
            return whole(data.get("amount_received"))
        case _:
            return whole(data.get("amount_paid"))


def _refunded(told: MirrorObject) -> int:
    return whole(told.data.get("amount_refunded")) or 0


def _when(told: MirrorObject) -> tuple[int, str]:
    """When money moved, in Unix seconds: for an invoice when it was paid, else when the object was made."""
    paid_at = whole(mapping(told.data.get("status_transitions")).get("paid_at"))
    created = whole(told.data.get("created"))
    if paid_at is not None:
        return paid_at, told.object_id
    return created if created is not None else told.created, told.object_id


def last_failure(known: Known) -> Failure | None:
    """The newest payment that failed, with its reason; one that succeeded at last is no failure any more."""
    charges = {told.object_id: told for told in known.paying if told.object_type == "charge"}
    found: tuple[tuple[int, str], MirrorObject, dict[str, Any]] | None = None
    for told in known.paying:
        error = _error(told)
        if error is None:
            continue
        when = _when(told) if told.object_type == "charge" else _tried(told, charges)
        if found is None or when > found[0]:
            found = (when, told, error)
    if found is None:
        return None
    (seconds, _), told, error = found
    at = moment(seconds)
    if at is None:
        return None
    explained = explain_error(error)
    advice, network_advice = advice_of(error)
    failure = Failure(
        amount=money_of(told.data.get("amount"), currency_of(told.data.get("currency"))),
        at=at,
        object_type=told.object_type,
        object_id=told.object_id,
        code=explained.code,
        reason=explained.short,
        advice_code=advice,
        network_advice_code=network_advice,
        hard=explained.code in NEVER_RETRIED,
    )
    rule = "failure.charge" if told.object_type == "charge" else "failure.intent"
    return known.noted("last_failure", failure, rule, (ref_of(told),))


def _tried(intent: MirrorObject, charges: Mapping[str, MirrorObject]) -> tuple[int, str]:
    """When a payment failed last, which is tried again under the same id: its newest charge was made then.

    Where no charge is known it is when the failure was told, though Stripe may have been asked for it only later.
    """
    charge = charges.get(id_of(intent.data.get("latest_charge")) or "")
    return (intent.created if charge is None else _when(charge)[0]), intent.object_id


def _error(told: MirrorObject) -> dict[str, Any] | None:
    """What tells why a payment failed, in the form ``explain_error`` reads; ``None`` when it did not fail."""
    data = told.data
    if told.object_type == "charge":
        failed = data.get("status") == "failed" or (text(data.get("failure_code")) is not None and not data.get("paid"))
        return {name: data.get(name) for name in _OF_CHARGES} if failed else None
    error = data.get("last_payment_error")
    if told.object_type != "payment_intent" or type(error) is not dict or data.get("status") == "succeeded":
        return None
    return {name: error.get(name) for name in _OF_INTENTS}
