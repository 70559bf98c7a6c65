"""Monthly recurring revenue, exactly."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from tests.customer.builders import item, price, state_of, subscription, told
from trueup.kernel.money import Money
from trueup.mirror.types import MirrorObject


@pytest.mark.parametrize(
    ("_case_items", "_case_mrr"),
    [
        ([item()], Fraction(4900)),
        ([item(quantity=7)], Fraction(34300)),
        ([item(price(120000, "year"))], Fraction(10000)),
        ([item(price(240000, "year", 2))], Fraction(10000)),
        ([item(price(8000, "month", 3))], Fraction(8000, 3)),
        ([item(price(1000, "week"))], Fraction(91250, 21)),
        ([item(price(5000, "week", 4))], Fraction(228125, 42)),
        ([item(price(100, "day"))], Fraction(36500, 12)),
        ([item(price(None, unit_amount_decimal="0.35"), quantity=100_000)], Fraction(35000)),
        ([item(price(None, unit_amount_decimal="12.5"))], Fraction(25, 2)),
        ([item(), item(price(1200, "year"), id="si_2")], Fraction(5000)),
        ([item(price(500, transform_quantity={"divide_by": 10, "round": "up"}), quantity=21)], Fraction(1500)),
        ([item(price(500, transform_quantity={"divide_by": 10, "round": "down"}), quantity=29)], Fraction(1000)),
        ([item(price(recurring={"interval": "month"}))], Fraction(4900)),
    ],
)
def test_mrr_is_exact(_case_items: list[dict[str, Any]], _case_mrr: Fraction) -> None:
    (mrr,) = state_of(subscription("active", *_case_items)).mrr

    assert mrr.exact == _case_mrr
    assert (mrr.currency, mrr.denominator) == ("usd", _case_mrr.denominator)


@pytest.mark.parametrize(
    "_case_item",
    [
        item(price(0)),
        item(quantity=0),
        item(quantity=None),
        item(price(recurring={"interval": "month", "interval_count": 1, "usage_type": "metered"})),
        item(price(recurring=None)),
        item(price(None)),
        item(price(None, billing_scheme="tiered", tiers=[{"unit_amount": 5, "up_to": None}])),
        item(price(None, unit_amount_decimal="1/3")),
        item(price(interval="fortnight")),
        item(price(count=0)),
        item(price(transform_quantity={"divide_by": 0, "round": "up"})),
        item(price(transform_quantity={"round": "up"})),
        item(price(currency="dollars")),
    ],
)
def test_what_is_free_metered_or_not_told_brings_no_mrr(_case_item: dict[str, Any]) -> None:
    assert state_of(subscription("active", _case_item)).mrr == ()


@pytest.mark.parametrize(
    ("_case_subscription", "_case_minor"),
    [
        (subscription("active"), [4900]),
        (subscription("past_due"), [4900]),
        (subscription("active", pause_collection={"behavior": "void"}), []),
        (subscription("past_due", pause_collection={"behavior": "void"}), []),
        (subscription("trialing"), []),
        (subscription("unpaid"), []),
        (subscription("paused"), []),
        (subscription("canceled"), []),
        (subscription("incomplete"), []),
    ],
)
def test_only_what_is_active_or_past_due_and_not_paused_brings_mrr(
    _case_subscription: MirrorObject, _case_minor: list[int]
) -> None:
    assert [mrr.minor for mrr in state_of(_case_subscription).mrr] == _case_minor


def test_mrr_is_told_per_currency_in_order_and_rounded_away_from_zero_for_display() -> None:
    state = state_of(
        subscription("active", item(price(50, "month", 4))),
        subscription("active", item(price(9900, currency="eur")), id="sub_2"),
        subscription("active", item(price(100), quantity=-1), id="sub_3", currency="gbp"),
    )

    assert [(mrr.currency, mrr.exact, mrr.minor) for mrr in state.mrr] == [
        ("eur", Fraction(9900), 9900),
        ("usd", Fraction(25, 2), 13),
    ]
    assert state.mrr[0].money == Money(minor=9900, currency="eur")


TIERED = price(None, billing_scheme="tiered", tiers_mode="volume", id="price_t")


def test_the_tiers_that_an_item_leaves_out_come_from_the_price_itself() -> None:
    tiers = [{"up_to": 5, "unit_amount": 1000}, {"up_to": None, "unit_amount": 800}]
    own = told("price", "price_t", **{**TIERED, "tiers": tiers})
    sold = subscription("active", item(TIERED, quantity=7))

    assert state_of(sold).mrr == ()
    (mrr,) = state_of(sold, own).mrr
    assert mrr.exact == Fraction(5600)


def test_the_amount_in_another_currency_comes_from_the_price_itself() -> None:
    dual = price(1000, id="price_d")
    own = told("price", "price_d", **{**dual, "currency_options": {"eur": {"unit_amount": 900}}})
    sold = subscription("active", item(dual), currency="eur")

    assert state_of(sold).mrr_unknown == ("si_1: its price in the subscription's currency is not known",)
    (mrr,) = state_of(sold, own).mrr
    assert (mrr.currency, mrr.exact) == ("eur", Fraction(900))


def test_a_price_without_an_id_is_looked_for_nowhere() -> None:
    assert len(state_of(subscription("active", item(TIERED | {"id": None}))).mrr_unknown) == 1


def test_a_subscription_that_shows_some_of_its_items_says_so() -> None:
    shown = {"object": "list", "has_more": True, "data": [item()]}
    some = told("subscription", "sub_1", customer="cus_1", status="active", items=shown)
    assert state_of(some).mrr_unknown == ("sub_1: not all of its items are known",)
