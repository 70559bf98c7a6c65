"""What quantities cost and how discounts are split, without any server."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.sandbox.catalog import amounts, discounts, prices
from trueup.sandbox.wire.errors import StripeError

BANDS = [{"up_to": 5, "unit_amount": 700}, {"up_to": 10, "unit_amount": 650}, {"up_to": None, "unit_amount": 600}]


def price(**told: Any) -> dict[str, Any]:
    """A price as it is stored, in dollars unless told otherwise."""
    found: dict[str, Any] = {
        "currency": "usd",
        "custom_unit_amount": None,
        "tiers_mode": None,
        "transform_quantity": None,
        "unit_amount": None,
        "unit_amount_decimal": None,
        **told,
    }
    if tiers := found.pop("tiers", None):
        blank = dict.fromkeys(("flat_amount", "flat_amount_decimal", "unit_amount", "unit_amount_decimal"))
        found["$tiers"] = [{**blank, **tier} for tier in tiers]
    return found


def coupon(**told: Any) -> dict[str, Any]:
    """A coupon as it is stored."""
    return {
        "amount_off": None,
        "currency": None,
        "percent_off": None,
        "$currency_options": {},
        "$applies_to": None,
        **told,
    }


@pytest.mark.parametrize(
    ("_case", "of", "quantity", "expected"),
    [
        ("one", price(unit_amount=2500), 1, 2500),
        ("none", price(unit_amount=2500), 0, 0),
        ("many", price(unit_amount=2500), 12, 30_000),
        ("free", price(unit_amount=0), 12, 0),
        ("a tenth of a cent, rounded down", price(unit_amount_decimal="0.1"), 4, 0),
        ("half a cent goes away from zero", price(unit_amount_decimal="0.1"), 5, 1),
        ("exact where floats are not", price(unit_amount_decimal="0.145"), 100, 15),
        ("twelve decimals", price(unit_amount_decimal="0.000000000001"), 10**12, 1),
        (
            "packages, the last one begun",
            price(unit_amount=450, transform_quantity={"divide_by": 1000, "round": "up"}),
            1001,
            900,
        ),
        (
            "packages, full ones only",
            price(unit_amount=450, transform_quantity={"divide_by": 1000, "round": "down"}),
            1999,
            450,
        ),
        ("no package", price(unit_amount=450, transform_quantity={"divide_by": 1000, "round": "up"}), 0, 0),
        ("graduated, first tier's edge", price(tiers_mode="graduated", tiers=BANDS), 5, 3500),
        ("graduated, over the edge", price(tiers_mode="graduated", tiers=BANDS), 6, 4150),
        ("graduated, second edge", price(tiers_mode="graduated", tiers=BANDS), 10, 6750),
        ("graduated, endless tier", price(tiers_mode="graduated", tiers=BANDS), 11, 7350),
        ("volume, first tier's edge", price(tiers_mode="volume", tiers=BANDS), 5, 3500),
        ("volume, over the edge", price(tiers_mode="volume", tiers=BANDS), 6, 3900),
        ("volume, second edge", price(tiers_mode="volume", tiers=BANDS), 10, 6500),
        ("volume, endless tier", price(tiers_mode="volume", tiers=BANDS), 11, 6600),
    ],
)
def test_a_line_costs(_case: str, of: dict[str, Any], quantity: int, expected: int) -> None:
    assert prices.line_amount(of, quantity) == expected


@pytest.mark.parametrize(
    ("mode", "quantity", "expected"),
    [
        ("graduated", 0, 1000),
        ("graduated", 1, 1010),
        ("graduated", 10, 1100),
        ("graduated", 11, 3105),
        ("volume", 0, 1000),
        ("volume", 10, 1100),
        ("volume", 11, 2055),
    ],
)
def test_flat_fees_are_of_the_tiers_entered_and_the_first_always_is(mode: str, quantity: int, expected: int) -> None:
    tiers = [
        {"up_to": 10, "unit_amount": 10, "flat_amount": 1000},
        {"up_to": None, "unit_amount": 5, "flat_amount": 2000},
    ]

    assert prices.line_amount(price(tiers_mode=mode, tiers=tiers), quantity) == expected


def test_fractions_of_tiers_are_rounded_once_at_the_end() -> None:
    tiers = [{"up_to": 1, "unit_amount_decimal": "0.4"}, {"up_to": None, "unit_amount_decimal": "0.3"}]

    assert prices.line_amount(price(tiers_mode="graduated", tiers=tiers), 2) == 1
    assert prices.line_amount(price(tiers_mode="graduated", tiers=tiers), 1) == 0


def test_another_currency_has_its_own_amount_and_tiers() -> None:
    yen = {"custom_unit_amount": None, "unit_amount": 300, "unit_amount_decimal": "300", "tax_behavior": "unspecified"}
    flat = price(unit_amount=200, **{"$currency_options": {"jpy": yen}})

    assert prices.line_amount(flat, 3, currency="jpy") == 900
    assert prices.unit_amount(flat, currency="jpy") == 300
    assert prices.line_amount(flat, 3, currency="usd") == 600
    with pytest.raises(StripeError, match="only supports `usd, jpy`"):
        prices.line_amount(flat, 3, currency="eur")


def test_what_the_payer_names_has_no_amount_of_its_own() -> None:
    with pytest.raises(StripeError, match="custom_unit_amount"):
        prices.line_amount(price(custom_unit_amount={"maximum": None, "minimum": None, "preset": None}), 1)


def test_one_costs_exactly_what_the_decimal_says() -> None:
    assert prices.unit_amount(price(unit_amount_decimal="0.05")) == Fraction(1, 20)
    assert prices.unit_amount(price(unit_amount=7)) == 7
    assert prices.unit_amount(price(tiers_mode="volume", tiers=BANDS)) == 0


def test_the_metric_cases_with_tiers_cost_what_they_say(shared: Path) -> None:
    cases = json.loads((shared / "metrics" / "metric_cases.json").read_text())["cases"]
    seen = 0

    for case in (one for one in cases if one["id"] in {"A13", "A14"}):
        told = case["inputs"]["prices"]["p"]
        tiers = [{**tier, "up_to": None if tier["up_to"] == "inf" else tier["up_to"]} for tier in told["tiers"]]
        quantities = [entry["items"][0]["quantity"] for entry in case["inputs"]["subscriptions"][0]["history"]]
        found = [prices.line_amount(price(tiers_mode=told["tiers_mode"], tiers=tiers), each) for each in quantities]
        assert found == [int(expected) for expected in case["expect"]]
        seen += 1
    assert seen == 2


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("2500", "2500"),
        ("10.50", "10.5"),
        ("0.10", "0.1"),
        ("7.0", "7"),
        ("0", "0"),
        ("0.000000000001", "0.000000000001"),
        ("100", "100"),
    ],
)
def test_a_decimal_is_shown_without_idle_zeros(told: str, shown: str) -> None:
    assert amounts.plain(told) == shown


@pytest.mark.parametrize(
    ("_case", "of", "lines", "expected"),
    [
        ("five dollars over one and two thirds", coupon(amount_off=500, currency="usd"), [1000, 2000], [166, 334]),
        ("more than there is", coupon(amount_off=5000, currency="usd"), [1000, 2000], [1000, 2000]),
        ("the last cannot take what remains", coupon(amount_off=30, currency="usd"), [10, 10, 10, 1], [9, 10, 10, 1]),
        ("credits get none", coupon(amount_off=500, currency="usd"), [1000, -400, 1000], [250, 0, 250]),
        ("a credit at the end", coupon(amount_off=101, currency="usd"), [100, 100, -5], [50, 51, 0]),
        ("another currency", coupon(amount_off=500, currency="eur"), [1000], [0]),
        (
            "a further currency",
            coupon(amount_off=500, currency="eur", **{"$currency_options": {"usd": {"amount_off": 7}}}),
            [1000],
            [7],
        ),
        ("a tenth", coupon(percent_off=10.0), [2500], [250]),
        ("a percentage of a sum, rounded once", coupon(percent_off=50.0), [1, 1, 1], [0, 1, 1]),
        ("a broken percentage", coupon(percent_off=25.5), [1000, 1000], [255, 255]),
        ("everything", coupon(percent_off=100.0), [333, 334], [333, 334]),
        ("nothing to take from", coupon(percent_off=100.0), [0, 0], [0, 0]),
        ("no lines", coupon(percent_off=100.0), [], []),
    ],
)
def test_a_discount_is_split(_case: str, of: dict[str, Any], lines: list[int], expected: list[int]) -> None:
    assert discounts.shares(lines, of, "usd") == expected


@given(
    lines=st.lists(st.integers(-(10**6), 10**9), max_size=12),
    off=st.one_of(
        st.integers(1, 10**10).map(lambda amount: coupon(amount_off=amount, currency="usd")),
        st.integers(1, 10_000).map(lambda percent: coupon(percent_off=percent / 100)),
    ),
)
def test_shares_sum_to_the_whole_and_none_is_more_than_its_line(lines: list[int], off: dict[str, Any]) -> None:
    found = discounts.shares(lines, off, "usd")

    assert sum(found) == amounts.taken_off(lines, off, "usd")
    assert all(0 <= share <= max(line, 0) for share, line in zip(found, lines, strict=True))


@given(quantity=st.integers(0, 40))
def test_graduated_costs_what_its_units_cost_one_by_one(quantity: int) -> None:
    one_by_one = sum(700 if unit <= 5 else 650 if unit <= 10 else 600 for unit in range(1, quantity + 1))

    assert prices.line_amount(price(tiers_mode="graduated", tiers=BANDS), quantity) == one_by_one
