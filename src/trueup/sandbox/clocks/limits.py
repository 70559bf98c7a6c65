"""How far a test clock may be advanced at once."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from trueup.sandbox.assumptions import CLOCK_INTERVALS_AT_ONCE, CLOCK_YEARS_WITHOUT_SUBSCRIPTION

_MONTHS: Final = {"month": 1, "year": 12}
_DAYS: Final = {"day": 1, "week": 7}
_ROUGH_DAYS: Final = {"day": 1, "week": 7, "month": 30, "year": 365}

Interval = tuple[str, int]
"""What a price recurs by: ``("month", 3)``."""


def farthest(now: int, intervals: Iterable[Interval]) -> int:
    """The last unix second to which a clock at ``now`` may be advanced, given the intervals of its subscriptions.

    Two of the shortest interval, two years without any. Source: sandbox specification B.0.3.
    """
    shortest = min(intervals, key=lambda one: _ROUGH_DAYS[one[0]] * one[1], default=None)
    if shortest is None:
        return after(now, "year", CLOCK_YEARS_WITHOUT_SUBSCRIPTION)
    return after(now, shortest[0], shortest[1] * CLOCK_INTERVALS_AT_ONCE)


def after(start: int, unit: str, count: int) -> int:
    """The unix second ``count`` days, weeks, months or years later; the last of the month where it has no such day."""
    moment = datetime.fromtimestamp(start, UTC)
    if unit in _DAYS:
        return int((moment + timedelta(days=_DAYS[unit] * count)).timestamp())
    years, month = divmod(moment.month - 1 + _MONTHS[unit] * count, 12)
    year, month = moment.year + years, month + 1
    day = min(moment.day, monthrange(year, month)[1])
    return int(moment.replace(year=year, month=month, day=day).timestamp())
