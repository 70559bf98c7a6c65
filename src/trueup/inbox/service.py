"""What others may ask of the log, and how its readers claim from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import psycopg

from trueup.accounts import service as accounts
from trueup.inbox import store
from trueup.inbox.types import (
    TOPIC,
    AwaitingRow,
    EventDetail,
    EventRow,
    InboxStats,
    PendingEvent,
    QuarantinedRow,
    State,
    Subject,
    TypesSince,
)
from trueup.kernel.errors import NotFound, Refused
from trueup.runtime import clock, database, partitions, queues
from trueup.runtime.pages import Moment, Number, Page, decode_cursor, encode_cursor
from trueup.runtime.queues import Claimed, Queue
from trueup.runtime.recalling import Recalled
from trueup.runtime.wake import wake

MANY: Final = 5_000
"""Counting so many events takes long enough to be worth remembering."""
_lately: Final = Recalled[tuple[int, int]](seconds=10.0, dear=lambda counted: sum(counted) > MANY)
# So many that not all of them are looked at.
_types: Final = Recalled[TypesSince](seconds=10.0, dear=lambda found: not found.whole)
PENDING: Final = Queue(table="inbox_pending", columns=("account_id", "livemode", "event_id", "created"))
"""Snapshot events that the mirror has not read."""
AWAITING: Final = Queue(table="inbox_awaitingfetch", columns=("account_id", "livemode", "event_id", "created"))
"""Thin events whose object has to be fetched."""
AWAITING_ATTEMPTS: Final = 8
"""Failures after which a thin event is set aside."""
MONTHS_BACK: Final = 24
MONTHS_AHEAD: Final = 3
LARGEST_PAGE: Final = 200


def pending_events(rows: Sequence[Claimed]) -> list[PendingEvent]:
    """The bodies of claimed rows of ``PENDING``; a row whose event is gone (erased, expired) is left out."""
    return store.bodies([(row.values[0], row.values[1], row.values[2], row.values[3]) for row in rows])


def named_in(rows: Sequence[Claimed]) -> list[Subject]:
    """The objects that the events of claimed rows of ``PENDING`` name; an event that names none is left out."""
    return store.subjects([(row.values[0], row.values[1], row.values[2], row.values[3]) for row in rows])


def events(
    *,
    q: str = "",
    type: str = "",  # noqa: A002 - the field's name
    state: str = "",
    account_id: int | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page[EventRow]:
    """The log, newest first. ``q`` is an event or object id, exactly; ``state`` one of ``State``."""
    try:
        wanted = State(state) if state else None
    except ValueError:
        raise Refused(
            f"There is no state {state}.", code="state_unknown", hint=f"One of: {', '.join(State)}."
        ) from None
    limit = max(1, min(limit, LARGEST_PAGE))
    cursor = None
    if after:
        cursor = decode_cursor(after, tuple[Moment, str])
    slugs = _slugs()
    rows = store.event_rows(
        q=q, type_=type, state=wanted, account_id=account_id, limit=limit + 1, after=cursor, slugs=slugs
    )
    total = store.event_total(q=q, type_=type, state=wanted, account_id=account_id, slugs=slugs)
    more = len(rows) > limit
    last = rows[limit - 1] if more else None
    return Page(
        data=tuple(rows[:limit]),
        next=encode_cursor(last.received_at.isoformat(), last.event_id) if last else None,
        total=total,
    )


def _slugs() -> dict[int, str]:
    return {account.id: account.slug for account in accounts.accounts()}


def bodies(keys: Sequence[tuple[int, bool, str, datetime]]) -> list[PendingEvent]:
    """The stored bodies of events named by account, mode, event id and created.

    Those that are gone are left out, the order is not kept.
    """
    return store.bodies(list(keys))


def quarantined_body(quarantined_id: int) -> bytes:
    """A body in the quarantine, exactly as received."""
    body = store.quarantined_body(quarantined_id)
    if body is None:
        raise NotFound(f"There is no quarantined body {quarantined_id}.", code="quarantined_unknown")
    return body


def event(event_id: str) -> EventDetail:
    """One event with its body exactly as received."""
    detail = store.event_detail(event_id, slugs=_slugs())
    if detail is None:
        raise NotFound(
            f"There is no event {event_id}.",
            code="event_unknown",
            hint="It may have been sent to another account or not at all.",
        )
    return detail


def quarantined(*, limit: int = 50, after: str | None = None) -> Page[QuarantinedRow]:
    """Signed bodies that cannot be used, newest first."""
    limit = max(1, min(limit, LARGEST_PAGE))
    before_id = decode_cursor(after, tuple[Number])[0] if after else 2**63 - 1
    rows = store.quarantined_rows(limit=limit + 1, before_id=before_id, slugs=_slugs())
    more = len(rows) > limit
    return Page(
        data=tuple(rows[:limit]),
        next=encode_cursor(rows[limit - 1].id) if more else None,
        total=store.quarantined_total(),
    )


def stats() -> InboxStats:
    """How the inbox stands; how many came in a day may be ten seconds old where they are many."""
    return store.stats(*_lately.of("", store.lately))


def types_since(moment: datetime, *, limit: int = 20_000) -> TypesSince:
    """How many events of each type happened since a moment, of the newest ``limit`` that came.

    What happened before and came since, as a backfill's or a delayed delivery, does not count.
    """
    # Asked at two moments within ten seconds, the answer is the same one.
    key = (int(moment.timestamp()) // 10, limit)
    return _types.of(key, lambda: store.types_since(moment, limit=limit))


def ensure_partitions(*, now: datetime | None = None) -> None:
    """Make the log's partitions from two years back to three months ahead; run at start and daily, safe to repeat."""
    partitions.ensure_months("inbox_event", "created", now=now or clock.now(), back=MONTHS_BACK, ahead=MONTHS_AHEAD)


