"""The older routes, by which recurring prices are made as plans; the only ones where their id can be chosen."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler
from trueup.sandbox.catalog import plans, prices, products
from trueup.sandbox.catalog.bounds import named
from trueup.sandbox.wire.errors import StripeError, missing
from trueup.sandbox.world.world import Obj, World

_SAME: Final = (
    "active",
    "billing_scheme",
    "currency",
    "metadata",
    "nickname",
    "tiers",
    "tiers_mode",
)
_RENAMED: Final = {
    "amount": "unit_amount",
    "amount_decimal": "unit_amount_decimal",
    "transform_usage": "transform_quantity",
}
_RECURRING: Final = ("interval", "interval_count", "meter", "trial_period_days", "usage_type")


def _create(world: World, call: Call) -> Obj:
    chosen, product = call.params.get("id"), call.params.get("product")
    named(chosen)
    known = world.find("price", chosen)
    if known is not None and not known.get("deleted"):
        raise StripeError("Plan already exists.", code="resource_already_exists", param="id")
    if product is None:
        message = "Missing required param: product."
        raise StripeError(message, param="product", code="parameter_missing")
    if isinstance(product, str):
        product_id = world.get("product", product, param="product")["id"]
    else:
        product_id = products.create(world, product)["id"]
    params = {name: call.params[name] for name in _SAME if call.given(name)}
    params |= {ours: call.params[theirs] for theirs, ours in _RENAMED.items() if call.given(theirs)}
    params["recurring"] = {name: call.params[name] for name in _RECURRING if call.given(name)}
    return _plan(prices.create(world, params, product=product_id, price_id=chosen))


def _retrieve(world: World, call: Call) -> Obj:
    return _plan(_price(world, call))


def _update(world: World, call: Call) -> Obj:
    price = _price(world, call)
    before = plans.plan_of(price)
    if product := call.params.get("product"):
        price["product"] = world.get("product", product, param="product")["id"]
    if call.given("trial_period_days"):
        price["recurring"] = {**price["recurring"], "trial_period_days": call.params["trial_period_days"]}
    prices.update(
        world, price, {n: call.params[n] for n in ("active", "metadata", "nickname") if call.given(n)}, before
    )
    return _plan(price)


def _delete(world: World, call: Call) -> Obj:
    price = _price(world, call)
    plan = _plan(price)
    product = world.get("product", price["product"])
    if product["default_price"] == price["id"]:
        product["default_price"] = None
    world.tell("price.deleted", price)
    world.write("plan.deleted", {"object": plan}, about=plan["id"])
    prices.delete(world, price)
    return {"id": plan["id"], "object": "plan", "deleted": True}


def _list(world: World, call: Call) -> Obj:
    found = pages.page(
        world,
        call,
        "price",
        product=call.value("product"),
        type="recurring",
        active=call.value("active"),
    )
    return {**found, "data": [_plan(price) for price in found["data"]]}


def _price(world: World, call: Call) -> Obj:
    price = world.find("price", call.ids["plan"])
    if price is None or price.get("deleted") or price["type"] != "recurring":
        raise missing("plan", call.ids["plan"])
    return price


def _plan(price: Obj) -> Obj:
    plan = plans.plan_of(price)
    if plan is None:
        raise missing("plan", price["id"])
    return plan


ROUTES: Final[dict[str, Handler]] = {
    "POST /v1/plans": _create,
    "GET /v1/plans": _list,
    "GET /v1/plans/{plan}": _retrieve,
    "POST /v1/plans/{plan}": _update,
    "DELETE /v1/plans/{plan}": _delete,
}
