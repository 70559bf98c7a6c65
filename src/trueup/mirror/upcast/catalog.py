"""Plans, prices, products, coupons, discounts and promotion codes.

Each function takes an object of any API version and answers it in the newest shape: the same dictionary when nothing is
missing, else a new one with the new paths added. Old paths stay, as Stripe itself keeps echoing many of them.
"""

from __future__ import annotations

from typing import Any, Final

from trueup.mirror.upcast.shape import each, id_of, mapping, text, whole

_RECURRING: Final = ("interval", "interval_count", "meter", "trial_period_days", "usage_type")
_PLAN_TO_PRICE: Final = (
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
    price = {new: data[old] for old, new in _PLAN_TO_PRICE if old in data}
    recurring = {name: data[name] for name in (*_RECURRING, "aggregate_usage") if name in data}
    return {**price, "object": "price", "recurring": recurring, "type": "recurring"}


def plan_of_price(data: dict[str, Any]) -> dict[str, Any] | None:
    """The plan that Stripe goes on showing beside a recurring price; ``None`` when it does not recur."""
    recurring = data.get("recurring")
    if type(recurring) is not dict:
        return None
    told = {old: data[new] for old, new in _PLAN_TO_PRICE if new in data}
    return {**told, **{name: recurring[name] for name in _RECURRING if name in recurring}, "object": "plan"}


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
        return each(several, discount) if several else None
    if "discount" not in data:
        return None
    one = data["discount"]
    if one is None:
        return []
    return [discount(one) if type(one) is dict else one]


def pricing_of(data: dict[str, Any]) -> dict[str, Any] | None:
    """The ``pricing`` of a line (2025-03-31.basil) from its price or plan; ``None`` when it has neither.

    A product that nothing names stays absent, as a price without one does not exist.
    """
    source = data.get("price")
    if type(source) is not dict and text(source) is None:
        source = data.get("plan")
        if type(source) is dict:
            source = price_of_plan(source)
        elif text(source) is None:
            return None
    pricing: dict[str, Any] = {"type": "price_details"}
    told = mapping(source)
    details = {"price": id_of(source), "product": id_of(told.get("product"))}
    pricing["price_details"] = {name: known for name, known in details.items() if known is not None}
    decimal = text(told.get("unit_amount_decimal"))
    if decimal is None and whole(told.get("unit_amount")) is not None:
        decimal = str(told["unit_amount"])
    if decimal is not None or "unit_amount" in told or "unit_amount_decimal" in told:
        pricing["unit_amount_decimal"] = decimal
    return pricing


def _tiers(value: object) -> list[Any] | None:
    """Tiers with ``unit_amount`` in place of ``amount``; ``None`` when nothing changes."""
    if type(value) is not list:
        return None
    old = [type(tier) is dict and "amount" in tier and "unit_amount" not in tier for tier in value]
    if not any(old):
        return None
    return [{**tier, "unit_amount": tier["amount"]} if was else tier for tier, was in zip(value, old, strict=True)]
