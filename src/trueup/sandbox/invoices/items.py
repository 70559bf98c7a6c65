"""Invoice items: what is to be billed once, with the next invoice or with one that is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from trueup.sandbox.catalog import prices
from trueup.sandbox.invoices import drafts, implied
from trueup.sandbox.invoices import lines as invoice_lines
from trueup.sandbox.invoices.lines import Period
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World


def create(
    world: World,
    *,
    customer: Obj,
    currency: str,
    period: Period,
    amount: int | None = None,
    price: Obj | None = None,
    quantity: int = 1,
    proration: bool = False,
    subscription: str | None = None,
    subscription_item: str | None = None,
    discountable: bool = True,
    description: str | None = None,
    discounts: Sequence[str] = (),
    metadata: Mapping[str, str] | None = None,
    invoice: Obj | None = None,
    credited_items: Obj | None = None,
    unit_amount_decimal: str | None = None,
    frozen_fields: Sequence[str] | None = None,
) -> Obj:
    """Make an item of ``amount`` minor units, or of a price and a quantity, and tell ``invoiceitem.created``.

    It waits for the next invoice unless ``invoice`` (a draft) takes it at once. A proration's amount is given even
    where its price is; ``credited_items`` is its ``proration_details.credited_items``.
    """
    if amount is None:
        amount = prices.line_amount(price, quantity) if price is not None else 0
    if price is None and not proration:
        unit_amount_decimal = unit_amount_decimal or str(amount)
        price = implied.price(world, unit_amount_decimal, currency, description)
    if price is not None and unit_amount_decimal is None and not proration:
        unit_amount_decimal = price.get("unit_amount_decimal")
    frozen = list(frozen_fields) if frozen_fields is not None else ["pricing", "quantity", "discounts"]
    item = world.new(
        "invoiceitem",
        {
            "amount": amount,
            "currency": currency,
            "customer": customer["id"],
            "customer_account": None,
            "date": world.now,
            "description": description if description is not None or price is None else _name(world, price),
            "discountable": discountable and not proration,
            "discounts": list(discounts),
            "frozen_fields": frozen if proration else [],
            "invoice": None,
            "invoicing_rules": [],
            "livemode": False,
            "metadata": dict(metadata or {}),
            "net_amount": amount if proration else None,
            "parent": _parent(subscription, subscription_item),
            "period": {"end": period[1], "start": period[0]},
            "pricing": invoice_lines.pricing_of(price, unit_amount_decimal) if price is not None else None,
            "proration": proration,
            "proration_details": {"credited_items": credited_items, "discount_amounts": []} if proration else None,
            "quantity": quantity,
            "quantity_decimal": str(quantity),
            "tax_rates": [],
            "test_clock": customer.get("test_clock"),
            "$waiting": customer["id"],
        },
    )
    if customer["currency"] is None:
        customer["currency"] = currency
    if invoice is not None:
        drafts.take_in(world, invoice, item)
        drafts.refresh(world, invoice, customer)
    world.tell("invoiceitem.created", item)
    return item


def reprice(world: World, item: Obj, params: Mapping[str, Any]) -> None:
    """Set an item's amount, price and quantity from a request's parameters; what was not sent stays."""
    frozen = set(item.get("frozen_fields") or ())
    asked = {"pricing": {"pricing", "price_data", "unit_amount_decimal", "amount"}, "quantity": {"quantity"}}
    for field, names in asked.items():
        if field in frozen and names & params.keys():
            message = f"You cannot update the {field} of a prorated invoice item."
            raise invalid(message, param=min(names & params.keys()))
    price = None
    if named := (params.get("pricing") or {}).get("price"):
        price = prices.by_id(world, named, param="pricing[price]")
        item["pricing"] = invoice_lines.pricing_of(price, price.get("unit_amount_decimal"))
    if "quantity" in params:
        item["quantity"] = params["quantity"]
        item["quantity_decimal"] = str(params["quantity"])
    if "unit_amount_decimal" in params:
        _unit(item, params["unit_amount_decimal"])
    if "amount" in params:
        item["amount"] = params["amount"]
        _unit(item, str(params["amount"]))
    elif price is not None:
        item["amount"] = prices.line_amount(price, item["quantity"])
    elif {"quantity", "unit_amount_decimal"} & params.keys() and (item["pricing"] or {}).get("unit_amount_decimal"):
        exact = Fraction(item["pricing"]["unit_amount_decimal"]) * item["quantity"]
        item["amount"] = invoice_lines.whole(exact)


def delete(world: World, item: Obj) -> Obj:
    """Delete an item that is pending or on a draft, and its line, and tell so. Raises Stripe's 400 otherwise."""
    invoice = on_draft(world, item)
    if invoice is not None:
        take_off(world, invoice, item)
    world.tell("invoiceitem.deleted", item)
    return world.delete(item)


def take_off(world: World, invoice: Obj, item: Obj) -> None:
    """Take an item's line off its draft, which is added up anew."""
    held = invoice["lines"]
    held["data"] = [line for line in held["data"] if item_of(line) != item["id"]]
    held["total_count"] = len(held["data"])
    drafts.refresh(world, invoice)


def on_draft(world: World, item: Obj) -> Obj | None:
    """The draft that an item is on, None for one that waits. Raises Stripe's 400 where it can change no more."""
    invoice = world.find("invoice", item["invoice"])
    if invoice is None:
        return None
    if invoice.get("deleted"):
        raise invalid("This invoice item has been deleted.")
    drafts.editable(invoice)
    return invoice


def item_of(line: Mapping[str, Any]) -> str | None:
    """The id of the invoice item that a line came from."""
    parent = line["parent"] or {}
    details = parent.get("invoice_item_details") or parent.get("subscription_item_details") or {}
    found: str | None = details.get("invoice_item")
    return found


def _unit(item: Obj, unit_amount_decimal: str) -> None:
    if item["pricing"]:
        item["pricing"] = {**item["pricing"], "unit_amount_decimal": unit_amount_decimal}


def _name(world: World, price: Obj) -> str:
    return str(invoice_lines.product_of(world, price)["name"])


def _parent(subscription: str | None, subscription_item: str | None) -> Obj | None:
    if subscription is None:
        return None
    return {
        "subscription_details": {"subscription": subscription, "subscription_item": subscription_item},
        "type": "subscription_details",
    }
