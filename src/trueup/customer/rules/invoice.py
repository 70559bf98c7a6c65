"""Invoices, their items, credit notes and quotes, in plain words."""

from __future__ import annotations

from typing import Any, Final

from trueup.customer.rules.words import (
    Said,
    about,
    amount_of,
    day,
    failure,
    joined,
    money,
    money_of,
    sentence,
)
from trueup.customer.types import Tone
from trueup.kernel.money import Money
from trueup.mirror.types import Fact
from trueup.mirror.upcast import upcast
from trueup.mirror.upcast.shape import id_of, mapping, moment, text, whole

_BILLING_REASONS: Final = {
    "subscription_create": "First payment",
    "subscription_cycle": "Renewal",
    "subscription_threshold": "Usage threshold reached",
    "subscription_update": "Change of plan",
}


def paid(fact: Fact) -> Said | None:
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


def sent(fact: Fact) -> Said | None:
    """An invoice was sent by email."""
    return _due(fact, "sent", Tone.PLAIN)


def overdue(fact: Fact) -> Said | None:
    """An invoice was not paid in time."""
    return _due(fact, "is overdue", Tone.BAD)


def voided(fact: Fact) -> Said | None:
    """An invoice was taken back."""
    return _due(fact, "voided", Tone.PLAIN)


def uncollectible(fact: Fact) -> Said | None:
    """An invoice was written off."""
    return _due(fact, "written off", Tone.BAD)


def action_required(fact: Fact) -> Said | None:
    """The bank asks the customer to confirm the payment of an invoice."""
    return _due(fact, "waits for the customer to confirm the payment", Tone.WARN)


def not_finalized(fact: Fact) -> Said | None:
    """An invoice could not be made final, mostly for want of an address to tax."""
    reason = failure(mapping(fact.data.get("last_finalization_error")))
    said = _due(fact, "could not be finalized", Tone.BAD)
    return said if reason is None else said._replace(detail=reason.capitalize())


def attempt_required(fact: Fact) -> Said | None:
    """An invoice is to be paid by a method that Stripe cannot charge."""
    return _due(fact, "has to be collected outside of Stripe", Tone.WARN)


def will_be_due(fact: Fact) -> Said | None:
    """Some days before an invoice is due."""
    due = moment(fact.data.get("due_date"))
    return _due(fact, "will be due" if due is None else f"is due on {day(due)}", Tone.PLAIN)


def overpaid(fact: Fact) -> Said | None:
    """More came in than an invoice asked for; the rest is the customer's credit."""
    amount = money_of(fact.data.get("amount_overpaid"), fact.data.get("currency"))
    number = text(fact.data.get("number"))
    verb = "was overpaid" if amount is None else f"was overpaid by {money(amount)}"
    return Said(f"{'Invoice' if number is None else f'Invoice {number}'} {verb}", "", Tone.PLAIN, amount)


def item_added(fact: Fact) -> Said | None:
    """Something to pay besides the plan; prorations follow from a change that has its own entry."""
    return _item(fact, "added to the next invoice")


def item_removed(fact: Fact) -> Said | None:
    """Something is not to be paid after all."""
    return _item(fact, "taken off the next invoice")


def credit_note_created(fact: Fact) -> Said | None:
    """A credit note takes back a part of an invoice."""
    return _credit_note(fact, "issued")


def credit_note_voided(fact: Fact) -> Said | None:
    """A credit note was taken back."""
    return _credit_note(fact, "voided")


def quote_sent(fact: Fact) -> Said | None:
    """A quote is ready for the customer."""
    until = moment(fact.data.get("expires_at"))
    return _quote(fact, "offered", Tone.PLAIN, f"Until {day(until)}" if until is not None else None)


def quote_accepted(fact: Fact) -> Said | None:
    """The customer took the offer."""
    return _quote(fact, "accepted", Tone.GOOD)


def quote_canceled(fact: Fact) -> Said | None:
    """An offer was withdrawn, or its time ran out."""
    return _quote(fact, "canceled", Tone.PLAIN)


def credit_granted(fact: Fact) -> Said | None:
    """Credit for use that is billed later."""
    data = fact.data
    kind = "promotional credit" if data.get("category") == "promotional" else "prepaid credit"
    expires = moment(data.get("expires_at"))
    until = f"Until {day(expires)}" if expires is not None else ""
    amount = _granted(data)
    title = f"{money(amount)} of {kind} granted" if amount is not None else f"{kind.capitalize()} granted"
    return Said(title, joined(text(data.get("name")), until), Tone.GOOD, amount)


def credit_changed(fact: Fact) -> Said | None:
    """Credit was voided, or lasts longer or shorter."""
    previous, data = mapping(fact.previous), fact.data
    amount, name = _granted(data), text(data.get("name"))
    of = f" of {money(amount)}" if amount is not None else ""
    if "voided_at" in previous and whole(data.get("voided_at")) is not None:
        return Said(f"Credit{of} voided", name or "", Tone.WARN, amount)
    expires = moment(data.get("expires_at"))
    if "expires_at" in previous and expires is not None:
        return Said(f"Credit{of} now expires on {day(expires)}", name or "", Tone.PLAIN, amount)
    return None


def _granted(data: dict[str, Any]) -> Money | None:
    monetary = mapping(mapping(data.get("amount")).get("monetary"))
    return money_of(monetary.get("value"), monetary.get("currency"))


def _item(fact: Fact, verb: str) -> Said | None:
    amount = amount_of(fact.data)
    if amount is None or amount.minor == 0 or fact.data.get("proration") is True or id_of(fact.data.get("invoice")):
        return None
    size = Money(minor=abs(amount.minor), currency=amount.currency)
    what = "Charge" if amount.minor > 0 else "Credit"
    return about(what, size, verb, Tone.PLAIN, text(fact.data.get("description")))


def _credit_note(fact: Fact, verb: str) -> Said:
    number = text(fact.data.get("number"))
    title = "Credit note" if number is None else f"Credit note {number}"
    return about(title, amount_of(fact.data), verb, Tone.PLAIN, sentence(fact.data.get("reason")))


def _quote(fact: Fact, verb: str, tone: Tone, detail: str | None = None) -> Said:
    number = text(fact.data.get("number"))
    amount = money_of(fact.data.get("amount_total"), fact.data.get("currency"))
    return about("Quote" if number is None else f"Quote {number}", amount, verb, tone, detail)


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
