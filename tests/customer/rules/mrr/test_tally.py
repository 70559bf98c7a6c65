"""MRR of whole subscriptions: what is added up, kept apart, and said to be unknown."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.customer.builders import state_of, subscription
from tests.customer.rules.mrr.made import NOW, coupon, data, discount, item, price, told, usd

UNITS = st.sampled_from(["day", "week", "month", "year"])
AMOUNTS = st.integers(0, 10**7)
QUANTITIES = st.integers(0, 10**5)
PRICES = st.builds(price, AMOUNTS, UNITS, st.integers(1, 24))
ITEMS = st.builds(item, PRICES, QUANTITIES)
PERCENTS = st.builds(lambda percent: discount(coupon(percent)), st.integers(0, 100))
OFF = st.builds(lambda amount: discount(coupon(amount=amount)), AMOUNTS)


def test_items_and_intervals_add_up() -> None:
    one = data(item(price(120_000, "year"), id="si_a"), item(price(1000), quantity=5, id="si_b"))

    assert usd(one) == 15_000
    assert usd(one, one) == 30_000


def test_currencies_are_kept_apart_and_zeros_left_out() -> None:
    found = told(
        data(item(price(9900, currency="eur"))),
        data(item(price(3000, currency="JPY"))),
        data(item(price(0, currency="gbp"))),
        data(),
    )

    assert [(mrr.currency, mrr.exact, mrr.minor) for mrr in found.mrr] == [
        ("eur", Fraction(9900), 9900),
        ("jpy", Fraction(3000), 3000),
        ("usd", Fraction(4900), 4900),
    ]


@pytest.mark.parametrize(
    "_case_item",
    [
        item(price(recurring=None)),
        item(price(recurring={"interval": "month", "usage_type": "metered"}), quantity=None),
        item(price(type="one_time", recurring=None)),
    ],
)
def test_one_time_and_metered_prices_are_never_mrr(_case_item: dict[str, Any]) -> None:
    found = told(data(_case_item))

    assert (found.mrr, found.unknown) == ((), ())


@pytest.mark.parametrize(
    ("_case_item", "_case_sentence"),
    [
        (item("price_1"), "si_1: its price is not known"),
        (item({}), "si_1: its price is not known"),
        ({"id": "si_2", "price": 5}, "si_2: its price is not known"),
        (item(quantity=None, id=None), "an item without an id: its quantity is not known"),
        (item(price(interval="fortnight")), "si_1: its interval is not known"),
        (item(price(currency="dollars")), "si_1: its price in the subscription's currency is not known"),
    ],
)
def test_what_is_not_told_brings_nothing_and_is_named(_case_item: dict[str, Any], _case_sentence: str) -> None:
    found = told(data(_case_item))

    assert (found.mrr, found.unknown) == ((), (_case_sentence,))


def test_only_what_can_be_read_is_read() -> None:
    assert told({"status": "active", "items": ["si_1"]}).mrr == ()
    assert told({"status": "active", "items": None}).mrr == ()


def test_a_moment_outside_the_calendar_is_moved_to_its_edge() -> None:
    one = data(discounts=[discount(coupon(50), end=NOW + 60)])

    assert usd(one, at=10**18) == 4900
    assert told(one, at=-5).changes_at == NOW


def test_the_fold_takes_discounts_off_as_of_its_newest_fact() -> None:
    half = discount(coupon(50), end=NOW + 1)

    before = state_of(subscription("active", discounts=[half]))
    renewed = item(current_period_start=NOW + 5)
    after = state_of(subscription("active", renewed, discounts=[half], when=NOW + 9))

    assert [mrr.exact for mrr in before.mrr] == [2450]
    assert [mrr.exact for mrr in after.mrr] == [4900]


@given(PRICES, QUANTITIES)
@settings(max_examples=100)
def test_per_unit_mrr_is_linear_in_quantity(of: dict[str, Any], quantity: int) -> None:
    one = usd(data(item(of, quantity=1)))

    assert usd(data(item(of, quantity=quantity))) == one * quantity


@given(st.lists(ITEMS, min_size=1, max_size=4), st.lists(PERCENTS | OFF, max_size=3), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_discounts_never_raise_mrr_nor_make_it_negative_and_items_come_in_any_order(
    items: list[dict[str, Any]], discounts: list[dict[str, Any]], order: Any
) -> None:
    shuffled = order.sample(items, len(items))
    plain = told(data(*items)).mrr
    less = told(data(*items, discounts=discounts))

    amounts = [sum((mrr.exact for mrr in found), Fraction(0)) for found in (less.mrr, plain)]
    assert 0 <= amounts[0] <= amounts[1]
    assert told(data(*shuffled, discounts=discounts)) == less


@given(ITEMS, st.lists(PERCENTS, max_size=4) | st.lists(OFF, max_size=4), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_percents_alone_and_amounts_alone_may_come_in_any_order(
    of: dict[str, Any], discounts: list[dict[str, Any]], order: Any
) -> None:
    shuffled = order.sample(discounts, len(discounts))

    assert usd(data(of, discounts=discounts)) == usd(data(of, discounts=shuffled))


@given(st.lists(st.tuples(st.sampled_from(["usd", "eur", "jpy"]), PRICES), max_size=5))
@settings(max_examples=100)
def test_mrr_is_the_sum_of_subscriptions_for_each_currency(pairs: list[tuple[str, dict[str, Any]]]) -> None:
    every = [data(item({**of, "currency": currency})) for currency, of in pairs]

    found = {mrr.currency: mrr.exact for mrr in told(*every).mrr}

    for currency in ("usd", "eur", "jpy"):
        mine = [mrr.exact for one in every for mrr in told(one).mrr if mrr.currency == currency]
        assert found.get(currency, Fraction(0)) == sum(mine, Fraction(0))


@given(
    st.integers(NOW - 10**7, NOW + 10**7),
    UNITS,
    st.integers(NOW - 10**7, NOW + 10**7),
    st.integers(0, 10**7),
    st.integers(0, 10**7),
)
@settings(max_examples=200)
def test_nothing_changes_before_the_moment_told(anchor: int, unit: str, start: int, lasts: int, later: int) -> None:
    one = data(
        item(price(1000, unit), current_period_end=None),
        billing_cycle_anchor=anchor,
        discounts=[discount(coupon(50, duration="repeating"), start=start, end=start + lasts)],
    )
    now = told(one)

    then = told(one, at=NOW + later)
    if now.changes_at is None or NOW + later < now.changes_at:
        assert (then.mrr, then.changed) == (now.mrr, now.changed)
    else:
        turned = told(one, at=now.changes_at)
        assert turned.mrr != now.mrr
        assert turned.changed is not None
        assert (turned.changed.at, told(one, at=now.changes_at - 1)) == (now.changes_at, now)
