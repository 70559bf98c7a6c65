"""Statements on backfills as a whole: their start and end, and how far they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from trueup.kernel.actor import Actor
from trueup.kernel.errors import Broken
from trueup.mirror.backfill.estimates import Waiting
from trueup.mirror.backfill.rules import Span
from trueup.mirror.backfill.types import Counts, Run, Status
from trueup.runtime import database

_RUN: Final = """
select id, account_id, status, types, since, started_at, ended_at, actor_kind || ' ' || actor_id
from mirror_backfillrun
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
    newest = "where account_id = %s and purpose = 'backfill' order by id desc limit 1"
    row = database.execute(f"{_RUN} {newest} {'for update' if lock else ''}", (account_id,)).fetchone()
    return None if row is None else _run(row)


def last_whole_run(account_id: int, types: Sequence[str]) -> Run | None:
    """The newest run of an account that reads all of these types, whenever their objects were created."""
    newest = "where account_id = %s and purpose = 'backfill' and since is null and types @> %s order by id desc limit 1"
    row = database.execute(f"{_RUN} {newest}", (account_id, list(types))).fetchone()
    return None if row is None else _run(row)


def run(run_id: int, *, lock: bool = False) -> Run | None:
    """A run by its number."""
    row = database.execute(f"{_RUN} where id = %s {'for update' if lock else ''}", (run_id,)).fetchone()
    return None if row is None else _run(row)


def runs() -> list[Run]:
    """The newest run of each account."""
    newest = "where id in (select max(id) from mirror_backfillrun where purpose = 'backfill' group by account_id)"
    rows = database.execute(f"{_RUN} {newest} order by account_id")
    return [_run(row) for row in rows.fetchall()]


def guard(account_id: int) -> None:
    """Let nobody else start a backfill of this account until the transaction ends."""
    database.execute("select pg_advisory_xact_lock(hashtext('mirror backfill'), %s::int)", (account_id,))


def insert_run(
    *,
    account_id: int,
    livemode: bool,
    types: Sequence[str],
    since: int | None,
    by: Actor,
    purpose: str = "backfill",
    keep: int | None = None,
) -> int:
    """Add a run; the spans of earlier ones of this account that are over go, but for those of the run ``keep``."""
    database.execute(
        """
        delete from mirror_backfillspan where run_id in (
            select id from mirror_backfillrun where account_id = %s and purpose = %s and status <> 'running'
                and id is distinct from %s)
        """,
        (account_id, purpose, keep),
    )
    row = database.execute(
        """
        insert into mirror_backfillrun (account_id, livemode, purpose, status, types, since, actor_kind, actor_id)
        values (%s, %s, %s, 'running', %s, %s, %s, %s) returning id
        """,
        (account_id, livemode, purpose, list(types), since, by.kind.value, by.id),
    ).fetchone()
    if row is None:  # pragma: no cover - a row that was added has a number
        raise Broken("A backfill was added and has no number.", code="no_number")
    return int(row[0])


def delete_run(run_id: int) -> None:
    """Delete a run and its spans."""
    database.execute("delete from mirror_backfillrun where id = %s", (run_id,))
    database.execute("delete from mirror_backfillspan where run_id = %s", (run_id,))


def over(run_id: int | None = None) -> list[tuple[int, str]]:
    """The running runs that have nothing left to read, each with its purpose."""
    rows = database.execute(
        """
        select id, purpose from mirror_backfillrun run
        where status = 'running' and (%(run)s::bigint is null or id = %(run)s)
            and not exists (select from mirror_backfillspan where run_id = run.id and status = 'open')
        """,
        {"run": run_id},
    )
    return [(row[0], row[1]) for row in rows.fetchall()]


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
        set status = 'running', ended_at = null, followed_up = false, resumed_at = now(), pages_before = (
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


def to_follow_up(*, run_id: int | None) -> Run | None:
    """A backfill that is over and all of whose objects are mirrored, locked; None where none is to be followed up."""
    row = database.execute(
        f"""
        {_RUN} run
        where purpose = 'backfill' and status in ('complete', 'incomplete') and not followed_up
            and (%(run)s::bigint is null or id = %(run)s)
            and not exists (
                select from inbox_pending
                where account_id = run.account_id and received_at <= run.ended_at and set_aside_at is null)
        order by id limit 1 for update skip locked
        """,
        {"run": run_id},
    ).fetchone()
    return None if row is None else _run(row)


def unknown_customers(account_id: int, *, after: str, limit: int) -> list[tuple[bool, str]]:
    """Mode and id of customers whom objects of an account name and of whom nobody told, by id, behind ``after``."""
    rows = database.execute(
        """
        select distinct livemode, customer from mirror_object named
        where account_id = %s and customer > %s and not exists (
            select from mirror_object known
            where (known.account_id, known.livemode, known.object_type, known.object_id)
                = (named.account_id, named.livemode, 'customer', named.customer))
        order by customer limit %s
        """,
        (account_id, after, limit),
    )
    return [(row[0], row[1]) for row in rows.fetchall()]


def followed_up(run_id: int) -> None:
    """Note that a backfill was followed up."""
    database.execute("update mirror_backfillrun set followed_up = true where id = %s", (run_id,))


def counts(run_id: int) -> list[Counts]:
    """What the spans of each type have come to."""
    rows = database.execute(_COUNTS, (run_id,))
    return [Counts(**dict(zip(Counts.__struct_fields__, row, strict=True))) for row in rows.fetchall()]


def waiting(run_id: int) -> list[Waiting]:
    """The open spans of a run's lists that are within nothing."""
    rows = database.execute(
        """
        select object_type, variant, since, until, cursor, cursor_second, pages > 0
        from mirror_backfillspan where run_id = %s and status = 'open' and parents is null
        """,
        (run_id,),
    )
    return [
        Waiting(
            object_type=row[0],
            variant=row[1],
            span=Span(since=row[2], until=row[3], cursor=row[4], cursor_second=row[5]),
            seen=row[6],
        )
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
