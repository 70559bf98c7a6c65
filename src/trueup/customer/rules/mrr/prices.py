"""What one item costs for one billing period: per unit, in packages, and in tiers.

Fractions are pairs of integers with a positive denominator, not reduced: the fold computes them for every fact, and
most of them are whole.

Source of the pricing models: https://docs.stripe.com/products-prices/pricing-models
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final, NamedTuple

from trueup.customer.rules.mrr.policy import WeekBasis
from trueup.mirror.upcast.shape import currency_of, decimal_of, listed

Pair = tuple[int, int]

NOTHING: Final = (0, 1)
_UNITS: Final = {"month": (1, 1), "year": (12, 1), "week": (84, 365), "day": (12, 365)}


class _Tier(NamedTuple):
    """The prices of the units up to and including ``up_to``; ``None`` is beyond every number."""

    up_to: int | None
    unit: Fraction
    flat: Fraction


def months(recurring: dict[str, Any], week_basis: WeekBasis = WeekBasis.YEAR_OF_365_DAYS) -> Pair | None:
    """The length of a billing period in months; ``None`` when interval and count do not tell it."""
    count = recurring.get("interval_count", 1)
    unit = recurring.get("interval")
    pair = _UNITS.get(unit) if type(unit) is str else None
    if pair is None or type(count) is not int or count < 1:
        return None
    if unit == "week" and week_basis is WeekBasis.YEAR_OF_52_WEEKS:
        return 12 * count, 52
    return pair[0] * count, pair[1]


def per_period(price: dict[str, Any], quantity: int) -> Pair | None:
    """Minor units for one billing period of ``quantity`` units.

    ``None`` when the price does not tell: no amount, or tiers that are left out, as they are from every webhook. Prices
    and quantities below zero are not Stripe's and tell nothing.
    """
    if quantity < 0:
        return None
    tiers = price.get("tiers")
    if price.get("billing_scheme") == "tiered" or type(tiers) is list:
        total = _tiered(tiers, price.get("tiers_mode"), quantity)
        return None if total is None else total.as_integer_ratio()
    amount = price.get("unit_amount")
    package = price.get("transform_quantity")
    if type(package) is dict:
        size = package.get("divide_by")
        if type(size) is not int or size < 1:
            return None
        quantity = -(-quantity // size) if package.get("round") == "up" else quantity // size
    if type(amount) is int:
        return (amount * quantity, 1) if amount >= 0 else None
    exact = _amount(price, "unit_amount")
    return None if exact is None else (exact.numerator * quantity, exact.denominator)


def lacking(price: dict[str, Any], currency: str | None) -> bool:
    """Whether a price leaves out what it costs, as it does inside of other objects: tiers, or another currency."""
    tiered = price.get("billing_scheme") == "tiered" and type(price.get("tiers")) is not list
    return tiered or (currency is not None and in_currency(price, currency) is None)


def in_currency(price: dict[str, Any], currency: str) -> dict[str, Any] | None:
    """The price as it is billed in ``currency``; ``None`` when it has another and its options are not told.

    A price with several currencies bills in that of the subscription; only the first is in every payload.
    Source: https://docs.stripe.com/products-prices/how-products-and-prices-work#multiple-currencies
    """
    if currency_of(price.get("currency")) in {None, currency}:
        return price
    options = price.get("currency_options")
    option = options.get(currency) if type(options) is dict else None
    if type(option) is not dict:
        return None
    told = {field: option.get(field) for field in ("unit_amount", "unit_amount_decimal", "tiers")}
    tax = option.get("tax_behavior") or price.get("tax_behavior")
    return {**price, **told, "currency": currency, "tax_behavior": tax}


def _tiered(told: object, mode: object, quantity: int) -> Fraction | None:
    """Graduated: each band at its own price, and the flat fee of every band entered. Volume: all at one band's price.

    The first band's flat fee is billed even for a quantity of 0, whatever the mode.
    Source: https://docs.stripe.com/products-prices/pricing-models#tiered-pricing
    """
    tiers = _tiers(told)
    if tiers is None:
        return None
    if quantity == 0:
        return tiers[0].flat
    if mode == "volume":
        band = next((tier for tier in tiers if tier.up_to is None or quantity <= tier.up_to), None)
        return None if band is None else band.unit * quantity + band.flat
    if mode != "graduated":
        return None
    total, done = Fraction(0), 0
    for tier in tiers:
        upper = quantity if tier.up_to is None else min(tier.up_to, quantity)
        total += tier.unit * (upper - done) + tier.flat
        done = upper
        if done == quantity:
            return total
    return None


def _tiers(told: object) -> list[_Tier] | None:
    """The tiers in rising order; ``None`` when one of them tells nothing or two of them end at the same number."""
    tiers = [_tier(one) for one in listed(told)]
    known = [tier for tier in tiers if tier is not None]
    bounds = [tier.up_to for tier in known]
    if not known or len(known) != len(tiers) or len(set(bounds)) != len(bounds):
        return None
    return sorted(known, key=lambda tier: (tier.up_to is None, tier.up_to or 0))


def _tier(told: object) -> _Tier | None:
    """One tier: it has an amount for each unit, one for the whole, or both. Its last bound is null, or ``inf``."""
    if type(told) is not dict:
        return None
    up_to = told.get("up_to")
    unit, flat = _amount(told, "unit_amount"), _amount(told, "flat_amount")
    if unit is None and flat is None:
        return None
    if up_to is None or up_to == "inf":
        return _Tier(None, unit or Fraction(0), flat or Fraction(0))
    if type(up_to) is not int or up_to < 1:
        return None
    return _Tier(up_to, unit or Fraction(0), flat or Fraction(0))


def _amount(told: dict[str, Any], field: str) -> Fraction | None:
    """Minor units, not negative; the whole number is null where they have a fraction, which the decimal then tells."""
    amount = told.get(field)
    if type(amount) is not int:
        amount = decimal_of(told.get(f"{field}_decimal"))
    if amount is None:
        return None
    exact = Fraction(amount)
    return exact if exact >= 0 else None
