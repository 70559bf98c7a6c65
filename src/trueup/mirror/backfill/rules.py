"""How a list of Stripe's is read by many at once: spans of creation time, and how one is divided. Pure.

Lists are newest first. A span is read from its top, page by page; what is left of it can be divided at any second,
because the lower part is asked for by ``created`` alone and the upper part goes on behind its cursor.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from trueup.kernel.records import Record

PAGE: Final = 100
"""Objects a page, the most that Stripe gives."""
FANOUT: Final = 10
"""Spans of one list that are open at once: enough for all who read, few enough that empty ones cost little."""
DAWN: Final = 1_293_840_000
"""2011-01-01, before Stripe's first customer. Only the choice of where to divide rests on it."""


class Span(Record, frozen=True):
    """What is to be read of a list: objects created in ``[since, until)``, unix seconds, that come after a cursor.

    ``since`` is 0 and ``until`` None where there is no bound. ``cursor`` is the last object read and ``cursor_second``
    when it was created, None where that is not known.
    """

    since: int = 0
    until: int | None = None
    cursor: str | None = None
    cursor_second: int | None = None


class Page(Record, frozen=True):
    """What a page held: ids in its order, the second in which each was created, and whether there are more."""

    ids: Sequence[str]
    created: Sequence[int | None]
    has_more: bool


class Step(Record, frozen=True):
    """What is left of a span after a page, and the spans that were cut off from its lower end."""

    rest: Span | None
    lower: tuple[Span, ...] = ()


def params(span: Span, *, size: int = PAGE) -> dict[str, Any]:
    """The parameters that ask for a span's next page; ``created`` only where there is a bound."""
    found: dict[str, Any] = {"limit": size}
    created = {}
    if span.since:
        created["gte"] = span.since
    if span.until is not None:
        created["lt"] = span.until
    if created:
        found["created"] = created
    if span.cursor is not None:
        found["starting_after"] = span.cursor
    return found


def step(span: Span, page: Page, *, room: int) -> Step:
    """What follows a page: the rest of the span, and up to ``room`` spans that others may read beside it.

    All that is returned together is exactly what of the span the page did not hold. A list whose objects do not say
    when they were created is never divided.
    """
    if not page.has_more or not page.ids:
        return Step(rest=None)
    last = page.created[-1]
    rest = Span(since=span.since, until=span.until, cursor=page.ids[-1], cursor_second=last)
    seconds = [second for second in page.created if second is not None]
    if room < 1 or last is None or len(seconds) < len(page.created):
        return Step(rest=rest)
    bottom = max(span.since, min(DAWN, last))
    parts = min(room + 1, _pages(seconds, bottom=bottom, top=last), last - bottom)
    if parts < 2:
        return Step(rest=rest)
    bounds = [bottom + (last - bottom) * part // parts for part in range(1, parts)]
    lower = tuple(Span(since=since, until=until) for since, until in pairwise((span.since, *bounds)))
    return Step(rest=Span(since=bounds[-1], until=span.until, cursor=rest.cursor, cursor_second=last), lower=lower)


def _pages(seconds: Sequence[int], *, bottom: int, top: int) -> int:
    """About how many pages are left below ``top``, if objects there are as dense as on this page."""
    lasted = max(seconds) - min(seconds) + 1
    return -(-(top - bottom) // lasted)


def without_cursor(span: Span) -> Span:
    """The span again when its cursor names an object that is gone: from that object's second, which is read twice.

    Without that second it is read from its top.
    """
    until = span.until if span.cursor_second is None else span.cursor_second + 1
    return Span(since=span.since, until=until)


def left(spans: Sequence[Span], *, listed: int, newest: int | None, oldest_seen: bool, since: int = 0) -> int | None:
    """About how many objects are still in the open ``spans`` of one list; None where nobody can tell yet.

    ``listed`` are those read, ``newest`` the newest one's second, and ``since`` where the list begins for this reader.
    How dense they are is taken from what was read, which says nothing before the oldest span was looked at
    (``oldest_seen``).
    """
    if not spans:
        return 0
    if newest is None or not oldest_seen or not listed:
        return None
    floor = min(max(since, DAWN), newest)
    waiting = sum(max(0, _top(span, newest) - max(span.since, floor)) for span in spans)
    read = newest + 1 - floor - waiting
    return None if read <= 0 else round(listed * waiting / read)


def _top(span: Span, newest: int) -> int:
    return min(second for second in (span.cursor_second, span.until, newest + 1) if second is not None)
