"""Plans, prices, products, coupons, discounts and promotion codes.

Each function takes an object of any API version and answers it in the newest shape: the same dictionary when nothing is
missing, else a new one with the new paths added. Old paths stay, as Stripe itself keeps echoing many of them.
"""

from __future__ import annotations

from typing import Any

from trueup.mirror.upcast.shape import id_of, text, whole


def plan(data: dict[str, Any]) -> dict[str, Any]:
    """A plan. Before 2018-02-05 its name was its own, before 2018-08-23 tiers spoke of ``amount``."""
    new: dict[str, Any] = {}
    if "nickname" not in data and "name" in data:
        new["nickname"] = data["name"]
    if "usage_type" not in data:
        # Metered plans came together with the field, so a plan without it is licensed.
        new["usage_type"] = "licensed"
    if "billing_scheme" not in data and whole(data.get("amount")) is not None:
        new["billing_scheme"] = "per_unit"
    if "amount_decimal" not in data and whole(data.get("amount")) is not None:
        new["amount_decimal"] = str(data["amount"])
    tiers = _tiers(data.get("tiers"))
    if tiers is not None:
        new["tiers"] = tiers
    return {**data, **new} if new else data


def price_of_plan(data: dict[str, Any]) -> dict[str, Any]:
    """The price that Stripe shows for a plan (2020-03-02); what the plan does not tell stays absent."""
    data = plan(data)
    recurring = {
        new: data[old]
        for old, new in (
            ("interval", "interval"),
            ("interval_count", "interval_count"),
            ("meter", "meter"),
            ("trial_period_days", "trial_period_days"),
            ("usage_type", "usage_type"),
            ("aggregate_usage", "aggregate_usage"),
        )
        if old in data
    }
    price = {
        new: data[old]
        for old, new in (
            ("id", "id"),
            ("active", "active"),
            ("billing_scheme", "billing_scheme"),
            ("created", "created"),
            ("currency", "currency"),
            ("livemode", "livemode"),
            ("metadata", "metadata"),
            ("nickname", "nickname"),
            ("product", "product"),
            ("tiers", "tiers"),
            ("tiers_mode", "tiers_mode"),
            ("transform_usage", "transform_quantity"),
            ("amount", "unit_amount"),
            ("amount_decimal", "unit_amount_decimal"),
        )
        if old in data
    }
    return {**price, "object": "price", "recurring": recurring, "type": "recurring"}


def product(data: dict[str, Any]) -> dict[str, Any]:
    """A product. ``features`` became ``marketing_features`` (2024-04-10)."""
    if "marketing_features" not in data and type(data.get("features")) is list:
        return {**data, "marketing_features": data["features"]}
    return data


def coupon(data: dict[str, Any]) -> dict[str, Any]:
    """A coupon. ``percent_off`` was a rounded whole number beside ``percent_off_precise`` (until 2018-07)."""
    precise = data.get("percent_off_precise")
    if type(precise) in {int, float} and precise != data.get("percent_off"):
        return {**data, "percent_off": precise}
    return data


def discount(data: dict[str, Any]) -> dict[str, Any]:
    """A discount. Its coupon moved to ``source.coupon`` (2025-09-30.clover), where it is an id unless expanded."""
    if type(data.get("source")) is dict or data.get("coupon") is None:
        return data
    inner = data["coupon"]
    return {**data, "source": {"coupon": coupon(inner) if type(inner) is dict else inner, "type": "coupon"}}


def promotion_code(data: dict[str, Any]) -> dict[str, Any]:
    """A promotion code. Its coupon moved to ``promotion.coupon`` (2025-09-30.clover)."""
    if type(data.get("promotion")) is dict or data.get("coupon") is None:
        return data
    inner = data["coupon"]
    return {**data, "promotion": {"coupon": coupon(inner) if type(inner) is dict else inner, "type": "coupon"}}


def discounts_of(data: dict[str, Any]) -> list[Any] | None:
    """The new ``discounts`` of an object that has one ``discount`` or a list in an older shape; ``None``: no change."""
    several = data.get("discounts")
    if type(several) is list:
        changed = [discount(one) if type(one) is dict else one for one in several]
        return None if all(new is old for new, old in zip(changed, several, strict=True)) else changed
    if "discount" not in data:
        return None
    one = data["discount"]
    if one is None:
        return []
    return [discount(one) if type(one) is dict else one]


def untaxed(data: dict[str, Any]) -> bool:
    """Whether a ``tax_percent`` of null tells that there are no ``default_tax_rates``; a rate's id it never tells."""
    return "default_tax_rates" not in data and "tax_percent" in data and data["tax_percent"] is None


def pricing_of(data: dict[str, Any]) -> dict[str, Any] | None:
    """The ``pricing`` of a line (2025-03-31.basil) from its price or plan; ``None`` when it has neither."""
    source = data.get("price")
    if type(source) is not dict:
        source = data.get("plan")
        if type(source) is not dict:
            return None
        source = price_of_plan(source)
    decimal = text(source.get("unit_amount_decimal"))
    if decimal is None and whole(source.get("unit_amount")) is not None:
        decimal = str(source["unit_amount"])
    return {
        "price_details": {"price": id_of(source), "product": id_of(source.get("product"))},
        "type": "price_details",
        "unit_amount_decimal": decimal,
    }


def _tiers(value: object) -> list[Any] | None:
    """Tiers with ``unit_amount`` in place of ``amount``; ``None`` when nothing changes."""
    if type(value) is not list:
        return None
    old = [type(tier) is dict and "amount" in tier and "unit_amount" not in tier for tier in value]
    if not any(old):
        return None
    return [{**tier, "unit_amount": tier["amount"]} if was else tier for tier, was in zip(value, old, strict=True)]
