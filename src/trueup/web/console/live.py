"""``/events/live``: the list of events as it grows, as server-sent events; the reader's filters hold for it.

Each message is a row as the list has it, so that a page does nothing but put it where it belongs. The stream asks now
and then whether the reader may still see it: a session that has ended ends its streams.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from trueup.inbox import tail
from trueup.inbox.types import READING, EventRow, InboxStats
from trueup.kernel.errors import TrueupError
from trueup.kernel.records import Record
from trueup.operators.permissions import Permission
from trueup.operators.sessions import service as sessions
from trueup.operators.sessions.types import End
from trueup.runtime import clock, database
from trueup.runtime.drains import DATABASE_ERRORS
from trueup.web.console import formats, live_hub, locale
from trueup.web.console.live_hub import Figures, Message, Missed, Told
from trueup.web.console.page import account_asked, choice_asked, shell
from trueup.web.console.reader import forget, may
from trueup.web.console.sessions import NUMBER, reader_id
from trueup.web.console.words import EVENT_STATES
from trueup.web.requests import client_address

KEEP_ALIVE: Final = 15.0
"""Seconds without a word after which a proxy might take the stream for dead."""
ASKED_EVERY: Final = 30.0
"""Seconds after which is asked again whether the reader may see this; each page a little sooner or later."""
RETRY_MS: Final = 3_000
MARGIN: Final = timedelta(seconds=1)
SHOWN: Final = 500
"""Rows that a page is remembered to have, to be taken away where they do not fit its filters any more."""


class Wanted(Record, frozen=True):
    """Which events a page shows: as the filters of the list."""

    q: str
    type: str
    state: str
    account_id: int | None

    def fits(self, row: EventRow) -> bool:
        """Whether the list would show this event."""
        return (
            (not self.q or self.q in {row.event_id, row.object_id, row.customer})
            and (not self.type or self.type == row.type)
            and (not self.state or self.state == row.state.value)
            and self.account_id in {None, row.account_id}
        )


def cursor(row: EventRow) -> str:
    """What names an event's place in the stream."""
    return f"{row.received_at.isoformat()}~{row.event_id}"


def address_of(wanted: Wanted, moment: datetime) -> Mapping[str, str]:
    """The query with which a page asks for what its list, read at a moment of the database's clock, does not show yet.

    It goes back a little further, because what was received then may have been committed after. What comes twice is
    the same row.
    """
    told = {"q": wanted.q, "type": wanted.type, "state": wanted.state}
    told |= {"account": "" if wanted.account_id is None else str(wanted.account_id)}
    told |= {"after": f"{(moment - MARGIN).isoformat()}~"}
    return {name: value for name, value in told.items() if value}


def can_follow(wanted: Wanted) -> bool:
    """Whether the stream has what this list shows: readings are in no stream, because thousands come at once."""
    return not wanted.q.startswith(READING) and wanted.type != "trueup.read"


def asked(request: HttpRequest) -> Wanted:
    """The filters of the list, from the query."""
    return Wanted(
        q=request.GET.get("q", "").strip()[:200],
        type=request.GET.get("type", "").strip()[:100],
        state=choice_asked(request, "state", EVENT_STATES),
        account_id=account_asked(request),
    )


@require_GET
def stream(request: HttpRequest) -> HttpResponseBase:
    """``/events/live``: events that fit the filters, from ``after`` (or ``Last-Event-ID``) on, until it is left."""
    wanted, several = asked(request), shell("events").several
    after = _moment(request.headers.get("Last-Event-ID", "") or request.GET.get("after", ""))
    response = StreamingHttpResponse(_told(request, wanted, several=several, after=after), "text/event-stream")
    response["X-Accel-Buffering"] = "no"
    return response


def _moment(given: str) -> tuple[datetime, str] | None:
    at, _, event_id = given.partition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, event_id) if moment.tzinfo is not None else None


