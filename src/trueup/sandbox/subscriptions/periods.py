"""Billing periods: where they begin and end. Times are unix seconds, calendars UTC."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

_SECONDS: Final = {"day": 86_400, "week": 7 * 86_400}
_MONTHS: Final = {"month": 1, "year": 12}


def boundary(anchor: int, interval: str, count: int, number: int) -> int:
    """The ``number``-th boundary after the anchor (before it, if negative) of periods of ``count`` intervals.

    Months keep the anchor's day where they have it and take their last day where not, so the 31st comes back after
    February.
    """
    if interval in _SECONDS:
        return anchor + number * count * _SECONDS[interval]
    return add_months(anchor, number * count * _MONTHS[interval])


def add_months(at: int, months: int) -> int:
    """The same day and time so many months later, the month's last day where it has no such day."""
    moment = datetime.fromtimestamp(at, UTC)
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return int(moment.replace(year=year, month=month + 1, day=day).timestamp())


def period(anchor: int, interval: str, count: int, at: int) -> tuple[int, int]:
    """The period [start, end) that ``at`` lies in. Before the anchor periods are counted back from it."""
    if interval in _SECONDS:
        length = count * _SECONDS[interval]
        number = (at - anchor) // length
        return anchor + number * length, anchor + (number + 1) * length
    first, then = datetime.fromtimestamp(anchor, UTC), datetime.fromtimestamp(at, UTC)
    step = count * _MONTHS[interval]
    number = ((then.year - first.year) * 12 + then.month - first.month) // step
    while boundary(anchor, interval, count, number) > at:
        number -= 1
    while boundary(anchor, interval, count, number + 1) <= at:
        number += 1
    return boundary(anchor, interval, count, number), boundary(anchor, interval, count, number + 1)


def following(anchor: int, interval: str, count: int, at: int) -> int:
    """The first boundary after ``at``; the anchor itself while it lies ahead."""
    return anchor if anchor > at else period(anchor, interval, count, at)[1]


def whole(anchor: int, item: Mapping[str, Any]) -> tuple[int, int]:
    """The full period of a subscription item's price that its current one is, or is a part of."""
    recurring = item["price"]["recurring"]
    return period(anchor, recurring["interval"], recurring["interval_count"], item["current_period_start"])


def configured(start: int, config: Mapping[str, int | None], interval: str) -> int:
    """The first moment from ``start`` on that ``billing_cycle_anchor_config`` names.

    A day that a month does not have is its last. Fields of the time that are not given are those of ``start``.
    """
    moment = datetime.fromtimestamp(start, UTC)
    day = int(config["day_of_month"] or 1)
    hour, minute, second = (
        moment_part if config.get(name) is None else int(config[name] or 0)
        for name, moment_part in (("hour", moment.hour), ("minute", moment.minute), ("second", moment.second))
    )
    month = config.get("month") if interval == "year" else None
    for ahead in range(14):
        year, at = divmod(moment.year * 12 + moment.month - 1 + ahead, 12)
        if month and at + 1 != month:
            continue
        last = monthrange(year, at + 1)[1]
        found = datetime(year, at + 1, min(day, last), hour, minute, second, tzinfo=UTC)
        if found >= moment:
            return int(found.timestamp())
    raise AssertionError(config)
