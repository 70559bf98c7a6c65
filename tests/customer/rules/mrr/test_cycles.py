"""When an item renews."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.customer.rules.mrr.cycles import Cycle, cycle_of
from trueup.mirror.upcast.shape import LATEST_SECOND


def on(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("_case_cycle", "_case_at", "_case_latest", "_case_first"),
    [
        (("2025-01-01", "month", 1), "2025-03-15", "2025-03-01", "2025-04-01"),
        (("2025-01-01", "month", 1), "2025-03-01", "2025-03-01", "2025-03-01"),
        (("2025-01-31", "month", 1), "2025-02-28", "2025-02-28", "2025-02-28"),
        (("2025-01-31", "month", 1), "2025-03-30", "2025-02-28", "2025-03-31"),
        (("2024-02-29", "year", 1), "2026-01-01", "2025-02-28", "2026-02-28"),
        (("2025-01-15", "month", 3), "2025-04-14", "2025-01-15", "2025-04-15"),
        (("2025-01-15", "month", 1), "2024-11-20", "2024-11-15", "2024-12-15"),
        (("2025-01-01", "week", 2), "2025-01-14", "2025-01-01", "2025-01-15"),
        (("2025-01-01", "day", 1), "2024-12-31", "2024-12-31", "2024-12-31"),
    ],
)
def test_renewals_are_found_before_and_after_a_known_one(
    _case_cycle: tuple[str, str, int], _case_at: str, _case_latest: str, _case_first: str
) -> None:
    anchor, unit, every = _case_cycle
    cycle = Cycle(on(anchor), unit, every)

    assert cycle.latest(on(_case_at)) == on(_case_latest)
    assert cycle.first(on(_case_at)) == on(_case_first)


def test_what_no_calendar_has_is_no_renewal() -> None:
    assert Cycle(on("2025-01-01"), "month", 10**9).first(on("2025-01-02")) is None
    assert Cycle(on("2025-01-01"), "month", 10**9).latest(on("2024-12-31")) is None
    assert Cycle(on("2025-01-01"), "day", 10**9).first(on("2025-01-02")) is None
    assert Cycle(on("2025-01-01"), "day", 10**9).latest(on("2024-12-31")) is None
    assert Cycle(on("2025-01-01"), "day", 1).first(LATEST_SECOND + 1) is None


def test_the_start_of_the_current_period_is_a_renewal_even_out_of_order() -> None:
    cycle = Cycle(on("2025-02-01"), "month", 1, began=on("2025-01-20"))

    assert cycle.latest(on("2025-01-25")) == on("2025-01-20")
    assert cycle.latest(on("2025-01-10")) == on("2025-01-01")
    assert cycle.latest(on("2025-02-10")) == on("2025-02-01")
    assert Cycle(on("2025-02-01"), "day", 10**6, began=5).latest(on("2025-01-25")) == 5


@given(
    st.integers(0, LATEST_SECOND),
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 36),
    st.integers(0, LATEST_SECOND),
)
def test_no_renewal_lies_between_the_latest_and_the_first(anchor: int, unit: str, every: int, at: int) -> None:
    cycle = Cycle(anchor, unit, every)
    latest, first = cycle.latest(at), cycle.first(at)

    assert latest is None or latest <= at
    assert first is None or first >= at
    if latest is not None and latest < at:
        assert cycle.first(latest + 1) == first


@pytest.mark.parametrize(
    ("_case_subscription", "_case_item", "_case_recurring", "_case_cycle"),
    [
        ({"billing_cycle_anchor": 500}, {}, {"interval": "month"}, Cycle(500, "month", 1)),
        ({"start_date": 400}, {}, {"interval": "week", "interval_count": 2}, Cycle(400, "week", 2)),
        ({"start_date": 400}, {"current_period_end": 600}, {"interval": "day"}, Cycle(600, "day", 1)),
        ({}, {"current_period_start": 5, "current_period_end": 600}, {"interval": "day"}, Cycle(600, "day", 1, 5)),
        # An anchor that leads to the end of the period remembers its day; one that does not is another item's.
        (
            {"billing_cycle_anchor": on("2025-01-31")},
            {"current_period_end": on("2025-02-28")},
            {"interval": "month"},
            Cycle(on("2025-01-31"), "month", 1),
        ),
        (
            {"billing_cycle_anchor": on("2025-01-15")},
            {"current_period_end": on("2025-02-28")},
            {"interval": "month"},
            Cycle(on("2025-02-28"), "month", 1),
        ),
        ({}, {}, {"interval": "month"}, None),
        ({"start_date": -1}, {}, {"interval": "month"}, None),
        ({"start_date": 400}, {}, {"interval": "century"}, None),
        ({"start_date": 400}, {}, {"interval": ["month"]}, None),
        ({"start_date": 400}, {}, {"interval": "month", "interval_count": 0}, None),
        ({"start_date": 400}, {}, {"interval": "month", "interval_count": "1"}, None),
    ],
)
def test_how_an_item_renews_is_read_from_its_payloads(
    _case_subscription: dict[str, Any],
    _case_item: dict[str, Any],
    _case_recurring: dict[str, Any],
    _case_cycle: Cycle | None,
) -> None:
    assert cycle_of(_case_subscription, _case_item, _case_recurring) == _case_cycle
