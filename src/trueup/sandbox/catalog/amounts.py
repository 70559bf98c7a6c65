"""What a quantity costs at a price, and how a discount is split; exact, rounded once at the end of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from trueup.kernel.money import rounded
from trueup.sandbox.assumptions import LINE_ROUNDING, PERCENT_ROUNDING


def fraction(whole: object, decimal: object) -> Fraction:
    """An amount in minor units from Stripe's pair ``unit_amount``, ``unit_amount_decimal``; 0 where both are null."""
    told = decimal if decimal is not None else whole
    return Fraction(0) if told is None else Fraction(str(told))


def plain(value: str) -> str:
    """A decimal as Stripe shows it: no exponent, no zeros that say nothing (``10.50`` is ``10.5``)."""
    shown = f"{Decimal(value):f}"
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return "0" if shown in {"", "-", "-0"} else shown


def cost(terms: Mapping[str, Any], quantity: int) -> Fraction:
    """What ``quantity`` (0 or more) costs, in minor units, exactly.

    ``terms`` has a price's ``unit_amount``, ``unit_amount_decimal`` and ``transform_quantity``, and for tiered ones
    ``tiers_mode`` and ``tiers`` as ``expand`` shows them.
    """
    tiers = terms.get("tiers")
    if tiers:
        return volume(tiers, quantity) if terms.get("tiers_mode") == "volume" else graduated(tiers, quantity)
    unit = fraction(terms.get("unit_amount"), terms.get("unit_amount_decimal"))
    return unit * packages(quantity, terms.get("transform_quantity"))


def packages(quantity: int, transform: Mapping[str, Any] | None) -> int:
    """How many are billed where they are sold in packages; ``quantity`` itself where they are not."""
    if not transform:
        return quantity
    size: int = transform["divide_by"]
    return -(-quantity // size) if transform["round"] == "up" else quantity // size


def graduated(tiers: Sequence[Mapping[str, Any]], quantity: int) -> Fraction:
    """Each tier's units at that tier's price, and the flat fee of every tier entered; the first is always entered.

    Source: https://docs.stripe.com/products-prices/pricing-models#graduated-pricing
    """
    total, done = Fraction(0), 0
    for at, tier in enumerate(tiers):
        if at and quantity <= done:
            break
        upto = tier["up_to"]
        upper = quantity if upto is None else min(quantity, upto)
        total += _unit(tier) * (upper - done) + _flat(tier)
        done = upper if upto is None else upto
    return total


def volume(tiers: Sequence[Mapping[str, Any]], quantity: int) -> Fraction:
    """All units at the price of the one tier that the quantity is in, and that tier's flat fee.

    Source: https://docs.stripe.com/products-prices/pricing-models#volume-pricing
    """
    for tier in tiers:
        if tier["up_to"] is None or quantity <= tier["up_to"]:
            return _unit(tier) * quantity + _flat(tier)
    return Fraction(0)


def whole(amount: Fraction) -> int:
    """An exact amount of an invoice line as whole minor units."""
    return rounded(amount, LINE_ROUNDING)


def taken_off(amounts: Iterable[int], coupon: Mapping[str, Any], currency: str) -> int:
    """What a coupon takes off lines of these amounts altogether: never more than they are, and 0 in a foreign currency.

    ``coupon`` has ``percent_off``, or ``amount_off`` and ``currency``, perhaps with ``currency_options``. Lines below
    zero count as zero: nothing is taken off a credit.
    """
    total = sum(amount for amount in amounts if amount > 0)
    if coupon["percent_off"] is not None:
        return min(total, rounded(total * Fraction(str(coupon["percent_off"])) / 100, PERCENT_ROUNDING))
    return min(total, amount_off(coupon, currency) or 0)


def amount_off(coupon: Mapping[str, Any], currency: str) -> int | None:
    """The minor units of ``currency`` that a coupon takes off, None where it does not know the currency."""
    if coupon["currency"] == currency:
        told: int | None = coupon["amount_off"]
        return told
    options = coupon.get("currency_options") or coupon.get("$currency_options") or {}
    return options[currency]["amount_off"] if currency in options else None


def split(total: int, amounts: Sequence[int]) -> list[int]:
    """``total`` over lines in proportion to what they cost: each rounded down, what remains to the last.

    No line gets more than its amount; what the last cannot take goes to the one before it. Lines of zero or less get
    none. ``total`` is at most the sum of the positive amounts. Source: sandbox specification B.4.
    """
    base = sum(amount for amount in amounts if amount > 0)
    found = [total * amount // base if amount > 0 else 0 for amount in amounts]
    rest = total - sum(found)
    for at in reversed(range(len(amounts))):
        if not rest:
            break
        more = min(rest, max(amounts[at], 0) - found[at])
        found[at] += more
        rest -= more
    return found


def _unit(tier: Mapping[str, Any]) -> Fraction:
    return fraction(tier["unit_amount"], tier["unit_amount_decimal"])


def _flat(tier: Mapping[str, Any]) -> Fraction:
    return fraction(tier["flat_amount"], tier["flat_amount_decimal"])
