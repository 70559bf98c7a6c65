"""Paying invoices: by Stripe at its time, by an API request, or by whoever confirms the invoice's payment intent."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.invoices import finalizing, invoice_payments, retries, settling
from trueup.sandbox.invoices.settling import Attempt
from trueup.sandbox.payment_methods import methods
from trueup.sandbox.payments import intents
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

_PAYABLE: Final = frozenset({"draft", "open", "uncollectible"})


def pay(
    world: World,
    invoice: Obj,
    *,
    payment_method: Obj | None = None,
    off_session: bool = True,
    out_of_band: bool = False,
    forgive: bool = False,  # noqa: ARG001 - cards are charged in full or not at all, so nothing is left to forgive
    attempt: Attempt = "automatic",
) -> Obj:
    """Attempt to pay an invoice with ``payment_method`` or the default one; a draft is finalised first.

    Never raises on a decline: the invoice's ``status`` and its intent tell. Without any method the attempt fails.
    Raises Stripe's 400 for an invoice that is paid or void.
    """
    payable(invoice)
    if invoice["status"] == "draft":
        finalizing.finalize(world, invoice)
        if invoice["status"] != "open":
            return invoice
    if out_of_band:
        return settling.out_of_band(world, invoice)
    found = invoice_payments.default_intent(world, invoice)
    customer = world.get("customer", invoice["customer"])
    method = payment_method or default_method(world, invoice, customer)
    if method is None or found is None or (attempt == "automatic" and retries.barred(invoice, method)):
        _failed(world, invoice, found[1] if found else None, attempt)
        return invoice
    invoice["$attempt"] = attempt
    intents.confirm(world, found[1], payment_method=method, off_session=off_session)
    if found[1]["status"] != "processing":
        invoice.pop("$attempt", None)
    return invoice


def payable(invoice: Obj) -> None:
    """Raise Stripe's 400 for an invoice that cannot be paid any more."""
    if invoice["status"] == "paid":
        message = "Invoice is already paid"
        raise invalid(message)
    if invoice["status"] not in _PAYABLE:
        message = f"This invoice can't be paid because it is {invoice['status']}."
        raise invalid(message, code="invoice_not_editable" if invoice["status"] == "void" else None)


def default_method(world: World, invoice: Obj, customer: Obj) -> Obj | None:
    """What an invoice is paid with unless told otherwise."""
    parent = (invoice["parent"] or {}).get("subscription_details")
    subscription = world.find("subscription", parent["subscription"]) if parent else None
    return methods.default_for(world, customer, subscription, invoice)


def settled(world: World, *, intent: Obj, outcome: str) -> None:
    """Listens to payments: what became of an intent becomes of the invoices that it pays."""
    for payment in _paid_by(world, intent):
        invoice = world.get("invoice", payment["invoice"])
        attempt: Attempt = invoice.get("$attempt", "manual")
        if outcome == "succeeded":
            settling.apply(
                world, invoice, payment, min(payment["amount_requested"], intent["amount_received"]), attempt
            )
        elif outcome == "failed":
            _failed(world, invoice, intent, attempt)
        elif outcome == "requires_action":
            _action_required(world, invoice, intent, attempt)
        elif outcome == "canceled" and payment["status"] == "open":
            invoice_payments.close(world, payment)
        elif outcome == "processing":
            invoice["attempted"] = True
            retries.stop(world, invoice)
        if outcome != "processing":
            invoice.pop("$attempt", None)


def _failed(
    world: World, invoice: Obj, intent: Obj | None, attempt: Attempt, *, authentication: str | None = None
) -> None:
    """An attempt came to nothing: count it, plan the next, tell it.

    ``authentication`` is the id of the method whose holder was not there to authenticate.
    """
    if invoice["status"] not in {"open", "uncollectible"}:
        return
    error = (intent or {}).get("last_payment_error")
    asked = invoice.get("$attempt") is not None
    first = not invoice["attempt_count"]
    invoice["attempted"] = True
    settling.count(invoice, attempt)
    method: str | None
    if authentication is not None:
        error, method = {"code": "authentication_required"}, authentication
    elif asked or attempt != "automatic":
        method = ((error or {}).get("payment_method") or {}).get("id")
    else:
        method = invoice.get("$barred")
    if attempt == "automatic" or first:
        retries.failed(world, invoice, error, method)
    over = attempt == "automatic" and retries.exhausted(invoice)
    if over:
        invoice["auto_advance"] = False
    world.tell("invoice.updated", invoice)
    world.tell("invoice.payment_failed", invoice)
    if authentication is not None:
        _tell_action(world, invoice, intent)
    world.signal("invoice_payment_failed", invoice=invoice, intent=intent)
    if over:
        world.signal("retries_exhausted", invoice=invoice)


def _action_required(world: World, invoice: Obj, intent: Obj, attempt: Attempt) -> None:
    """The holder has to authenticate. One who is there is waited for; Stripe's own attempt counts as failed as well."""
    if attempt == "automatic":
        _failed(world, invoice, intent, attempt, authentication=intent["payment_method"])
    else:
        invoice["attempted"] = True
        world.tell("invoice.updated", invoice)
        _tell_action(world, invoice, intent)


def _tell_action(world: World, invoice: Obj, intent: Obj | None) -> None:
    world.tell("invoice.payment_action_required", invoice)
    world.signal("invoice_action_required", invoice=invoice, intent=intent)


def _paid_by(world: World, intent: Obj) -> list[Obj]:
    """The open payments that an intent makes."""
    invoice = world.find("invoice", intent.get("$invoice"))
    if invoice is not None and invoice.get("$payments"):
        found = [p for p in invoice_payments.of(world, invoice) if p["payment"].get("payment_intent") == intent["id"]]
    else:
        found = list(world.select("invoice_payment", payment__payment_intent=intent["id"]))
    return [payment for payment in found if payment["status"] == "open"]
