"""Whether two versions of one object have the same content, and how an object was before an event."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mirror.order.histories import changed, newborn, previous_attributes
from trueup.mirror.order.fingerprint import UNTOLD, fingerprint, fingerprints

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=4) | st.sampled_from(["items", "metadata", *UNTOLD]), JSON, max_size=6)

INVOICE: dict[str, Any] = {
    "id": "in_1",
    "object": "invoice",
    "status": "open",
    "effective_at": None,
    "livemode": False,
    "metadata": {"kept": "1"},
    "last_error": {"code": "declined", "param": None},
    "lines": {"object": "list", "data": [{"id": "il_1", "amount": 5, "note": None}], "has_more": False},
    "taxes": [{"amount": 1}],
    "tags": [],
}


def before(data: dict[str, Any], previous: dict[str, Any]) -> int | None:
    return fingerprints(data, previous)[1]


def test_the_value_is_the_same_in_every_process_and_for_every_order_of_keys() -> None:
    program = (
        "import json, sys; from trueup.mirror.order.fingerprint import fingerprint; "
        "print(fingerprint(json.load(sys.stdin)))"
    )
    turned = dict(reversed(INVOICE.items())) | {"lines": dict(reversed(INVOICE["lines"].items()))}

    elsewhere = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(turned),
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "7"},
    )

    assert int(elsewhere.stdout) == fingerprint(INVOICE) == -2284223537932068435


def test_it_fits_a_signed_eight_byte_integer() -> None:
    values = [fingerprint({"n": number}) for number in range(200)]

    assert min(values) < 0 < max(values)
    assert all(-(2**63) <= value < 2**63 for value in values)
    assert len(set(values)) == 200


@pytest.mark.parametrize(
    "_case_change",
    [
        {"status": "paid"},
        {"effective_at": 5},
        {"livemode": True},
        {"metadata": {}},
        {"metadata": None},
        {"last_error": {"code": "other"}},
        {"lines": {"object": "list", "data": [], "has_more": False}},
        {"lines": {"object": "list", "data": [{"id": "il_1", "amount": 6, "note": None}], "has_more": False}},
        {"lines": {"object": "list", "data": [{"id": "il_1", "amount": 5}], "has_more": False}},
        {"taxes": []},
        {"taxes": [{"amount": 2}]},
        {"tags": [None]},
        {"status": 10**30},
        {"status": "\ud800"},
    ],
)
def test_what_differs_has_another_fingerprint(_case_change: dict[str, Any]) -> None:
    assert fingerprint(INVOICE | _case_change) != fingerprint(INVOICE)


def test_values_never_pass_for_those_of_another_key() -> None:
    assert fingerprint({"a": [1], "b": [2]}) != fingerprint({"a": [2], "b": [1]})
    assert fingerprint({"a": {"data": 1}}) != fingerprint({"b": {"data": 1}})


@pytest.mark.parametrize(
    "_case_same",
    [
        {"effective_at": None, "new_field": None},
        {"last_error": {"code": "declined"}},
        {"metadata": {"kept": "1", "gone": None}},
        {"hosted_invoice_url": "https://invoice.example/signed-1", "invoice_pdf": "x", "receipt_url": "y"},
        {"webhooks_delivered_at": 5, "times_redeemed": 3, "next_invoice_sequence": 9},
    ],
)
def test_nulls_and_what_moves_without_an_event_do_not_count(_case_same: dict[str, Any]) -> None:
    assert fingerprint(INVOICE | _case_same) == fingerprint(INVOICE)


def test_an_event_without_previous_attributes_does_not_say_what_was_before() -> None:
    assert fingerprints(INVOICE, None) == (fingerprint(INVOICE), None)


@pytest.mark.parametrize("_case_previous", [{}, {"hosted_invoice_url": "https://x.example"}, {"receipt_url": None}])
def test_an_event_that_tells_no_change_was_the_same_before(_case_previous: dict[str, Any]) -> None:
    assert before(INVOICE, _case_previous) == fingerprint(INVOICE)


@pytest.mark.parametrize(
    ("_case_previous", "_case_was"),
    [
        ({"status": "draft"}, {"status": "draft"}),
        ({"metadata": {"kept": None}}, {"metadata": {}}),
        ({"metadata": {"gone": "2"}}, {"metadata": {"kept": "1", "gone": "2"}}),
        ({"metadata": None}, {"metadata": None}),
        ({"last_error": {"code": "expired", "param": "card"}}, {"last_error": {"code": "expired", "param": "card"}}),
        ({"lines": {"data": []}}, {"lines": {"object": "list", "data": [], "has_more": False}}),
        ({"lines": []}, {"lines": {"object": "list", "data": [], "has_more": False}}),
        ({"taxes": []}, {"taxes": []}),
        ({"taxes": None}, {"taxes": None}),
        ({"tags": [1]}, {"tags": [1]}),
        ({"effective_at": {"a": 1}}, {"effective_at": {"a": 1}}),
        ({"gone": [1]}, {"gone": [1]}),
        ({"status": ["odd"]}, {"status": ["odd"]}),
        ({"lines": "odd"}, {"lines": "odd"}),
    ],
)
def test_the_state_before_is_the_object_with_the_old_values(
    _case_previous: dict[str, Any], _case_was: dict[str, Any]
) -> None:
    now = copy.deepcopy(INVOICE)

    assert before(now, _case_previous) == fingerprint(INVOICE | _case_was)
    assert now == INVOICE


def test_a_hash_that_is_all_null_equals_an_empty_one_and_no_list_object_loses_its_nulls() -> None:
    assert fingerprint({"metadata": {"a": None}}) == fingerprint({"metadata": {}})
    assert fingerprint({"items": {"data": [{"a": None}]}}) != fingerprint({"items": {"data": [{}]}})


@given(st.integers(0, 10**9))
def test_before_an_event_is_after_the_one_before(seed: int) -> None:
    random = Random(seed)
    was = newborn()
    for _ in range(5):
        now = changed(was, random)
        assert before(now, previous_attributes(was, now)) == fingerprint(was)
        was = now


@given(OBJECTS, st.none() | OBJECTS)
def test_any_json_has_fingerprints(data: dict[str, Any], previous: dict[str, Any] | None) -> None:
    after, was = fingerprints(data, previous)

    assert after == fingerprint(dict(reversed(data.items())))
    assert (was is None) == (previous is None)


def test_json_nested_without_end_has_a_fingerprint() -> None:
    hashes: dict[str, Any] = {"n": 1}
    lists: list[Any] = [2]
    for _ in range(5000):
        hashes, lists = {"b": 3, "a": hashes}, [lists]

    assert fingerprint({"x": hashes}) != fingerprint({"x": hashes["a"]})
    assert fingerprint({"x": lists}) != fingerprint({"x": lists[0]})
    assert before({"x": hashes}, {"x": {"b": 4}}) != fingerprint({"x": hashes})
    while isinstance(hashes, dict):  # Taken apart one by one, so that nothing recurses over it at the end.
        hashes = hashes.pop("a", None)
