"""How an invoice ends unpaid: void, uncollectible, deleted."""

from __future__ import annotations

from trueup.sandbox.customers import balance as customers_balance
from trueup.sandbox.invoices import drafts, retries, settling
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World


def void(world: World, invoice: Obj) -> Obj:
    """Void an open invoice: its payments are cancelled and the customer's balance is given back.

    Raises Stripe's 400 for any other. Source: its refusals as probed in 2026-08-26.dahlia.
    """
    if invoice["status"] == "paid":
        message = "Invoices with `paid` payments cannot be voided."
        raise invalid(message)
    if invoice["status"] != "open":
        message = "You can only pass in open invoices. This invoice isn't open."
        raise invalid(message)
    _leave(world, invoice)
    settling.cancel_intents(world, invoice, "void_invoice")
    invoice["status"] = "void"
    invoice["status_details"] = None
    invoice["status_transitions"]["voided_at"] = world.now
    change = invoice["starting_balance"] - invoice["ending_balance"]
    if change:
        customers_balance.adjust(
            world,
            world.get("customer", invoice["customer"]),
            change,
            type="unapplied_from_invoice",
            currency=invoice["currency"],
            invoice=invoice["id"],
        )
    world.tell("invoice.voided", invoice)
    world.signal("invoice_voided", invoice=invoice)
    return invoice


def mark_uncollectible(world: World, invoice: Obj, reason: str = "user_forgiven") -> Obj:
    """Give an open invoice up as bad debt; it may still be paid. A draft is given up too where the schedule says so.

    ``reason`` is one of ``status_details.uncollectible.reason``. Raises Stripe's 400 for any other.
    """
    if invoice["status"] == "uncollectible":
        message = "This invoice has already been marked uncollectible."
        raise invalid(message)
    if invoice["status"] != "open" and not (invoice["status"] == "draft" and reason == "subscription_paused"):
        message = "You can only pass in open invoices. This invoice isn't open."
        raise invalid(message)
    _leave(world, invoice)
    invoice["status"] = "uncollectible"
    invoice["status_details"] = {"uncollectible": {"reason": reason}}
    invoice["status_transitions"]["marked_uncollectible_at"] = world.now
    world.tell("invoice.marked_uncollectible", invoice)
    world.signal("invoice_uncollectible", invoice=invoice)
    return invoice


def delete(world: World, invoice: Obj) -> Obj:
    """Delete a draft that is no subscription's, and tell so; its items die with it. Raises Stripe's 400."""
    if invoice["status"] != "draft":
        message = "You can only delete draft invoices."
        raise invalid(message)
    if (invoice["parent"] or {}).get("subscription_details"):
        message = "You can't delete invoices created by subscriptions."
        raise invalid(message)
    drafts.unschedule(world, invoice)
    world.tell("invoice.deleted", invoice)
    return world.delete(invoice)


def customer_deleted(world: World, *, customer: Obj) -> None:
    """Listens to customers: the invoices of one that is deleted are not collected any more."""
    for invoice in list(world.select("invoice", customer=customer["id"])):
        if invoice["status"] in {"draft", "open"}:
            invoice["next_payment_attempt"] = None
            _leave(world, invoice)
            world.tell("invoice.updated", invoice)


def _leave(world: World, invoice: Obj) -> None:
    """Nothing is tried or reminded of any more."""
    retries.stop(world, invoice)
    world.unschedule("due", invoice["id"])
    world.unschedule("finalize", invoice["id"])
    invoice["auto_advance"] = False
    invoice["automatically_finalizes_at"] = None
