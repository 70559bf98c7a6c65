"""Which events make an entry at all, what stands for a plan, and words that hold for every entry."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.customer.fold import fold
from trueup.customer.rules import QUIET_TYPES, TOLD_TYPES, entry, plan_label, products_of
from trueup.customer.rules.words import counted, day, interval, money, money_of
from trueup.customer.types import Plan
from trueup.kernel.money import Money
from trueup.mirror.errors import Unusable
from trueup.mirror.rules import facts_of
from trueup.mirror.types import Fact

FIELDS = re.findall(
    r"\w+",
    """
    address amount amount_due amount_off amount_paid amount_received amount_refunded balance behavior billing_reason
    brand cancel_at cancel_at_period_end cancellation_details card code country coupon currency current_period_end
    customer data decline_code default_payment_method description email ended_at exp_month exp_year failure_code
    feedback id interval interval_count invoice invoice_settings items last4 last_payment_error name nickname number
    object order_reference outcome paid pause_collection payment_details payment_intent percent_off phone plan price
    product quantity reason recurring refunded resumes_at source status status_details subscription total trial_end
    trial_start type unit_amount
    """,
)
SCALARS = [None, True, False, -1, 0, 1, 3, 4900, 1_779_782_400, 10**15, 0.5, "", "usd", "jpy", "month", "x", "prod_1"]
STATUSES = ["active", "trialing", "past_due", "unpaid", "paused", "canceled", "incomplete", "card", "won", "in_1"]
JUNK = st.recursive(
    st.sampled_from([*SCALARS, *STATUSES]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=12,
)
DATA = st.dictionaries(st.sampled_from(FIELDS), JUNK, max_size=10)
FACTS = st.builds(
    Fact,
    object_type=st.sampled_from(["subscription", "customer", "card", "payment_method", "invoice"]),
    object_id=st.just("x_1"),
    created=st.integers(0, 253_402_300_799),
    event_id=st.just("evt_1"),
    event_type=st.sampled_from([*sorted(TOLD_TYPES), "unknown.type"]),
    deleted=st.booleans(),
    data=DATA,
    previous=st.none() | DATA,
)


@given(FACTS)
@settings(max_examples=300, deadline=None)
def test_any_fact_makes_one_sentence_or_none(fact: Fact) -> None:
    found = entry(fact, product_names={"prod_1": "Pro"})

    assert all(isinstance(product, str) for product in products_of(fact))
    assert found is None or (fact.event_type in TOLD_TYPES and found.title == found.title.strip() != "")
    assert found is None or "None" not in found.title + found.detail
    assert found is None or msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found


def test_no_type_is_both_told_and_quiet() -> None:
    assert not TOLD_TYPES & QUIET_TYPES


def test_every_type_around_customers_in_the_catalogue_is_told_or_quiet(shared: Path) -> None:
    around = (
        "charge.", "checkout.session.", "credit_note.", "customer.", "entitlements.", "invoice.", "invoice_payment.",
        "invoiceitem.", "payment_intent.", "payment_method.", "promotion_code.", "refund.", "setup_intent.",
        "subscription_schedule.",
    )  # fmt: skip
    with (shared / "stripe" / "events_snapshot.csv").open(newline="", encoding="utf-8") as source:
        catalogued = {row["type"] for row in csv.DictReader(source)}

    assert {name for name in catalogued if name.startswith(around)} - TOLD_TYPES - QUIET_TYPES == set()
    assert QUIET_TYPES - catalogued == set()
    # Types of old API versions that the catalogue no longer lists.
    assert TOLD_TYPES - catalogued == {
        "customer.bank_account.created",
        "customer.bank_account.deleted",
        "customer.card.created",
        "customer.card.deleted",
        "payment_method.card_automatically_updated",
    }


@pytest.mark.parametrize("_case_type", sorted(QUIET_TYPES))
def test_quiet_types_make_no_entry(_case_type: str) -> None:
    fact = Fact(
        object_type="invoice",
        object_id="in_1",
        created=5,
        event_id="evt_1",
        event_type=_case_type,
        deleted=False,
        data={"amount_paid": 5, "currency": "usd"},
    )

    assert entry(fact, product_names={}) is None


def test_recorded_events_are_told_in_words_without_codes_or_gaps(shared: Path) -> None:
    corpus = shared / "stripe" / "corpus"
    with (corpus / "INDEX.csv").open(newline="", encoding="utf-8") as source:
        files = [row["file"] for row in csv.DictReader(source) if row["kind"] == "event"]

    titles: Counter[str] = Counter()
    for name in files:
        try:
            fact = facts_of(json.loads((corpus / name).read_bytes()))
        except Unusable:
            continue
        found = entry(fact, product_names={}) if fact is not None else None
        if found is not None:
            titles[found.title] += 1

    assert sum(titles.values()) > 60
    assert [title for title in titles if re.search(r"None|[a-z]_[a-z]|\{|  |\.$", title)] == []
    assert titles["Name changed from Before to After"] + titles["Canceled"] + titles["Became a customer"] > 4


def plan(**changes: Any) -> Plan:
    values: dict[str, Any] = dict.fromkeys(Plan.__struct_fields__) | {"subscription_id": "sub_1"} | changes
    return Plan(**values)


@pytest.mark.parametrize(
    ("_case_plans", "_case_label"),
    [
        ((), (None, None)),
        ((plan(product_name="Pro", nickname="n", price_id="p", quantity=5), plan(product_name="B")), ("Pro", 5)),
        ((plan(nickname="Pro yearly", price_id="p"),), ("Pro yearly", None)),
        ((plan(price_id="price_1"),), ("price_1", None)),
        ((plan(),), (None, None)),
    ],
)
def test_the_main_plan_stands_for_all(
    _case_plans: tuple[Plan, ...], _case_label: tuple[str | None, int | None]
) -> None:
    state = msgspec.structs.replace(fold("cus_1", []), plans=_case_plans)

    assert plan_label(state) == _case_label


@pytest.mark.parametrize(
    ("_case_minor", "_case_currency", "_case_words"),
    [
        (4900, "usd", "$49.00"),
        (123_456_789, "usd", "$1,234,567.89"),
        (-50, "eur", "-€0.50"),
        (0, "gbp", "£0.00"),
        (5000, "jpy", "¥5,000"),
        (1200, "chf", "CHF 12.00"),
        (-1200, "chf", "-CHF 12.00"),
        (1234, "kwd", "KWD 1.234"),
    ],
)
def test_money_is_told_as_people_write_it(_case_minor: int, _case_currency: str, _case_words: str) -> None:
    assert money(Money(minor=_case_minor, currency=_case_currency)) == _case_words


def test_money_is_only_told_when_both_halves_are_known() -> None:
    assert money_of(100, "USD") == Money(minor=100, currency="usd")
    assert money_of(None, "usd") is None
    assert money_of(100, None) is None


def test_every_month_has_its_name() -> None:
    days = [day(datetime(2026, month, 1, tzinfo=UTC)) for month in range(1, 13)]

    assert days == [datetime(2026, month, 1, tzinfo=UTC).strftime("%B 1, 2026") for month in range(1, 13)]


def test_days_numbers_and_intervals_are_told_in_english() -> None:
    assert day(datetime(2026, 5, 6, 23, tzinfo=UTC)) == "May 6, 2026"
    assert [counted(number, "day") for number in (0, 1, 1200)] == ["0 days", "1 day", "1,200 days"]
    assert interval({"interval": "week", "interval_count": 1}) == "weekly"
    assert interval({"interval": "year"}) == "yearly"
    assert interval({"interval": "fortnight"}) == "every fortnight"
    assert interval({"interval": "week", "interval_count": 4}) == "every 4 weeks"
    assert interval(None) is None
