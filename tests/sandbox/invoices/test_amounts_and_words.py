"""The arithmetic and the words of invoices, without a sandbox."""

# ruff: noqa: RUF001 - Stripe writes the multiplication sign

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.sandbox.catalog.amounts import cost
from trueup.sandbox.catalog.discounts import shares
from trueup.sandbox.invoices import lines, texts, tiers, totals

PRODUCT = {"name": "Pro", "unit_label": None}
MONTHLY = {"interval": "month", "interval_count": 1}


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (Fraction(2000), "usd", "$20.00"),
        (Fraction(123_456_700), "usd", "$1,234,567.00"),
        (Fraction(1, 2), "usd", "$0.005"),
        (Fraction(-250), "eur", "-€2.50"),
        (Fraction(500), "jpy", "¥500"),
        (Fraction(6000), "dkk", "DKK 60.00"),
        (Fraction(0), "usd", "$0.00"),
        (Fraction(1500), "kwd", "KWD 1.500"),
    ],
)
def test_money_is_written_as_people_do(minor: Fraction, currency: str, shown: str) -> None:
    assert texts.money(minor, currency) == shown


def test_words_are_those_recorded() -> None:
    quarterly = {"interval": "month", "interval_count": 3}

    assert texts.of_period(1, PRODUCT, Fraction(1000), "usd", MONTHLY) == "1 × Pro (at $10.00 / month)"
    assert texts.of_period(2, PRODUCT, Fraction(90_000), "usd", quarterly) == "2 × Pro (at $900.00 / every 3 months)"
    assert texts.of_trial(1, {"name": "Pro", "unit_label": "user"}) == "Free trial for 1 user × Pro"
    assert texts.of_proration(1, PRODUCT, 1_762_182_249, credit=True) == "Unused time on Pro after 03 Nov 2025"
    assert texts.of_proration(3, PRODUCT, 1_762_182_249, credit=False) == "Remaining time on 3 × Pro after 03 Nov 2025"


@given(
    bounds=st.lists(st.integers(1, 50), max_size=4, unique=True).map(sorted),
    prices=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 300)), min_size=5, max_size=5),
    quantity=st.integers(0, 80),
    mode=st.sampled_from(["graduated", "volume"]),
)
def test_tiers_cost_what_the_price_costs(
    bounds: list[int], prices: list[tuple[int, int]], quantity: int, mode: str
) -> None:
    table = [
        {
            "up_to": up_to,
            "unit_amount": unit,
            "unit_amount_decimal": str(unit),
            "flat_amount": flat,
            "flat_amount_decimal": str(flat),
        }
        for up_to, (unit, flat) in zip([*bounds, None], prices, strict=False)
    ]

    found = tiers.reached(table, mode, quantity)

    assert sum(tier.quantity for tier in found) == quantity
    if quantity:
        whole = cost({"tiers": table, "tiers_mode": mode}, quantity)
        assert sum(tier.quantity * tier.unit_amount + tier.flat for tier in found) == whole


@pytest.mark.parametrize(
    ("total", "balance", "due", "after"),
    [
        (1000, 0, 1000, 0),
        (1000, -300, 700, 0),
        (1000, -1500, 0, -500),
        (1000, 200, 1200, 0),
        (30, 0, 0, 30),
        (30, 30, 60, 0),
        (50, 0, 50, 0),
        (-700, 0, 0, -700),
        (-700, 900, 200, 0),
        (0, 0, 0, 0),
    ],
)
def test_a_balance_is_settled(total: int, balance: int, due: int, after: int) -> None:
    assert totals.settled(total, balance, 50) == (due, after)


@given(total=st.integers(-10_000, 10_000), balance=st.integers(-10_000, 10_000), minimum=st.integers(1, 500))
def test_what_is_due_and_left_is_what_was_owed(total: int, balance: int, minimum: int) -> None:
    due, after = totals.settled(total, balance, minimum)

    assert due + after == total + balance
    assert due >= 0
    assert due == 0 or due >= minimum


def _line(amount: int, discounts: list[str], *, discountable: bool) -> dict[str, Any]:
    return {"amount": amount, "discountable": discountable, "discounts": discounts, "pricing": None}


@given(
    amounts=st.lists(st.tuples(st.integers(-5000, 5000), st.booleans(), st.booleans()), max_size=6),
    percent=st.integers(1, 100),
    off=st.integers(1, 9000),
)
def test_discounts_never_take_more_than_there_is(amounts: list[tuple[int, bool, bool]], percent: int, off: int) -> None:
    percentage = {"amount_off": None, "percent_off": percent, "currency": None}
    fixed = {"amount_off": off, "percent_off": None, "currency": "usd"}
    terms = {
        "di_p": totals.Terms(discount="di_p", coupon=percentage),
        "di_f": totals.Terms(discount="di_f", coupon=fixed),
    }
    given_lines = [_line(amount, ["di_p"] if own else [], discountable=open_) for amount, own, open_ in amounts]
    invoice: dict[str, Any] = {"lines": {"data": given_lines}}

    totals.discount(given_lines, terms, ["di_f", "di_p"], "usd", shares)
    totals.add_up(invoice)

    for line in given_lines:
        taken = sum(one["amount"] for one in line["discount_amounts"])
        assert 0 <= taken <= max(line["amount"], 0)
        assert line["discountable"] or not taken
    assert invoice["total"] == invoice["subtotal"] - sum(one["amount"] for one in invoice["total_discount_amounts"])


@pytest.mark.parametrize(
    ("value", "shown"), [(Fraction(1000), "1000"), (Fraction(1, 2), "0.5"), (Fraction(0), "0"), (Fraction(-5), "-5")]
)
def test_decimals_are_written_as_stripe_does(value: Fraction, shown: str) -> None:
    assert lines.decimal(value) == shown
