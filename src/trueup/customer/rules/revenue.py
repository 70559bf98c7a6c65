"""What a price brings in per month, exactly."""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from typing import Any

from trueup.customer.types import Mrr
from trueup.kernel.money import Rounding, rounded
from trueup.mirror.upcast.shape import decimal_of, mapping, whole


def monthly(price: dict[str, Any], quantity: int | None) -> tuple[int, int] | None:
    """Minor units per month of a licensed recurring price, as (numerator, positive denominator).

    A year is 12 months, a day 12/365 and a week 84/365 of a month, so that seven daily prices are a weekly one.
    Packages (``transform_quantity``) count. ``None`` where price and quantity alone do not tell: one-time, metered and
    tiered prices, and what a customer chooses to pay.
    """
    recurring = mapping(price.get("recurring"))
    months = _months(recurring)
    amount = _unit_amount(price)
    if quantity is None or months is None or amount is None or recurring.get("usage_type") == "metered":
        return None
    package = price.get("transform_quantity")
    if type(package) is dict:
        size = whole(package.get("divide_by"))
        if size is None or size < 1:
            return None
        quantity = -(-quantity // size) if package.get("round") == "up" else quantity // size
    return amount[0] * quantity * months[1], amount[1] * months[0]


def added(total: tuple[int, int] | None, part: tuple[int, int]) -> tuple[int, int]:
    """The sum of two fractions with positive denominators, not reduced."""
    if total is None:
        return part
    return total[0] * part[1] + part[0] * total[1], total[1] * part[1]


def mrr_of(currency: str, total: tuple[int, int]) -> Mrr:
    """A fraction of minor units per month in lowest terms, and rounded for display."""
    divisor = gcd(*total)
    numerator, denominator = total[0] // divisor, total[1] // divisor
    minor = numerator if denominator == 1 else rounded(Fraction(numerator, denominator), Rounding.HALF_AWAY)
    return Mrr(currency=currency, numerator=numerator, denominator=denominator, minor=minor)


def _months(recurring: dict[str, Any]) -> tuple[int, int] | None:
    """The length of the billing period in months, as a fraction."""
    count = recurring.get("interval_count", 1)
    if type(count) is not int or count < 1:
        return None
    match recurring.get("interval"):
        case "month":
            return count, 1
        case "year":
            return 12 * count, 1
        case "week":
            return 84 * count, 365
        case "day":
            return 12 * count, 365
        case _:
            return None


def _unit_amount(price: dict[str, Any]) -> tuple[int, int] | None:
    """Minor units for one; ``unit_amount`` is null where they have a fraction, which only the decimal then tells."""
    unit_amount = whole(price.get("unit_amount"))
    if unit_amount is not None:
        return unit_amount, 1
    decimal = decimal_of(price.get("unit_amount_decimal"))
    return None if decimal is None else Fraction(decimal).as_integer_ratio()
