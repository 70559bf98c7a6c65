"""What lists of money go by: one status, amount, moment and reason for each kind of object."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.mirror.amounts import ENDS, FAILED, NONE, RENEWS, TRIAL_ENDS, TYPES, Amounts, amounts, folded
from trueup.mirror.essence import essence

NAMES = ["status", "created", "amount", "currency", "total", "items", "price", "quantity", "cancel_at", "due_by"]
JSON = st.recursive(
    st.sampled_from([None, True, 1, -1, 2**70, "eur", "open", "failed", "a\x00", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=10,
)
ITEM = {"quantity": 3, "current_period_end": 900, "price": {"unit_amount": 1500}}
SUBSCRIPTION = {"created": 7, "status": "active", "currency": "eur", "items": {"data": [ITEM]}}


@given(st.sampled_from([*TYPES, "product"]), st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8))
@settings(max_examples=300, deadline=None)
def test_whatever_an_object_holds_the_columns_can_be_written(kind: str, data: dict[str, Any]) -> None:
    found = amounts(kind, data)

    assert all(number is None or -(2**63) < number < 2**63 for number in (found.amount, found.made, found.due))
    assert all(word is None or word.isprintable() for word in (found.status, found.currency, found.reason))
    assert found == NONE or found.made is not None


@pytest.mark.parametrize(
    ("_case", "data", "status"),
    [
        ("it came in", {"status": "succeeded", "captured": True}, "succeeded"),
        ("it failed", {"status": "failed"}, "failed"),
        ("an old one says so by its code", {"failure_code": "card_declined", "paid": False}, "failed"),
        ("part was given back", {"status": "succeeded", "amount_refunded": 5, "refunded": False}, "partly_refunded"),
        ("all was given back", {"status": "succeeded", "amount_refunded": 9, "refunded": True}, "refunded"),
        ("the bank holds it", {"status": "succeeded", "captured": False}, "authorized"),
        ("nobody took it", {"status": "succeeded", "captured": False, "refunded": True}, "canceled"),
    ],
)
def test_a_charge_has_one_status(_case: str, data: dict[str, Any], status: str) -> None:
    assert amounts("charge", {"created": 7, "amount": 9, "currency": "eur", **data}).status == status


def test_a_failed_charge_tells_the_bank_s_reason_before_stripe_s() -> None:
    told = {"created": 7, "status": "failed", "failure_code": "card_declined", "outcome": {"reason": "expired_card"}}

    assert amounts("charge", told) == Amounts(status="failed", made=7, reason="expired_card")


def test_a_payment_stands_in_a_list_only_while_no_charge_tells_of_it() -> None:
    told = {"created": 7, "status": "requires_action", "amount": 900, "currency": "usd"}

    assert amounts("payment_intent", told).status == "needs_customer"
    assert amounts("payment_intent", {**told, "latest_charge": "ch_1"}) == NONE
    assert amounts("payment_intent", {**told, "status": "requires_payment_method"}) == NONE


def test_an_invoice_that_is_owed_counts_with_what_remains_and_says_that_it_failed() -> None:
    told = {"created": 7, "status": "open", "total": 900, "amount_remaining": 400, "currency": "usd"}

    tried = {**told, "attempt_count": 2, "next_payment_attempt": 80, "due_date": 70}

    assert amounts("invoice", told) == Amounts("open", "usd", 400, 7)
    assert amounts("invoice", tried) == Amounts("open", "usd", 400, 7, 80, FAILED)
    assert amounts("invoice", {**tried, "status": "paid", "amount_remaining": 0}) == Amounts("paid", "usd", 900, 7)


def test_an_invoice_has_its_number_as_it_is_looked_for_in_any_case() -> None:
    told = {"created": 7, "status": "open", "number": "S7LV5LUT-0007"}

    assert amounts("invoice", told).number == folded(" s7Lv5lut-0007 ") == "s7lv5lut-0007"
    assert [amounts("invoice", {**told, "number": odd}).number for odd in (None, 7, "", "a\x00b", "9" * 81)] == [
        None
    ] * 5
    assert amounts("charge", told).number is None


def test_a_dispute_is_due_only_while_it_waits_for_an_answer() -> None:
    told = {"created": 7, "amount": 900, "currency": "usd", "reason": "fraudulent", "evidence_details": {"due_by": 99}}

    assert amounts("dispute", {**told, "status": "needs_response"}).due == 99
    assert amounts("dispute", {**told, "status": "under_review"}).due is None


@pytest.mark.parametrize(
    ("_case", "changed", "reason", "due"),
    [
        ("it renews", {}, RENEWS, 900),
        ("it ends with its period", {"cancel_at_period_end": True}, ENDS, 900),
        ("it ends at a moment", {"cancel_at": 800}, ENDS, 800),
        ("its trial ends", {"status": "trialing", "trial_end": 500}, TRIAL_ENDS, 500),
        ("its trial ends and so does it", {"status": "trialing", "trial_end": 500, "cancel_at": 500}, ENDS, 500),
        ("nothing is collected", {"pause_collection": {"behavior": "void"}}, None, None),
        ("it has ended", {"status": "canceled"}, None, None),
    ],
)
def test_a_subscription_says_what_comes_of_it_and_when(
    _case: str, changed: dict[str, Any], reason: str | None, due: int | None
) -> None:
    found = amounts("subscription", {**SUBSCRIPTION, **changed})

    assert (found.reason, found.due) == (reason, due)


def test_a_subscription_costs_what_price_and_quantity_say_and_nothing_is_guessed() -> None:
    metered = {**ITEM, "price": {"unit_amount": 5, "recurring": {"usage_type": "metered"}}}

    assert amounts("subscription", SUBSCRIPTION).amount == 4500
    assert amounts("subscription", {**SUBSCRIPTION, "items": {"data": [ITEM, metered]}}).amount is None


def test_an_essence_tells_the_same_as_the_whole_object() -> None:
    dispute = {"created": 7, "status": "needs_response", "amount": 1, "evidence_details": {"due_by": 9, "x": 1}, "x": 2}

    assert amounts("dispute", essence("dispute", dispute)) == amounts("dispute", dispute)
    assert amounts("subscription", essence("subscription", SUBSCRIPTION)) == amounts("subscription", SUBSCRIPTION)
