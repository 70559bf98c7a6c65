"""Statements of the mirror. Binary arrays, sorted by key, one statement a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
import psycopg

from trueup.kernel.records import Record
from trueup.mirror.types import Fact, MirrorObject, ObjectKey
from trueup.runtime import arrays, database

# Every look-up by a list of keys goes through a lateral subquery with ``offset 0``: it reads the index row by row,
# whatever the planner's statistics, which lag behind a fast load, would make of a join.

LOCK: Final = b"""
select k.account_id, k.livemode, k.object_type, k.object_id, o.customer, o.created, o.rank, o.event_id
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[])
     as k (account_id, livemode, object_type, object_id)
cross join lateral (
    select customer, created, rank, event_id from mirror_object
    where (account_id, livemode, object_type, object_id) = (k.account_id, k.livemode, k.object_type, k.object_id)
    offset 0 for update
) o
"""

UPSERT: Final = b"""
insert into mirror_object as o (
    account_id, livemode, object_type, object_id, customer, deleted, created, rank, event_id, event_type,
    shape_version, essence, data
)
select account_id, livemode, object_type, object_id, nullif(customer, ''), deleted, created, rank, event_id, event_type,
       %(shape_version)b, essence, nullif(data, '')::jsonb
from unnest(
    %(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[],
    %(customer)b::text[], %(deleted)b::bool[], %(created)b::int8[], %(rank)b::int8[], %(event_id)b::text[],
    %(event_type)b::text[], %(essence)b::text[], %(data)b::text[]
) as row (
    account_id, livemode, object_type, object_id, customer, deleted, created, rank, event_id, event_type, essence, data
)
on conflict (account_id, livemode, object_type, object_id) do update set
    customer = excluded.customer, deleted = excluded.deleted, created = excluded.created, rank = excluded.rank,
    event_id = excluded.event_id, event_type = excluded.event_type, shape_version = excluded.shape_version,
    essence = excluded.essence, data = excluded.data
where (excluded.created, excluded.rank, excluded.event_id collate "C") > (o.created, o.rank, o.event_id collate "C")
returning account_id, livemode, object_type, object_id, xmax = 0
"""

VERSIONS: Final = b"""
insert into mirror_version (account_id, livemode, object_type, object_id, created, event_id, event_type, customer)
select account_id, livemode, object_type, object_id, created, event_id, event_type, nullif(customer, '')
from unnest(
    %(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[],
    %(created)b::int8[], %(event_id)b::text[], %(event_type)b::text[], %(customer)b::text[]
) as row (account_id, livemode, object_type, object_id, created, event_id, event_type, customer)
on conflict do nothing
"""

CHANGED: Final = b"""
insert into mirror_changed (account_id, livemode, object_type, object_id)
select * from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[])
"""

CHANGED_UNLESS_QUEUED: Final = b"""
insert into mirror_changed (account_id, livemode, object_type, object_id)
select k.* from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[])
     as k (account_id, livemode, object_type, object_id)
where not exists (
    select from mirror_changed c
    where (c.account_id, c.livemode, c.object_type, c.object_id)
        = (k.account_id, k.livemode, k.object_type, k.object_id)
)
"""

OF_CUSTOMERS: Final = b"""
select k.account_id, k.livemode, k.customer, o.object_type, o.object_id, o.essence, o.deleted, o.created,
       o.event_id, o.event_type
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(customer)b::text[]) as k (account_id, livemode, customer)
cross join unnest(%(types)b::text[]) as t (object_type)
cross join lateral (
    select * from mirror_object
    where (account_id, livemode, customer, object_type) = (k.account_id, k.livemode, k.customer, t.object_type)
    offset 0
) o
"""
"""One look-up for every type: with all four columns given, no plan can prefer the primary key, which begins alike and
would read every object of the type."""

BY_KEY: Final = b"""
select k.account_id, k.livemode, k.object_id, o.object_type, o.object_id, o.essence, o.deleted, o.created,
       o.event_id, o.event_type
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[])
     as k (account_id, livemode, object_type, object_id)
