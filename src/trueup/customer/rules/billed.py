"""What a customer was asked to pay, every attempt to collect it, and what it can be collected from. Pure.

Made from objects of the mirror, whole ones or essences, when somebody looks; stored nowhere. An attempt is a charge, or
a payment intent that no charge stands for: one payment is not told twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from trueup.customer.rules.declines import Explanation, explain_error
from trueup.customer.rules.method import METHOD_TYPES, attached, details
from trueup.customer.rules.words import money_of
from trueup.customer.types import PaymentMethod
from trueup.kernel.money import Money
from trueup.kernel.records import Record
from trueup.mirror.amounts import charge_status, intent_status
from trueup.mirror.types import MirrorObject
from trueup.mirror.upcast.shape import id_of, listed, mapping, moment, text, whole

BILLED_TYPES: Final = ("customer", "invoice", "charge", "payment_intent", *sorted(METHOD_TYPES))
"""The objects that tell it."""

_UNPAID: Final = frozenset({"open", "uncollectible"})


class Outcome(StrEnum):
    """What came of an attempt to collect."""

    SUCCEEDED = "succeeded"
    REFUNDED = "refunded"
    """All of it was given back."""
    PARTLY_REFUNDED = "partly_refunded"
    AUTHORIZED = "authorized"
    """The bank holds the money, and nobody took it yet."""
    PENDING = "pending"
    """On its way, which takes days for some methods."""
    NEEDS_CUSTOMER = "needs_customer"
    """Waits for the customer to confirm it."""
    FAILED = "failed"
    CANCELED = "canceled"


class Attempt(Record, frozen=True):
    """One attempt to collect. ``at`` is in Stripe's time; ``refunded`` is ``None`` where nothing was given back."""

    object_type: str
    object_id: str
    at: datetime
    outcome: Outcome
    amount: Money | None
    refunded: Money | None
    disputed: bool
    failure: Explanation | None
    method: PaymentMethod | None
    invoice_id: str | None
    """Of the invoice that it is for, ``None`` where Stripe does not say."""


class Invoice(Record, frozen=True):
    """An invoice as it stands; ``status`` is Stripe's word. Moments are ``None`` where they do not apply."""

    id: str
    number: str | None
    status: str
    total: Money | None
    remaining: Money | None
    reason: str | None
    """Stripe's ``billing_reason``."""
    created_at: datetime
    due_at: datetime | None
    paid_at: datetime | None
    attempts: int
    next_attempt_at: datetime | None
    failed: Attempt | None = None
    """The newest attempt that failed, of an invoice that is not paid."""
    certain: bool = False
    """Whether Stripe says that this attempt was for this invoice; otherwise it was of the same amount, and later."""


class Method(Record, frozen=True):
    """A payment method on file, and since when."""

    method: PaymentMethod
    default: bool
    """Whether it is charged first."""
    since: datetime | None


class Billed(Record, frozen=True):
    """All of it, the newest first."""

    invoices: tuple[Invoice, ...]
    attempts: tuple[Attempt, ...]
    methods: tuple[Method, ...]


def billed(objects: Sequence[MirrorObject], *, of: Sequence[str], default: str | None) -> Billed:
    """What these objects of the Stripe customers ``of`` tell; ``default`` is the id of the method charged first."""
    named = _named_by_invoices(objects)
    attempts = sorted(_attempts(objects, named), key=lambda one: (one.at, one.object_id), reverse=True)
    invoices = [found for one in objects if (found := _invoice(one, attempts)) is not None]
    return Billed(
        invoices=tuple(sorted(invoices, key=lambda one: (one.created_at, one.id), reverse=True)),
        attempts=tuple(attempts),
        methods=tuple(_methods(objects, of, default)),
    )


def _named_by_invoices(objects: Iterable[MirrorObject]) -> dict[str, str]:
    """The invoice of each payment that an invoice itself names, by the payment's id."""
    found = {}
    for one in objects:
        if one.object_type == "invoice":
            for payment in listed(one.data.get("payments")):
                paying = mapping(mapping(payment).get("payment"))
                for name in ("charge", "payment_intent"):
                    named = id_of(paying.get(name))
                    if named is not None:
                        found[named] = one.object_id
    return found


def _attempts(objects: Sequence[MirrorObject], named: dict[str, str]) -> Iterable[Attempt]:
    charged: set[str] = set()
    intents = {one.object_id: one for one in objects if one.object_type == "payment_intent"}
    invoices = sorted(one.object_id for one in objects if one.object_type == "invoice")
    for one in objects:
        if one.object_type != "charge":
            continue
        intent = id_of(one.data.get("payment_intent"))
        charged.update(name for name in (intent, one.object_id) if name is not None)
        pays = _pays(one.data) or named.get(one.object_id) or named.get(intent or "")
        if pays is None and intent in intents:
            pays = _pays(intents[intent].data)
        attempt = _charge(one, _whole(pays, invoices))
        if attempt is not None:
            yield attempt
    for name, one in intents.items():
        if name not in charged and id_of(one.data.get("latest_charge")) not in charged:
            attempt = _intent(one, _whole(_pays(one.data), invoices) or named.get(name))
            if attempt is not None:
                yield attempt


