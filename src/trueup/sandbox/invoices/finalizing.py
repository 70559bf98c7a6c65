"""Finalising: a draft gets its number, its customer's balance and its payment intent, and is frozen."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from trueup.sandbox.accounts.routes import account_id
from trueup.sandbox.assumptions import FORFEIT_SECONDS, WILL_BE_DUE_DAYS, minimum_charge
from trueup.sandbox.customers import balance as customers_balance
from trueup.sandbox.invoices import drafts, invoice_payments, settling, totals
from trueup.sandbox.payments import intents
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World


def finalize(world: World, invoice: Obj, *, auto_advance: bool | None = None, forfeit: bool = False) -> Obj:
    """Make a draft ``open``, or ``paid`` where nothing is due, and tell so.

    Nothing is charged here: ``paying.pay`` does. With ``forfeit`` a credit is not kept for the customer: the invoice
    stays open and is given up soon (the timer ``invoice_step``). Raises Stripe's 400 for what is no draft.
    """
    if invoice["status"] != "draft":
        message = "This invoice is already finalized, you can't re-finalize a non-draft invoice."
        raise invalid(message)
    customer = world.get("customer", invoice["customer"])
    drafts.unschedule(world, invoice)
    if auto_advance is not None:
        invoice["auto_advance"] = auto_advance
    invoice |= drafts.customers_fields(world, customer)
    drafts.refresh(world, invoice, customer)
    _number(invoice, customer)
    if forfeit and invoice["total"] < 0:
        world.schedule(world.now + FORFEIT_SECONDS, "invoice_step", invoice["id"])
        invoice["ending_balance"] = invoice["starting_balance"]
    else:
        forfeit = False
        _settle(world, invoice, customer)
    invoice["status"] = "open"
    invoice["status_transitions"]["finalized_at"] = world.now
    invoice["effective_at"] = invoice["effective_at"] or world.now
    if invoice["rendering"] is not None and invoice["rendering"]["pdf"]["page_size"] == "auto":
        invoice["rendering"]["pdf"]["page_size"] = "letter" if invoice["account_country"] in {"US", "CA"} else "a4"
    _address(world, invoice)
    if forfeit:
        invoice["auto_advance"] = False
        world.tell("invoice.finalized", invoice)
        world.signal("invoice_finalized", invoice=invoice)
        return invoice
    if not invoice["amount_due"]:
        invoice |= {"status": "paid", "attempted": True, "auto_advance": False}
        invoice["status_transitions"]["paid_at"] = world.now
        world.tell("invoice.finalized", invoice)
        world.signal("invoice_finalized", invoice=invoice)
        settling.tell_paid(world, invoice)
        return invoice
    intent = intents.create(
        world,
        amount=invoice["amount_due"],
        currency=invoice["currency"],
        customer=customer,
        invoice=invoice,
        description=_purpose(invoice),
        setup_future_usage="off_session" if _of_subscription(invoice) else None,
    )
    invoice_payments.add(world, invoice, intent, invoice["amount_due"], default=True)
    world.tell("invoice.finalized", invoice)
    world.signal("invoice_finalized", invoice=invoice)
    watch_due(world, invoice)
    return invoice


def watch_due(world: World, invoice: Obj) -> None:
    """Plan what is told as the due date nears and passes."""
    due = invoice["due_date"]
    if due is None or invoice["status"] != "open":
        world.unschedule("due", invoice["id"])
        return
    before = due - WILL_BE_DUE_DAYS * drafts.DAY
    world.schedule(before if before > world.now else max(due, world.now), "due", invoice["id"])


def _number(invoice: Obj, customer: Obj) -> None:
    if invoice["number"] is None:
        invoice["number"] = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
        customer["next_invoice_sequence"] += 1


def _settle(world: World, invoice: Obj, customer: Obj) -> None:
    """Move credit or debt between the customer's balance and the invoice."""
    before, total = invoice["starting_balance"], invoice["total"]
    due, after = totals.settled(total, before, minimum_charge(invoice["currency"]))
    invoice["ending_balance"] = after
    invoice["amount_due"] = invoice["amount_remaining"] = due
    if after != before:
        small = due == 0 and total + before > 0
        customers_balance.adjust(
            world,
            customer,
            after - before,
            type="invoice_too_small" if small else "applied_to_invoice",
            currency=invoice["currency"],
            invoice=invoice["id"],
        )


def _address(world: World, invoice: Obj) -> None:
    account = account_id(world)
    secret = urlsafe_b64encode(f"{account},_{invoice['id']}".encode()).decode().rstrip("=")
    invoice["hosted_invoice_url"] = f"https://invoice.stripe.com/i/{account}/test_{secret}?s=ap"
    invoice["invoice_pdf"] = f"https://pay.stripe.com/invoice/{account}/test_{secret}/pdf?s=ap"


def _purpose(invoice: Obj) -> str:
    """The description of the invoice's payment, as recorded at 2025-10-29.clover."""
    return {
        "subscription_create": "Subscription creation",
        "subscription_cycle": "Subscription update",
        "subscription_update": "Subscription update",
    }.get(invoice["billing_reason"], "Payment for Invoice")


def _of_subscription(invoice: Obj) -> bool:
    return bool((invoice["parent"] or {}).get("subscription_details"))