cross join lateral (
    select * from mirror_object
    where (account_id, livemode, object_type, object_id) = (k.account_id, k.livemode, k.object_type, k.object_id)
    offset 0
) o
"""

LAST_EVENTS: Final = b"""
select k.account_id, k.livemode, k.customer,
       (select max(v.created) from mirror_version v
        where (v.account_id, v.livemode, v.customer) = (k.account_id, k.livemode, k.customer))
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(customer)b::text[]) as k (account_id, livemode, customer)
"""

EVENT_TYPES: Final = b"""
select k.event_id, v.event_type
from unnest(
    %(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[], %(created)b::int8[],
    %(event_id)b::text[]
) as k (account_id, livemode, object_type, object_id, created, event_id)
cross join lateral (
    select event_type from mirror_version
    where (account_id, livemode, object_type, object_id, created) =
          (k.account_id, k.livemode, k.object_type, k.object_id, k.created) and event_id = k.event_id collate "C"
    offset 0
) v
"""

HISTORY: Final = b"""
select created, event_id, event_type, object_type, object_id from mirror_version
where account_id = %(account_id)s and livemode = %(livemode)s and customer = %(customer)s
  and (created, event_id collate "C") < (%(created)s, %(event_id)s) and event_type = any(%(only)s)
order by created desc, event_id collate "C" desc limit %(limit)s
"""


class Current(Record, frozen=True):
    """What the mirror holds of an object before a batch: whose it is and the order key of its version."""

    customer: str | None
    order: tuple[int, int, str]


class Winner(Record, frozen=True):
    """A version about to become the current one.

    ``data`` is the whole object in the newest shape where that differs from what the log holds, else None.
    """

    key: ObjectKey
    fact: Fact
    rank: int
    essence: dict[str, Any]
    data: dict[str, Any] | None


class Version(Record, frozen=True):
    """A pointer to the event that told one version of an object; ``created`` is the event's, in Unix seconds."""

    key: ObjectKey
    created: int
    event_id: str
    event_type: str
    customer: str | None


class HistoryRow(Record, frozen=True):
    """A pointer from a customer's history to an event of the log."""

    created: int
    event_id: str
    event_type: str
    object_type: str
    object_id: str


def _keys(keys: Sequence[ObjectKey]) -> dict[str, Any]:
    return {
        "account_id": arrays.int8s([key.account_id for key in keys]),
        "livemode": arrays.bools([key.livemode for key in keys]),
        "object_type": arrays.texts([key.object_type for key in keys]),
        "object_id": arrays.texts([key.object_id for key in keys]),
    }


def _customers(customers: Sequence[tuple[int, bool, str]]) -> dict[str, Any]:
    return {
        "account_id": arrays.int8s([key[0] for key in customers]),
        "livemode": arrays.bools([key[1] for key in customers]),
        "customer": arrays.texts([key[2] for key in customers]),
    }


def lock(keys: Sequence[ObjectKey]) -> dict[ObjectKey, Current]:
    """Lock the current rows of these keys in key order; keys the mirror does not know are left out."""
    rows = psycopg.Cursor(database.connection()).execute(LOCK, _keys(keys), binary=True).fetchall()
    return {
        ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3]): Current(
            customer=row[4], order=(row[5], row[6], row[7])
        )
        for row in rows
    }


def save(winners: Sequence[Winner], *, shape_version: int) -> dict[ObjectKey, bool]:
    """Make versions current where they are newer.

    Answers which were written, and whether the object is new to the mirror.
    """
    facts = [winner.fact for winner in winners]
    values = _keys([winner.key for winner in winners]) | {
        "customer": arrays.texts([fact.customer or "" for fact in facts]),
        "deleted": arrays.bools([fact.deleted for fact in facts]),
        "created": arrays.int8s([fact.created for fact in facts]),
        "rank": arrays.int8s([winner.rank for winner in winners]),
        "event_id": arrays.texts([fact.event_id for fact in facts]),
        "event_type": arrays.texts([fact.event_type for fact in facts]),
        "essence": arrays.utf8s([orjson.dumps(winner.essence) for winner in winners]),
        "data": arrays.utf8s([b"" if winner.data is None else orjson.dumps(winner.data) for winner in winners]),
        "shape_version": shape_version,
    }
    rows = psycopg.Cursor(database.connection()).execute(UPSERT, values, binary=True).fetchall()
    return {ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3]): row[4] for row in rows}


