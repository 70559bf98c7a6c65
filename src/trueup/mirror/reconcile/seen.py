"""Statements on what a run has seen at Stripe, and on what of it is in doubt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from trueup.kernel.records import Record
from trueup.mirror.reconcile.types import Run
from trueup.runtime import database

LEFT: Final = -1
"""Stands in ``rounds`` of an object of which a run can say nothing."""

_UNSEEN: Final = """
with page as (
    select o.object_type, o.object_id from mirror_object o
    where o.account_id = %(account)s and o.livemode = %(livemode)s and not o.deleted
      and o.object_type = any(%(types)s) and (o.object_type, o.object_id) > (%(after_type)s, %(after_id)s)
      and (%(customers)s::text[] is null or o.customer = any(%(customers)s))
    order by o.object_type, o.object_id limit %(limit)s
), doubtful as (
    insert into mirror_reconcileseen (run_id, object_type, object_id, doubt)
    select %(run)s, object_type, object_id, true from page on conflict do nothing returning 1
)
select (select count(*) from doubtful), object_type, object_id from page
order by object_type desc, object_id desc limit 1
"""


class Doubt(Record, frozen=True):
    """An object that has to be read singly; ``state`` is its fingerprint at Stripe when noticed, if ``observed``."""

    object_type: str
    object_id: str
    observed: bool
    state: int | None
    rounds: int
    waited: float
    """Seconds since it was noticed."""


class Seen(Record, frozen=True):
    """An object that a list showed, with its fingerprint where it is in doubt."""

    object_type: str
    object_id: str
    state: int | None


def see(run_id: int, seen: Sequence[Seen], *, grace: int) -> None:
    """Note objects that a list showed; those with a state are in doubt."""
    database.execute(
        """
        insert into mirror_reconcileseen as s (run_id, object_type, object_id, doubt, observed, state, due_at)
        select %(run)s, type, id, doubtful, true, case when doubtful then state end,
               now() + make_interval(secs => %(grace)s)
        from unnest(%(types)s::text[], %(ids)s::text[], %(doubtful)s::bool[], %(states)s::int8[])
             as k (type, id, doubtful, state)
        on conflict (run_id, object_type, object_id) do update set
            doubt = true, observed = true, state = excluded.state, noticed_at = now(), due_at = excluded.due_at
        where excluded.doubt and not s.doubt
        """,
        {
            "run": run_id,
            "grace": grace,
            "types": [one.object_type for one in seen],
            "ids": [one.object_id for one in seen],
            "doubtful": [one.state is not None for one in seen],
            "states": [one.state or 0 for one in seen],
        },
    )


def doubt_these(run_id: int, keys: Sequence[tuple[str, str]]) -> None:
    """Have these objects (type, id) read singly, unless they were seen."""
    database.execute(
        """
        insert into mirror_reconcileseen (run_id, object_type, object_id, doubt)
        select %s, * , true from unnest(%s::text[], %s::text[]) on conflict do nothing
        """,
        (run_id, [key[0] for key in keys], [key[1] for key in keys]),
    )


def pick_unseen(
    run: Run, *, types: Collection[str], after: tuple[str, str], limit: int
) -> tuple[tuple[str, str] | None, int]:
    """Put in doubt what of the next ``limit`` living objects no list showed; answers the last one's place, if any."""
    row = database.execute(
        _UNSEEN,
        {
            "account": run.account_id,
            "livemode": run.livemode,
            "types": list(types),
            "after_type": after[0],
            "after_id": after[1],
            "customers": None if run.customers is None else list(run.customers),
            "limit": limit,
            "run": run.id,
        },
    ).fetchone()
    return (None, 0) if row is None else ((row[1], row[2]), row[0])


def doubts(run_id: int, *, limit: int) -> list[Doubt]:
    """Objects in doubt that are due, the longest due first."""
    rows = database.execute(
        """
        select object_type, object_id, observed, state, rounds,
               extract(epoch from clock_timestamp() - noticed_at)::float8
        from mirror_reconcileseen where run_id = %s and doubt and due_at <= clock_timestamp()
        order by due_at, object_type, object_id limit %s
        """,
        (run_id, limit),
    ).fetchall()
    return [Doubt(**dict(zip(Doubt.__struct_fields__, row, strict=True))) for row in rows]


def doubts_left(run_id: int) -> tuple[int, float]:
    """How many objects are in doubt, and in how many seconds the next is due."""
    row = database.execute(
        """
        select count(*), coalesce(extract(epoch from min(due_at) - clock_timestamp()), 0)::float8
        from mirror_reconcileseen where run_id = %s and doubt
        """,
        (run_id,),
    ).fetchone()
    return (0, 0.0) if row is None else (row[0], max(0.0, row[1]))


def clear_doubt(run_id: int, doubt: Doubt) -> None:
    """An object is in doubt no more."""
    database.execute(
        "update mirror_reconcileseen set doubt = false where run_id = %s and object_type = %s and object_id = %s",
        (run_id, doubt.object_type, doubt.object_id),
    )


def leave(run_id: int, doubt: Doubt) -> None:
    """An object is in doubt no more in this run, and nothing is said of it: what is known of it stays as it is."""
    database.execute(
        """
        update mirror_reconcileseen set doubt = false, rounds = %s
        where run_id = %s and object_type = %s and object_id = %s
        """,
        (LEFT, run_id, doubt.object_type, doubt.object_id),
    )


def postpone(run_id: int, doubt: Doubt, *, seconds: float) -> None:
    """Look at an object later."""
    database.execute(
        """
        update mirror_reconcileseen set due_at = clock_timestamp() + make_interval(secs => %s)
        where run_id = %s and object_type = %s and object_id = %s
        """,
        (seconds, run_id, doubt.object_type, doubt.object_id),
    )


def notice(run_id: int, doubt: Doubt, *, state: int | None, seconds: float) -> None:
    """Note how an object is at Stripe now, and look again after ``seconds``."""
    database.execute(
        """
        update mirror_reconcileseen
        set observed = true, state = %s, noticed_at = clock_timestamp(), rounds = rounds + 1,
            due_at = clock_timestamp() + make_interval(secs => %s)
        where run_id = %s and object_type = %s and object_id = %s
        """,
        (state, seconds, run_id, doubt.object_type, doubt.object_id),
    )


def doubt_repaired(run_id: int) -> int:
    """Have what was repaired read once more, all of it due at one moment; answers how many objects."""
    return database.execute(
        """
        with moment as materialized (select clock_timestamp() as at)
        update mirror_reconcileseen s
        set doubt = true, observed = false, rounds = 0, noticed_at = moment.at, due_at = moment.at
        from mirror_drift d, moment
        where s.run_id = %(run)s and d.run_id = %(run)s and d.repaired_at is not null and d.resolved_at is null
          and (s.object_type, s.object_id) = (d.object_type, d.object_id)
        """,
        {"run": run_id},
    ).rowcount
