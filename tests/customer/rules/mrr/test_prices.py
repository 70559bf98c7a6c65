"""What an item costs for one period."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from tests.customer.rules.mrr.made import data, item, price, told, usd
from trueup.customer.rules.mrr.policy import Policy, WeekBasis
from trueup.customer.rules.mrr.prices import in_currency, months, per_period
from trueup.customer.rules.revenue import added, monthly

TIERS = [{"up_to": 5, "unit_amount": 700}, {"up_to": 10, "unit_amount": 650}, {"up_to": "inf", "unit_amount": 600}]
FLAT = [
    {"up_to": 5, "flat_amount": 1000, "unit_amount": 500},
    {"up_to": 10, "flat_amount": 2000},
    {"up_to": None, "flat_amount": 3000, "unit_amount": 300},
]


def tiered(mode: Any, tiers: Any, **more: Any) -> dict[str, Any]:
    return price(None, billing_scheme="tiered", tiers_mode=mode, tiers=tiers, **more)


@pytest.mark.parametrize(
    ("_case_mode", "_case_tiers", "_case_quantity", "_case_amount"),
    [
        ("graduated", TIERS, 1, 700),
        ("graduated", TIERS, 5, 3500),
        ("graduated", TIERS, 6, 4150),
        ("graduated", TIERS, 10, 6750),
        ("graduated", TIERS, 11, 7350),
        ("graduated", TIERS[::-1], 11, 7350),
        ("volume", TIERS, 5, 3500),
        ("volume", TIERS, 6, 3900),
        ("volume", TIERS, 11, 6600),
        ("graduated", FLAT, 5, 3500),
        ("graduated", FLAT, 6, 5500),
        ("graduated", FLAT, 12, 3500 + 2000 + 3000 + 600),
        ("volume", FLAT, 10, 2000),
        ("volume", FLAT, 12, 6600),
        # Stripe bills the first flat fee for nothing, too.
        ("graduated", FLAT, 0, 1000),
        ("volume", FLAT, 0, 1000),
        ("graduated", TIERS, 0, 0),
        (
            "graduated",
            [{"up_to": None, "unit_amount_decimal": "0.35", "flat_amount_decimal": "1.5"}],
            3,
            Fraction(51, 20),
        ),
    ],
)
def test_tiers_are_billed_as_stripe_does(
    _case_mode: str, _case_tiers: list[dict[str, Any]], _case_quantity: int, _case_amount: Fraction | int
) -> None:
    amount = per_period(tiered(_case_mode, _case_tiers), _case_quantity)

    assert amount is not None
    assert Fraction(*amount) == _case_amount


@pytest.mark.parametrize(
    "_case_price",
    [
        tiered("graduated", None),
        tiered("graduated", []),
        tiered("steps", TIERS),
        tiered(None, TIERS),
        tiered("volume", TIERS[:2]),
        tiered("graduated", TIERS[:2]),
        tiered("volume", [*TIERS, "tier"]),
        tiered("volume", [*TIERS, {"up_to": 20}]),
        tiered("volume", [*TIERS, {"up_to": 0, "unit_amount": 1}]),
        tiered("volume", [*TIERS, {"up_to": "many", "unit_amount": 1}]),
        tiered("volume", [*TIERS, {"up_to": 10, "unit_amount": 1}]),
        tiered("volume", [{"up_to": None, "unit_amount": -700}]),
        price(-100),
        price(None),
        price(None, unit_amount_decimal="-0.5"),
        price(transform_quantity={"divide_by": 0, "round": "up"}),
        price(transform_quantity={"divide_by": None, "round": "up"}),
    ],
)
def test_a_price_that_does_not_tell_is_unknown_and_never_zero(_case_price: dict[str, Any]) -> None:
    assert per_period(_case_price, 11) is None
    assert told(data(item(_case_price, quantity=11))).unknown == (
        "si_1: its price tells neither an amount nor the tiers",
    )


def test_a_quantity_below_zero_is_not_stripes_and_brings_nothing() -> None:
    found = told(data(item(price(), quantity=-1)))

    assert (found.mrr, found.unknown) == ((), ("si_1: its price tells neither an amount nor the tiers",))


@pytest.mark.parametrize(
    ("_case_round", "_case_quantity", "_case_packs"), [("up", 250, 3), ("down", 250, 2), ("up", 200, 2), ("up", 0, 0)]
)
def test_packages_are_rounded_as_told(_case_round: str, _case_quantity: int, _case_packs: int) -> None:
    packs = price(None, unit_amount_decimal="12.5", transform_quantity={"divide_by": 100, "round": _case_round})

    assert usd(data(item(packs, quantity=_case_quantity))) == Fraction(25, 2) * _case_packs


@pytest.mark.parametrize(
    ("_case_interval", "_case_count", "_case_months"),
    [
        ("month", 3, Fraction(3)),
        ("year", 2, Fraction(24)),
        ("week", 4, Fraction(4 * 84, 365)),
        ("day", 1, Fraction(12, 365)),
        ("day", 0, None),
        ("day", True, None),
        ("fortnight", 1, None),
        (["month"], 1, None),
    ],
)
def test_the_length_of_a_period_is_exact(_case_interval: Any, _case_count: Any, _case_months: Fraction | None) -> None:
    pair = months({"interval": _case_interval, "interval_count": _case_count})

    assert (None if pair is None else Fraction(*pair)) == _case_months


def test_a_week_may_be_a_fifty_second_of_a_year_by_policy() -> None:
    weekly = data(item(price(1200, "week")))

    assert usd(weekly, policy=Policy(week_basis=WeekBasis.YEAR_OF_52_WEEKS)) == 5200
    assert usd(weekly) == Fraction(36500, 7)
    assert usd(data(item(price(1200, "month"))), policy=Policy(week_basis=WeekBasis.YEAR_OF_52_WEEKS)) == 1200


def test_seven_daily_prices_are_a_weekly_one() -> None:
    assert usd(data(item(price(100, "day")))) == usd(data(item(price(700, "week"))))


def test_a_price_bills_in_the_subscriptions_currency() -> None:
    both = price(
        1000,
        tax_behavior="exclusive",
        currency_options={"eur": {"unit_amount": 900, "tax_behavior": "inclusive"}, "gbp": "?"},
    )

    (mrr,) = told(data(item(both), currency="EUR", default_tax_rates=[{"percentage": 20, "inclusive": True}])).mrr
    assert (mrr.currency, mrr.exact) == ("eur", Fraction(750))
    assert in_currency(both, "usd") is both
    for currency in ("gbp", "jpy"):
        found = told(data(item(both), currency=currency))
        assert (found.mrr, found.unknown) == ((), ("si_1: its price in the subscription's currency is not known",))


def test_the_rate_of_a_price_counts_what_it_alone_tells() -> None:
    assert monthly(tiered("graduated", TIERS, interval="year"), 1) == (700, 12)
    assert monthly(tiered("graduated", None), 1) is None
    assert monthly(tiered("graduated", TIERS), 6) == (4150, 1)
    assert monthly(price(interval="year"), 2) == (9800, 12)
    assert monthly(price(), None) is None
    assert monthly(price(None), 1) is None
    assert monthly({}, 1) is None
    assert monthly(price(recurring={"interval": "month", "usage_type": "metered"}), 1) is None
    assert added(None, (1, 2)) == (1, 2)
    assert added((1, 2), (1, 3)) == (5, 6)
