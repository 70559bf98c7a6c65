"""When phases end: pure arithmetic."""

from __future__ import annotations

from calendar import timegm
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.sandbox.schedules.spans import after, renewed, spans
from trueup.sandbox.wire.errors import StripeError

DAY = 86_400


def at(year: int, month: int, day: int) -> int:
    """Midnight of a day."""
    return timegm((year, month, day, 0, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("start", "cycle", "anchor", "end"),
    [
        (at(2026, 2, 28), ("month", 1), at(2026, 1, 31), at(2026, 3, 31)),
        (at(2026, 2, 28), ("month", 1), at(2026, 2, 28), at(2026, 3, 28)),
        (at(2026, 2, 10), ("month", 1), at(2026, 1, 31), at(2026, 3, 10)),
        (at(2024, 2, 29), ("year", 1), at(2024, 2, 29), at(2025, 2, 28)),
        (at(2025, 2, 28), ("year", 3), at(2024, 2, 29), at(2028, 2, 29)),
        (at(2026, 1, 31), ("week", 2), at(2026, 1, 1), at(2026, 2, 14)),
        (at(2026, 1, 31), ("day", 45), at(2026, 1, 1), at(2026, 1, 31) + 45 * DAY),
    ],
)
def test_months_come_back_to_the_anchors_day(start: int, cycle: tuple[str, int], anchor: int, end: int) -> None:
    assert after(start, cycle, anchor) == end


@pytest.mark.parametrize(
    ("start", "end", "cycle", "until"),
    [
        (at(2026, 1, 31), at(2026, 3, 31), ("month", 1), at(2026, 5, 31)),
        (at(2026, 1, 31), at(2026, 3, 10), ("month", 1), at(2026, 3, 10) + 38 * DAY),
    ],
)
def test_a_phase_that_is_renewed_lasts_as_long_again(start: int, end: int, cycle: tuple[str, int], until: int) -> None:
    assert renewed(start, end, cycle, start) == until


def test_a_phase_ends_where_the_next_starts_or_after_one_interval() -> None:
    begin = at(2026, 1, 1)
    given_phases: list[dict[str, Any]] = [
        {},
        {"start_date": at(2026, 1, 20)},
        {"duration": {"interval": "week", "interval_count": 2}},
    ]

    found = spans(given_phases, [("month", 1)] * 3, begin=begin, anchor=begin, now=begin)

    assert found == [
        (begin, at(2026, 1, 20)),
        (at(2026, 1, 20), at(2026, 2, 20)),
        (at(2026, 2, 20), at(2026, 3, 6)),
    ]


durations = st.fixed_dictionaries(
    {"duration": st.fixed_dictionaries({"interval": st.sampled_from(("day", "week", "month", "year"))})}
)


@given(st.lists(st.one_of(st.just({}), durations), min_size=1, max_size=10), st.integers(0, 10**9))
def test_phases_touch_and_never_stand_still(described: list[dict[str, Any]], begin: int) -> None:
    found = spans(described, [("month", 1)] * len(described), begin=begin, anchor=begin, now=begin)

    assert found[0][0] == begin
    assert all(start < end for start, end in found)
    assert all(one[1] == other[0] for one, other in pairwise(found))


def test_a_trial_is_what_later_months_are_counted_from() -> None:
    begin = at(2026, 1, 1)
    phases = [{"end_date": at(2026, 1, 31), "trial": True}, {}, {}]

    found = spans(phases, [("month", 1)] * 3, begin=begin, anchor=begin, now=begin)

    assert [end for _, end in found] == [at(2026, 1, 31), at(2026, 2, 28), at(2026, 3, 31)]


def test_a_far_date_is_refused() -> None:
    with pytest.raises(StripeError, match="within 10 years"):
        spans([{"end_date": at(2090, 1, 1)}], [("day", 1)], begin=0, anchor=0, now=at(2026, 1, 1))
