"""Prorations to the cent, and all that was recorded of them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from trueup.sandbox.subscriptions.prorations import nearest, prorated


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (Fraction(-5, 2), -3),
        (Fraction(9, 2), 4),
        (Fraction(15, 2), 7),
        (Fraction(-200_001, 300), -667),
        (Fraction(100_000, 300), 333),
        (Fraction(25_000 * 31_535_996, 31_536_000), 25_000),
    ],
)
def test_halves_go_down(value: Fraction, found: int) -> None:
    assert nearest(value) == found


def test_half_of_a_period_is_half_of_the_amount() -> None:
    assert prorated(2900, start=0, end=100, at=50) == 1450
    assert prorated(-2900, start=0, end=100, at=50) == -1450
    assert prorated(2900, start=0, end=100, at=0) == 2900
    assert prorated(2900, start=0, end=100, at=100) == 0