def _pays(data: dict[str, Any]) -> str | None:
    """The invoice that a payment itself names: in a field of its own, or (since 2025) as what was ordered."""
    reference = text(mapping(data.get("payment_details")).get("order_reference"))
    return id_of(data.get("invoice")) or (reference if reference and reference.startswith("in_") else None)


def _whole(pays: str | None, invoices: Sequence[str]) -> str | None:
    """The invoice that is meant: what was ordered is told in 25 characters at most, which cut off an id's end."""
    meant = [one for one in invoices if one.startswith(pays)] if pays is not None and pays not in invoices else []
    return meant[0] if len(meant) == 1 else pays


def _charge(told: MirrorObject, invoice_id: str | None) -> Attempt | None:
    data = told.data
    at = moment(whole(data.get("created")) or told.created)
    if at is None:
        return None
    gone = whole(data.get("amount_refunded")) or 0
    outcome = Outcome(charge_status(data))
    return Attempt(
        object_type=told.object_type,
        object_id=told.object_id,
        at=at,
        outcome=outcome,
        amount=money_of(data.get("amount"), data.get("currency")),
        refunded=money_of(gone, data.get("currency")) if gone and outcome is not Outcome.CANCELED else None,
        disputed=data.get("disputed") is True,
        failure=explain_error(data) if outcome is Outcome.FAILED else None,
        method=_paid_with(data.get("payment_method_details")),
        invoice_id=invoice_id,
    )


def _paid_with(told: object) -> PaymentMethod | None:
    """What a charge was made to; its id stands elsewhere and is left empty."""
    return details("", mapping(told)) if text(mapping(told).get("type")) is not None else None


def _intent(told: MirrorObject, invoice_id: str | None) -> Attempt | None:
    """A payment without a charge; nothing for one that was not tried yet, as Stripe makes one with each invoice."""
    data = told.data
    error = mapping(data.get("last_payment_error"))
    status = intent_status(data)
    outcome = None if status is None else Outcome(status)
    failed = outcome is Outcome.FAILED
    # A payment is tried again under the same id: when its newest failure was told says when it failed.
    at = moment(told.created if failed else whole(data.get("created")) or told.created)
    if outcome is None or at is None:
        return None
    return Attempt(
        object_type=told.object_type,
        object_id=told.object_id,
        at=at,
        outcome=outcome,
        amount=money_of(data.get("amount"), data.get("currency")),
        refunded=None,
        disputed=False,
        failure=explain_error(error) if failed else None,
        method=None,
        invoice_id=invoice_id,
    )


def _invoice(told: MirrorObject, attempts: Sequence[Attempt]) -> Invoice | None:
    data, currency = told.data, told.data.get("currency")
    created = moment(whole(data.get("created")) or told.created)
    if told.object_type != "invoice" or told.deleted or created is None:
        return None
    status = text(data.get("status")) or ""
    remaining = money_of(data.get("amount_remaining"), currency)
    tried = whole(data.get("attempt_count")) or 0
    failed = _failed_of(told.object_id, remaining, created, attempts) if status in _UNPAID and tried else None
    return Invoice(
        id=told.object_id,
        number=text(data.get("number")),
        status=status,
        total=money_of(data.get("total"), currency),
        remaining=remaining,
        reason=text(data.get("billing_reason")),
        created_at=created,
        due_at=moment(data.get("due_date")),
        paid_at=moment(mapping(data.get("status_transitions")).get("paid_at")),
        attempts=tried,
        next_attempt_at=moment(data.get("next_payment_attempt")) if status == "open" else None,
        failed=failed,
        certain=failed is not None and failed.invoice_id == told.object_id,
    )


def _failed_of(
    invoice_id: str, remaining: Money | None, created: datetime, attempts: Sequence[Attempt]
) -> Attempt | None:
    """The newest failure that Stripe says was for the invoice, else the newest one of its amount for no other."""
    failures = [one for one in attempts if one.outcome is Outcome.FAILED]
    for one in failures:
        if one.invoice_id == invoice_id:
            return one
    for one in failures:
        if one.invoice_id is None and one.amount == remaining and remaining is not None and one.at >= created:
            return one
    return None


def _methods(objects: Sequence[MirrorObject], of: Sequence[str], default: str | None) -> list[Method]:
    """Methods on file, the default first; those that only the customer itself lists as its sources come last."""
    found: dict[str, Method] = {}
    gone = {one.object_id for one in objects if one.object_type in METHOD_TYPES and one.deleted}
    for one in objects:
        if one.object_type in METHOD_TYPES and any(attached(one, customer) for customer in of):
            since = moment(whole(one.data.get("created")))
            found[one.object_id] = Method(
                method=details(one.object_id, one.data), default=one.object_id == default, since=since
            )
    for one in objects:
        if one.object_type == "customer":
            for source in listed(one.data.get("sources")):
                name = id_of(source)
                if name is not None and type(source) is dict and name not in found and name not in gone:
                    found[name] = Method(method=details(name, source), default=name == default, since=None)
    return sorted(found.values(), key=lambda one: (not one.default, one.method.id))
