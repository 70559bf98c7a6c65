"""The six fields that growth tools keep about a contact, and what stands beside them."""

from __future__ import annotations

import json
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.customer.builders import DAY, NOW, at, customer, item, price, state_of, subscription
from trueup.customer.rules.contact import CONTACT_FIELDS, billing_status_4, contact_details, contact_fields
from trueup.customer.types import BILLING_STATUS_4, CustomerState, Mrr, Plan, Stage
from trueup.kernel.money import Rounding, rounded
from trueup.kernel.time import zone

STATUSES = [*BILLING_STATUS_4, "a_status_of_tomorrow", None]


def mrr(currency: str, exact: Fraction) -> Mrr:
    return Mrr(
        currency=currency,
        numerator=exact.numerator,
        denominator=exact.denominator,
        minor=rounded(exact, Rounding.HALF_AWAY),
    )


def plan(**values: Any) -> Plan:
    fields: dict[str, Any] = dict.fromkeys(Plan.__struct_fields__) | {"subscription_id": "sub_1"} | values
    return Plan(**fields)


def changed(state: CustomerState, **values: Any) -> CustomerState:
    return msgspec.structs.replace(state, **values)


LEAD = state_of()


def test_a_paying_customer_has_all_six() -> None:
    paying = state_of(
        customer(currency="usd", invoice_settings={"default_payment_method": "pm_1"}),
        subscription("active", item(price(), 2), start_date=NOW, trial_end=NOW - DAY),
    )

    assert contact_fields(paying) == {
        "plan": "price_1",
        "mrr": "98.00",
        "billing_status": "active",
        "trial_end_date": "2023-11-13",
        "subscription_start_date": "2023-11-14",
        "payment_method": True,
    }
    assert contact_details(paying) == {
        "stripe_billing_status": "active",
        "mrr_currency": "usd",
        "mrr_by_currency": {"usd": "98.00"},
    }


def test_a_lead_has_none_of_them() -> None:
    assert contact_fields(LEAD) == {
        "plan": None,
        "mrr": "0",
        "billing_status": None,
        "trial_end_date": None,
        "subscription_start_date": None,
        "payment_method": None,
    }
    assert contact_details(LEAD) == {"stripe_billing_status": None, "mrr_currency": None, "mrr_by_currency": {}}
    assert contact_fields(state_of(customer(currency="jpy")))["mrr"] == "0"
    assert contact_fields(state_of(customer(currency="usd")))["payment_method"] is False


def test_a_date_is_the_one_of_the_zone_that_is_asked_for() -> None:
    state = changed(LEAD, trial_end=at(NOW), subscribed_since=at(NOW) - timedelta(hours=22))

    in_utc, in_auckland = contact_fields(state), contact_fields(state, where=zone("Pacific/Auckland"))

    assert (in_utc["trial_end_date"], in_auckland["trial_end_date"]) == ("2023-11-14", "2023-11-15")
    assert (in_utc["subscription_start_date"], in_auckland["subscription_start_date"]) == ("2023-11-14", "2023-11-14")


@pytest.mark.parametrize(
    ("_case_eight", "_case_four"),
    [
        ("active", "active"),
        ("trialing", "trialing"),
        ("past_due", "past_due"),
        ("unpaid", "past_due"),
        ("incomplete", "past_due"),
        ("canceled", "canceled"),
        ("incomplete_expired", "canceled"),
        ("paused", "canceled"),
        ("a_status_of_tomorrow", None),
    ],
)
def test_eight_statuses_are_published_as_four(_case_eight: str, _case_four: str | None) -> None:
    state = state_of(customer(), subscription(_case_eight))

    assert contact_fields(state)["billing_status"] == billing_status_4(state) == _case_four
    assert contact_details(state)["stripe_billing_status"] == _case_eight


def test_every_status_that_stripe_has_is_mapped(shared: Path) -> None:
    schema = json.loads((shared / "stripe" / "schema-16.1.0.json").read_bytes())

    assert set(BILLING_STATUS_4) == set(schema["subscription"]["fields"]["status"]["values"])
    assert set(BILLING_STATUS_4.values()) == {"active", "trialing", "past_due", "canceled"}