def add_versions(versions: Sequence[Version]) -> None:
    """Point at the events that told these versions; those known already stay."""
    values = _keys([version.key for version in versions]) | {
        "created": arrays.int8s([version.created for version in versions]),
        "event_id": arrays.texts([version.event_id for version in versions]),
        "event_type": arrays.texts([version.event_type for version in versions]),
        "customer": arrays.texts([version.customer or "" for version in versions]),
    }
    psycopg.Cursor(database.connection()).execute(VERSIONS, values)


def mark_changed(keys: Sequence[ObjectKey], *, unless_queued: bool = False) -> None:
    """Queue customers and products whose objects moved. The one place that marks."""
    statement = CHANGED_UNLESS_QUEUED if unless_queued else CHANGED
    psycopg.Cursor(database.connection()).execute(statement, _keys(keys))


def _objects(sql: bytes, values: dict[str, Any]) -> dict[tuple[int, bool, str], list[MirrorObject]]:
    found: dict[tuple[int, bool, str], list[MirrorObject]] = {}
    for row in psycopg.Cursor(database.connection()).execute(sql, values, binary=True).fetchall():
        found.setdefault((row[0], row[1], row[2]), []).append(
            MirrorObject(
                object_type=row[3],
                object_id=row[4],
                data=orjson.loads(row[5]),
                deleted=row[6],
                created=row[7],
                event_id=row[8],
                event_type=row[9],
            )
        )
    return found


def of_customers(
    customers: Sequence[tuple[int, bool, str]], types: Sequence[str]
) -> dict[tuple[int, bool, str], list[MirrorObject]]:
    """The essences of these customers' current objects, of the given types, by customer."""
    return _objects(OF_CUSTOMERS, _customers(customers) | {"types": arrays.texts(types)})


def by_key(keys: Sequence[ObjectKey]) -> dict[tuple[int, bool, str], list[MirrorObject]]:
    """The essences of these objects' current versions, by account, mode and object id."""
    return _objects(BY_KEY, _keys(keys))


def last_events(customers: Sequence[tuple[int, bool, str]]) -> dict[tuple[int, bool, str], int]:
    """When the newest event about each customer happened, in Unix seconds."""
    rows = psycopg.Cursor(database.connection()).execute(LAST_EVENTS, _customers(customers), binary=True).fetchall()
    return {(row[0], row[1], row[2]): row[3] for row in rows if row[3] is not None}


def event_types(versions: Sequence[tuple[ObjectKey, int, str]]) -> dict[str, str]:
    """The types of the events that told these versions, by event id."""
    values = _keys([key for key, _created, _event_id in versions]) | {
        "created": arrays.int8s([created for _key, created, _event_id in versions]),
        "event_id": arrays.texts([event_id for _key, _created, event_id in versions]),
    }
    return dict(psycopg.Cursor(database.connection()).execute(EVENT_TYPES, values, binary=True).fetchall())


def history(
    customer: tuple[int, bool, str], *, before: tuple[int, str], only: Sequence[str], limit: int
) -> list[HistoryRow]:
    """Versions of a customer's objects before a point, newest first, told by these event types."""
    values = {
        "account_id": customer[0],
        "livemode": customer[1],
        "customer": customer[2],
        "created": before[0],
        "event_id": before[1],
        "only": list(only),
        "limit": limit,
    }
    rows = psycopg.Cursor(database.connection()).execute(HISTORY, values).fetchall()
    return [HistoryRow(**dict(zip(HistoryRow.__struct_fields__, row, strict=True))) for row in rows]
