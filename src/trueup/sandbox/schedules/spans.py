"""When phases begin and end. Times are unix seconds, spans half-open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from trueup.sandbox.assumptions import SCHEDULE_YEARS
from trueup.sandbox.subscriptions import periods
from trueup.sandbox.wire.errors import invalid

Cycle = tuple[str, int]
"""An interval and how many of it."""

_MONTHS: Final = {"month": 1, "year": 12}
_YEAR: Final = 366 * 86_400
_LONGEST: Final = {"day": 1826, "week": 260, "month": 60, "year": 5}
"""The most of an interval that a phase's ``duration`` may count: five years."""


def after(start: int, cycle: Cycle, anchor: int) -> int:
    """When something that lasts ``cycle`` from ``start`` on ends.

    Months are counted from ``anchor`` where ``start`` is one of its months, so that the 31st comes back after February.
    """
    interval, count = cycle
    if interval not in _MONTHS:
        return periods.boundary(start, interval, count, 1)
    months = count * _MONTHS[interval]
    first, then = datetime.fromtimestamp(anchor, UTC), datetime.fromtimestamp(start, UTC)
    gone = (then.year - first.year) * 12 + then.month - first.month
    if periods.add_months(anchor, gone) == start:
        return periods.add_months(anchor, gone + months)
    return periods.add_months(start, months)


def moment(said: Any, now: int, param: str) -> int:
    """The unix second that a request names, which may be ``now``. Raises Stripe's 400 for one that is far away."""
    at = now if said == "now" else int(said)
    if abs(at - now) > SCHEDULE_YEARS * _YEAR:
        message = f"Invalid timestamp: it must lie within {SCHEDULE_YEARS} years of now."
        raise invalid(message, param=param)
    return at


def spans(
    given: Sequence[Mapping[str, Any]], cycles: Sequence[Cycle], *, begin: int, anchor: int, now: int
) -> list[tuple[int, int]]:
    """The spans of phases of which the first begins at ``begin``; each other begins where the one before it ends.

    A phase ends at its ``end_date``, after its ``duration``, where the next says that it starts, or after one of the
    intervals in ``cycles`` (one for each phase). ``anchor`` is the subscription's. Raises Stripe's 400s.
    """
    found: list[tuple[int, int]] = []
    for index, one in enumerate(given):
        at = f"phases[{index}]"
        start = found[-1][1] if found else begin
        said = one.get("start_date")
        if found and said is not None and moment(said, now, f"{at}[start_date]") != start:
            message = (
                f"The start date of a phase must be the end date of the phase before it: `{at}[start_date]` is "
                f"{said}, not {start}."
            )
            raise invalid(message, param=f"{at}[start_date]")
        if one.get("billing_cycle_anchor") == "phase_start":
            anchor = start
        end = _end(one, given[index + 1] if index + 1 < len(given) else {}, start, cycles[index], anchor, now, at)
        if end <= start:
            message = f"The end date of a phase must be after its start date: {end} is not after {start}."
            raise invalid(message, param=f"{at}[end_date]")
        found.append((start, end))
        anchor = _trial(one, end) or anchor
    return found


def renewed(start: int, end: int, cycle: Cycle, anchor: int) -> int:
    """When a phase like [start, end) ends that begins at ``end``: as many of ``cycle`` later, or as many seconds."""
    at, count = start, 0
    while at < end:
        at, count = after(at, cycle, anchor), count + 1
    return after(end, (cycle[0], cycle[1] * count), anchor) if at == end else end + (end - start)


def _end(  # noqa: PLR0917 - private, and called once
    one: Mapping[str, Any], following: Mapping[str, Any], start: int, cycle: Cycle, anchor: int, now: int, at: str
) -> int:
    if one.get("end_date") is not None and one.get("duration") is not None:
        message = "You may only specify one of these parameters: end_date, duration."
        raise invalid(message, param=f"{at}[end_date]")
    if (end := one.get("end_date")) is not None:
        return moment(end, now, f"{at}[end_date]")
    if lasts := one.get("duration"):
        count = lasts.get("interval_count", 1)
        most = _LONGEST[lasts["interval"]]
        if not 1 <= count <= most:
            message = f"Invalid `interval_count`: it must be from 1 to {most} for `{lasts['interval']}`."
            raise invalid(message, param=f"{at}[duration][interval_count]")
        return after(start, (lasts["interval"], count), anchor)
    if (said := following.get("start_date")) is not None:
        return moment(said, now, f"{at}[end_date]")
    return after(start, cycle, anchor)


def _trial(one: Mapping[str, Any], end: int) -> int | None:
    """When the trial of a phase ends, which is what its billing cycle begins with."""
    if one.get("trial"):
        return end
    said = one.get("trial_end")
    return said if isinstance(said, int) else None
