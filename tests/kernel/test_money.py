"""Money in minor units, and the two ways to round an exact amount."""

from __future__ import annotations

import math
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.kernel.money import (
    THREE_DECIMAL,
    ZERO_DECIMAL,
    Money,
    Rounding,
    decimals,
    exponent,
    rounded,
    step,
    sums,
    total,
)

HALF = Fraction(1, 2)


@pytest.mark.parametrize("currency", sorted(ZERO_DECIMAL - {"ugx"}))
def test_a_zero_decimal_currency_has_no_decimals(currency: str) -> None:
    assert exponent(currency) == 0
    assert Money(minor=1234, currency=currency).major == "1234"


@pytest.mark.parametrize("currency", sorted(THREE_DECIMAL))
def test_a_three_decimal_currency_has_thousandths(currency: str) -> None:
    assert exponent(currency) == 3
    assert Money(minor=1234, currency=currency).major == "1.234"


@pytest.mark.parametrize("currency", ["usd", "eur", "gbp", "isk", "huf", "twd", "ugx"])
def test_every_other_currency_has_hundredths_and_so_has_ugx_as_stripe_counts_it(currency: str) -> None:
    assert exponent(currency) == 2
    assert Money(minor=1234, currency=currency).major == "12.34"


@pytest.mark.parametrize(
    ("minor", "currency", "major"),
    [
        (0, "usd", "0.00"),
        (4900, "usd", "49.00"),
        (5, "usd", "0.05"),
        (-5, "usd", "-0.05"),
        (-50, "kwd", "-0.050"),
        (7, "kwd", "0.007"),
        (0, "jpy", "0"),
        (-7, "jpy", "-7"),
        (10**20, "usd", "1000000000000000000.00"),
    ],
)
def test_the_major_amount_is_a_plain_decimal(minor: int, currency: str, major: str) -> None:
    assert Money(minor=minor, currency=currency).major == major


@given(st.integers(), st.sampled_from(["usd", "jpy", "kwd"]))
def test_the_major_amount_is_exactly_the_minor_one(minor: int, currency: str) -> None:
    assert Fraction(Money(minor=minor, currency=currency).major) == Fraction(minor, 10 ** exponent(currency))


@pytest.mark.parametrize("currency", ["USD", "us", "usdt", "", "u$d", "ñññ", "usd\n", "123"])
def test_what_is_no_lower_case_iso_currency_is_refused(currency: str) -> None:
    with pytest.raises(ValueError, match="not a lower-case ISO currency"):
        Money(minor=1, currency=currency)


def test_money_from_outside_is_checked_as_well() -> None:
    with pytest.raises(msgspec.ValidationError, match="not a lower-case ISO currency"):
        msgspec.json.decode(b'{"minor": 1, "currency": "USD"}', type=Money)
    with pytest.raises(msgspec.ValidationError, match="Expected `int`"):
        msgspec.json.decode(b'{"minor": 1.5, "currency": "usd"}', type=Money)


def test_amounts_of_one_currency_add_up() -> None:
    assert Money(minor=5, currency="eur") + Money(minor=-7, currency="eur") == Money(minor=-2, currency="eur")


def test_amounts_of_two_currencies_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="cannot add usd to eur"):
        Money(minor=5, currency="eur") + Money(minor=5, currency="usd")


@given(st.integers(), st.integers())
def test_taking_away_undoes_adding(one: int, other: int) -> None:
    first, second = Money(minor=one, currency="eur"), Money(minor=other, currency="eur")

    assert first + second - second == first
    assert first - first == first + -first == Money(minor=0, currency="eur")


def test_amounts_of_two_currencies_cannot_be_taken_from_each_other() -> None:
    with pytest.raises(ValueError, match="cannot add usd to eur"):
        Money(minor=5, currency="eur") - Money(minor=5, currency="usd")


MONEY = st.builds(Money, minor=st.integers(), currency=st.sampled_from(["usd", "eur", "jpy"]))


@given(st.lists(MONEY))
def test_mixed_currencies_have_one_sum_each_in_any_order(amounts: list[Money]) -> None:
    found = sums(amounts)

    assert found == sums(reversed(amounts))
    assert [one.currency for one in found] == sorted({one.currency for one in amounts})
    assert [one.minor for one in found] == [
        sum(amount.minor for amount in amounts if amount.currency == one.currency) for one in found
    ]


def test_a_sum_of_zero_stays_a_sum_and_nothing_has_none() -> None:
    five = Money(minor=5, currency="usd")

    assert sums([five, -five]) == (Money(minor=0, currency="usd"),)
    assert sums([]) == ()


def test_a_total_is_of_one_currency_only() -> None:
    five = Money(minor=5, currency="usd")

    assert total([five, five], currency="usd") == Money(minor=10, currency="usd")
    assert total([], currency="usd") == Money(minor=0, currency="usd")
    with pytest.raises(ValueError, match="cannot add eur to usd"):
        total([five, Money(minor=5, currency="eur")], currency="usd")


@pytest.mark.parametrize(
    ("_case_currency", "_case_decimals", "_case_charge", "_case_payout"),
    [
        ("usd", 2, 1, 1),
        ("jpy", 0, 1, 1),
        ("kwd", 3, 10, 10),
        ("isk", 0, 100, 100),
        ("ugx", 0, 100, 100),
        ("huf", 2, 1, 100),
        ("twd", 2, 1, 100),
    ],
)
def test_some_currencies_move_in_steps(
    _case_currency: str, _case_decimals: int, _case_charge: int, _case_payout: int
) -> None:
    assert decimals(_case_currency) == _case_decimals
    assert (step(_case_currency), step(_case_currency, payout=True)) == (_case_charge, _case_payout)


@pytest.mark.parametrize(
    ("value", "half_away", "half_down_ceiling"),
    [
        (Fraction(5, 2), 3, 2),
        (Fraction(-5, 2), -3, -3),
        (Fraction(1, 2), 1, 0),
        (Fraction(-1, 2), -1, -1),
        (Fraction(7, 3), 2, 2),
        (Fraction(-7, 3), -2, -2),
        (Fraction(0), 0, 0),
        (Fraction(4), 4, 4),
    ],
)
def test_halves_go_where_the_mode_says(value: Fraction, half_away: int, half_down_ceiling: int) -> None:
    assert rounded(value, Rounding.HALF_AWAY) == half_away
    assert rounded(value, Rounding.HALF_DOWN_CEILING) == half_down_ceiling


@given(st.fractions(), st.sampled_from(Rounding))
def test_the_result_is_a_nearest_whole_number(value: Fraction, mode: Rounding) -> None:
    assert abs(rounded(value, mode) - value) <= HALF


@given(st.fractions())
def test_halves_away_from_zero_is_symmetric(value: Fraction) -> None:
    assert rounded(-value, Rounding.HALF_AWAY) == -rounded(value, Rounding.HALF_AWAY)


@given(st.integers())
def test_every_half_goes_away_from_zero_or_down(whole: int) -> None:
    half = whole + HALF

    assert abs(rounded(half, Rounding.HALF_AWAY)) == math.ceil(abs(half))
    assert rounded(half, Rounding.HALF_DOWN_CEILING) == math.ceil(half - HALF) == whole


@given(st.fractions(), st.fractions(), st.sampled_from(Rounding))
def test_rounding_keeps_the_order(one: Fraction, other: Fraction, mode: Rounding) -> None:
    low, high = sorted([one, other])

    assert rounded(low, mode) <= rounded(high, mode)