def test_who_left_has_a_status_and_no_plan() -> None:
    left = state_of(customer(), subscription("canceled", start_date=NOW))
    gone = changed(state_of(customer(), subscription("active")), deleted=True, stage=Stage.DELETED)

    assert (contact_fields(left)["plan"], contact_fields(left)["billing_status"]) == (None, "canceled")
    assert contact_fields(left)["subscription_start_date"] == "2023-11-14"
    assert (contact_fields(gone)["plan"], contact_fields(gone)["billing_status"]) == (None, "canceled")


def test_the_plan_is_the_first_that_runs_and_has_a_price() -> None:
    plans = (
        plan(status="canceled", price_id="p_0"),
        plan(status="active"),
        plan(status="active", price_id="p_2"),
        plan(status="active", price_id="p_3"),
    )

    assert contact_fields(changed(LEAD, plans=plans))["plan"] == "p_2"


@pytest.mark.parametrize(
    ("_case_currency", "_case_plans", "_case_mrr", "_case_said"),
    [
        ("usd", (), {"usd": Fraction(4900)}, ("49.00", "usd")),
        ("jpy", (), {"jpy": Fraction(4900)}, ("4900", "jpy")),
        ("kwd", (), {"kwd": Fraction(10000, 3)}, ("3.333", "kwd")),
        ("usd", (), {"eur": Fraction(700), "usd": Fraction(4900)}, ("49.00", "usd")),
        ("gbp", (plan(currency="usd"),), {"eur": Fraction(700), "usd": Fraction(4900)}, ("49.00", "usd")),
        ("gbp", (), {"eur": Fraction(700), "usd": Fraction(4900)}, ("7.00", "eur")),
        ("gbp", (), {"usd": Fraction(4900)}, ("49.00", "usd")),
        ("gbp", (), {}, ("0.00", "gbp")),
        (None, (plan(), plan(currency="jpy")), {}, ("0", "jpy")),
        (None, (), {}, ("0", None)),
    ],
)
def test_mrr_is_told_in_one_currency_and_never_added_across(
    _case_currency: str | None,
    _case_plans: tuple[Plan, ...],
    _case_mrr: dict[str, Fraction],
    _case_said: tuple[str, str | None],
) -> None:
    parts = tuple(mrr(code, exact) for code, exact in _case_mrr.items())
    state = changed(LEAD, currency=_case_currency, plans=_case_plans, mrr=parts)

    assert (contact_fields(state)["mrr"], contact_details(state)["mrr_currency"]) == _case_said
    assert contact_details(state)["mrr_by_currency"] == {one.currency: one.money.major for one in parts}


STATES = st.builds(
    lambda **values: changed(LEAD, **values),
    currency=st.sampled_from(["usd", "jpy", None]),
    billing_status=st.sampled_from(STATUSES),
    deleted=st.booleans(),
    payment_method_on_file=st.sampled_from([True, False, None]),
    plans=st.lists(
        st.builds(plan, status=st.sampled_from(STATUSES), price_id=st.sampled_from(["p_1", None])), max_size=3
    ).map(tuple),
    mrr=st.dictionaries(st.sampled_from(["eur", "jpy", "usd"]), st.fractions(min_value=0), max_size=3).map(
        lambda parts: tuple(mrr(code, exact) for code, exact in sorted(parts.items()))
    ),
    trial_end=st.none() | st.datetimes().map(lambda naive: at(NOW).replace(month=naive.month)),
)


@given(STATES)
@settings(deadline=None)
def test_every_state_gives_six_values_that_json_can_carry(state: CustomerState) -> None:
    found = contact_fields(state)

    assert tuple(found) == CONTACT_FIELDS
    assert json.loads(json.dumps(found)) == found
    assert found["billing_status"] in {*BILLING_STATUS_4.values(), None}
    assert json.loads(json.dumps(contact_details(state)))["mrr_currency"] in {"usd", "jpy", "eur", None}


def test_a_part_that_is_unknown_makes_the_mrr_unknown_and_not_less() -> None:
    paying = state_of(customer(currency="usd"), subscription("active", item(price(), 2)))

    assert contact_fields(paying)["mrr"] == "98.00"
    assert contact_fields(changed(paying, mrr_unknown=("The tiers of price_2 are not known.",)))["mrr"] is None
