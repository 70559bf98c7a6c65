"""What a part of a period costs."""

from __future__ import annotations

from fractions import Fraction
from math import ceil


def prorated(amount: int | Fraction, *, start: int, end: int, at: int) -> int:
    """What is left at ``at`` of ``amount``, which pays for [start, end): minor units, counted in seconds, rounded once.

    Halves go down: ``ceil(x - 1/2)``. A credit is the proration of the negative amount, so that its halves go further
    from zero. Source: recorded lines (sandbox specification B.4).
    """
    return nearest(Fraction(amount) * (end - at) / (end - start))


def nearest(value: Fraction) -> int:
    """The nearest whole minor unit, halves toward minus infinity."""
    return ceil(value - Fraction(1, 2))
