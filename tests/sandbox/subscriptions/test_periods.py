"""Periods keep the anchor's day, and never leave a second out or count one twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.sandbox.subscriptions.periods import add_months, boundary, configured, following, period


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_the_anchors_day_comes_back_after_a_short_month() -> None:
    anchor = at("2024-01-31T10:00:00")

    assert [boundary(anchor, "month", 1, n) for n in range(4)] == [
        anchor,
        at("2024-02-29T10:00:00"),
        at("2024-03-31T10:00:00"),
        at("2024-04-30T10:00:00"),
    ]


def test_a_leap_day_is_kept_for_the_next_leap_year() -> None:
    anchor = at("2024-02-29")

    assert boundary(anchor, "year", 1, 1) == at("2025-02-28")
    assert boundary(anchor, "year", 1, 4) == at("2028-02-29")


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 12),
    st.integers(0, 2**32 - 1),
)
def test_every_second_is_in_the_period_that_is_found_for_it(anchor: int, interval: str, count: int, when: int) -> None:
    start, end = period(anchor, interval, count, when)

    assert start <= when < end
    assert period(anchor, interval, count, start) == (start, end)
    assert period(anchor, interval, count, end)[0] == end
    assert following(anchor, interval, count, when) == (anchor if anchor > when else end)


@given(st.integers(0, 2**32 - 1), st.integers(-600, 600))
def test_months_are_added_within_the_calendar(when: int, months: int) -> None:
    before, after = (datetime.fromtimestamp(t, UTC) for t in (when, add_months(when, months)))

    assert (after.year - before.year) * 12 + after.month - before.month == months
    assert after.day <= before.day
    assert after.time() == before.time()


@pytest.mark.parametrize(
    ("start", "config", "interval", "found"),
    [
        ("2026-01-10T08:00:00", {"day_of_month": 1}, "month", "2026-02-01T08:00:00"),
        ("2026-01-31T08:00:00", {"day_of_month": 31}, "month", "2026-01-31T08:00:00"),
        ("2026-02-01T08:00:00", {"day_of_month": 31}, "month", "2026-02-28T08:00:00"),
        (
            "2026-01-10T08:00:00",
            {"day_of_month": 10, "hour": 7, "minute": 0, "second": 0},
            "month",
            "2026-02-10T07:00:00",
        ),
        ("2026-03-10T08:00:00", {"day_of_month": 1, "month": 3}, "year", "2027-03-01T08:00:00"),
    ],
)
def test_a_configured_anchor_is_the_first_that_fits(
    start: str, config: dict[str, int | None], interval: str, found: str
) -> None:
    assert configured(at(start), config, interval) == at(found)
