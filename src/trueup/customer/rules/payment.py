"""Payments, invoices, refunds and disputes, in plain words.

One payment is told by up to eight events, and makes one entry. What pays an invoice is told by ``invoice.paid``; a
payment without an invoice by its payment intent; a charge only where there is no payment intent (before 2019). A
failure is told by the payment intent, which alone knows the reason.
"""

from __future__ import annotations

from typing import Any, Final

from trueup.customer.rules.words import Said, failure, joined, money, money_of, spoken
from trueup.customer.types import Tone
from trueup.kernel.money import Money
from trueup.mirror.types import Fact
from trueup.mirror.upcast import upcast
from trueup.mirror.upcast.shape import id_of, mapping, text, whole

_OF_INVOICES: Final = frozenset({"Subscription creation", "Subscription update", "Payment for Invoice"})
"""The descriptions that Stripe gives to payment intents of invoices: at 2025-03-31.basil they name no invoice."""

_BILLING_REASONS: Final = {
    "subscription_create": "First payment",
    "subscription_cycle": "Renewal",
    "subscription_threshold": "Usage threshold reached",
    "subscription_update": "Change of plan",
}

_DISPUTES: Final = {
    "lost": Said("Dispute lost", "", Tone.BAD),
    "prevented": Said("Dispute prevented", "", Tone.GOOD),
    "warning_closed": Said("Inquiry closed", "", Tone.GOOD),
    "won": Said("Dispute won", "", Tone.GOOD),
}


def intent_succeeded(fact: Fact) -> Said | None:
    """A payment without an invoice came in."""
    if _pays_invoice(fact.data):
        return None
    amount = money_of(fact.data.get("amount_received"), fact.data.get("currency")) or _amount(fact.data)
    return _about("Payment", amount, "succeeded", Tone.GOOD, text(fact.data.get("description")))


def intent_failed(fact: Fact) -> Said | None:
    """An attempt to pay failed, of an invoice or not, and why."""
    reason = failure(mapping(fact.data.get("last_payment_error")))
    return _failed(_amount(fact.data), reason, None if _pays_invoice(fact.data) else text(fact.data.get("description")))


def intent_requires_action(fact: Fact) -> Said | None:
    """The bank asks the customer to confirm a payment without an invoice."""
    if _pays_invoice(fact.data):
        return None
    return _about("Payment", _amount(fact.data), "waits for the customer to confirm it", Tone.WARN)


def intent_capturable(fact: Fact) -> Said | None:
    """A payment was authorized and waits to be captured."""
    amount = money_of(fact.data.get("amount_capturable"), fact.data.get("currency"))
    return _about("Payment", amount, "authorized", Tone.PLAIN)


def charge_succeeded(fact: Fact) -> Said | None:
    """A charge came in that no payment intent stands for."""
    if id_of(fact.data.get("payment_intent")) is not None:
        return None
    return _about("Payment", _amount(fact.data), "succeeded", Tone.GOOD, text(fact.data.get("description")))


def charge_failed(fact: Fact) -> Said | None:
    """A charge failed that no payment intent stands for."""
    if id_of(fact.data.get("payment_intent")) is not None:
        return None
    return _failed(_amount(fact.data), failure(fact.data), None)


def charge_refunded(fact: Fact) -> Said | None:
    """Money went back; the amount is what this event added, which only ``previous_attributes`` tells."""
    total = whole(fact.data.get("amount_refunded"))
    earlier = whole(mapping(fact.previous).get("amount_refunded")) or 0
    if total is None or total <= earlier:
        return None
    amount = money_of(total - earlier, fact.data.get("currency"))
    partly = "In part" if fact.data.get("refunded") is False else ""
    return Said("Refunded" if amount is None else f"Refunded {money(amount)}", partly, Tone.WARN, amount)


def refund_failed(fact: Fact) -> Said | None:
    """A refund did not reach the customer."""
    reason = text(fact.data.get("failure_reason"))
    detail = spoken(reason).capitalize() if reason is not None else None
    return _about("Refund", _amount(fact.data), "failed", Tone.BAD, detail)


