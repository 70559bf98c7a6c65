"""Whatever JSON holds is upcast, unchanged in place, idempotently, and can be stored."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.mirror.upcast import upcast


@pytest.mark.parametrize(
    ("_case_data", "_case_clean"),
    [
        ({"name": "a\x00b"}, {"name": "a\ufffdb"}),
        ({"a\x00": 1}, {"a\ufffd": 1}),
        ({"name": "\ud800"}, {"name": "\ufffd"}),
        (
            {"list": ["\udfff", ["\x00"], {"x": "\x00"}, 5, None]},
            {"list": ["\ufffd", ["\ufffd"], {"x": "\ufffd"}, 5, None]},
        ),
        ({"name": "\\u0000"}, {"name": "\\u0000"}),
        ({1: "\x00"}, {1: "\ufffd"}),
        ({"face": "\U0001f600", "nul": "\x00"}, {"face": "\U0001f600", "nul": "\ufffd"}),
    ],
)
def test_text_that_postgresql_refuses_is_replaced(_case_data: dict[Any, Any], _case_clean: dict[Any, Any]) -> None:
    before = copy.deepcopy(_case_data)

    assert upcast("anything", _case_data) == _case_clean
    assert _case_data == before


def test_order_of_keys_survives_the_replacement_of_text() -> None:
    data = {"z": {"nul": "\x00"}, "a": ["\x00"], "m": 1}

    assert list(upcast("anything", data)) == ["z", "a", "m"]


def test_very_deep_json_does_not_break_the_replacement_of_text() -> None:
    deep: dict[str, Any] = {"nul": "\x00"}
    for _ in range(5000):
        deep = {"in": deep}

    found = upcast("anything", deep)
    for _ in range(5000):
        found = found["in"]

    assert found == {"nul": "\ufffd"}


FIELDS = re.findall(
    r"\w+",
    """
    account_balance allowed_source_types amount amount_due balance billing billing_mode brand card cards charge
    charges closed collection_method coupon created currency current_period_end customer data date default_card
    discount discounts dispute disputed features finalized_at forgiven id inclusive invoice_item items
    latest_charge lines name object paid parent payment_intent payment_method payments percent_off
    percent_off_precise plan price pricing product promotion quantity quote rendering_options source start
    start_date status subscription subscription_details tax_amounts tax_percent tax_rate taxes tiers
    total_tax_amounts total_taxes type unit_amount unit_amount_decimal
    """,
)
TYPES = re.findall(
    r"\w+",
    """
    card charge coupon customer discount invoice line_item payment_intent plan price product promotion_code
    subscription subscription_item unknown
    """,
)
SCALARS = [None, True, False, 0, 1, 2900, 1.5, "", "x", "sub_1", "ii_1", "card", "subscription", "invoiceitem"]
VALUES = st.recursive(
    st.sampled_from(SCALARS) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8)


@given(st.sampled_from(TYPES), OBJECTS)
@settings(max_examples=200, deadline=None)
def test_any_object_is_upcast_without_error_or_change_to_it_and_a_second_time_changes_nothing(
    object_type: str, data: dict[str, Any]
) -> None:
    before = copy.deepcopy(data)

    once = upcast(object_type, data)

    assert data == before
    assert upcast(object_type, once) == once
    assert once.keys() >= data.keys()
