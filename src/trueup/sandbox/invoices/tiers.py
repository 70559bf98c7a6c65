"""Which tiers of a price a quantity reaches. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from trueup.kernel.records import Record


class Reached(Record, frozen=True):
    """A tier's part of a quantity: ``unit_amount`` and ``flat`` are in minor units; ``number`` counts from one."""

    number: int
    quantity: int
    unit_amount: Fraction
    flat: Fraction


def reached(tiers: Sequence[Mapping[str, Any]], mode: str, quantity: int) -> list[Reached]:
    """The tiers that bill: graduated, every one up to the quantity; volume, the one that the quantity lies in.

    Source: https://docs.stripe.com/products-prices/pricing-models#tiered-pricing
    """
    found: list[Reached] = []
    begin = 0
    for number, tier in enumerate(tiers, start=1):
        end = tier["up_to"]
        within = end is None or quantity <= end
        if mode == "volume":
            if within:
                return [_reached(number, quantity, tier)]
            continue
        found.append(_reached(number, (quantity if within else end) - begin, tier))
        if within:
            break
        begin = end
    return found


def _reached(number: int, quantity: int, tier: Mapping[str, Any]) -> Reached:
    unit, flat = tier.get("unit_amount_decimal") or tier.get("unit_amount"), tier.get("flat_amount_decimal")
    return Reached(
        number=number,
        quantity=quantity,
        unit_amount=Fraction(unit or 0),
        flat=Fraction(flat or tier.get("flat_amount") or 0),
    )
