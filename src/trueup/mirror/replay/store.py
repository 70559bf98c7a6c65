"""Statements on replays: what was picked, how far each is, and the next events to read."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
import psycopg

from trueup.kernel.actor import Actor
from trueup.mirror.replay.types import Count, Progress, Replay, Selection
from trueup.runtime import database

Key = tuple[int, bool, str, datetime]
"""An event: account, mode, event id, created."""

_COUNT: Final = """
with picked as materialized ({picked}), owned as (
    select distinct p.account_id, p.livemode, coalesce(p.customer, o.customer) as customer
    from picked p
    left join lateral (
        select customer from mirror_object
        where p.customer is null and (account_id, livemode, object_type, object_id) =
              (p.account_id, p.livemode, p.object_type, p.object_id)
        offset 0
    ) o on true
    where p.kind <> 'thin'
), types as (
    select type, count(*) as events from picked where kind <> 'thin' group by type order by count(*) desc, type
)
select (select count(*) from picked where kind <> 'thin'),
       (select count(*) from picked where kind = 'thin'),
       (select count(*) from (
            select distinct account_id, livemode, object_type, object_id from picked
            where kind <> 'thin' and object_id is not null) o),
       (select count(*) from owned where customer is not null),
       (select count(*) from picked p where exists (
            select from inbox_pending q where q.event_id = p.event_id and q.set_aside_at is not null
            and (q.account_id, q.livemode, q.created) = (p.account_id, p.livemode, p.created))),
       (select count(*) from picked p where exists (
            select from inbox_discarded q
            where (q.account_id, q.livemode, q.event_id, q.created) =
                  (p.account_id, p.livemode, p.event_id, p.created))),
       (select array_agg(type) from types), (select array_agg(events) from types)
"""

_ADD: Final = b"""
insert into mirror_replay (progress, selection, why, by_kind, by_id, rate, total)
values ('running', %(selection)s::text::jsonb, %(why)s, %(by_kind)s, %(by_id)s, %(rate)s, 0) returning id
"""

_PICK: Final = """
insert into mirror_replayevent (replay_id, account_id, livemode, event_id, created)
select %(replay_id)s, account_id, livemode, event_id, created from ({picked}) p where kind <> 'thin'
order by created, event_id
"""

_COLUMNS: Final = """
id, progress, selection::text, why, by_kind, by_id, rate, total, done, failed, gone, changed, last_error, started_at,
ended_at
"""

_NEXT: Final = b"""
select id, rate, greatest(0, extract(epoch from due_at - clock_timestamp()))::float8 from mirror_replay
where progress = 'running' order by due_at, id limit 1 for update skip locked
"""

_TAKE: Final = b"""
with taken as (
    delete from mirror_replayevent where id in (
        select id from mirror_replayevent where replay_id = %(replay_id)s order by id limit %(limit)s
    ) returning id, account_id, livemode, event_id, created
)
select account_id, livemode, event_id, created from taken order by id
"""

_NOTE: Final = b"""
update mirror_replay set
    done = done + %(done)s, failed = failed + %(failed)s, gone = gone + %(gone)s, changed = changed + %(changed)s,
    last_error = coalesce(%(error)s, last_error),
    -- What could not be done in time is not made up for at once.
    due_at = greatest(due_at, clock_timestamp() - interval '1 second') + make_interval(secs => %(pause)s)
