"""The prices that Stripe makes for amounts that were billed without one."""

from __future__ import annotations

from fractions import Fraction

from trueup.sandbox.world.world import Obj, World


def price(world: World, unit_amount_decimal: str, currency: str, description: str | None) -> Obj:
    """The price of an amount: not on sale, told to nobody, and the same again for the same amount and words.

    Source: recorded invoice items, which name one price over and over.
    """
    key = f"implied_price:{currency}:{unit_amount_decimal}:{description or ''}"
    known = world.find("price", world.store.meta(key, ""))
    if known is not None:
        return known
    whole = Fraction(unit_amount_decimal)
    made = world.new(
        "price",
        {
            "active": False,
            "billing_scheme": "per_unit",
            "created": world.now,
            "currency": currency,
            "custom_unit_amount": None,
            "livemode": False,
            "lookup_key": None,
            "metadata": {},
            "nickname": None,
            "product": _product(world, description or "Invoice item")["id"],
            "recurring": None,
            "tax_behavior": "unspecified",
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "one_time",
            "unit_amount": int(whole) if whole.denominator == 1 else None,
            "unit_amount_decimal": unit_amount_decimal,
            "$currency_options": {},
            "$tiers": None,
        },
    )
    world.store.put_meta(key, made["id"])
    return made


def _product(world: World, name: str) -> Obj:
    return world.new(
        "product",
        {
            "active": False,
            "created": world.now,
            "default_price": None,
            "description": None,
            "images": [],
            "livemode": False,
            "marketing_features": [],
            "metadata": {},
            "name": name,
            "package_dimensions": None,
            "shippable": None,
            "statement_descriptor": None,
            "tax_code": None,
            "type": "service",
            "unit_label": None,
            "updated": world.now,
            "url": None,
        },
    )
