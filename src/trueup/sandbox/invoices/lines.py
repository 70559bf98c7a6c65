"""Invoice lines: how each kind of them is made. A line is part of its invoice and is stored within it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from trueup.kernel.money import Rounding, rounded
from trueup.sandbox.catalog import prices
from trueup.sandbox.invoices import texts
from trueup.sandbox.invoices.tiers import reached
from trueup.sandbox.world.world import Obj, World

_ID_LENGTH: Final = 24

Period = tuple[int, int]


def line(
    world: World,
    *,
    amount: int,
    currency: str,
    description: str | None,
    period: Period,
    parent: Obj | None,
    pricing: Obj | None = None,
    quantity: int | None = 1,
    discountable: bool = True,
    discounts: Sequence[str] = (),
    metadata: Mapping[str, str] | None = None,
) -> Obj:
    """A line of ``amount`` minor units; ``period`` is in unix seconds. ``drafts`` says later which invoice it is on."""
    return {
        "id": world.ids.new("il", _ID_LENGTH),
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": description,
        "discount_amounts": [],
        "discountable": discountable,
        "discounts": list(discounts),
        "invoice": None,
        "livemode": False,
        "metadata": dict(metadata or {}),
        "parent": parent,
        "period": {"end": period[1], "start": period[0]},
        "pretax_credit_amounts": [],
        "pricing": pricing,
        "quantity": quantity,
        "quantity_decimal": None if quantity is None else str(quantity),
        "subtotal": amount,
        "taxes": [],
    }


def of_price(
    world: World,
    *,
    price: Obj,
    quantity: int,
    period: Period,
    subscription: Obj | None,
    item: str | None,
    trial: bool = False,
    discounts: Sequence[str] = (),
    discountable: bool = True,
    metadata: Mapping[str, str] | None = None,
) -> Obj:
    """One line for a price over a period, free in a trial. Tiers are told apart by ``split``, when drafted.

    ``item`` is the subscription item's id; without a subscription the line has no parent.
    """
    product = product_of(world, price)
    unit: str | None = "0"
    if trial:
        classic = (subscription or {}).get("billing_mode", {}).get("type") == "classic"
        description, amount = texts.of_trial(quantity, product, classic=classic), 0
    else:
        unit_amount = prices.unit_amount(price)
        description = texts.of_period(quantity, product, unit_amount, price["currency"], price.get("recurring"))
        amount, unit = prices.line_amount(price, quantity), price.get("unit_amount_decimal")
    if not price.get("recurring"):
        description = product["name"]
    return line(
        world,
        amount=amount,
        currency=price["currency"],
        description=description,
        period=period,
        parent=of_subscription_item(subscription["id"], item) if subscription is not None and item else None,
        pricing=pricing_of(price, unit),
        quantity=quantity,
        discountable=discountable,
        discounts=discounts,
        metadata=metadata,
    )


def of_proration(
    world: World,
    *,
    amount: int,
    price: Obj,
    quantity: int,
    period: Period,
    subscription: Obj,
    item: str,
    invoice_item: str | None = None,
    credited: Mapping[str, Any] | None = None,
    description: str | None = None,
) -> Obj:
    """A line for the rest of a period that begins with the change: a credit where ``amount`` is negative.

    ``credited`` is ``{"invoice", "invoice_line_items"}``: what a credit takes back.
    """
    text = description or texts.of_proration(quantity, product_of(world, price), period[0], credit=amount < 0)
    return line(
        world,
        amount=amount,
        currency=price["currency"],
        description=text,
        period=period,
        parent=of_subscription_item(
            subscription["id"], item, invoice_item=invoice_item, proration=True, credited=credited
        ),
        pricing=pricing_of(price, None),
        quantity=quantity,
        discountable=False,
    )


def of_item(world: World, item: Obj) -> Obj:
    """The line that an invoice item becomes."""
    details = (item.get("parent") or {}).get("subscription_details")
    credited = _credited(item.get("proration_details"))
    if details and details.get("subscription_item"):
        parent = of_subscription_item(
            details["subscription"],
            details["subscription_item"],
            invoice_item=item["id"],
            proration=item["proration"],
            credited=credited,
        )
    else:
        parent = {
            "invoice_item_details": {
                "invoice_item": item["id"],
                "proration": item["proration"],
                "proration_details": {"credited_items": credited},
                "subscription": details["subscription"] if details else None,
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        }
    pricing = item["pricing"]
    if item["proration"] and pricing:
        pricing = {**pricing, "unit_amount_decimal": None}
    return line(
        world,
        amount=item["amount"],
        currency=item["currency"],
        description=item["description"],
        period=(item["period"]["start"], item["period"]["end"]),
        parent=parent,
        pricing=pricing,
        quantity=item["quantity"],
        discountable=item["discountable"],
        discounts=item["discounts"],
        metadata=item["metadata"],
    )


def split(world: World, found: Obj) -> list[Obj]:
    """The lines that Stripe shows for one: itself, or one for each tier that it reaches and each tier's flat fee.

    The amounts of the parts are those of the whole; what rounding leaves over is on the last.
    """
    parent, pricing = found["parent"], found["pricing"]
    details = (parent or {}).get("subscription_item_details") or {}
    price = prices.kept(world, (pricing or {}).get("price_details", {}).get("price")) if pricing else None
    if price is None or price.get("billing_scheme") != "tiered" or details.get("proration") or not found["amount"]:
        return [found]
    product, currency, recurring = product_of(world, price), price["currency"], price.get("recurring")
    parts: list[Obj] = []
    for tier in reached(price["$tiers"], price["tiers_mode"], found["quantity"]):
        if tier.quantity:
            text = texts.of_period(tier.quantity, product, tier.unit_amount, currency, recurring, tier=tier.number)
            amount, unit = whole(tier.quantity * tier.unit_amount), decimal(tier.unit_amount)
            parts.append(_part(world, found, price, text, tier.quantity, amount, unit))
        if tier.flat:
            text = texts.of_flat_fee(product, tier.flat, currency, recurring, tier.number)
            parts.append(_part(world, found, price, text, 0, whole(tier.flat), "0"))
    if not parts:
        return [found]
    rest = found["amount"] - sum(part["amount"] for part in parts)
    parts[-1]["amount"] += rest
    parts[-1]["subtotal"] += rest
    return parts


def _part(  # noqa: PLR0917 - private, and called twice
    world: World, whole: Obj, price: Obj, text: str, quantity: int, amount: int, unit: str
) -> Obj:
    return {
        **whole,
        "id": world.ids.new("il", _ID_LENGTH),
        "amount": amount,
        "description": text,
        "pricing": pricing_of(price, unit),
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subtotal": amount,
    }


def of_subscription_item(
    subscription: str,
    item: str,
    *,
    invoice_item: str | None = None,
    proration: bool = False,
    credited: Mapping[str, Any] | None = None,
) -> Obj:
    """The parent of a subscription's line."""
    return {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": invoice_item,
            "proration": proration,
            "proration_details": {"credited_items": dict(credited) if credited else None},
            "subscription": subscription,
            "subscription_item": item,
        },
        "type": "subscription_item_details",
    }