def lease_awaiting(*, limit: int, seconds: float) -> list[AwaitingRow]:
    """Take up to ``limit`` thin events that are due, oldest first, for ``seconds``; nobody else gets them meanwhile.

    Commits at once outside a transaction, so that Stripe is asked without one. Whoever is not done in time, or dies,
    leaves them to the next; fetching twice does no harm.
    """
    with database.transaction():
        return store.lease_awaiting(limit=limit, seconds=seconds)


def finish_awaiting(ids: Sequence[int]) -> None:
    """Forget thin events whose object was fetched; in the transaction that keeps what was read. Repeating is harmless.

    The events stay in the log.
    """
    with database.transaction() as connection:
        queues.finish(connection, AWAITING, list(ids))


def fail_awaiting(row_id: int, error: str, *, final: bool = False) -> bool:
    """Note why a thin event could not be fetched, and let it wait: one second, then two, then four.

    True when it was set aside with ``error``, a sentence of ours: after eight failures, or at once when ``final``. One
    that is gone or set aside already is left alone.
    """
    with database.transaction() as connection:
        attempts = store.awaiting_attempts(row_id)
        if attempts is None:
            return False
        row = Claimed(id=row_id, attempts=attempts, values=())
        most = 1 if final else AWAITING_ATTEMPTS
        return queues.fail(connection, AWAITING, row, error=error, max_attempts=most)


def read_again() -> int:
    """Let the mirror read the whole log once more, oldest event first, and wake it; returns how many events are queued.

    Events that wait keep their place, and those that were set aside stay so. Repeating it queues nothing twice.
    """
    with database.transaction() as connection:
        count = store.read_again()
        wake(connection, TOPIC)
    return count


def awaiting_depth(connection: psycopg.Connection[tuple[Any, ...]]) -> queues.Depth:
    """How the queue of thin events stands."""
    return queues.depth(connection, AWAITING, "received_at")


def depth(connection: psycopg.Connection[tuple[Any, ...]]) -> queues.Depth:
    """How the mirror's queue stands."""
    return queues.depth(connection, PENDING, "received_at")
