"""How a customer's MRR moved, and whether it was lost to failed payments."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.customer.rules.mrr.movements import Standing, Type, is_involuntary, movements

HOUR = 3600


def stands(at: int, mrr: int, *, paused: bool = False, involuntary: bool = False) -> Standing:
    return Standing(at, Fraction(mrr), paused, involuntary)


@pytest.mark.parametrize(
    ("_case_standings", "_case_rows"),
    [
        ([], []),
        ([stands(9, 0)], []),
        ([stands(9, 0, paused=True)], []),
        ([stands(9, 50)], [("new", 50, 9, None)]),
        ([stands(9, 50), stands(HOUR * 2, 50)], [("new", 50, 9, None)]),
        (
            [stands(0, 50), stands(HOUR * 2, 80), stands(HOUR * 4, 20)],
            [("new", 50, 0, None), ("expansion", 30, HOUR * 2, None), ("contraction", -60, HOUR * 4, None)],
        ),
        (
            [stands(0, 50), stands(HOUR * 2, 0), stands(HOUR * 4, 20)],
            [("new", 50, 0, None), ("churn", -50, HOUR * 2, "voluntary"), ("reactivation", 20, HOUR * 4, None)],
        ),
        (
            [stands(0, 50), stands(HOUR * 2, 0, paused=True), stands(HOUR * 4, 40)],
            [("new", 50, 0, None), ("contraction", -50, HOUR * 2, "pause"), ("expansion", 40, HOUR * 4, "resume")],
        ),
        (
            [stands(0, 50), stands(HOUR * 2, 0, paused=True), stands(HOUR * 4, 0, involuntary=True)],
            [("new", 50, 0, None), ("contraction", -50, HOUR * 2, "pause"), ("churn", 0, HOUR * 4, "involuntary")],
        ),
        # Swapped within the hour, up to and with its last second; the hour counts from the first change.
        (
            [stands(0, 50), stands(HOUR * 2, 0), stands(HOUR * 3, 80)],
            [("new", 50, 0, None), ("expansion", 30, HOUR * 3, None)],
        ),
        (
            [stands(0, 50), stands(HOUR * 2, 0), stands(HOUR * 3 + 1, 80)],
            [("new", 50, 0, None), ("churn", -50, HOUR * 2, "voluntary"), ("reactivation", 80, HOUR * 3 + 1, None)],
        ),
        ([stands(0, 50), stands(60, 0)], []),
    ],
)
def test_movements_follow_from_standings(_case_standings: list[Standing], _case_rows: list[tuple[Any, ...]]) -> None:
    found = movements(_case_standings, coalesce=HOUR)

    assert [(one.type, one.amount, one.at, one.reason) for one in found] == _case_rows


@given(
    st.lists(st.tuples(st.integers(1, 10**4), st.integers(0, 3), st.booleans(), st.booleans()), max_size=12),
    st.sampled_from([0, HOUR]),
)
def test_movements_add_up_to_mrr_and_only_the_first_is_new(
    steps: list[tuple[int, int, bool, bool]], coalesce: int
) -> None:
    at, standings = 0, []
    for gap, mrr, paused, involuntary in steps:
        at += gap
        standings.append(Standing(at, Fraction(mrr), paused, involuntary))

    found = movements(standings, coalesce=coalesce)

    assert sum(one.amount for one in found) == (standings[-1].mrr if standings else 0)
    assert [place for place, one in enumerate(found) if one.type is Type.NEW] == [0] * bool(found)


def version(status: str, reason: str | None = None, pause: str | None = None) -> dict[str, Any]:
    details = {"paused": {"subscription": {"type": pause}}} if pause else None
    return {"status": status, "cancellation_details": {"reason": reason}, "status_details": details}


@pytest.mark.parametrize(
    ("_case_versions", "_case_involuntary"),
    [
        ([version("active"), version("canceled", "payment_failed")], True),
        ([version("active"), version("canceled", "payment_disputed")], True),
        ([version("past_due"), version("canceled", "cancellation_requested")], False),
        ([version("past_due"), version("canceled")], True),
        ([version("unpaid"), version("canceled"), version("canceled")], True),
        ([version("paused", pause="first_payment_failure"), version("canceled")], True),
        ([version("paused", pause="pause_requested"), version("canceled")], False),
        ([version("active"), version("canceled")], False),
        ([version("canceled")], False),
        ([{"status": "active"}, {"status": "canceled"}], False),
        ([version("active"), version("unpaid")], True),
        ([version("active"), version("past_due")], True),
        ([version("active"), version("paused", pause="final_payment_failure")], True),
        ([version("active"), version("active")], False),
    ],
)
def test_failed_payments_are_told_from_decisions(_case_versions: list[dict[str, Any]], _case_involuntary: bool) -> None:
    assert is_involuntary(_case_versions) is _case_involuntary