def pricing_of(price: Mapping[str, Any], unit_amount_decimal: str | None) -> Obj:
    """The ``pricing`` of lines and invoice items."""
    product = price["product"]
    return {
        "price_details": {"price": price["id"], "product": product if isinstance(product, str) else product["id"]},
        "type": "price_details",
        "unit_amount_decimal": unit_amount_decimal,
    }


def product_of(world: World, price: Mapping[str, Any]) -> Obj:
    """The product of a price; one that was deleted keeps no name but its id."""
    product = world.find("product", price["product"])
    return product if product is not None and "name" in product else {"name": price["product"]}


def decimal(minor: Fraction) -> str:
    """An amount as Stripe writes ``unit_amount_decimal``: ``"1000"``, ``"0.5"``; at most twelve decimals."""
    digits = str(round(abs(minor) * 10**12)).rjust(13, "0")
    text = f"{digits[:-12]}.{digits[-12:]}".rstrip("0").rstrip(".")
    return f"-{text}" if minor < 0 and text != "0" else text


def whole(exact: Fraction) -> int:
    """An exact amount as whole minor units, halves away from zero."""
    return rounded(exact, Rounding.HALF_AWAY)


def _credited(details: Mapping[str, Any] | None) -> Obj | None:
    found = ((details or {}).get("credited_items") or {}).get("invoice_line_item_details")
    return {"invoice": found["invoice"], "invoice_line_items": list(found["invoice_line_items"])} if found else None
