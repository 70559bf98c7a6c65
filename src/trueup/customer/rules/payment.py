"""Payments, refunds, disputes and reviews, in plain words.

One payment is told by up to eight events, and makes one entry. What pays an invoice is told by ``invoice.paid``; a
payment without an invoice by its payment intent; a charge only where there is no payment intent (before 2019). A
failure is told by the payment intent, which alone knows the reason.
"""

from __future__ import annotations

from typing import Any, Final

from trueup.customer.rules.declines import explain_error
from trueup.customer.rules.words import (
    Said,
    about,
    amount_of,
    day,
    joined,
    money,
    money_of,
    sentence,
)
from trueup.customer.types import Tone
from trueup.kernel.money import Money
from trueup.mirror.types import Fact
from trueup.mirror.upcast.shape import id_of, mapping, moment, text, whole

_OF_INVOICES: Final = frozenset({"Subscription creation", "Subscription update", "Payment for Invoice"})
"""The descriptions that Stripe gives to payment intents of invoices: at 2025-03-31.basil they name no invoice."""

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
    amount = money_of(fact.data.get("amount_received"), fact.data.get("currency")) or amount_of(fact.data)
    return about("Payment", amount, "succeeded", Tone.GOOD, text(fact.data.get("description")))


def intent_failed(fact: Fact) -> Said | None:
    """An attempt to pay failed, of an invoice or not, and why."""
    error = mapping(fact.data.get("last_payment_error"))
    return _failed(
        amount_of(fact.data), error, None if _pays_invoice(fact.data) else text(fact.data.get("description"))
    )


def intent_requires_action(fact: Fact) -> Said | None:
    """The bank asks the customer to confirm a payment without an invoice."""
    if _pays_invoice(fact.data):
        return None
    return about("Payment", amount_of(fact.data), "waits for the customer to confirm it", Tone.WARN)


def intent_capturable(fact: Fact) -> Said | None:
    """A payment was authorized and waits to be captured."""
    amount = money_of(fact.data.get("amount_capturable"), fact.data.get("currency"))
    return about("Payment", amount, "authorized", Tone.PLAIN)


def intent_processing(fact: Fact) -> Said | None:
    """A debit or transfer is on its way, which takes days; nothing is owed meanwhile, of an invoice or not."""
    return about("Payment", amount_of(fact.data), "is being processed", Tone.PLAIN)


def intent_partially_funded(fact: Fact) -> Said | None:
    """A bank transfer covered a part of what is due."""
    told = mapping(mapping(fact.data.get("next_action")).get("display_bank_transfer_instructions"))
    remaining = money_of(told.get("amount_remaining"), fact.data.get("currency"))
    detail = f"{money(remaining)} still open" if remaining is not None else ""
    return about("Payment", amount_of(fact.data), "came in part", Tone.WARN, detail)


def intent_canceled(fact: Fact) -> Said | None:
    """A payment without an invoice was called off, by somebody or by the passing of time."""
    if _pays_invoice(fact.data):
        return None
    reason = sentence(fact.data.get("cancellation_reason"))
    return about("Payment", amount_of(fact.data), "canceled", Tone.PLAIN, reason)


def charge_succeeded(fact: Fact) -> Said | None:
    """A charge came in that no payment intent stands for, or was only authorized as yet."""
    if id_of(fact.data.get("payment_intent")) is not None:
        return None
    verb, tone = ("authorized", Tone.PLAIN) if fact.data.get("captured") is False else ("succeeded", Tone.GOOD)
    return about("Payment", amount_of(fact.data), verb, tone, text(fact.data.get("description")))


def charge_pending(fact: Fact) -> Said | None:
    """A charge is on its way that no payment intent stands for."""
    if id_of(fact.data.get("payment_intent")) is not None:
        return None
    return about("Payment", amount_of(fact.data), "is being processed", Tone.PLAIN)


def charge_captured(fact: Fact) -> Said | None:
    """What was authorized came in, where no payment intent stands for it."""
    if id_of(fact.data.get("payment_intent")) is not None:
        return None
    amount = money_of(fact.data.get("amount_captured"), fact.data.get("currency")) or amount_of(fact.data)
    return about("Payment", amount, "captured", Tone.GOOD)


def charge_expired(fact: Fact) -> Said | None:
    """What was authorized was not captured in time, where no payment intent stands for it."""
    if id_of(fact.data.get("payment_intent")) is not None:
        return None
    return about("Payment", amount_of(fact.data), "was never captured", Tone.WARN)


def charge_failed(fact: Fact) -> Said | None:
    """A charge failed that no payment intent stands for."""
    if id_of(fact.data.get("payment_intent")) is not None:
        return None
    return _failed(amount_of(fact.data), fact.data, None)


