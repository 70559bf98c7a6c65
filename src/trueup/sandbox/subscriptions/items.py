"""The items of a subscription, as requests name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.assumptions import QUANTITY_OF_ANOTHER_PRICE
from trueup.sandbox.catalog import plans, prices
from trueup.sandbox.subscriptions import settings, shapes
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.world import Obj, World

MOST: Final = 20


def quantity_of(item: Mapping[str, Any]) -> int:
    """How many an item bills; metered ones none until usage is known."""
    return int(item["quantity"] or 0)


def price_of(world: World, given: Mapping[str, Any], at: str, *, currency: str | None) -> Obj:
    """The recurring price that an item of a request names or describes. Raises Stripe's 400s.

    One that a schedule has named before (``$scheduled``) may have been withdrawn since.
    """
    if data := given.get("price_data"):
        price = prices.create(world, data, product=data["product"], at=f"{at}[price_data]")
    elif named := given.get("price") or given.get("plan"):
        price = prices.by_id(world, named, param=f"{at}[price]", active=not given.get("$scheduled"))
    else:
        message = f"Missing required param: {at}[price]."
        raise invalid(message, param=f"{at}[price]", code="parameter_missing")
    if price["recurring"] is None:
        message = (
            f"The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`."
            f" Learn more about recurring prices at https://stripe.com/docs/billing/prices-guide ({price['id']})"
        )
        raise invalid(message, param=f"{at}[price]")
    if (
        currency is not None
        and price["currency"] != currency
        and currency not in (price.get("$currency_options") or {})
    ):
        message = (
            f"The price specified supports currencies of `{price['currency']}`. This doesn't match the expected "
            f"currency: `{currency}`."
        )
        raise invalid(message, param=f"{at}[price]")
    return price


def made(
    world: World,
    of: Obj,
    given: Mapping[str, Any],
    at: str,
    period: tuple[int, int],
) -> Obj:
    """A new item of ``of`` from a request's."""
    price = price_of(world, given, at, currency=of["currency"])
    metered = price["recurring"]["usage_type"] == "metered"
    quantity = given.get("quantity", None if metered else 1)
    _check_quantity(quantity, at, metered=metered)
    item = shapes.item(world, of, price, quantity, period)
    item["metadata"] = metadata({}, given.get("metadata"))
    if given.get("discounts"):
        item["discounts"] = settings.item_discounts(world, of, item, given["discounts"], at)
    return item


def check(items: Sequence[Obj], billing_mode: Mapping[str, Any]) -> None:
    """Raise Stripe's 400 for too many items, a price that stands twice, or intervals that may not be mixed."""
    if len(items) > MOST:
        message = f"You may have at most {MOST} items on a subscription."
        raise invalid(message, param="items")
    seen: set[str] = set()
    for item in items:
        named = item["price"]["id"]
        if named in seen:
            message = (
                f"Subscription items cannot have duplicate prices: you passed `{named}` more than once. "
                "Pass a quantity instead."
            )
            raise invalid(message, param="items")
        seen.add(named)
    cycles = {(i["price"]["recurring"]["interval"], i["price"]["recurring"]["interval_count"]) for i in items}
    if len(cycles) > 1 and billing_mode["type"] != "flexible":
        message = (
            "Currently, all items on a subscription must have the same `recurring.interval` and "
            "`recurring.interval_count`. Use `billing_mode[type]=flexible` to mix intervals."
        )
        raise invalid(message, param="items")


def changed(world: World, subscription: Obj, given: Sequence[Mapping[str, Any]], period: Any) -> list[Obj]:
    """The items after a request's changes, as new dictionaries; ``period`` gives one for the price of a new item.

    An item with an ``id`` is changed or, with ``deleted``, taken away; one without is added, or changed where its price
    is there already. Raises Stripe's 400s.
    """
    found = [dict(item) for item in subscription["items"]["data"]]
    for index, change in enumerate(given):
        at = f"items[{index}]"
        item = _named(found, change, at)
        if change.get("deleted"):
            found.remove(item)
            continue
        if item is None:
            price = price_of(world, change, at, currency=subscription["currency"])
            found.append(
                made(world, subscription, {**change, "price": price["id"], "price_data": None}, at, period(price))
            )
            continue
        if change.get("price") or change.get("plan") or change.get("price_data"):
            price = price_of(world, change, at, currency=subscription["currency"])
            if price["id"] != item["price"]["id"]:
                item["current_period_start"], item["current_period_end"] = period(price, item)
                item["price"], item["plan"] = shapes.priced(price), plans.plan_of(price)
                metered = price["recurring"]["usage_type"] == "metered"
                item["quantity"] = None if metered else QUANTITY_OF_ANOTHER_PRICE
        if "quantity" in change:
            metered = item["price"]["recurring"]["usage_type"] == "metered"
            _check_quantity(change["quantity"], at, metered=metered)
            item["quantity"] = change["quantity"]
        if "metadata" in change:
            item["metadata"] = metadata(item["metadata"], change["metadata"])
        if "discounts" in change:
            item["discounts"] = settings.item_discounts(world, subscription, item, change["discounts"], at)
    if not found:
        message = "A subscription must have at least one active plan or price. To cancel it, use the cancel endpoint."
        raise invalid(message, param="items")
    return found


def holder(world: World, item_id: str) -> tuple[Obj, Obj]:
    """The subscription of an item, and the item. Raises Stripe's 404."""
    for subscription in world.select("subscription", _items=item_id):
        for item in subscription["items"]["data"]:
            if item["id"] == item_id:
                return subscription, item
    message = f"Invalid subscription_item id: {item_id}"
    raise StripeError(message, status=404, code="resource_missing", param="item")


def _named(found: list[Obj], change: Mapping[str, Any], at: str) -> Any:
    if named := change.get("id"):
        for item in found:
            if item["id"] == named:
                return item
        message = f"No such subscription item: '{named}'"
        raise invalid(message, param=f"{at}[id]", code="resource_missing")
    price = change.get("price") or change.get("plan")
    return next((item for item in found if price and item["price"]["id"] == price), None)


def _check_quantity(quantity: int | None, at: str, *, metered: bool) -> None:
    if metered and quantity is not None:
        message = "You cannot set the quantity for metered plans."
        raise invalid(message, param=f"{at}[quantity]")
    if quantity is not None and quantity < 0:
        message = "Invalid non-negative integer"
        raise invalid(message, param=f"{at}[quantity]", code="parameter_invalid_integer")
