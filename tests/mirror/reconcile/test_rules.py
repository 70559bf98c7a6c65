from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.mirror.order.fingerprint import UNTOLD
from trueup.mirror.reconcile.rules import EXEMPT, EXEMPT_OF_TYPE, differences, is_silent
from trueup.mirror.reconcile.types import FieldDifference, Kind

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcdef"), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(["id", "name", "items", "metadata", "status"]), JSON, max_size=5)


def told(ours: dict[str, Any], theirs: dict[str, Any], *, kind: str = "invoice", same: bool = True) -> list[Any]:
    found, left_out = differences(kind, ours, theirs, same_version=same)
    assert left_out == 0
    return [(one.path, one.ours, one.theirs) for one in found]


@given(OBJECTS, st.booleans())
def test_an_object_never_differs_from_itself(data: dict[str, Any], same: bool) -> None:
    assert told(data, json.loads(json.dumps(data)), same=same) == []


@given(OBJECTS, st.sampled_from(["id", "name", "status"]))
def test_a_changed_field_is_always_told(data: dict[str, Any], name: str) -> None:
    ours, theirs = data | {name: "before"}, data | {name: "after"}

    assert told(ours, theirs) == [(name, "before", "after")]


def test_null_and_absent_are_one() -> None:
    assert told({"a": None, "b": {"c": None}}, {"b": {}}) == []


@pytest.mark.parametrize("name", sorted(EXEMPT))
def test_what_rightly_differs_is_no_difference(name: str) -> None:
    assert told({"id": "x", name: "one"}, {"id": "x", name: "two"}) == []
    assert EXEMPT[name]


def test_all_that_order_leaves_out_is_exempt_with_a_reason_and_nothing_is_exempt_of_other_types() -> None:
    assert set(UNTOLD) <= set(EXEMPT)
    assert told({"refunds": 1}, {"refunds": 2}, kind="charge") == []
    assert told({"refunds": 1}, {"refunds": 2}) == [("refunds", 1, 2)]
    assert all(reason for reasons in EXEMPT_OF_TYPE.values() for reason in reasons.values())


def listed(*amounts: int, more: bool = False, **said: Any) -> dict[str, Any]:
    rows = [{"id": f"il_{number}", "amount": amount} for number, amount in enumerate(amounts)]
    return {"lines": {"object": "list", "data": rows, "has_more": more, **said}}


def test_of_a_list_that_shows_its_beginning_only_that_is_compared() -> None:
    whole, beginning = listed(1, 2, 3, url="/a"), listed(1, 2, more=True, total_count=3)

    assert told(whole, beginning) == told(beginning, whole) == []
    assert told(whole, listed(1, 9, more=True)) == [("lines.data[il_1].amount", 2, 9)]
    assert told(listed(1, 2), listed(1)) == [("lines.data[il_1]", {"amount": 2, "id": "il_1"}, None)]


def test_what_another_version_does_not_tell_is_not_compared_and_what_it_tells_is() -> None:
    ours = {"name": "Ada", "address": {"city": "Rome"}, "items": {"data": [{"id": "a", "quantity": 1}]}}
    theirs = {
        "name": "Ada",
        "new": 1,
        "address": {"city": "Rome", "new": 2},
        "items": {"data": [{"id": "a", "quantity": 1, "new": 3}]},
    }

    assert told(ours, theirs, same=False) == []
    assert [path for path, _ours, _theirs in told(ours, theirs)] == ["address.new", "items.data[a].new", "new"]
    assert told(ours, theirs | {"name": "Bea"}, same=False) == [("name", "Ada", "Bea")]


def test_what_theirs_lacks_is_a_difference_in_any_version() -> None:
    assert told({"name": "Ada"}, {}, same=False) == [("name", "Ada", None)]


def test_what_no_event_tells_of_is_silent_and_all_else_is_not() -> None:
    invoice = FieldDifference(path="invoice", ours=None, theirs="in_1")
    amount = FieldDifference(path="amount", ours=1, theirs=2)

    assert is_silent("invoiceitem", Kind.STALE, [invoice], {})
    assert not is_silent("invoiceitem", Kind.STALE, [invoice, amount], {})
    assert not is_silent("charge", Kind.STALE, [invoice], {})
    assert not is_silent("invoiceitem", Kind.MISSING, [], {"status": "open"})
    assert is_silent("invoice_payment", Kind.MISSING, [], {"status": "open"})
    assert not is_silent("invoice_payment", Kind.MISSING, [], {"status": "paid"})
    assert not is_silent("invoice_payment", Kind.ORPHANED, [], None)
    assert is_silent("price", Kind.MISSING, [], {"active": False, "type": "one_time"})
    assert not is_silent("price", Kind.MISSING, [], {"active": False, "type": "recurring"})
    assert is_silent("product", Kind.MISSING, [], {"active": False, "created": 1, "updated": 1})
    assert not is_silent("product", Kind.MISSING, [], {"active": False, "created": 1, "updated": 2})
