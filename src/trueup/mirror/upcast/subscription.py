"""Subscriptions and their items."""

from __future__ import annotations

from typing import Any

from trueup.mirror.upcast.catalog import discounts_of, plan, price_of_plan, untaxed
from trueup.mirror.upcast.shape import text, whole


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
    if data.get("billing_mode") is None:
        new["billing_mode"] = {"type": "classic"}
    discounts = discounts_of(data)
    if discounts is not None:
        new["discounts"] = discounts
    if untaxed(data):
        new["default_tax_rates"] = []
    items = _items(data)
    if items is not None:
        new["items"] = items
    if data.get("currency") is None:
        currency = _currency(items if items is not None else data.get("items"))
        if currency is not None:
            new["currency"] = currency
    return {**data, **new} if new else data


def subscription_item(data: dict[str, Any]) -> dict[str, Any]:
    """An item that stands alone: its price is made from its plan where it has none."""
    return _item(data, {}, alone=False)


def _items(data: dict[str, Any]) -> dict[str, Any] | None:
    """The new list of items, or ``None`` when it is as it should be or nothing is known of it."""
    listing = data.get("items")
    if listing is None and type(data.get("plan")) is dict:
        # Before items existed, the subscription had one plan; the item's id is not known and stays absent.
        item: dict[str, Any] = {"object": "subscription_item"}
        if text(data.get("id")) is not None:
            item["subscription"] = data["id"]
        return {"object": "list", "data": [_item(item, data, alone=True)], "has_more": False}
    if type(listing) is not dict:
        return None
    elements = listing.get("data")
    if type(elements) is not list:
        return None
    alone = len(elements) == 1
    changed = [_item(one, data, alone=alone) if type(one) is dict else one for one in elements]
    for before, after in zip(elements, changed, strict=True):
        if before is not after:
            return {**listing, "data": changed}
    return None


def _item(item: dict[str, Any], parent: dict[str, Any], *, alone: bool) -> dict[str, Any]:
    """An item; what is missing comes from its subscription, its plan and quantity only when it is the only one."""
    price = item.get("price")
    if price is not None and item.get("current_period_end") is not None and "quantity" in item:
        discounts = discounts_of(item)
        return item if discounts is None else {**item, "discounts": discounts}
    new: dict[str, Any] = {}
    for field in ("current_period_start", "current_period_end"):
        if item.get(field) is None and parent.get(field) is not None:
            new[field] = parent[field]
    told = item.get("plan")
    if told is None and alone and parent.get("plan") is not None:
        told = new["plan"] = parent["plan"]
    if type(told) is dict:
        newest = plan(told)
        if newest is not told:
            new["plan"] = newest
        if price is None:
            new["price"] = price_of_plan(newest)
    if "quantity" not in item and alone and whole(parent.get("quantity")) is not None:
        new["quantity"] = parent["quantity"]
    discounts = discounts_of(item)
    if discounts is not None:
        new["discounts"] = discounts
    return {**item, **new} if new else item


def _currency(items: object) -> str | None:
    """The currency of the first item: Stripe allows one currency in a subscription."""
    elements = items.get("data") if type(items) is dict else None
    first = elements[0] if type(elements) is list and elements else None
    price = first.get("price") if type(first) is dict else None
    return text(price.get("currency")) if type(price) is dict else None
