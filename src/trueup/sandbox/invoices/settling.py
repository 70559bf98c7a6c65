"""Money that counts towards an invoice, whoever brought it, and what it means when nothing remains."""

from __future__ import annotations

from typing import Literal

from trueup.sandbox.customers import balance as customers_balance
from trueup.sandbox.invoices import invoice_payments, retries
from trueup.sandbox.payments import intents
from trueup.sandbox.world.world import Obj, World

Attempt = Literal["automatic", "manual", "first"]
"""Who pays: Stripe's schedule, a request, or the subscription's creation or change."""


def apply(world: World, invoice: Obj, payment: Obj, amount: int, attempt: Attempt = "manual") -> None:
    """Count ``amount`` minor units as paid towards an invoice; what is too much becomes the customer's credit."""
    payment["amount_paid"] = amount
    payment["status"] = "paid"
    payment["status_transitions"]["paid_at"] = world.now
    world.tell("invoice_payment.paid", payment)
    if invoice["status"] not in {"open", "uncollectible"}:
        _overpaid(world, invoice, amount)
        return
    used = min(amount, invoice["amount_remaining"])
    invoice["amount_paid"] += used
    invoice["amount_remaining"] -= used
    invoice["attempted"] = True
    count(invoice, attempt)
    if invoice["amount_remaining"]:
        _resize(world, invoice)
        world.tell("invoice.updated", invoice)
    else:
        _paid(world, invoice)
    if amount > used:
        _overpaid(world, invoice, amount - used)


def tell_paid(world: World, invoice: Obj) -> None:
    """The two events of a paid invoice, and the word to whoever listens."""
    world.tell("invoice.paid", invoice)
    world.tell("invoice.payment_succeeded", invoice)
    world.signal("invoice_paid", invoice=invoice)


def credited(world: World, invoice: Obj, amount: int) -> None:
    """Take ``amount`` minor units off what is due, as a credit note before payment does."""
    invoice["amount_due"] -= amount
    invoice["amount_remaining"] -= amount
    if invoice["amount_remaining"]:
        _resize(world, invoice)
    else:
        invoice["attempted"] = True
        _paid(world, invoice)


def cancel_intents(world: World, invoice: Obj, reason: str | None) -> None:
    """Cancel all open payments of an invoice and their intents."""
    for payment in list(invoice_payments.of(world, invoice)):
        if payment["status"] == "open":
            invoice_payments.close(world, payment)
            intents.cancel(world, world.get("payment_intent", payment["payment"]["payment_intent"]), reason=reason)


def _paid(world: World, invoice: Obj) -> None:
    retries.stop(world, invoice)
    world.unschedule("due", invoice["id"])
    invoice["status"] = "paid"
    invoice["status_details"] = None
    invoice["auto_advance"] = False
    invoice["status_transitions"]["paid_at"] = world.now
    cancel_intents(world, invoice, None)
    world.tell("invoice.updated", invoice)
    tell_paid(world, invoice)


def out_of_band(world: World, invoice: Obj) -> Obj:
    """Take what remains as paid outside of Stripe."""
    rest = invoice["amount_remaining"]
    invoice["amount_paid"] += rest
    invoice["amount_paid_off_stripe"] += rest
    invoice["amount_remaining"] = 0
    _paid(world, invoice)
    return invoice


def count(invoice: Obj, attempt: Attempt) -> None:
    """Any attempt counts as the first; after it only automatic ones do. Source: what documents ``attempt_count``."""
    if attempt == "automatic" or not invoice["attempt_count"]:
        invoice["attempt_count"] += 1


def _resize(world: World, invoice: Obj) -> None:
    """Let the invoice's own payment ask for what remains."""
    found = invoice_payments.default_intent(world, invoice)
    if found is not None:
        payment, intent = found
        payment["amount_requested"] = intent["amount"] = invoice["amount_remaining"]


def _overpaid(world: World, invoice: Obj, amount: int) -> None:
    if not amount:
        return
    invoice["amount_overpaid"] += amount
    customer = world.get("customer", invoice["customer"])
    customers_balance.adjust(
        world, customer, -amount, type="invoice_overpaid", currency=invoice["currency"], invoice=invoice["id"]
    )
    world.tell("invoice.overpaid", invoice)
