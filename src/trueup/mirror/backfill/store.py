"""Statements of backfills. Whoever reads a span holds a lease on it, and writes only as long as the lease is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from trueup.kernel.actor import Actor
from trueup.kernel.errors import Broken
from trueup.kernel.records import Record
from trueup.mirror.backfill.rules import Span
from trueup.mirror.backfill.types import Run, Status
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


class Counts(Record, frozen=True):
    """What all spans of one type have come to."""

    object_type: str
    open: int = 0
    failed: int = 0
    absent: int = 0
    listed: int = 0
    new: int = 0
    changed: int = 0
    known: int = 0
    pages: int = 0
    newest: int | None = None
    parents_left: int = 0
    parents_done: int = 0
    held: int = 0
    moved_at: datetime | None = None
    error_code: str | None = None
    error: str | None = None
    trouble: str | None = None


_RUN: Final = """
select id, account_id, status, types, since, started_at, ended_at, actor_kind || ' ' || actor_id
from mirror_backfillrun
"""

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
returning span.id, span.lease, span.run_id, run.account_id, run.livemode, run.types, run.since, span.place,
    span.object_type, span.variant, span.clock, span.parents, span.parents_done, span.since, span.until, span.cursor,
    span.cursor_second, span.tries
"""

_HOLD: Final = """
select from mirror_backfillspan span join mirror_backfillrun run on run.id = span.run_id
where span.id = %s and span.lease = %s and span.status = 'open' and run.status = 'running'
for update of span for share of run
"""

_COUNTS: Final = """
select object_type, count(*) filter (where status = 'open'), count(*) filter (where status = 'failed'),
    count(*) filter (where status = 'absent'),
    sum(listed)::bigint, sum(new)::bigint, sum(changed)::bigint, sum(known)::bigint, sum(pages)::bigint, max(newest),
    coalesce(sum(cardinality(parents) - parents_done) filter (where status = 'open'), 0)::bigint,
    coalesce(sum(parents_done), 0)::bigint,
    count(*) filter (where status = 'open' and lease is not null and due_at > now()),
    max(moved_at),
    (array_agg(error_code) filter (where status in ('failed', 'absent')))[1],
    (array_agg(last_error) filter (where status in ('failed', 'absent')))[1],
    (array_agg(last_error order by due_at desc) filter (where status = 'open' and tries > 0))[1]
from mirror_backfillspan where run_id = %s group by object_type
"""


def _run(row: tuple[Any, ...]) -> Run:
    return Run(
        id=row[0],
        account_id=row[1],
        status=Status(row[2]),
        types=tuple(row[3]),
        since=row[4],
        started_at=row[5],
        ended_at=row[6],
        started_by=row[7],
    )


def last_run(account_id: int, *, lock: bool = False) -> Run | None:
    """The newest run of an account."""
    row = database.execute(
        f"{_RUN} where account_id = %s order by id desc limit 1 {'for update' if lock else ''}", (account_id,)
    ).fetchone()
    return None if row is None else _run(row)


def run(run_id: int, *, lock: bool = False) -> Run | None:
    """A run by its number."""
    row = database.execute(f"{_RUN} where id = %s {'for update' if lock else ''}", (run_id,)).fetchone()
    return None if row is None else _run(row)


def runs() -> list[Run]:
    """The newest run of each account."""
    newest = "where id in (select max(id) from mirror_backfillrun group by account_id) order by account_id"
    rows = database.execute(f"{_RUN} {newest}")
    return [_run(row) for row in rows.fetchall()]


def guard(account_id: int) -> None:
    """Let nobody else start a backfill of this account until the transaction ends."""
    database.execute("select pg_advisory_xact_lock(hashtext('mirror backfill'), %s::int)", (account_id,))


def insert_run(*, account_id: int, livemode: bool, types: Sequence[str], since: int | None, by: Actor) -> int:
    """Add a run; the spans of earlier ones of this account go."""
    database.execute(
        "delete from mirror_backfillspan where run_id in (select id from mirror_backfillrun where account_id = %s)",
        (account_id,),
    )
    row = database.execute(
        """
        insert into mirror_backfillrun (account_id, livemode, status, types, since, actor_kind, actor_id)
        values (%s, %s, 'running', %s, %s, %s, %s) returning id
        """,
        (account_id, livemode, list(types), since, by.kind.value, by.id),
    ).fetchone()
    if row is None:  # pragma: no cover - a row that was added has a number
        raise Broken("A backfill was added and has no number.", code="no_number")
    return int(row[0])


def insert_spans(run_id: int, spans: Sequence[New]) -> None:
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
        types=tuple(row[5]),
        since=row[6],
        place=row[7],
        object_type=row[8],
        variant=row[9],
        clock=row[10],
        parents=None if row[11] is None else tuple(row[11]),
        parents_done=row[12],
        span=Span(since=row[13], until=row[14], cursor=row[15], cursor_second=row[16]),
        tries=row[17],
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


def over(run_id: int | None = None) -> list[int]:
    """The running runs that have nothing left to read."""
    rows = database.execute(
        """
        select id from mirror_backfillrun run
        where status = 'running' and (%(run)s::bigint is null or id = %(run)s)
            and not exists (select from mirror_backfillspan where run_id = run.id and status = 'open')
        """,
        {"run": run_id},
    )
    return [row[0] for row in rows.fetchall()]


def end(run_id: int, status: Status) -> None:
    """End a run."""
    database.execute(
        "update mirror_backfillrun set status = %s, ended_at = now() where id = %s", (status.value, run_id)
    )


def resume(run_id: int) -> None:
    """Run again what was cancelled or failed; what was read is not read again."""
    database.execute(
        """
        update mirror_backfillrun
        set status = 'running', ended_at = null, resumed_at = now(), pages_before = (
            select coalesce(sum(pages), 0) from mirror_backfillspan where run_id = id_of.id)
        from (select %(run)s::bigint as id) id_of where mirror_backfillrun.id = id_of.id
        """,
        {"run": run_id},
    )
    database.execute(
        """
        update mirror_backfillspan
        set status = 'open', due_at = now(), lease = null, tries = 0, error_code = null, last_error = null
        where run_id = %s and status in ('failed', 'open')
        """,
        (run_id,),
    )


def counts(run_id: int) -> list[Counts]:
    """What the spans of each type have come to."""
    rows = database.execute(_COUNTS, (run_id,))
    return [Counts(**dict(zip(Counts.__struct_fields__, row, strict=True))) for row in rows.fetchall()]


def open_by_type(run_id: int) -> list[tuple[str, int, Span, bool]]:
    """Type, variant, span, and whether it was looked at, of each open span of the lists that have no parents."""
    rows = database.execute(
        """
        select object_type, variant, since, until, cursor, cursor_second, pages > 0
        from mirror_backfillspan where run_id = %s and status = 'open' and parents is null
        """,
        (run_id,),
    )
    return [
        (row[0], row[1], Span(since=row[2], until=row[3], cursor=row[4], cursor_second=row[5]), row[6])
        for row in rows.fetchall()
    ]


def pace(run_id: int) -> tuple[float, int]:
    """Seconds since a run was started or resumed, up to its end, and the pages it had read before that."""
    row = database.execute(
        """
        select extract(epoch from coalesce(ended_at, now()) - resumed_at)::float8, pages_before
        from mirror_backfillrun where id = %s
        """,
        (run_id,),
    ).fetchone()
    return (0.0, 0) if row is None else (row[0], row[1])
