"""The essence keeps what states are computed from, as it was; ``tests/customer`` compares the folds."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.mirror.essence import essence
from trueup.mirror.upcast import upcast

TYPES = ["customer", "subscription", "payment_method", "subscription_schedule", "charge", "invoice", "product", "odd"]
NAMES = ["id", "type", "items", "price", "product", "card", "data", "phases", "discounts", "coupon", "source", "status"]
JSON = st.recursive(
    st.sampled_from([None, True, 1, "card", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=15,
)


@given(st.sampled_from(TYPES), st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8))
@settings(max_examples=200, deadline=None)
def test_any_object_has_an_essence_of_which_nothing_is_new_and_nothing_more_falls_away(
    kind: str, data: dict[str, Any]
) -> None:
    before = copy.deepcopy(data)

    kept = essence(kind, data)

    assert data == before
    assert essence(kind, kept) == kept
    assert part_of(kept, data)


def part_of(kept: Any, whole: Any) -> bool:
    if isinstance(kept, dict):
        return isinstance(whole, dict) and all(key in whole and part_of(kept[key], whole[key]) for key in kept)
    if isinstance(kept, list):
        return isinstance(whole, list) and len(kept) == len(whole) and all(map(part_of, kept, whole))
    return bool(kept == whole)


def test_the_essence_of_a_subscription_is_a_good_deal_smaller(shared: Path) -> None:
    told = (shared / "bench" / "payloads" / "sub.json").read_text(encoding="utf-8")
    for name in ("CREATED", "SEQ", "PREV"):
        told = told.replace(f"@@{name}@@", "7")
    whole = json.loads(told)["data"]["object"]

    kept = essence("subscription", upcast("subscription", whole))

    assert len(json.dumps(kept)) < len(json.dumps(whole)) / 2
    assert kept["items"]["data"][0]["price"]["unit_amount"] == 2000


def test_a_list_that_is_not_complete_says_so() -> None:
    told = {"items": {"object": "list", "data": [{"id": "si_1", "plan": {}}], "has_more": True}}

    assert essence("subscription", told) == {"items": {"data": [{"id": "si_1"}], "has_more": True}}


def test_a_payment_method_keeps_what_is_shown_of_its_kind() -> None:
    told = {"type": "sepa_debit", "sepa_debit": {"last4": "3000", "branch_code": "x"}, "billing_details": {}}

    assert essence("payment_method", told) == {"type": "sepa_debit", "sepa_debit": {"last4": "3000"}}
