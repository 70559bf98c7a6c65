"""What a change in mid-period costs: the whole old configuration credited, the whole new one debited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.sandbox.catalog import discounts, prices
from trueup.sandbox.invoices import items as invoice_items
from trueup.sandbox.invoices import texts
from trueup.sandbox.invoices.lines import product_of
from trueup.sandbox.subscriptions import billing, items, prorations
from trueup.sandbox.world.world import Obj, World


def differ(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a change of an item is one of what it costs."""
    return (old["price"]["id"], old["quantity"]) != (new["price"]["id"], new["quantity"])


def credit(world: World, subscription: Obj, item: Obj, at: int) -> Obj | None:
    """An invoice item that gives back what is left at ``at`` of an item's period; None where nothing is."""
    found = billing.price(world, item)
    if found["recurring"]["usage_type"] == "metered":
        return None
    start, end = item["current_period_start"], item["current_period_end"]
    amount = prorations.prorated(
        -_paid(world, subscription, item, prices.line_amount(found, items.quantity_of(item))),
        start=start,
        end=end,
        at=at,
    )
    return _item(world, subscription, item, found, amount, (at, end), credited=_credited(world, subscription, item))


def debit(world: World, subscription: Obj, item: Obj, at: int) -> Obj | None:
    """An invoice item that bills what is left at ``at`` of an item's period; None for what is billed by usage."""
    found = billing.price(world, item)
    if found["recurring"]["usage_type"] == "metered":
        return None
    start, end = item["current_period_start"], item["current_period_end"]
    amount = prorations.prorated(
        _net(world, subscription, found, prices.line_amount(found, items.quantity_of(item))),
        start=start,
        end=end,
        at=at,
    )
    return _item(world, subscription, item, found, amount, (at, end), credited=None)


def _item(  # noqa: PLR0917 - all that an invoice item says
    world: World,
    subscription: Obj,
    item: Obj,
    price: Obj,
    amount: int,
    period: tuple[int, int],
    *,
    credited: Obj | None,
) -> Obj:
    quantity = items.quantity_of(item)
    back = amount < 0 or credited is not None
    return invoice_items.create(
        world,
        customer=world.get("customer", subscription["customer"]),
        currency=subscription["currency"],
        period=period,
        amount=amount,
        price=price,
        quantity=quantity,
        proration=True,
        subscription=subscription["id"],
        subscription_item=item["id"],
        discountable=False,
        description=texts.of_proration(quantity, product_of(world, price), period[0], credit=back),
        credited_items=credited,
    )


def _line(world: World, subscription: Obj, item: Obj) -> tuple[Obj, Obj] | None:
    """The invoice and its line that billed an item's current period."""
    for invoice in world.select("invoice", parent__subscription_details__subscription=subscription["id"]):
        for line in invoice["lines"]["data"]:
            details = (line["parent"] or {}).get("subscription_item_details") or {}
            if (
                details.get("subscription_item") == item["id"]
                and line["amount"] >= 0
                and line["period"]["end"] == item["current_period_end"]
                and (line["pricing"] or {}).get("price_details", {}).get("price") == item["price"]["id"]
            ):
                return invoice, line
    return None


def _credited(world: World, subscription: Obj, item: Obj) -> Obj | None:
    """What a credit takes back, as ``proration_details`` names it."""
    found = _line(world, subscription, item)
    if found is None:
        return None
    invoice, line = found
    return {
        "invoice_item": None,
        "invoice_line_item_details": {"invoice": invoice["id"], "invoice_line_items": [line["id"]]},
        "type": "invoice_line_items",
    }


def _paid(world: World, subscription: Obj, item: Obj, amount: int) -> int:
    """What an item's whole period was billed: less its discounts in flexible mode, the price in classic."""
    if subscription["billing_mode"]["type"] != "flexible":
        return amount
    found = _line(world, subscription, item)
    if found is None:
        return amount
    _, line = found
    if line["period"]["start"] != item["current_period_start"] or not line["amount"]:
        return amount
    taken = sum(one["amount"] for one in line["discount_amounts"])
    return amount - amount * taken // line["amount"] if taken else amount


def _net(world: World, subscription: Obj, price: Obj, amount: int) -> int:
    """What a debit bills: less the subscription's discounts, where prorations include them."""
    if subscription["billing_mode"]["type"] != "flexible":
        return amount
    for name in subscription["discounts"]:
        if discounts.active(world, name) is None:
            continue
        coupon = discounts.coupon_of(world, name)
        if discounts.applies_to(coupon, price["product"]):
            amount -= discounts.shares([amount], coupon, subscription["currency"])[0]
    return amount