def charge_refunded(fact: Fact) -> Said | None:
    """Money went back; the amount is what this event added, which only ``previous_attributes`` tells."""
    total = whole(fact.data.get("amount_refunded"))
    earlier = whole(mapping(fact.previous).get("amount_refunded")) or 0
    if total is None or total <= earlier:
        return None
    amount = money_of(total - earlier, fact.data.get("currency"))
    title = "Refunded" if amount is None else f"Refunded {money(amount)}"
    return Said(title, _refunded_so_far(fact.data, earlier), Tone.WARN, amount)


def refund_failed(fact: Fact) -> Said | None:
    """A refund did not reach the customer."""
    return about("Refund", amount_of(fact.data), "failed", Tone.BAD, sentence(fact.data.get("failure_reason")))


def refund_updated(fact: Fact) -> Said | None:
    """A refund was called off, or needs the customer; its failure has an event of its own."""
    if text(mapping(fact.previous).get("status")) is None:
        return None
    match text(fact.data.get("status")):
        case "canceled":
            return about("Refund", amount_of(fact.data), "canceled", Tone.WARN)
        case "requires_action":
            return about("Refund", amount_of(fact.data), "waits for the customer's details", Tone.WARN)
        case _:
            return None


def dispute_created(fact: Fact) -> Said | None:
    """The customer disputes a payment with the bank, or the bank only inquires."""
    due = moment(mapping(fact.data.get("evidence_details")).get("due_by"))
    until = f"Answer by {day(due)}" if due is not None else ""
    detail = joined(sentence(fact.data.get("reason")), until)
    if (text(fact.data.get("status")) or "").startswith("warning_"):
        return about("Payment", amount_of(fact.data), "questioned by the bank", Tone.WARN, detail)
    return about("Payment", amount_of(fact.data), "disputed", Tone.BAD, detail)


def dispute_updated(fact: Fact) -> Said | None:
    """The evidence was sent; nothing for the other changes."""
    was = whole(mapping(mapping(fact.previous).get("evidence_details")).get("submission_count"))
    sent = whole(mapping(fact.data.get("evidence_details")).get("submission_count"))
    if was is None or sent is None or sent <= was:
        return None
    return about("Evidence for the dispute", amount_of(fact.data), "sent", Tone.PLAIN)


def dispute_closed(fact: Fact) -> Said | None:
    """How a dispute ended."""
    said = _DISPUTES.get(text(fact.data.get("status")) or "", Said("Dispute closed", "", Tone.PLAIN))
    amount = amount_of(fact.data)
    return said._replace(detail=money(amount) if amount is not None else "", amount=amount)


def fraud_warned(fact: Fact) -> Said | None:
    """The card's bank suspects fraud, which often comes before a dispute."""
    return Said("The bank warns of fraud", sentence(fact.data.get("fraud_type")), Tone.BAD)


def review_opened(fact: Fact) -> Said | None:
    """A payment is held for somebody to look at."""
    return Said("Payment held for review", sentence(fact.data.get("reason")), Tone.WARN)


def review_closed(fact: Fact) -> Said | None:
    """Somebody has looked at a payment."""
    closed = text(fact.data.get("closed_reason"))
    tone = Tone.GOOD if closed == "approved" else Tone.PLAIN
    return Said("Review of a payment closed", sentence(closed), tone)


def checkout_expired(fact: Fact) -> Said | None:
    """Somebody began to pay and never finished."""
    amount = money_of(fact.data.get("amount_total"), fact.data.get("currency"))
    return about("Checkout", amount if amount is not None and amount.minor > 0 else None, "not completed", Tone.WARN)


def cash_moved(fact: Fact) -> Said | None:
    """A bank transfer came in; how it is used is told by what it pays."""
    amount = money_of(fact.data.get("net_amount"), fact.data.get("currency"))
    if fact.data.get("type") != "funded":
        return None
    return about("Bank transfer", amount, "received", Tone.GOOD)


def _refunded_so_far(data: dict[str, Any], earlier: int) -> str:
    if data.get("refunded") is True:
        return "Now refunded in full" if earlier else ""
    if data.get("refunded") is not False:
        return ""
    total, amount = money_of(data.get("amount_refunded"), data.get("currency")), amount_of(data)
    if total is None or amount is None:
        return "In part"
    return f"In part, {money(total)} of {money(amount)} so far"


def _pays_invoice(data: dict[str, Any]) -> bool:
    reference = text(mapping(data.get("payment_details")).get("order_reference"))
    return (
        id_of(data.get("invoice")) is not None
        or (reference is not None and reference.startswith("in_"))
        or text(data.get("description")) in _OF_INVOICES
    )


def _failed(amount: Money | None, error: dict[str, Any], detail: str | None) -> Said:
    """A failure, why, and whether another try can help, where the reason or the bank tells."""
    explained = explain_error(error)
    retry = explained.retry.rstrip(".") if explained.hard or explained.advice is not None else ""
    verb = "failed" if explained.code is None else f"failed: {explained.short}"
    return about("Payment", amount, verb, Tone.BAD, joined(detail, retry))
