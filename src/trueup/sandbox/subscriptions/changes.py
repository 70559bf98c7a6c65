"""What a change in mid-period costs: the whole old configuration credited, the whole new one debited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from trueup.sandbox.assumptions import LARGEST_CHARGE
from trueup.sandbox.catalog import discounts
from trueup.sandbox.invoices import items as invoice_items
from trueup.sandbox.invoices import texts
from trueup.sandbox.invoices.lines import product_of
from trueup.sandbox.subscriptions import billing, items, periods, prorations
from trueup.sandbox.world.world import Obj, World


def differ(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a change of an item is one of what it costs."""
    return (old["price"]["id"], old["quantity"]) != (new["price"]["id"], new["quantity"])


def interval(item: Mapping[str, Any]) -> tuple[str, int]:
    """How often an item is billed."""
    return item["plan"]["interval"], item["plan"]["interval_count"]


def credit(world: World, subscription: Obj, item: Obj, at: int) -> Obj | None:
    """An invoice item that gives back what is left at ``at`` of an item's period; None where nothing is."""
    found = billing.price(world, item)
    if found["recurring"]["usage_type"] == "metered":
        return None
    amount = _left(subscription, item, -debited(world, subscription, item), at)
    period = (at, item["current_period_end"])
    return _item(world, subscription, item, found, amount, period, credited=_credited(world, subscription, item))


def debit(world: World, subscription: Obj, item: Obj, at: int) -> Obj | None:
    """An invoice item that bills what is left at ``at`` of an item's period; None for what is billed by usage."""
    found = billing.price(world, item)
    if found["recurring"]["usage_type"] == "metered":
        return None
    whole = _net(world, subscription, item, found, billing.gross(world, item))
    note(subscription, item, Fraction(whole))
    period = (at, item["current_period_end"])
    return _item(
        world, subscription, item, found, _left(subscription, item, Fraction(whole), at), period, credited=None
    )


def debited(world: World, subscription: Obj, item: Obj) -> Fraction:
    """What the whole period of an item was billed, in exact minor units.

    In flexible mode that is what was asked for it, less its discounts; in classic mode it is what its price, quantity
    and discounts make of it now.
    """
    amount = Fraction(billing.gross(world, item))
    if subscription["billing_mode"]["type"] != "flexible":
        return Fraction(_net(world, subscription, item, billing.price(world, item), int(amount)))
    if kept := subscription.get("$debited", {}).get(item["id"]):
        return Fraction(*kept)
    billed = taken = 0
    for _, line in _lines(world, subscription, item):
        billed += line["amount"]
        taken += sum(one["amount"] for one in line["discount_amounts"])
    return amount - amount * taken / billed if billed else amount


def note(subscription: Obj, item: Obj, whole: Fraction) -> None:
    """Keep what an item's whole period is billed from now on, other than by a line of its renewal."""
    kept = subscription.setdefault("$debited", {})
    kept[item["id"]] = [whole.numerator, whole.denominator]


def forget(subscription: Obj, renewed: Iterable[Obj]) -> None:
    """A period begins for these items: a line of an invoice says what it is billed."""
    for item in renewed:
        subscription.get("$debited", {}).pop(item["id"], None)


def _left(subscription: Obj, item: Obj, whole: Fraction, at: int) -> int:
    """What is left at ``at`` of an item's period, of an amount for the whole period of its price."""
    start, end = periods.whole(subscription["billing_cycle_anchor"], item)
    close = item["current_period_end"]
    return prorations.prorated(whole, start=close - (end - start), end=close, at=at)


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


def _lines(world: World, subscription: Obj, item: Obj) -> Iterator[tuple[Obj, Obj]]:
    """The lines that billed an item's current period, with their invoice: several where its price has tiers."""
    for invoice in world.select("invoice", parent__subscription_details__subscription=subscription["id"]):
        found = [
            (invoice, line)
            for line in invoice["lines"]["data"]
            if ((line["parent"] or {}).get("subscription_item_details") or {}).get("subscription_item") == item["id"]
            and line["amount"] >= 0
            and line["period"]["end"] == item["current_period_end"]
            and (line["pricing"] or {}).get("price_details", {}).get("price") == item["price"]["id"]
        ]
        if found:
            yield from found
            return


def _credited(world: World, subscription: Obj, item: Obj) -> Obj | None:
    """What a credit takes back, as ``proration_details`` names it."""
    found = list(_lines(world, subscription, item))
    if not found:
        return None
    return {
        "invoice_item": None,
        "invoice_line_item_details": {
            "invoice": found[0][0]["id"],
            "invoice_line_items": [line["id"] for _, line in found],
        },
        "type": "invoice_line_items",
    }


def _net(world: World, subscription: Obj, item: Obj, price: Obj, amount: int) -> int:
    """What a whole period bills: less the discounts of the item and its part of the subscription's.

    Flexible billing shares an amount in proportion to what the items cost, classic billing evenly. Source:
    https://docs.stripe.com/billing/subscriptions/billing-mode/compare
    """
    for name in item["discounts"]:
        if discounts.active(world, name) is not None:
            amount -= discounts.shares([amount], discounts.coupon_of(world, name), subscription["currency"])[0]
    for name in subscription["discounts"]:
        coupon = discounts.coupon_of(world, name)
        if discounts.active(world, name) is None or not discounts.applies_to(coupon, price["product"]):
            continue
        beside = [one for one in subscription["items"]["data"] if _shares(world, one, item, coupon)]
        if subscription["billing_mode"]["type"] == "flexible" or coupon["percent_off"] is not None:
            others = [billing.gross(world, one) for one in beside]
            off = discounts.shares([*others, amount], coupon, subscription["currency"])[-1]
        else:
            whole = discounts.shares([LARGEST_CHARGE], coupon, subscription["currency"])[0]
            off = whole // (len(beside) + 1)
        amount -= min(amount, off)
    return amount


def _shares(world: World, one: Obj, item: Obj, coupon: Obj) -> bool:
    """Whether a coupon is shared between ``item`` and this other one."""
    found = billing.price(world, one)
    return (
        one["id"] != item["id"]
        and found["recurring"]["usage_type"] != "metered"
        and discounts.applies_to(coupon, found["product"])
    )
