"""Statements on runs: what each compares, how far it is, and who works on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec

from trueup.kernel.actor import Actor
from trueup.kernel.errors import Broken
from trueup.kernel.records import Record
from trueup.mirror.reconcile.types import Counts, Phase, Run, Status, Trouble
from trueup.runtime import database

_RUN: Final = """
select r.id, r.account_id, r.livemode, r.types, r.customers, r.whole, r.repair, r.status, r.phase, r.counts::text,
    r.troubles::text, r.started_at, r.ended_at, r.actor_kind || ' ' || r.actor_id,
    extract(epoch from coalesce(r.ended_at, now()) - r.started_at)::float8,
    (select count(*) from mirror_drift d
     where d.account_id = r.account_id and d.resolved_at is null
       and (d.object_type = any(r.types) or (r.whole and d.object_type = 'trueup.customer') or r.customers is not null)
       and (r.customers is null or d.customer = any(r.customers))),
    r.walk_id, r.place, r.grace_seconds, r.patience_seconds
from mirror_reconcilerun r
"""

_TAKE: Final = """
update mirror_reconcilerun r set lease = %(lease)s, due_at = now() + make_interval(secs => %(seconds)s)
where r.status = 'running' and r.id = (
    select id from mirror_reconcilerun
    where status = 'running' and due_at <= now() and (%(run)s::bigint is null or id = %(run)s)
    order by due_at, id limit 1 for update skip locked)
returning r.id
"""


class Working(Record, frozen=True):
    """A run, and what only who works on it needs to know."""

    run: Run
    walk_id: int | None
    place: str
    grace: int
    """Seconds that an event may take to arrive before its absence counts."""
    patience: int
    """Seconds that what has arrived may wait in a queue before that counts."""


def _working(row: tuple[Any, ...], slugs: Mapping[int, str]) -> Working:
    return Working(
        run=Run(
            id=row[0],
            account_id=row[1],
            account_slug=slugs.get(row[1], ""),
            livemode=row[2],
            types=tuple(row[3]),
            customers=None if row[4] is None else tuple(row[4]),
            whole=row[5],
            repair=row[6],
            status=Status(row[7]),
            phase=Phase(row[8]),
            counts=msgspec.json.decode(row[9], type=Counts),
            troubles=msgspec.json.decode(row[10], type=tuple[Trouble, ...]),
            started_at=row[11],
            ended_at=row[12],
            started_by=row[13],
            seconds=round(row[14], 3),
            left=row[15],
        ),
        walk_id=row[16],
        place=row[17],
        grace=row[18],
        patience=row[19],
    )


def insert_run(
    *,
    account_id: int,
    livemode: bool,
    types: Sequence[str],
    customers: Sequence[str] | None,
    whole: bool,
    repair: bool,
    grace: int,
    patience: int,
    walk_id: int,
    by: Actor,
) -> int:
    """Add a run in its first phase."""
    row = database.execute(
        """
        insert into mirror_reconcilerun (account_id, livemode, types, customers, whole, repair, grace_seconds,
            patience_seconds, phase, walk_id, counts, troubles, actor_kind, actor_id)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '{}', '[]', %s, %s) returning id
        """,
        (
            account_id,
            livemode,
            list(types),
            None if customers is None else list(customers),
            whole,
            repair,
            grace,
            patience,
            Phase.LISTS.value,
            walk_id,
            by.kind.value,
            by.id,
        ),
    ).fetchone()
    if row is None:  # pragma: no cover - a row that was added has a number
        raise Broken("A run was added and has no number.", code="no_number")
    return int(row[0])


def guard(account_id: int) -> None:
    """Let nobody else start or end runs of this account until the transaction ends."""
    database.execute("select pg_advisory_xact_lock(hashtext('mirror reconcile'), %s::int)", (account_id,))


def working(run_id: int, slugs: Mapping[int, str]) -> Working | None:
    """A run by its number."""
    row = database.execute(f"{_RUN} where r.id = %s", (run_id,)).fetchone()
    return None if row is None else _working(row, slugs)


def runs(
    slugs: Mapping[int, str], *, account_id: int | None, limit: int, before: int, only_running: bool = False
) -> list[Working]:
    """Runs, the newest first."""
    rows = database.execute(
        f"""{_RUN}
        where (%(account)s::bigint is null or r.account_id = %(account)s) and r.id < %(before)s
          and (not %(running)s or r.status = 'running')
        order by r.id desc limit %(limit)s""",
        {"account": account_id, "before": before, "limit": limit, "running": only_running},
    ).fetchall()
    return [_working(row, slugs) for row in rows]


def take(*, run_id: int | None, seconds: float) -> tuple[int, UUID] | None:
    """Take a run that is due, or that one, for ``seconds``; None when there is none or somebody holds it."""
    lease = uuid4()
    row = database.execute(_TAKE, {"lease": lease, "run": run_id, "seconds": seconds}).fetchone()
    return None if row is None else (row[0], lease)


def give_back(run_id: int, lease: UUID, *, seconds: float = 0.0) -> None:
    """Let go of a run that is due again after ``seconds``."""
    database.execute(
        """
        update mirror_reconcilerun set lease = null, due_at = now() + make_interval(secs => %s)
        where id = %s and lease = %s
        """,
        (seconds, run_id, lease),
    )


def hold(run_id: int, lease: UUID, *, seconds: float) -> bool:
    """Lock a run for this transaction and renew its lease; False when it is over or somebody else's."""
    return (
        database.execute(
            """
            update mirror_reconcilerun set due_at = now() + make_interval(secs => %s)
            where id = %s and lease = %s and status = 'running'
            """,
            (seconds, run_id, lease),
        ).rowcount
        == 1
    )


