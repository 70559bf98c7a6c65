"""The lines of credit notes: parts of an invoice's lines, or amounts of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from trueup.sandbox.invoices import lines as invoice_lines
from trueup.sandbox.wire.errors import invalid, missing
from trueup.sandbox.world.world import Obj, World

_ID_LENGTH: Final = 24


def made(world: World, invoice: Obj, params: Mapping[str, Any]) -> list[Obj]:
    """The lines that a request's ``lines`` or ``amount`` ask for. Raises Stripe's 400 for what does not fit."""
    asked = params.get("lines")
    if not asked:
        if "amount" not in params:
            message = "You must pass one of these parameters: amount, lines, shipping_cost."
            raise invalid(message, param="amount", code="parameter_missing")
        return [_line(world, kind="custom_line_item", amount=params["amount"], description=None)]
    if "amount" in params and params["amount"] is not None:
        message = "You may only specify one of these parameters: amount, lines."
        raise invalid(message, param="amount")
    return [
        _of_invoice(world, invoice, one, f"lines[{at}]")
        if one["type"] == "invoice_line_item"
        else _custom(world, one, f"lines[{at}]")
        for at, one in enumerate(asked)
    ]


def discounts(lines: Sequence[Obj]) -> list[Obj]:
    """What the lines' discounts add up to, each discount once."""
    sums: dict[str, int] = {}
    for line in lines:
        for one in line["discount_amounts"]:
            sums[one["discount"]] = sums.get(one["discount"], 0) + one["amount"]
    return [{"amount": amount, "discount": name} for name, amount in sums.items()]


def count(invoice: Obj, lines: Sequence[Obj], sign: int) -> None:
    """Remember how much of each of the invoice's lines has been credited, or (-1) no longer is."""
    kept = dict(invoice.get("$credited") or {})
    for line in lines:
        if name := line.get("invoice_line_item"):
            kept[name] = kept.get(name, 0) + sign * line["amount"]
    invoice["$credited"] = kept


def _of_invoice(world: World, invoice: Obj, asked: Mapping[str, Any], at: str) -> Obj:
    name = asked.get("invoice_line_item") or ""
    whole = next((line for line in invoice["lines"]["data"] if line["id"] == name), None)
    if whole is None:
        raise missing("line_item", name, param=f"{at}[invoice_line_item]")
    quantity, amount = asked.get("quantity"), asked.get("amount")
    if (quantity is None) == (amount is None):
        message = "You must pass one of these parameters: quantity, amount."
        raise invalid(message, param=f"{at}[quantity]")
    units = whole["quantity"] or 1
    if amount is None:
        amount = invoice_lines.whole(Fraction(whole["amount"] * quantity, units))
    left = whole["amount"] - (invoice.get("$credited") or {}).get(name, 0)
    if not 0 < amount <= left:
        message = f"The amount of {amount} is not between 1 and what is left to credit of the line: {left}."
        raise invalid(message, param=f"{at}[{'quantity' if asked.get('amount') is None else 'amount'}]")
    off = [
        {"amount": one["amount"] * amount // whole["amount"], "discount": one["discount"]}
        for one in whole["discount_amounts"]
    ]
    unit = (whole["pricing"] or {}).get("unit_amount_decimal")
    return _line(
        world,
        kind="invoice_line_item",
        amount=amount,
        description=whole["description"],
        quantity=quantity,
        unit=Fraction(unit) if quantity is not None and unit is not None else None,
        off=off,
        invoice_line_item=name,
        metadata=asked.get("metadata"),
    )


def _custom(world: World, asked: Mapping[str, Any], at: str) -> Obj:
    for name in ("description", "quantity"):
        if name not in asked:
            message = f"Missing required param: {at}[{name}]."
            raise invalid(message, param=f"{at}[{name}]", code="parameter_missing")
    told = asked.get("unit_amount", asked.get("unit_amount_decimal"))
    if told is None:
        message = f"Missing required param: {at}[unit_amount]."
        raise invalid(message, param=f"{at}[unit_amount]", code="parameter_missing")
    unit, quantity = Fraction(str(told)), asked["quantity"]
    return _line(
        world,
        kind="custom_line_item",
        amount=invoice_lines.whole(unit * quantity),
        description=asked["description"],
        quantity=quantity,
        unit=unit,
        metadata=asked.get("metadata"),
    )


def _line(
    world: World,
    *,
    kind: str,
    amount: int,
    description: str | None,
    quantity: int | None = None,
    unit: Fraction | None = None,
    off: Sequence[Obj] = (),
    invoice_line_item: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Obj:
    line: Obj = {
        "id": world.ids.new("cnli", _ID_LENGTH),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": description,
        "discount_amount": sum(one["amount"] for one in off),
        "discount_amounts": list(off),
        "livemode": False,
        "metadata": dict(metadata or {}),
        "pretax_credit_amounts": [{**one, "type": "discount"} for one in off],
        "quantity": quantity,
        "tax_rates": [],
        "taxes": [],
        "type": kind,
        "unit_amount": int(unit) if unit is not None and unit.denominator == 1 else None,
        "unit_amount_decimal": invoice_lines.decimal(unit) if unit is not None else None,
    }
    if invoice_line_item is not None:
        line["invoice_line_item"] = invoice_line_item
    return line