where id = %(id)s
"""


class Step(msgspec.Struct):
    """What a batch of a replay came to."""

    done: int = 0
    failed: int = 0
    gone: int = 0
    changed: int = 0
    error: str | None = None


class Counted(msgspec.Struct, frozen=True):
    """What a selection means, counted."""

    events: int
    thin: int
    objects: int
    customers: int
    set_aside: int
    discarded: int
    types: tuple[Count, ...]


def count(picked: str, values: dict[str, Any]) -> Counted:
    """Count what ``picked``, SQL of ``selection``, picks."""
    row = database.execute(_COUNT.format(picked=picked), values).fetchone() or (0, 0, 0, 0, 0, 0, None, None)
    types = tuple(Count(type=one, events=number) for one, number in zip(row[6] or (), row[7] or (), strict=True))
    return Counted(row[0], row[1], row[2], row[3], row[4], row[5], types)


def first(picked: str, values: dict[str, Any], *, limit: int) -> list[Key]:
    """Some of the events that are picked."""
    sql = f"select account_id, livemode, event_id, created from ({picked}) p where kind <> 'thin' limit %(limit)s"  # noqa: S608
    return [(row[0], row[1], row[2], row[3]) for row in database.execute(sql, values | {"limit": limit}).fetchall()]


def add(selection: Selection, *, why: str, by: Actor, rate: int) -> int:
    """A replay that runs and has no events yet; its id."""
    values = {
        "selection": msgspec.json.encode(selection).decode(),
        "why": why,
        "by_kind": by.kind.value,
        "by_id": by.id,
        "rate": rate,
    }
    row = psycopg.Cursor(database.connection()).execute(_ADD, values).fetchone()
    return int(row[0]) if row else 0


def pick(replay_id: int, picked: str, values: dict[str, Any]) -> int:
    """Give a replay its events, oldest first; returns how many."""
    count = database.execute(_PICK.format(picked=picked), values | {"replay_id": replay_id}).rowcount
    database.execute("update mirror_replay set total = %(n)s where id = %(id)s", {"n": count, "id": replay_id})
    return count


def following() -> tuple[int, int, float] | None:
    """Lock the running replay that is due first: its id, its rate, and for how many seconds it has to wait yet."""
    row = psycopg.Cursor(database.connection()).execute(_NEXT).fetchone()
    return None if row is None else (row[0], row[1], row[2])


def take(replay_id: int, *, limit: int) -> list[Key]:
    """Take the next events of a replay off its list; they are back on it if the transaction does not commit."""
    values = {"replay_id": replay_id, "limit": limit}
    rows = psycopg.Cursor(database.connection()).execute(_TAKE, values).fetchall()
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def note(replay_id: int, step: Step, *, pause: float) -> None:
    """Add a batch to what is done, and let the replay rest for ``pause`` seconds."""
    values = msgspec.structs.asdict(step) | {"id": replay_id, "pause": pause}
    psycopg.Cursor(database.connection()).execute(_NOTE, values)


def end(replay_id: int, progress: Progress) -> int:
    """End a replay; returns how many events it leaves unread."""
    database.execute(
        "update mirror_replay set progress = %(progress)s, ended_at = now() where id = %(id)s",
        {"progress": progress.value, "id": replay_id},
    )
    return database.execute("delete from mirror_replayevent where replay_id = %(id)s", {"id": replay_id}).rowcount


def find(replay_id: int, *, lock: bool = False) -> Replay | None:
    """One replay, locked until the transaction ends if asked for."""
    sql = f"select {_COLUMNS} from mirror_replay where id = %(id)s {'for update' if lock else ''}"  # noqa: S608
    row = database.execute(sql, {"id": replay_id}).fetchone()
    return None if row is None else _to_replay(row)


def page(*, before_id: int, limit: int) -> list[Replay]:
    """Replays, newest first."""
    sql = f"select {_COLUMNS} from mirror_replay where id < %(before)s order by id desc limit %(limit)s"  # noqa: S608
    return [_to_replay(row) for row in database.execute(sql, {"before": before_id, "limit": limit}).fetchall()]


def total() -> int:
    """How many replays there ever were."""
    row = database.execute("select count(*) from mirror_replay").fetchone()
    return int(row[0]) if row else 0


def _to_replay(row: tuple[Any, ...]) -> Replay:
    return Replay(
        id=row[0],
        progress=Progress(row[1]),
        selection=msgspec.json.decode(row[2], type=Selection),
        why=row[3],
        by=f"{row[4]} {row[5]}",
        rate=row[6],
        total=row[7],
        done=row[8],
        failed=row[9],
        gone=row[10],
        changed=row[11],
        last_error=row[12],
        started_at=row[13],
        ended_at=row[14],
    )
