"""What falls due for invoices: the draft's hour, the next attempt, the due date."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.answers.calls import Timers
from trueup.sandbox.assumptions import DRAFT_SECONDS, DRAFT_UNACKNOWLEDGED_SECONDS
from trueup.sandbox.invoices import drafts, ending, finalizing, paying
from trueup.sandbox.world.world import World


def _finalize(world: World, invoice_id: str) -> None:
    """The hour is over: finalise, then charge or send. Waits on while ``invoice.created`` was not acknowledged."""
    invoice = world.find("invoice", invoice_id)
    if invoice is None or invoice.get("status") != "draft":
        return
    unheard = world.store.meta(f"invoice_created_unacked:{invoice_id}", "")
    if unheard and world.now < invoice["created"] + DRAFT_UNACKNOWLEDGED_SECONDS:
        drafts.schedule(world, invoice, world.now + DRAFT_SECONDS)
        return
    finalizing.finalize(world, invoice)
    if invoice["status"] != "open":
        return
    if invoice["collection_method"] == "charge_automatically":
        paying.pay(world, invoice, off_session=True, attempt="automatic")
    else:
        world.tell("invoice.sent", invoice)


def _retry(world: World, invoice_id: str) -> None:
    """It is time for the next attempt."""
    invoice = world.find("invoice", invoice_id)
    if invoice is None or invoice.get("status") != "open" or not invoice["auto_advance"]:
        return
    paying.pay(world, invoice, off_session=True, attempt="automatic")


def _due(world: World, invoice_id: str) -> None:
    """The due date nears (``invoice.will_be_due``) or has passed (``invoice.overdue``)."""
    invoice = world.find("invoice", invoice_id)
    if invoice is None or invoice.get("status") != "open" or invoice["due_date"] is None:
        return
    if world.now < invoice["due_date"]:
        world.tell("invoice.will_be_due", invoice)
        world.schedule(invoice["due_date"], "due", invoice_id)
        return
    world.tell("invoice.overdue", invoice)
    world.signal("invoice_overdue", invoice=invoice)


def _forfeit(world: World, invoice_id: str) -> None:
    """The credit of a subscription that was canceled is lost."""
    invoice = world.find("invoice", invoice_id)
    if invoice is not None and invoice.get("status") == "open":
        ending.mark_uncollectible(world, invoice, "subscription_canceled")


TIMERS: Final[Timers] = {"finalize": _finalize, "retry": _retry, "due": _due, "invoice_step": _forfeit}
