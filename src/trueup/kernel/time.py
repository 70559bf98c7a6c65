"""Time as aware UTC. Intervals are half-open: the start belongs to them, the end does not.

Days, months, quarters and years are those of a named IANA zone and come out as intervals of UTC. A day begins when its
midnight first strikes, or, where the clocks jump over midnight, at the jump. So the days of a zone follow each other
without gap or overlap, last from 0 hours (Apia jumped over December 30, 2011) to 25 and more, and every moment is in
exactly one of them. Where clocks are put back over midnight, the hour that comes twice is of the day already begun.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from trueup.kernel.errors import Refused
from trueup.kernel.records import Record

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_EXACT: Final = {"day": _DAY, "week": 7 * _DAY}
_MONTHS: Final = {"month": 1, "year": 12}
_WRITTEN: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?([Zz]|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)
"""A day, then a time of it, then an offset from UTC."""


class Span(StrEnum):
    """A stretch of the calendar."""

    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    """Three months, the first from January."""
    YEAR = "year"


class Window(Record, frozen=True):
    """The moments from ``start`` up to, and not with, ``end``, both aware UTC; empty when they are equal."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse moments without a zone, and an end before the start, with ``ValueError``."""
        if aware(self.end) < aware(self.start):
            message = f"{self.end} is before {self.start}"
            raise ValueError(message)

    def __contains__(self, moment: datetime) -> bool:
        """Whether a moment lies inside."""
        return self.start <= moment < self.end

    @property
    def length(self) -> timedelta:
        """How long it lasts in elapsed time, so that a day may have 23 or 25 hours."""
        return self.end - self.start


def aware(moment: datetime) -> datetime:
    """The same moment in UTC; a naive datetime raises ``ValueError``, because its zone would be a guess."""
    if moment.utcoffset() is None:
        message = f"{moment!r} has no time zone"
        raise ValueError(message)
    return moment.astimezone(UTC)


def from_unix(seconds: int) -> datetime:
    """Stripe's timestamps are whole seconds since 1970 in UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def parse(text: str) -> datetime:
    """The moment that somebody wrote: a day, which stands for its beginning, alone or with minutes or seconds.

    ``T`` or a blank parts the two; ``Z`` or an offset may follow, and without one it is UTC. ``Refused`` with a hint
    for anything else.
    """
    found = _WRITTEN.fullmatch(text.strip())
    try:
        if found is not None:
            day, time, offset = found.groups()
            return aware(datetime.fromisoformat(f"{day}T{time or '00:00'}{(offset or 'Z').upper()}"))
    except (ValueError, OverflowError):
        # A day or a time that no calendar has, or one that in UTC lies outside the years 1 to 9999.
        pass
    raise Refused(
        f"{text} is no time.",
        code="time_invalid",
        hint="Write a day, such as 2026-05-01, or with its time, such as 2026-05-01T12:00, 2026-05-01T12:00:30Z, or "
        "2026-05-01T12:00+02:00. Without an offset it is UTC.",
    )


def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name, such as ``Europe/Berlin``; ``Refused`` with a hint where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # Names are looked up as files: a folder or an endless name is an OSError, one that leaves it a ValueError.
        raise Refused(
            "There is no time zone of this name.",
            code="unknown_time_zone",
            hint="Use a name of the IANA database, such as Europe/Berlin or America/New_York.",
        ) from None


def day_start(day: date, where: tzinfo) -> datetime:
    """The moment in UTC at which ``day`` begins in a zone; for days from 0001-01-03 to 9999-12-30."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=where)
    begins = midnight.astimezone(UTC)
    if begins.astimezone(where).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return begins
    # The clocks jump over midnight. Read with the offset before the jump it lies after the jump, and the other way
    # round (PEP 495); between the two, the first second with the new offset is the jump.
    before, after = midnight.replace(fold=1).astimezone(UTC), begins
    offset = after.astimezone(where).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if middle.astimezone(where).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def day_of(moment: datetime, where: tzinfo) -> date:
    """The day in a zone whose window holds the moment. Never a day that the zone jumped over."""
    day = aware(moment).astimezone(where).date()
    # Put back over midnight, the clocks name the day before once more, which has ended.
    return day if moment < day_start(day + _DAY, where) else day + _DAY


def window(span: Span, day: date, where: tzinfo) -> Window:
    """The day, month, quarter or year of the calendar that ``day`` lies in, as the zone lives it."""
    first = _first(span, day)
    return Window(start=day_start(first, where), end=day_start(_following(span, first), where))


def windows(span: Span, since: datetime, until: datetime, where: tzinfo) -> Iterator[Window]:
    """Every window that has a moment of ``[since, until)``, in order; the first and the last may reach beyond.

    A day that the zone jumped over has no moment and is left out. Nothing when ``until`` is not after ``since``.
    """
    first = _first(span, day_of(since, where))
    while (start := day_start(first, where)) < until and since < until:
        following = _following(span, first)
        end = day_start(following, where)
        if start < end:
            yield Window(start=start, end=end)
        first = following


