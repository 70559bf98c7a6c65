"""What coupons take off, in which order, and until when."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from tests.customer.rules.mrr.made import DAY, MONTH_LATER, NOW, coupon, data, discount, item, price, told, usd
from tests.customer.rules.mrr.test_cycles import on
from trueup.customer.rules.mrr.discounts import Line, Span, counted, percentage, span, take_off
from trueup.customer.rules.mrr.policy import DEFAULT, DiscountEnd, Discounts, Policy

MONTHLY = item(price(10_000))
YEARLY = item(price(120_000, "year"))
TWENTY = discount(coupon(20))
TEN_DOLLARS = discount(coupon(amount=1000))
NOTHING: dict[str, dict[str, Any]] = {}


@pytest.mark.parametrize(
    ("_case_discounts", "_case_mrr"),
    [
        ([TWENTY], 8000),
        ([TWENTY, TEN_DOLLARS], 7000),
        ([TEN_DOLLARS, TWENTY], 7200),
        ([TWENTY, TWENTY], 6400),
        ([discount(coupon(33.3))], 6670),
        ([discount(coupon("12.5"))], 8750),
        ([discount(coupon(100))], 0),
        ([discount(coupon(amount=99_999))], 0),
        ([discount(coupon(100)), TEN_DOLLARS], 0),
        ([discount(coupon(amount=1000, currency="eur"))], 10_000),
        ([discount(coupon(amount=900, currency="EUR", currency_options={"usd": {"amount_off": 1000}}))], 9000),
        ([discount(coupon(amount=900, currency="eur", currency_options={"usd": {"amount_off": -5}}))], 10_000),
        ([discount(coupon(20, duration="once"))], 10_000),
    ],
)
def test_discounts_are_taken_off_in_the_order_told(_case_discounts: list[Any], _case_mrr: int) -> None:
    assert usd(data(MONTHLY, discounts=_case_discounts)) == _case_mrr


def test_an_amount_is_taken_off_each_invoice_and_not_each_month() -> None:
    assert usd(data(YEARLY, discounts=[TEN_DOLLARS])) == Fraction(119_000, 12)


def test_an_items_discount_comes_before_its_subscriptions() -> None:
    half = item(price(6000), id="si_a", discounts=[discount(coupon(50))])
    other = item(price(4000), id="si_b")

    assert usd(data(half, other, discounts=[discount(coupon(amount=700))])) == 6300
    assert usd(data(other, half, discounts=[discount(coupon(amount=700))])) == 6300


def test_an_amount_is_split_over_items_by_what_is_left_of_them() -> None:
    taxed = item(price(6000, tax_behavior="inclusive"), id="si_a", tax_rates=[{"inclusive": True, "percentage": 20}])
    other = item(price(4000), id="si_b")

    assert usd(data(taxed, other, discounts=[TEN_DOLLARS])) == Fraction(5400) / Fraction(6, 5) + 3600


def test_an_amount_off_items_of_several_intervals_is_not_defined_and_said() -> None:
    found = told(data(MONTHLY, YEARLY, discounts=[TEN_DOLLARS]))

    assert [mrr.exact for mrr in found.mrr] == [20_000]
    assert found.unknown == (
        "an amount off each invoice is not defined for items that are billed at different intervals",
    )
    assert usd(data(MONTHLY, YEARLY, discounts=[TWENTY])) == 16_000


def test_a_coupon_for_some_products_leaves_the_others_alone() -> None:
    base, extra = item(price(3000, product="prod_a"), id="si_a"), item(price(2000, product="prod_b"), id="si_b")
    only: dict[str, Any] = {"applies_to": {"products": ["prod_b", 5]}}

    assert usd(data(base, extra, discounts=[discount(coupon(50, **only))])) == 4000
    assert usd(data(base, extra, discounts=[discount(coupon(amount=2500, **only))])) == 3000
    assert usd(data(base, discounts=[discount(coupon(amount=2500, **only))])) == 3000


def test_a_customers_discount_counts_where_the_subscription_has_none_running() -> None:
    customer = {"discount": discount(coupon(50))}

    assert usd(data(MONTHLY), customer=customer) == 5000
    assert usd(data(MONTHLY, discounts=[TWENTY]), customer=customer) == 8000
    assert usd(data(MONTHLY, discounts=[discount(coupon(20), end=NOW)]), customer=customer) == 5000
    assert usd(data(MONTHLY), customer={"discount": None}) == 10_000
    assert told(data(MONTHLY, discounts=["di_9"]), customer=customer).mrr[0].exact == 10_000


def test_what_is_only_named_is_looked_up() -> None:
    known = {"di_1": discount("co_1"), "co_1": coupon(20), "price_1": price(10_000)}

    assert usd(data(item("price_1"), discounts=["di_1"]), known=known) == 8000
    assert usd(data(MONTHLY, discounts=[{"coupon": coupon(20)}])) == 8000


@pytest.mark.parametrize(
    ("_case_discount", "_case_sentence"),
    [
        ("di_1", "discount di_1 is not known"),
        (5, "discount without an id is not known"),
        (discount("co_1"), "coupon co_1 of discount di_1 is not known"),
        ({"id": "di_1"}, "coupon without an id of discount di_1 is not known"),
        (discount(coupon()), "coupon co_1 takes off neither a percentage nor an amount"),
        (discount(coupon(120)), "coupon co_1 takes off neither a percentage nor an amount"),
        (
            discount({"amount_off": 5, "percent_off": True}),
            "coupon without an id takes off neither a percentage nor an amount",
        ),
    ],
)
def test_a_discount_that_cannot_be_read_takes_nothing_off_and_is_said(_case_discount: Any, _case_sentence: str) -> None:
    found = told(data(MONTHLY, discounts=[_case_discount]))

    assert [mrr.exact for mrr in found.mrr] == [10_000]
    assert found.unknown == (_case_sentence,)


@pytest.mark.parametrize(
    ("_case_policy", "_case_durations"),
    [
        (Discounts.RECURRING, {"forever", "repeating"}),
        (Discounts.ALL, {"forever", "repeating", "once"}),
        (Discounts.FOREVER, {"forever"}),
        (Discounts.NONE, set()),
    ],
)
def test_policy_says_which_durations_count(_case_policy: Discounts, _case_durations: set[str]) -> None:
    for duration in ("forever", "repeating", "once"):
        off = 2000 if duration in _case_durations else 0
        found = usd(
            data(MONTHLY, discounts=[discount(coupon(20, duration=duration))]), policy=Policy(discounts=_case_policy)
        )
        assert found == 10_000 - off


def test_a_repeating_discount_ends_with_the_renewal_on_or_after_its_end() -> None:
    start = on("2025-01-01")
    one = data(
        item(price(120_000, "year"), current_period_end=None),
        billing_cycle_anchor=start,
        discounts=[discount(coupon(50, duration="repeating"), start=start, end=on("2025-04-01"))],
    )

    assert usd(one, at=on("2025-12-31")) == 5000
    assert usd(one, at=on("2026-01-01")) == 10_000
    assert told(one, at=start).changes_at == on("2026-01-01")
    assert told(one, at=on("2026-01-01")).changes_at is None
    immediate = Policy(discount_end=DiscountEnd.IMMEDIATE)
    assert usd(one, at=on("2025-03-31"), policy=immediate) == 5000
    assert usd(one, at=on("2025-04-01"), policy=immediate) == 10_000
    assert told(one, at=start, policy=immediate).changes_at == on("2025-04-01")


def test_a_discount_for_some_months_without_an_end_ends_after_them() -> None:
    one = data(MONTHLY, discounts=[discount(coupon(50, duration="repeating", duration_in_months=3), start=NOW)])

    assert told(one).changes_at == on("2024-02-14T22:13:20")
    assert usd(one, at=on("2024-02-14T22:13:20")) == 10_000
    assert (
        usd(data(MONTHLY, discounts=[discount(coupon(50, duration="repeating", duration_in_months=3), start=None)]))
        == 5000
    )


def test_a_discount_counts_from_its_start_and_is_awaited() -> None:
    one = data(MONTHLY, discounts=[discount(coupon(50), start=NOW + DAY)])

    assert usd(one) == 10_000
    assert told(one).changes_at == NOW + DAY
    assert usd(one, at=NOW + DAY) == 5000


def test_a_discount_of_one_invoice_counts_for_that_invoices_period_where_policy_wants_it() -> None:
    every = Policy(discounts=Discounts.ALL)
    given_in_the_middle = discount(coupon(50, duration="once"), start=on("2025-01-10"))
    given_at_the_start = discount(coupon(50, duration="once"), start=on("2025-01-01"))
    plain = item(price(10_000), current_period_end=None)

    def one(of: dict[str, Any]) -> dict[str, Any]:
        return data(plain, billing_cycle_anchor=on("2025-01-01"), discounts=[of])

    assert told(one(given_at_the_start), at=on("2025-01-05"), policy=every).changes_at == on("2025-02-01")
    assert usd(one(given_at_the_start), at=on("2025-02-01"), policy=every) == 10_000
    # The next invoice is February's, so it is discounted until March.
    assert told(one(given_in_the_middle), at=on("2025-01-10"), policy=every).changes_at == on("2025-03-01")
    assert usd(one(given_in_the_middle), at=on("2025-02-28"), policy=every) == 5000


def test_without_a_known_renewal_a_discount_ends_at_its_end() -> None:
    unknown = item(price(10_000), current_period_end=None)
    ends = discount(coupon(50), end=MONTH_LATER)
    once = discount(coupon(50, duration="once"))

    def one(of: dict[str, Any]) -> dict[str, Any]:
        return data(unknown, billing_cycle_anchor=None, discounts=[of])

    assert told(one(ends)).changes_at == MONTH_LATER
    assert usd(one(ends), at=MONTH_LATER) == 10_000
    assert usd(one(once), policy=Policy(discounts=Discounts.ALL)) == 5000


def test_renewals_that_no_calendar_has_leave_a_discount_running() -> None:
    ages = item(price(10_000, count=10**9), current_period_end=None)
    one = data(ages, discounts=[discount(coupon(50), end=NOW + DAY)])
    once = data(ages, discounts=[discount(coupon(50, duration="once"), start=NOW + 1)])

    assert told(one, at=NOW + 2 * DAY).mrr[0].exact == Fraction(5000, 10**9)
    assert told(one, at=NOW).changes_at is None
    assert told(data(ages, billing_cycle_anchor=NOW + 9 * DAY, discounts=[discount(coupon(50), end=NOW)])).mrr[
        0
    ].exact == Fraction(5000, 10**9)
    assert told(once, at=NOW + DAY, policy=Policy(discounts=Discounts.ALL)).changes_at is None


def test_the_earliest_of_several_changes_is_told() -> None:
    ends = [discount(coupon(10), end=NOW + days * DAY) for days in (70, 40, 100)]

    assert told(data(MONTHLY, discounts=ends)).changes_at == on("2024-01-14T22:13:20")


def test_a_discount_that_is_over_before_it_begins_is_not_awaited() -> None:
    never = discount(coupon(50), start=NOW + DAY, end=NOW + DAY)
    one = data(item(price(10_000), current_period_end=None), billing_cycle_anchor=NOW + DAY, discounts=[never])

    assert told(one).changes_at is None
    assert usd(one, at=NOW + DAY) == 10_000


def test_a_discount_counts_from_its_start_until_and_not_with_its_end() -> None:
    (found, never), problems = counted(
        [discount(coupon(10), end=NOW + DAY), discount(coupon(10), end=NOW)], NOTHING.get, DEFAULT
    )
    counts = span(found, None, DEFAULT)

    assert problems == []
    assert counts == Span(NOW, NOW + DAY)
    assert [counts.holds(at) for at in (NOW - 1, NOW, NOW + DAY - 1, NOW + DAY)] == [False, True, True, False]
    assert span(never, None, DEFAULT) is None


def test_the_last_moment_that_changed_the_answer_is_told_with_its_cause() -> None:
    plain = item(price(10_000), current_period_end=None)
    begins, ends = discount(coupon(50), start=NOW + DAY), discount(coupon(10), end=NOW + 2 * DAY)
    one = data(plain, billing_cycle_anchor=None, discounts=[begins, ends])

    assert told(one, at=NOW - 1).changed is None
    assert told(one, at=NOW).changed == (NOW, "discount_began")
    assert told(one, at=NOW + DAY).changed == (NOW + DAY, "discount_began")
    assert told(one, at=NOW + 9 * DAY).changed == (NOW + 2 * DAY, "discount_ended")


def test_a_period_that_began_out_of_order_ends_a_discount_as_a_renewal_does() -> None:
    shorter = item(price(10_000), current_period_start=NOW + 3 * DAY, current_period_end=None)
    one = data(shorter, discounts=[discount(coupon(50), end=NOW + 2 * DAY)])

    assert told(one).changes_at == NOW + 3 * DAY
    assert usd(one, at=NOW + 3 * DAY - 1) == 5000
    assert usd(one, at=NOW + 3 * DAY) == 10_000
    ages = item(price(10_000, count=10**9), current_period_start=NOW + 3 * DAY, current_period_end=None)
    assert told(data(ages, discounts=[discount(coupon(50), end=NOW + 2 * DAY)])).changes_at == NOW + 3 * DAY


def test_an_amount_off_is_matched_to_each_lines_currency() -> None:
    (found,), _ = counted(
        [discount(coupon(amount=1000, currency_options={"eur": {"amount_off": 300}}))], NOTHING.get, DEFAULT
    )
    lines = [
        Line(amount=Fraction(amount), months=Fraction(1), currency=currency, product=None, cycle=None, tax=Fraction(0))
        for amount, currency in ((2000, "usd"), (2000, "eur"), (2000, "jpy"), (0, "usd"))
    ]

    assert take_off(found, lines) is None
    assert [line.amount for line in lines] == [1000, 1700, 2000, 0]


@pytest.mark.parametrize(
    ("_case_value", "_case_share"),
    [
        (20, Fraction(1, 5)),
        (0, Fraction(0)),
        (100, Fraction(1)),
        (33.33, Fraction(3333, 10_000)),
        ("33.33", Fraction(3333, 10_000)),
        (1e-07, Fraction(1, 10**9)),
        (100.01, None),
        (-1, None),
        (float("inf"), None),
        (float("nan"), None),
        ("1/3", None),
        ("1e9", None),
        (True, None),
        (None, None),
    ],
)
def test_a_percentage_is_read_as_stripe_wrote_it(_case_value: Any, _case_share: Fraction | None) -> None:
    assert percentage(_case_value) == _case_share
