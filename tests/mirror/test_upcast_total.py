"""Whatever JSON holds is upcast, unchanged in place, idempotently, and can be stored."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.mirror import upcast as upcasting
from trueup.mirror.upcast import upcast
from trueup.mirror.upcast.text import is_clean, unstorable


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
    account_balance active_card allowed_source_types amount amount_captured amount_due amount_paid amount_refunded
    authenticated balance billing billing_details billing_mode billing_mode_details brand business_vat_id captured card
    cards charge charges closed collected_information collection_method coupon created currency current_period_end
    customer data date default_card default_settings discount discounts display_items dispute disputed features filter
    finalized_at forgiven id inclusive invoice invoice_item invoice_settings items latest_charge lines name next_action
    next_source_action object out_of_band_amount paid paid_out_of_band parent payment_intent payment_method
    payment_method_details payments percent_off percent_off_precise phases plan plans price pricing product promotion
    proration quantity quote recurring refund refunds rendering_options request shipping shipping_details source sources
    start start_date status subscription subscription_details subscriptions succeeded tax tax_amounts tax_id tax_info
    tax_percent tax_rate taxes three_d_secure tiers total_tax_amounts total_taxes type ui_mode unit_amount
    unit_amount_decimal usage_threshold_config user_id
    """,
)
TYPES = [*upcasting._NEWEST, "price", "payment_method", "unknown"]
SCALARS = re.findall(
    r"\S+",
    """
    x sub_1 ii_1 card subscription invoiceitem deleted hosted authorize_with_url flexible post_payment requires_source
    """,
)
VALUES = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 2900, 1.5, "", *SCALARS]) | st.text(max_size=3),
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
    assert upcast(object_type, once) is once
    assert once.keys() >= data.keys()


@given(st.sampled_from(TYPES), OBJECTS)
@settings(max_examples=200, deadline=None)
def test_what_is_not_changed_is_shared_and_not_copied(object_type: str, data: dict[str, Any]) -> None:
    newest = upcast(object_type, data, clean=True)

    assert newest is data or newest != data
    assert [name for name in data if newest[name] == data[name] and newest[name] is not data[name]] == []


@given(OBJECTS | st.dictionaries(st.text(max_size=3), st.text(max_size=5)), st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_body_called_clean_holds_nothing_that_postgresql_refuses(data: dict[str, Any], ascii_only: bool) -> None:
    text = json.dumps(data, ensure_ascii=ascii_only)
    bodies = [text.encode(encoding, "surrogatepass") for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32")]

    called_clean = [body for body in bodies if is_clean(body)]

    assert not any(unstorable(json.loads(body)) for body in called_clean)


@pytest.mark.parametrize(
    ("_case_body", "_case_clean"),
    [
        (b'{"name":"Ada"}', True),
        ('{"name":"\u00e9\U0001f600"}'.encode(), True),
        (b'{"name":"a\\nb"}', True),
        (b'{"name":"\\u00e9"}', True),
        (b'{"name":"\\u0000"}', False),
        (b'{"name":"\\\\u0000"}', True),
        (b'{"name":"\\n\\\\\\u0000"}', False),
        (b'{"name":"\\ud55c"}', True),
        (b'{"name":"\\uD800"}', False),
        (b'{"name":"\\udfff"}', False),
        (b'{"name":"\\ud83d\\ude00"}', False),
        (b'{"name":"\xed\xa0\x80"}', False),
        ('{"name":"\ud55c"}'.encode(), True),
        ('{"name":"Ada"}'.encode("utf-16"), False),
    ],
)
def test_a_body_is_clean_when_its_bytes_show_no_text_to_replace(_case_body: bytes, _case_clean: bool) -> None:
    assert is_clean(_case_body) is _case_clean


def test_nobody_looks_for_text_to_replace_in_what_is_said_to_be_clean() -> None:
    data = {"name": "a\x00b"}

    assert upcast("anything", data, clean=True) is data
    assert upcast("anything", data) == {"name": "a\ufffdb"}
