"""The catalogue's routes: products, prices, coupons and promotion codes."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler, Included, Timers
from trueup.sandbox.catalog import coupons, discounts, plan_routes, prices, products, promotion_codes
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

_MOST_KEYS: Final = 10


def _stub(obj: Obj) -> Obj:
    return {"id": obj["id"], "object": obj["object"], "deleted": True} if obj.get("deleted") else obj


# --- products -------------------------------------------------------------------------------------------------------


def _create_product(world: World, call: Call) -> Obj:
    return products.create(world, call.params)


def _retrieve_product(world: World, call: Call) -> Obj:
    return _stub(world.get("product", call.ids["id"], deleted=True))


def _update_product(world: World, call: Call) -> Obj:
    product = world.get("product", call.ids["id"])
    products.update(world, product, call.params)
    return product


def _delete_product(world: World, call: Call) -> Obj:
    return products.delete(world, world.get("product", call.ids["id"]))


def _list_products(world: World, call: Call) -> Obj:
    ids, wanted = call.params.get("ids"), ("shippable", "type")

    def keep(product: Obj) -> bool:
        return (not ids or product["id"] in ids) and all(
            product[name] == call.params[name] for name in wanted if call.given(name)
        )

    return pages.page(world, call, "product", url=call.value("url"), active=call.value("active"), keep=keep)


# --- prices ---------------------------------------------------------------------------------------------------------


def _create_price(world: World, call: Call) -> Obj:
    product, data = call.params.get("product"), call.params.get("product_data")
    if product and data:
        raise invalid("You may only specify one of these parameters: product, product_data.", param="product")
    if data:
        product = products.create(world, data)["id"]
    if not product:
        raise invalid("You must specify either `product` or `product_data` when creating a price.", param="product")
    return prices.create(world, call.params, product=world.get("product", product, param="product")["id"])


def _retrieve_price(world: World, call: Call) -> Obj:
    return world.get("price", call.ids["price"])


def _update_price(world: World, call: Call) -> Obj:
    price = world.get("price", call.ids["price"])
    prices.update(world, price, call.params)
    return price


def _list_prices(world: World, call: Call) -> Obj:
    keys, recurring = call.params.get("lookup_keys"), call.params.get("recurring") or {}
    if keys and len(keys) > _MOST_KEYS:
        message = f"Array lookup_keys exceeded maximum {_MOST_KEYS} allowed elements."
        raise invalid(message, param="lookup_keys")

    def keep(price: Obj) -> bool:
        return (not keys or price["lookup_key"] in keys) and all(
            (price["recurring"] or {}).get(name) == value for name, value in recurring.items()
        )

    return pages.page(
        world,
        call,
        "price",
        product=call.value("product"),
        currency=call.value("currency"),
        type=call.value("type"),
        active=call.value("active"),
        keep=keep,
    )


# --- coupons --------------------------------------------------------------------------------------------------------


def _create_coupon(world: World, call: Call) -> Obj:
    return coupons.create(world, call.params)


def _retrieve_coupon(world: World, call: Call) -> Obj:
    return world.get("coupon", call.ids["coupon"])


def _update_coupon(world: World, call: Call) -> Obj:
    coupon = world.get("coupon", call.ids["coupon"])
    coupons.update(world, coupon, call.params)
    return coupon


def _delete_coupon(world: World, call: Call) -> Obj:
    return coupons.delete(world, world.get("coupon", call.ids["coupon"]))


def _list_coupons(world: World, call: Call) -> Obj:
    return pages.page(world, call, "coupon")


# --- promotion codes ------------------------------------------------------------------------------------------------


def _create_code(world: World, call: Call) -> Obj:
    return promotion_codes.create(world, call.params)


def _retrieve_code(world: World, call: Call) -> Obj:
    return world.get("promotion_code", call.ids["promotion_code"])


def _update_code(world: World, call: Call) -> Obj:
    code = world.get("promotion_code", call.ids["promotion_code"])
    promotion_codes.update(world, code, call.params)
    return code


def _list_codes(world: World, call: Call) -> Obj:
    code = call.value("code")
    return pages.page(
        world,
        call,
        "promotion_code",
        _code=code.upper() if code else None,
        customer=call.value("customer"),
        promotion__coupon=call.value("coupon"),
        active=call.value("active"),
    )


# --- what appears on request ----------------------------------------------------------------------------------------


def _tiers(world: World, shown: Obj) -> object:
    return (prices.kept(world, shown["id"]) or {}).get("$tiers")


def _price_options(world: World, price: Obj) -> Obj:
    return prices.shown_options(prices.kept(world, price["id"]) or price)


def _applies_to(world: World, coupon: Obj) -> object:
    return world.get("coupon", coupon["id"]).get("$applies_to")


def _coupon_options(world: World, coupon: Obj) -> Obj:
    return coupons.shown_options(world.get("coupon", coupon["id"]))


def _code_options(world: World, code: Obj) -> object:
    return promotion_codes.shown_options(world.get("promotion_code", code["id"]))


ROUTES: Final[dict[str, Handler]] = {
    **plan_routes.ROUTES,
    "POST /v1/products": _create_product,
    "GET /v1/products": _list_products,
    "GET /v1/products/{id}": _retrieve_product,
    "POST /v1/products/{id}": _update_product,
    "DELETE /v1/products/{id}": _delete_product,
    "POST /v1/prices": _create_price,
    "GET /v1/prices": _list_prices,
    "GET /v1/prices/{price}": _retrieve_price,
    "POST /v1/prices/{price}": _update_price,
    "POST /v1/coupons": _create_coupon,
    "GET /v1/coupons": _list_coupons,
    "GET /v1/coupons/{coupon}": _retrieve_coupon,
    "POST /v1/coupons/{coupon}": _update_coupon,
    "DELETE /v1/coupons/{coupon}": _delete_coupon,
    "POST /v1/promotion_codes": _create_code,
    "GET /v1/promotion_codes": _list_codes,
    "GET /v1/promotion_codes/{promotion_code}": _retrieve_code,
    "POST /v1/promotion_codes/{promotion_code}": _update_code,
}

TIMERS: Final[Timers] = {
    "coupon_expiry": coupons.expire,
    "promotion_code_expiry": promotion_codes.expire,
    "discount_end": discounts.expire,
}

INCLUDED: Final[Included] = {
    ("price", "tiers"): _tiers,
    ("price", "currency_options"): _price_options,
    ("plan", "tiers"): _tiers,
    ("coupon", "applies_to"): _applies_to,
    ("coupon", "currency_options"): _coupon_options,
    ("promotion_code", "restrictions.currency_options"): _code_options,
}