def months_after(anchor: datetime, months: int) -> datetime:
    """The same day of the month and time that many months later (negative: earlier), in UTC.

    A day that the month lacks becomes its last, so that January 31 goes to February 28 and, counted from the same
    anchor, on to March 31. Out of the years 1 to 9999 raises ``ValueError``.
    Source: https://docs.stripe.com/billing/subscriptions/billing-cycle
    """
    moment = aware(anchor)
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        message = f"{months} months from {moment} is outside the calendar"
        raise ValueError(message)
    last = monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def renewal(anchor: datetime, interval: str, count: int, number: int) -> datetime:
    """When a subscription with this anchor renews for the ``number``th time; 0 is the anchor itself.

    ``interval`` is Stripe's day, week, month or year, of which ``count`` (at least 1) make a period. It is counted from
    the anchor, never from the renewal before, so that the 31st is not lost in a short month. Days and weeks are 24 and
    168 hours, as Stripe bills in UTC. Anything else raises ``ValueError``.
    """
    if count < 1 or interval not in {*_EXACT, *_MONTHS}:
        message = f"{count} x {interval!r} is no billing interval"
        raise ValueError(message)
    if interval in _EXACT:
        return aware(anchor) + _EXACT[interval] * count * number
    return months_after(anchor, _MONTHS[interval] * count * number)


def period(anchor: datetime, interval: str, count: int, moment: datetime) -> Window:
    """The billing period that a moment lies in, before the anchor too; arguments as for ``renewal``."""
    if interval in _EXACT:
        number = (aware(moment) - aware(anchor)) // (_EXACT[interval] * max(count, 1))
    else:
        number = _months_between(aware(anchor), aware(moment)) // (_MONTHS.get(interval, 1) * max(count, 1))
    return Window(
        start=renewal(anchor, interval, count, number),
        end=renewal(anchor, interval, count, number + 1),
    )


def days_between(earlier: datetime, later: datetime, where: tzinfo) -> int:
    """How many midnights lie between two moments as people in a zone count: tomorrow is 1, whatever the hour."""
    return (day_of(later, where) - day_of(earlier, where)).days


def age(since: datetime, now: datetime) -> str:
    """How long something has lasted, in complete units of the largest kind: ``3 days``, ``2 months``, ``1 year``.

    ``less than a minute`` before the first minute is over, and for what has not begun.
    """
    months = _months_between(aware(since), aware(now))
    elapsed = now - since
    if months >= 12:
        return _counted(months // 12, "year")
    if months >= 1:
        return _counted(months, "month")
    for unit, length in (("day", _DAY), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if elapsed >= length:
            return _counted(elapsed // length, unit)
    return "less than a minute"


def away(moment: datetime, now: datetime) -> str:
    """How far a moment is from ``now``: ``in 3 days``, ``2 hours ago``, ``now`` within half a minute.

    Minutes, hours and days are the nearest, halves up, so that what ends in 71 hours ends in 3 days; from a month on
    the complete months and years count.
    """
    ahead = moment >= now
    early, late = (now, moment) if ahead else (moment, now)
    minutes = _nearest(late - early, timedelta(minutes=1))
    hours = _nearest(late - early, timedelta(hours=1))
    months = _months_between(aware(early), aware(late))
    if minutes == 0:
        return "now"
    if months >= 1:
        words = age(early, late)
    elif minutes < 60:
        words = _counted(minutes, "minute")
    elif hours < 24:
        words = _counted(hours, "hour")
    else:
        words = _counted(_nearest(late - early, _DAY), "day")
    return f"in {words}" if ahead else f"{words} ago"


def _first(span: Span, day: date) -> date:
    if span is Span.DAY:
        return day
    if span is Span.MONTH:
        return day.replace(day=1)
    return day.replace(month=(day.month - 1) // 3 * 3 + 1 if span is Span.QUARTER else 1, day=1)


def _following(span: Span, first: date) -> date:
    if span is Span.DAY:
        return first + _DAY
    if span is Span.YEAR:
        return first.replace(year=first.year + 1)
    month = first.month + (1 if span is Span.MONTH else 3)
    return first.replace(year=first.year + month // 13, month=(month - 1) % 12 + 1)


def _months_between(earlier: datetime, later: datetime) -> int:
    """The complete months from one moment to another, rounded down; negative when the other comes first."""
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    last = monthrange(later.year, later.month)[1]
    reached = (min(earlier.day, last), earlier.timetz()) <= (later.day, later.timetz())
    return months if reached else months - 1


def _nearest(length: timedelta, unit: timedelta) -> int:
    return (2 * length + unit) // (2 * unit)


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