def move(run_id: int, *, phase: Phase | None = None, place: str = "") -> None:
    """Note how far a run is."""
    database.execute(
        "update mirror_reconcilerun set phase = coalesce(%s, phase), place = %s where id = %s",
        (None if phase is None else phase.value, place, run_id),
    )


def count(run_id: int, counts: Counts) -> None:
    """Write what a run has come to."""
    database.execute(
        "update mirror_reconcilerun set counts = %s::jsonb where id = %s",
        (msgspec.json.encode(counts).decode(), run_id),
    )


def add_trouble(run_id: int, trouble: Trouble) -> None:
    """Note what a run could not see; one of a type and code is enough."""
    database.execute(
        """
        update mirror_reconcilerun set troubles = troubles || %(one)s::jsonb
        where id = %(run)s and not exists (
            select from jsonb_array_elements(troubles) t
            where t ->> 'type' = %(type)s and t ->> 'code' = %(code)s)
        """,
        {"run": run_id, "type": trouble.type, "code": trouble.code, "one": msgspec.json.encode([trouble]).decode()},
    )


def end(run_id: int, status: Status) -> None:
    """End a run and forget what it saw."""
    database.execute("delete from mirror_reconcileseen where run_id = %s", (run_id,))
    database.execute(
        "update mirror_reconcilerun set status = %s, phase = 'over', lease = null, ended_at = now() where id = %s",
        (status.value, run_id),
    )


def run_of_walk(walk_id: int) -> tuple[int, int] | None:
    """The run that a walk is for, and its grace in seconds."""
    row = database.execute(
        "select id, grace_seconds from mirror_reconcilerun where walk_id = %s order by id desc limit 1", (walk_id,)
    ).fetchone()
    return None if row is None else (row[0], row[1])


def compared_at() -> dict[int, datetime]:
    """When the newest complete run over a whole account ended, by account."""
    rows = database.execute(
        """
        select account_id, max(ended_at) from mirror_reconcilerun
        where status = 'complete' and customers is null and whole group by account_id
        """
    ).fetchall()
    return dict(rows)


def any_customers(account_id: int, *, livemode: bool, limit: int) -> list[str]:
    """Some customers that the mirror knows, at random."""
    rows = database.execute(
        """
        select object_id from mirror_object
        where account_id = %s and livemode = %s and object_type = 'customer' and not deleted order by random() limit %s
        """,
        (account_id, livemode, limit),
    ).fetchall()
    return [row[0] for row in rows]


def tidy(*, days: int) -> int:
    """Delete runs that ended more than ``days`` ago; answers how many."""
    return database.execute(
        "delete from mirror_reconcilerun where ended_at < now() - make_interval(days => %s)", (days,)
    ).rowcount
