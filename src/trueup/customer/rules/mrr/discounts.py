"""What coupons take off, and for how long.

Discounts are taken in the order that Stripe lists them; percents first and amounts first differ. Sources:
https://docs.stripe.com/billing/subscriptions/coupons and https://docs.stripe.com/api/discounts/object. That an item's
come before its subscription's, and that a customer's counts only where the subscription has none, is how we know
Stripe; we have no page that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, Final, NamedTuple

from trueup.customer.rules.mrr.cycles import Cycle
from trueup.customer.rules.mrr.policy import DiscountEnd, Discounts, Policy
from trueup.mirror.upcast.shape import LATEST_SECOND, decimal_of, id_of, mapping

Find = Callable[[str], dict[str, Any] | None]
"""The current data of an object of the account that a payload only names by its id; ``None`` when it is not known."""

WHOLE: Final = Fraction(1)
_MONTH: Final = "month"
_COUNTED: Final = {
    Discounts.RECURRING: frozenset({"forever", "repeating"}),
    Discounts.ALL: frozenset({"forever", "repeating", "once"}),
    Discounts.FOREVER: frozenset({"forever"}),
    Discounts.NONE: frozenset[str](),
}


class Discount(NamedTuple):
    """One discount with its coupon: a share of the amount (``percent``, of 1), or an amount of each invoice."""

    percent: Fraction | None
    amounts: dict[str, int]
    """Minor units off, by currency."""
    products: frozenset[str] | None
    """The products it is limited to; ``None`` for every product."""
    start: int
    end: int | None
    once: bool


class Span(NamedTuple):
    """The seconds from ``start`` up to, and not with, ``until``; ``None`` is for ever."""

    start: int
    until: int | None

    def holds(self, at: int) -> bool:
        """Whether a moment lies inside."""
        return self.start <= at and (self.until is None or at < self.until)


class Line:
    """What one item costs for one period, while discounts are taken off it."""

    __slots__ = ("amount", "currency", "cycle", "months", "product", "tax")

    def __init__(
        self,
        *,
        amount: Fraction,
        months: Fraction,
        currency: str,
        product: str | None,
        cycle: Cycle | None,
        tax: Fraction,
    ) -> None:
        self.amount = amount
        self.months = months
        self.currency = currency
        self.product = product
        self.cycle = cycle
        self.tax = tax


def counted(told: Iterable[object], find: Find, policy: Policy) -> tuple[list[Discount], list[str]]:
    """The discounts that count under a policy, in the order told, and a sentence for each that cannot be read.

    ``told`` are discounts, or ids of discounts. Whatever the policy leaves out is left out silently.
    """
    durations = _COUNTED[policy.discounts]
    if not durations:
        return [], []
    found: list[Discount] = []
    problems: list[str] = []
    for one in told:
        name = id_of(one) or "without an id"
        data = one if type(one) is dict else find(name)
        if data is None:
            problems.append(f"discount {name} is not known")
            continue
        source = mapping(data.get("source"))
        named = source.get("coupon", data.get("coupon"))
        coupon = named if type(named) is dict else find(named) if type(named) is str else None
        if coupon is None:
            problems.append(f"coupon {id_of(named) or 'without an id'} of discount {name} is not known")
            continue
        discount = _read(data, coupon)
        if discount is None:
            problems.append(f"coupon {id_of(coupon) or 'without an id'} takes off neither a percentage nor an amount")
        elif coupon.get("duration", "forever") in durations:
            found.append(discount)
    return found, problems


def span(discount: Discount, cycle: Cycle | None, policy: Policy) -> Span | None:
    """From when until when a discount lowers what an item brings in; ``None`` for one that is over before it begins."""
    until = _ends(discount, cycle)
    if until is not None and cycle is not None and policy.discount_end is not DiscountEnd.IMMEDIATE:
        until = cycle.renewed(until)
    return None if until is not None and until <= discount.start else Span(discount.start, until)


def take_off(discount: Discount, lines: list[Line]) -> str | None:
    """Take one discount off the lines that it is running for; never below zero.

    An amount is taken off each invoice once, so it is split over the lines by what is left of them. With lines of
    different periods it is not defined how often that is: then nothing is taken off, and the answer is a sentence.
    """
    lines = [line for line in lines if discount.products is None or line.product in discount.products]
    if discount.percent is not None:
        for line in lines:
            line.amount *= WHOLE - discount.percent
        return None
    for currency in sorted({line.currency for line in lines}):
        off = discount.amounts.get(currency)
        mine = [line for line in lines if line.currency == currency and line.amount]
        if not mine or off is None:
            continue
        if len({line.months for line in mine}) > 1:
            return "an amount off each invoice is not defined for items that are billed at different intervals"
        total = sum(line.amount for line in mine)
        left = WHOLE - min(Fraction(off) / total, WHOLE)
        for line in mine:
            line.amount *= left
    return None


def _read(data: dict[str, Any], coupon: dict[str, Any]) -> Discount | None:
    percent = percentage(coupon.get("percent_off"))
    amounts = _amounts(coupon)
    if percent is None and not amounts:
        return None
    products = mapping(coupon.get("applies_to")).get("products")
    start = _second(data.get("start"))
    end = _second(data.get("end"))
    several = coupon.get("duration_in_months")
    if end is None and start is not None and coupon.get("duration") == "repeating" and type(several) is int:
        end = Cycle(start, _MONTH, max(several, 1)).first(start + 1)
    return Discount(
        percent=percent,
        amounts=amounts,
        products=frozenset(one for one in products if type(one) is str) if type(products) is list else None,
        start=start or 0,
        end=end,
        once=coupon.get("duration") == "once",
    )


def _ends(discount: Discount, cycle: Cycle | None) -> int | None:
    """When a discount ends; one for a single invoice does with the period that begins with that invoice."""
    if not discount.once or discount.end is not None or cycle is None:
        return discount.end
    invoiced = cycle.first(discount.start)
    return cycle.first(invoiced + 1) if invoiced is not None else None


def percentage(value: object) -> Fraction | None:
    """A share of 1, from 0 to 1, of a percentage as JSON has it: a number, or a decimal in a string."""
    if type(value) is str:
        value = decimal_of(value)
    if type(value) not in {int, float, str}:
        return None
    try:
        # The text of a float is its shortest decimal, which is what Stripe wrote.
        share = Fraction(str(value)) / 100
    except ValueError:  # Infinite, or not a number.
        return None
    return share if 0 <= share <= 1 else None


def _amounts(coupon: dict[str, Any]) -> dict[str, int]:
    """Minor units off by currency: the coupon's own, and its options."""
    amounts: dict[str, int] = {}
    for currency, option in mapping(coupon.get("currency_options")).items():
        off = mapping(option).get("amount_off")
        if type(off) is int and off >= 0:
            amounts[currency.lower()] = off
    off, own = coupon.get("amount_off"), coupon.get("currency")
    if type(off) is int and off >= 0 and type(own) is str:
        amounts[own.lower()] = off
    return amounts


def _second(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= LATEST_SECOND else None
