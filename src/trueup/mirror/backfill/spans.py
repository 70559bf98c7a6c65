"""Statements on the spans of backfills: whoever reads one holds a lease, and writes only while it is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid4

from trueup.kernel.records import Record
from trueup.mirror.backfill.rules import Span
from trueup.runtime import database

BARRIER: Final = 10
"""Spans with an earlier place are read before any with a later one is begun: they tell what belongs to test clocks."""


class Taken(Record, frozen=True):
    """A span with a lease on it, and what it belongs to."""

    id: int
    lease: UUID
    run_id: int
    account_id: int
    livemode: bool
    purpose: str
    types: tuple[str, ...]
    since: int | None
    place: int
    object_type: str
    variant: int
    clock: str | None
    parents: tuple[str, ...] | None
    parents_done: int
    span: Span
    tries: int


class New(Record, frozen=True):
    """A span to be added to a run."""

    place: int
    object_type: str
    variant: int = 0
    clock: str | None = None
    parents: tuple[str, ...] | None = None
    span: Span = Span()


_TAKE: Final = """
update mirror_backfillspan span
set lease = %(lease)s, due_at = now() + make_interval(secs => %(seconds)s)
from mirror_backfillrun run
where run.id = span.run_id and span.id = (
    select due.id
    from mirror_backfillspan due join mirror_backfillrun of on of.id = due.run_id
    where due.status = 'open' and due.due_at <= now() and of.status = 'running'
        and (%(run)s::bigint is null or of.id = %(run)s)
        and (due.place < %(barrier)s or not exists (
            select from mirror_backfillspan earlier
            where earlier.run_id = due.run_id and earlier.status = 'open' and earlier.place < %(barrier)s))
    order by due.place, due.since, due.id
    limit 1
    for update of due skip locked)
returning span.id, span.lease, span.run_id, run.account_id, run.livemode, run.purpose, run.types, run.since, span.place,
    span.object_type, span.variant, span.clock, span.parents, span.parents_done, span.since, span.until, span.cursor,
    span.cursor_second, span.tries
"""

_HOLD: Final = """
select from mirror_backfillspan span join mirror_backfillrun run on run.id = span.run_id
where span.id = %s and span.lease = %s and span.status = 'open' and run.status = 'running'
for update of span for share of run
"""


def insert(run_id: int, spans: Sequence[New]) -> None:
    """Add spans to a run."""
    for new in spans:
        database.execute(
            """
            insert into mirror_backfillspan
                (run_id, place, object_type, variant, clock, parents, since, until, cursor, cursor_second)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                run_id,
                new.place,
                new.object_type,
                new.variant,
                new.clock,
                None if new.parents is None else list(new.parents),
                new.span.since,
                new.span.until,
                new.span.cursor,
                new.span.cursor_second,
            ),
        )


def take(*, run_id: int | None, seconds: float) -> Taken | None:
    """Lease the next span that is due, for ``seconds``."""
    row = database.execute(_TAKE, {"lease": uuid4(), "seconds": seconds, "run": run_id, "barrier": BARRIER}).fetchone()
    if row is None:
        return None
    return Taken(
        id=row[0],
        lease=row[1],
        run_id=row[2],
        account_id=row[3],
        livemode=row[4],
        purpose=row[5],
        types=tuple(row[6]),
        since=row[7],
        place=row[8],
        object_type=row[9],
        variant=row[10],
        clock=row[11],
        parents=None if row[12] is None else tuple(row[12]),
        parents_done=row[13],
        span=Span(since=row[14], until=row[15], cursor=row[16], cursor_second=row[17]),
        tries=row[18],
    )


def hold(taken: Taken) -> bool:
    """Lock a span for this transaction; False when the lease or the run is over."""
    return database.execute(_HOLD, (taken.id, taken.lease)).fetchone() is not None


def open_spans(taken: Taken) -> int:
    """How many spans of the same list are open."""
    row = database.execute(
        """
        select count(*) from mirror_backfillspan
        where run_id = %s and object_type = %s and variant = %s and status = 'open' and clock is null
        """,
        (taken.run_id, taken.object_type, taken.variant),
    ).fetchone()
    return int(row[0]) if row else 0


