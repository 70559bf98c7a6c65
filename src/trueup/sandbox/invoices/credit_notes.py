"""Credit notes: an invoice made smaller after it was finalised, before its payment or after."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

from trueup.sandbox.accounts.routes import account_id
from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.customers import balance as customers_balance
from trueup.sandbox.invoices import credit_note_lines, invoice_payments, settling
from trueup.sandbox.payments import refunds
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World, listed

_OPEN: Final = frozenset({"open", "uncollectible"})


def create(world: World, invoice: Obj, params: Mapping[str, Any]) -> Obj:
    """Issue a credit note as a request's parameters say, and do what follows: refund, credit, less to pay.

    What remains to be paid is reduced first (``pre_payment_amount``); of the rest the parameters have to say how the
    customer gets it. Raises Stripe's 400 where that does not come out even, or is more than was invoiced.
    """
    if invoice["status"] not in {*_OPEN, "paid"}:
        message = f"You can't create a credit note for an invoice that is {invoice['status']}."
        raise invalid(message, param="invoice")
    note_id = world.id("credit_note")
    lines = credit_note_lines.made(world, invoice, params)
    subtotal = sum(line["amount"] for line in lines)
    off = credit_note_lines.discounts(lines)
    discount = sum(one["amount"] for one in off)
    total = subtotal - discount
    _bounds(invoice, total)
    before = min(total, invoice["amount_remaining"]) if invoice["status"] in _OPEN else 0
    after = total - before
    _even(params, after)
    kind = "mixed" if before and after else "pre_payment" if before else "post_payment"
    note = world.new(
        "credit_note",
        {
            "id": note_id,
            "amount": total,
            "amount_shipping": 0,
            "created": world.now,
            "currency": invoice["currency"],
            "customer": invoice["customer"],
            "customer_account": None,
            "customer_balance_transaction": None,
            "discount_amount": discount,
            "discount_amounts": off,
            "effective_at": params.get("effective_at", world.now),
            "invoice": invoice["id"],
            "lines": listed(f"/v1/credit_notes/{note_id}/lines", lines),
            "livemode": False,
            "memo": params.get("memo"),
            "metadata": metadata({}, params.get("metadata")),
            "number": _number(invoice),
            "out_of_band_amount": params.get("out_of_band_amount"),
            "pdf": _pdf(world, note_id),
            "post_payment_amount": after,
            "pre_payment_amount": before,
            "pretax_credit_amounts": [{**one, "type": "discount"} for one in off],
            "reason": params.get("reason"),
            "refunds": [],
            "shipping_cost": None,
            "status": "issued",
            "subtotal": subtotal,
            "subtotal_excluding_tax": subtotal,
            "total": total,
            "total_excluding_tax": total,
            "total_taxes": [],
            "type": kind,
            "voided_at": None,
        },
    )
    credit_note_lines.count(invoice, lines, 1)
    _give(world, invoice, note, params)
    invoice["pre_payment_credit_notes_amount"] += before
    invoice["post_payment_credit_notes_amount"] += after
    world.tell("credit_note.created", note)
    if before:
        settling.credited(world, invoice, before)
    world.tell("invoice.updated", invoice)
    return note


def void(world: World, note: Obj) -> Obj:
    """Take back a credit note that made an open invoice smaller, and tell it. Raises Stripe's 400 for any other."""
    invoice = world.get("invoice", note["invoice"])
    if note["status"] == "void":
        message = "This credit note is already void."
        raise invalid(message)
    if note["post_payment_amount"] or invoice["status"] not in _OPEN:
        message = "You can only void credit notes that reduce the amount due of an open invoice."
        raise invalid(message)
    note["status"] = "void"
    note["voided_at"] = world.now
    credit_note_lines.count(invoice, note["lines"]["data"], -1)
    invoice["pre_payment_credit_notes_amount"] -= note["pre_payment_amount"]
    world.tell("credit_note.voided", note)
    settling.credited(world, invoice, -note["pre_payment_amount"])
    world.tell("invoice.updated", invoice)
    return note


def _bounds(invoice: Obj, total: int) -> None:
    if total <= 0:
        message = "The credit note's total has to be greater than 0."
        raise invalid(message, param="amount")
    left = invoice["total"] - invoice["pre_payment_credit_notes_amount"] - invoice["post_payment_credit_notes_amount"]
    if total > left:
        message = f"The credit note's total of {total} is greater than what is left to credit of the invoice: {left}."
        raise invalid(message, param="amount")


def _even(params: Mapping[str, Any], after: int) -> None:
    """What was paid already has to go somewhere, all of it and no more."""
    given = [params.get(name) or 0 for name in ("refund_amount", "credit_amount", "out_of_band_amount")]
    if any(amount < 0 for amount in given):
        message = "Amounts of credit notes can't be negative."
        raise invalid(message)
    linked = sum(one.get("amount_refunded") or 0 for one in params.get("refunds") or ())
    if sum(given) + linked != after:
        message = (
            "The sum of `refund_amount`, `credit_amount`, `out_of_band_amount` and the refunds linked "
            f"({sum(given) + linked}) must equal the post-payment amount of the credit note ({after})."
        )
        raise invalid(message)


def _give(world: World, invoice: Obj, note: Obj, params: Mapping[str, Any]) -> None:
    """Refund, link refunds, credit the customer's balance."""
    for one in params.get("refunds") or ():
        refund = world.get("refund", one.get("refund") or "", param="refunds")
        note["refunds"].append(_linked(refund, one.get("amount_refunded") or refund["amount"]))
    if amount := params.get("refund_amount"):
        note["refunds"] += _refunded(world, invoice, amount)
    if amount := params.get("credit_amount"):
        made = customers_balance.adjust(
            world,
            world.get("customer", invoice["customer"]),
            -amount,
            type="credit_note",
            currency=invoice["currency"],
            invoice=invoice["id"],
            credit_note=note["id"],
        )
        note["customer_balance_transaction"] = made["id"]


def _refunded(world: World, invoice: Obj, amount: int) -> list[Obj]:
    """Refund ``amount`` from the invoice's payments, the first of them first."""
    found = []
    for payment in invoice_payments.of(world, invoice):
        intent = world.find("payment_intent", payment["payment"].get("payment_intent"))
        charge = world.find("charge", (intent or {}).get("latest_charge"))
        if payment["status"] != "paid" or charge is None:
            continue
        part = min(amount, charge["amount_captured"] - charge["amount_refunded"])
        if part > 0:
            found.append(_linked(refunds.create(world, charge=charge, amount=part), part))
            amount -= part
    if amount:
        message = "The invoice's payments leave less to refund than `refund_amount`."
        raise invalid(message, param="refund_amount")
    return found


def _linked(refund: Obj, amount: int) -> Obj:
    return {"amount_refunded": amount, "payment_record_refund": None, "refund": refund["id"], "type": "refund"}


def _number(invoice: Obj) -> str:
    invoice["$credit_notes"] = invoice.get("$credit_notes", 0) + 1
    return f"{invoice['number']}-CN-{invoice['$credit_notes']:02d}"


def _pdf(world: World, note_id: str) -> str:
    account = account_id(world)
    secret = urlsafe_b64encode(f"{account},_{note_id}".encode()).decode().rstrip("=")
    return f"https://pay.stripe.com/credit_notes/{account}/test_{secret}/pdf?s=ap"