def dispute_created(fact: Fact) -> Said | None:
    """The customer disputes a payment with the bank."""
    reason = text(fact.data.get("reason"))
    detail = spoken(reason).capitalize() if reason is not None else None
    return _about("Payment", _amount(fact.data), "disputed", Tone.BAD, detail)


def dispute_closed(fact: Fact) -> Said | None:
    """How a dispute ended."""
    said = _DISPUTES.get(text(fact.data.get("status")) or "", Said("Dispute closed", "", Tone.PLAIN))
    amount = _amount(fact.data)
    return said._replace(detail=money(amount) if amount is not None else "", amount=amount)


def invoice_paid(fact: Fact) -> Said | None:
    """An invoice was paid; nothing for one of zero, as every trial has."""
    data = upcast("invoice", fact.data)
    total = money_of(data.get("total"), data.get("currency"))
    paid = money_of(data.get("amount_paid"), data.get("currency"))
    reason = _BILLING_REASONS.get(text(data.get("billing_reason")) or "")
    if paid is not None and paid.minor > 0:
        return _invoice(data, paid, "paid", Tone.GOOD, reason)
    if total is not None and total.minor > 0:
        return _invoice(data, total, "paid", Tone.GOOD, joined(reason, "From the credit balance"))
    return None


def invoice_sent(fact: Fact) -> Said | None:
    """An invoice was sent by email."""
    return _due(fact, "sent", Tone.PLAIN)


def invoice_overdue(fact: Fact) -> Said | None:
    """An invoice was not paid in time."""
    return _due(fact, "is overdue", Tone.BAD)


def invoice_voided(fact: Fact) -> Said | None:
    """An invoice was taken back."""
    return _due(fact, "voided", Tone.PLAIN)


def invoice_uncollectible(fact: Fact) -> Said | None:
    """An invoice was written off."""
    return _due(fact, "written off", Tone.BAD)


def invoice_action_required(fact: Fact) -> Said | None:
    """The bank asks the customer to confirm the payment of an invoice."""
    return _due(fact, "waits for the customer to confirm the payment", Tone.WARN)


def invoice_not_finalized(fact: Fact) -> Said | None:
    """An invoice could not be made final, mostly for want of an address to tax."""
    return _due(fact, "could not be finalized", Tone.BAD)


def credit_note_created(fact: Fact) -> Said | None:
    """A credit note takes back a part of an invoice."""
    amount = _amount(fact.data)
    number = text(fact.data.get("number"))
    title = "Credit note" if number is None else f"Credit note {number}"
    return _about(title, amount, "issued", Tone.PLAIN)


def _pays_invoice(data: dict[str, Any]) -> bool:
    reference = text(mapping(data.get("payment_details")).get("order_reference"))
    return (
        id_of(data.get("invoice")) is not None
        or (reference is not None and reference.startswith("in_"))
        or text(data.get("description")) in _OF_INVOICES
    )


def _amount(data: dict[str, Any]) -> Money | None:
    return money_of(data.get("amount"), data.get("currency"))


def _due(fact: Fact, verb: str, tone: Tone) -> Said:
    data = upcast("invoice", fact.data)
    return _invoice(data, money_of(data.get("amount_due"), data.get("currency")), verb, tone, None)


def _invoice(data: dict[str, Any], amount: Money | None, verb: str, tone: Tone, detail: str | None) -> Said:
    number = text(data.get("number"))
    # "for", not "of": the number names the invoice.
    named = "Invoice" if number is None else f"Invoice {number}"
    return Said(
        f"{named} for {money(amount)} {verb}" if amount is not None else f"{named} {verb}", detail or "", tone, amount
    )


def _failed(amount: Money | None, reason: str | None, detail: str | None) -> Said:
    return _about("Payment", amount, "failed" if reason is None else f"failed: {reason}", Tone.BAD, detail)


def _about(what: str, amount: Money | None, verb: str, tone: Tone, detail: str | None = None) -> Said:
    title = f"{what} {verb}" if amount is None else f"{what} of {money(amount)} {verb}"
    return Said(title, detail or "", tone, amount)