async def _told(
    request: HttpRequest, wanted: Wanted, *, several: bool, after: tuple[datetime, str] | None
) -> AsyncIterator[str]:
    hub = live_hub.current()
    page = hub.join()
    shown: dict[str, None] = {}
    try:
        yield f"retry: {RETRY_MS}\n: open\n\n"
        # Asked after the page joined, so that nothing falls between; what comes twice is the same row.
        for text in _write(request, wanted, await sync_to_async(_since)(wanted, after), shown, several=several):
            yield text
        asked_at = clock.monotonic() - random.uniform(0, ASKED_EVERY / 3)  # noqa: S311 - spreads the questions
        while True:
            messages = await page.take(seconds=KEEP_ALIVE)
            if clock.monotonic() - asked_at > ASKED_EVERY:
                asked_at = clock.monotonic()
                if not await sync_to_async(_may_still)(request):
                    yield _event("over", {})
                    return
            if not messages:
                yield ": still here\n\n"
            for text in _write(request, wanted, messages, shown, several=several):
                yield text
    finally:
        hub.leave(page)


def _since(wanted: Wanted, after: tuple[datetime, str] | None) -> list[Message]:
    """What came after a place, as much as a page shows; and lets go of the database, which a stream must not hold."""
    try:
        if after is None:
            return []
        found = tail.newer(after[0] - timedelta(microseconds=1))
        fresh = [one for one in found if (one.received_at, one.event_id) > after and wanted.fits(one)]
        if len(found) >= tail.LARGEST and len(fresh) < live_hub.KEPT:
            # More came than was looked at, and what fits may be among the rest.
            return [Missed()]
        return [*live_hub.with_names(fresh[-live_hub.KEPT :])]
    finally:
        database.close()


def _may_still(request: HttpRequest) -> bool:
    """Whether the reader's session lives and lets them see events; that they watch is no use of it."""
    try:
        number = request.session.get(NUMBER)
        found = sessions.use(
            int(number or 0), operator_id=reader_id(request), client=client_address(request), counts=False
        )
        forget(request)
        return not isinstance(found, End) and Permission.EVENTS_READ in may(request)
    except (*DATABASE_ERRORS, TrueupError):
        # Who cannot be asked is asked again by the stream that the page opens next.
        return False
    finally:
        database.close()


def _write(
    request: HttpRequest, wanted: Wanted, messages: list[Message], shown: dict[str, None], *, several: bool
) -> list[str]:
    """Messages as the lines of the stream, in the reader's language and zone."""
    texts: list[str] = []
    with locale.chosen(request):
        # What text depends on beside the event; pages of one kind share what was written.
        tongue = (get_language() or "", formats.customs(), timezone.get_current_timezone_name())
        contact = Permission.PERSONAL_CONTACT in may(request)
        for message in messages:
            match message:
                case Missed():
                    texts.append(_event("reload", {}))
                case Figures():
                    texts.append(_event("figures", {"html": _figures(message.stats, tongue, _minute())}))
                case Told():
                    key = f"row-{message.row.event_id}"
                    if wanted.fits(message.row):
                        shown[key] = None
                        if len(shown) > SHOWN:
                            del shown[next(iter(shown))]
                        told = {"key": key, "html": _row(message, tongue, several, contact, _minute())}
                        texts.append(_event("row", told, id=cursor(message.row)))
                    elif key in shown or wanted.state:
                        shown.pop(key, None)
                        texts.append(_event("gone", {"key": key}))
    return texts


def _minute() -> int:
    return clock.unix() // 60


@lru_cache(maxsize=1024)
def _row(told: Told, tongue: tuple[str, str, str], several: bool, contact: bool, minute: int) -> str:  # noqa: FBT001
    del tongue, minute
    context: dict[str, Any] = {
        "row": told.row,
        "name": told.name,
        "shell": {"several": several},
        "now": clock.now(),
        "may": {"personal.contact"} if contact else set(),
    }
    return render_to_string("console/parts/events_row.html", context)


@lru_cache(maxsize=64)
def _figures(stats: InboxStats, tongue: tuple[str, str, str], minute: int) -> str:
    del tongue, minute
    return render_to_string("console/parts/events_figures.html", {"stats": stats, "now": clock.now()})


def _event(name: str, data: Mapping[str, str], *, id: str = "") -> str:  # noqa: A002 - the field's name
    head = f"id: {id}\n" if id else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n"