def advance(
    taken: Taken,
    span: Span | None,
    *,
    parents_done: int,
    listed: int,
    new: int,
    changed: int,
    known: int,
    newest: int | None,
    seconds: float,
) -> None:
    """Write what became of a span with a page, or with ``span`` None that it is read; its lease is renewed."""
    database.execute(
        """
        update mirror_backfillspan
        set status = %(status)s, since = %(since)s, cursor = %(cursor)s, cursor_second = %(cursor_second)s,
            until = %(until)s, parents_done = %(parents_done)s, pages = pages + 1, listed = listed + %(listed)s,
            new = new + %(new)s, changed = changed + %(changed)s, known = known + %(known)s,
            newest = greatest(newest, %(newest)s), tries = 0, last_error = null, moved_at = clock_timestamp(),
            due_at = now() + make_interval(secs => %(seconds)s)
        where id = %(id)s
        """,
        {
            "id": taken.id,
            "status": "done" if span is None else "open",
            "since": taken.span.since if span is None else span.since,
            "until": taken.span.until if span is None else span.until,
            "cursor": None if span is None else span.cursor,
            "cursor_second": None if span is None else span.cursor_second,
            "parents_done": parents_done,
            "listed": listed,
            "new": new,
            "changed": changed,
            "known": known,
            "newest": newest,
            "seconds": seconds,
        },
    )


def give_back(taken: Taken, *, seconds: float = 0.0, error: str | None = None) -> None:
    """End a lease; with ``error`` after a try that failed, and nobody tries again before ``seconds`` are over."""
    database.execute(
        """
        update mirror_backfillspan
        set lease = null, due_at = now() + make_interval(secs => %s), last_error = %s,
            tries = case when %s then least(tries + 1, 1000) else tries end
        where id = %s and lease = %s and status = 'open'
        """,
        (seconds, error, error is not None, taken.id, taken.lease),
    )


def reset(taken: Taken, span: Span) -> None:
    """Read a span again from elsewhere: its cursor is gone."""
    database.execute(
        """
        update mirror_backfillspan set until = %s, cursor = null, cursor_second = null, lease = null, due_at = now()
        where id = %s and lease = %s and status = 'open'
        """,
        (span.until, taken.id, taken.lease),
    )


def skip_parent(taken: Taken) -> None:
    """Go on with the next parent: this one is gone."""
    database.execute(
        """
        update mirror_backfillspan
        set parents_done = parents_done + 1, cursor = null, cursor_second = null, lease = null, due_at = now(),
            status = case when parents_done + 1 < cardinality(parents) then 'open' else 'done' end
        where id = %s and lease = %s and status = 'open'
        """,
        (taken.id, taken.lease),
    )


def give_up(taken: Taken, *, status: str, code: str, error: str) -> None:
    """End all that is open of a type in this run as ``failed``, or as ``absent`` where the API has no such list."""
    database.execute(
        """
        update mirror_backfillspan set status = %s, error_code = %s, last_error = %s, lease = null
        where run_id = %s and object_type = %s and status = 'open'
        """,
        (status, code, error, taken.run_id, taken.object_type),
    )


def clocked(run_id: int, customers: Sequence[str]) -> set[str]:
    """Those of these customers that belong to test clocks and are read by customer."""
    rows = database.execute(
        """
        select distinct customer from mirror_backfillspan, unnest(parents) customer
        where run_id = %s and clock is not null and parents && %s and customer = any(%s)
        """,
        (run_id, list(customers), list(customers)),
    )
    return {row[0] for row in rows.fetchall()}


def has_clocks(run_id: int) -> bool:
    """Whether any span of a run is a test clock's."""
    row = database.execute(
        "select exists (select from mirror_backfillspan where run_id = %s and clock is not null)", (run_id,)
    ).fetchone()
    return bool(row and row[0])
