"""Products: what prices are of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.catalog import prices
from trueup.sandbox.catalog.bounds import named
from trueup.sandbox.wire.errors import StripeError, invalid, missing
from trueup.sandbox.world.world import Obj, World

_PLAIN: Final = ("active", "name", "shippable")
_UNSET: Final = ("description", "statement_descriptor", "tax_code", "unit_label", "url")
_MOST_IMAGES: Final = 8
_MOST_FEATURES: Final = 15


def create(world: World, params: Mapping[str, Any]) -> Obj:
    """Make a product, and its default price where one is described, and tell both.

    ``params`` are those of ``POST /v1/products`` or a price's ``product_data``. Raises Stripe's 400s.
    """
    chosen = params.get("id")
    known = world.find("product", chosen)
    named(chosen)
    if known is not None and not known.get("deleted"):
        raise StripeError("Product already exists.", code="resource_already_exists", param="id")
    fields = {
        "active": True,
        "created": world.own_now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": metadata({}, params.get("metadata")),
        "name": params["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": params.get("type", "service"),
        "unit_label": None,
        "updated": world.own_now,
        "url": None,
    }
    product = world.new("product", {"id": chosen, **fields} if chosen else fields)
    _set(product, params)
    world.tell("product.created", product)
    if data := params.get("default_price_data"):
        price = prices.create(world, data, product=product["id"], at="default_price_data")
        product["default_price"] = price["id"]
        world.tell("product.updated", product)
    return product


def update(world: World, product: Obj, params: Mapping[str, Any]) -> None:
    """Change a product and tell it. Raises Stripe's 400s."""
    before = dict(product)
    if "metadata" in params:
        product["metadata"] = metadata(product["metadata"], params["metadata"])
    if default := params.get("default_price"):
        price = world.get("price", default, param="default_price")
        if price["product"] != product["id"]:
            raise missing("price", default, param="default_price")
        if not price["active"]:
            raise invalid("The default price of a product must be active.", param="default_price")
        product["default_price"] = default
    _set(product, params)
    if before != product:
        product["updated"] = world.own_now
    world.tell("product.updated", product)


def delete(world: World, product: Obj) -> Obj:
    """Forget a product that no price is of; what Stripe answers."""
    if next(world.select("price", product=product["id"]), None) is not None:
        raise invalid("This product cannot be deleted because it has one or more user-created prices.")
    world.tell("product.deleted", product)
    return world.delete(product)


def _set(product: Obj, params: Mapping[str, Any]) -> None:
    for name in _PLAIN:
        if name in params:
            product[name] = params[name]
    for name in _UNSET:
        if name in params:
            product[name] = params[name] or None
    if "images" in params:
        product["images"] = list(params["images"] or ())
        if len(product["images"]) > _MOST_IMAGES:
            raise invalid(f"Array images exceeded maximum {_MOST_IMAGES} allowed elements.", param="images")
    if "marketing_features" in params:
        product["marketing_features"] = [{"name": one["name"]} for one in params["marketing_features"] or ()]
        if len(product["marketing_features"]) > _MOST_FEATURES:
            message = f"Array marketing_features exceeded maximum {_MOST_FEATURES} allowed elements."
            raise invalid(message, param="marketing_features")
    if "package_dimensions" in params:
        size = params["package_dimensions"]
        product["package_dimensions"] = {name: float(value) for name, value in size.items()} if size else None
    if "tax_details" in params:
        details = params["tax_details"]
        product["tax_details"] = (
            {name: details.get(name) or None for name in ("performance_location", "tax_code")} if details else None
        )
