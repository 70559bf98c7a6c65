"""Subscriptions and their items."""

from __future__ import annotations

from typing import Any

from trueup.mirror.upcast.catalog import discounts_of, plan, plan_of_price, price_of_plan
from trueup.mirror.upcast.shape import mapping, text, whole
from trueup.mirror.upcast.tax import rates_of


def subscription(data: dict[str, Any]) -> dict[str, Any]:
    """A subscription, the same dictionary when nothing is missing, else a new one with the new paths added.

    The period moved to the items (2025-03-31.basil), ``plan`` and ``quantity`` are an item's (2020), and a subscription
    that does not tell its ``billing_mode`` is a classic one.
    """
    new: dict[str, Any] = {}
    if data.get("collection_method") is None and data.get("billing") is not None:
        new["collection_method"] = data["billing"]
    if data.get("start_date") is None and data.get("start") is not None:
        new["start_date"] = data["start"]
    if type(data.get("billing_mode")) is not dict:
        new["billing_mode"] = billing_mode(data)
    discounts = discounts_of(data)
    if discounts is not None:
        new["discounts"] = discounts
    if "tax_percent" in data:
        rates = rates_of(data)
        if rates is not None:
            new["default_tax_rates"] = rates
    items = _items(data)
    if items is not None:
        new["items"] = items
    if data.get("currency") is None:
        currency = _currency(items if items is not None else data.get("items"))
        if currency is not None:
            new["currency"] = currency
    return {**data, **new} if new else data


def subscription_item(data: dict[str, Any]) -> dict[str, Any]:
    """An item that stands alone: its price is made from its plan where it has none, and its plan from its price."""
    return _item(data, {}, alone=False)


def billing_mode(data: dict[str, Any]) -> dict[str, Any]:
    """The billing mode of a subscription or schedule that has none, or the bare name that the preview had.

    What does not tell its mode is classic: https://docs.stripe.com/changelog/basil/2025-06-30/billing-mode
    """
    name = text(data.get("billing_mode"))
    if name is None:
        return {"type": "classic"}
    return {**mapping(data.get("billing_mode_details")), "type": name}


def _items(data: dict[str, Any]) -> dict[str, Any] | None:
    """The new list of items, or ``None`` when it is as it should be or nothing is known of it."""
    listing = data.get("items")
    if listing is None and type(data.get("plan")) is dict:
        # Before items existed, the subscription had one plan; the item's id is not known and stays absent.
        return {
            "object": "list",
            "data": [_item({"object": "subscription_item"}, data, alone=True)],
            "has_more": False,
        }
    if type(listing) is not dict:
        return None
    elements = listing.get("data")
    if type(elements) is not list:
        return None
    alone = len(elements) == 1
    changed: list[Any] | None = None
    for place, one in enumerate(elements):
        if type(one) is dict:
            new = _item(one, data, alone=alone)
            if new is not one:
                if changed is None:
                    changed = list(elements)
                changed[place] = new
    return None if changed is None else {**listing, "data": changed}


def _item(item: dict[str, Any], parent: dict[str, Any], *, alone: bool) -> dict[str, Any]:
    """An item; what is missing comes from its subscription, its plan and quantity only when it is the only one."""
    new: dict[str, Any] = {}
    for field in ("current_period_start", "current_period_end"):
        if item.get(field) is None and parent.get(field) is not None:
            new[field] = parent[field]
    if "subscription" not in item and text(parent.get("id")) is not None:
        new["subscription"] = parent["id"]
    _price(item, parent.get("plan") if alone else None, new)
    if "quantity" not in item and alone and whole(parent.get("quantity")) is not None:
        new["quantity"] = parent["quantity"]
    discounts = discounts_of(item)
    if discounts is not None:
        new["discounts"] = discounts
    return {**item, **new} if new else item


def _price(item: dict[str, Any], planned: object, new: dict[str, Any]) -> None:
    """An item's plan and price, each from the other; ``planned`` is the plan of a subscription with this one item."""
    price, told = item.get("price"), item.get("plan")
    if told is None:
        if planned is not None:
            told = new["plan"] = planned
        elif type(price) is dict:
            made = plan_of_price(price)
            if made is not None:
                new["plan"] = made
            return
    if price is None and type(told) is dict:
        # Plans beside prices have the newest shape already.
        newest = plan(told)
        if newest is not told:
            new["plan"] = newest
        new["price"] = price_of_plan(newest)


def _currency(items: object) -> str | None:
    """The currency of the first item: Stripe allows one currency in a subscription."""
    elements = items.get("data") if type(items) is dict else None
    first = elements[0] if type(elements) is list and elements else None
    price = first.get("price") if type(first) is dict else None
    return text(price.get("currency")) if type(price) is dict else None
