"""Statements of the mirror. Binary arrays, sorted by key, one statement a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import orjson
import psycopg

from trueup.kernel.records import Record
from trueup.mirror.amounts import NONE, amounts
from trueup.mirror.money import columns
from trueup.mirror.order.types import Checkpoint, Head, Trace, Verdict
from trueup.mirror.statements import (
    ADD,
    BY_KEY,
    CHANGED,
    CHANGED_UNLESS_QUEUED,
    CURRENT,
    EVENT_TYPES,
    FACTS_BEFORE,
    HISTORY,
    LAST_EVENTS,
    LOCK,
    OF_CUSTOMERS,
    OUTDATED,
    REORDER,
    REPLACE,
    SHAPED,
    TRACES,
    TRACES_UNTIL,
    VERSIONS,
)
from trueup.mirror.types import Fact, MirrorObject, ObjectKey
from trueup.runtime import arrays, database
from trueup.runtime.wake import CHANNEL

UNKNOWN: Final = -(2**63)
"""Stands for null in an array of fingerprints: one of 2**64 values, taken for unknown should it ever come."""

VERDICTS: Final = (Verdict.CERTAIN, Verdict.AMBIGUOUS, Verdict.GAP)
"""By their numbers in the table."""


class Current(Record, frozen=True):
    """What the mirror holds of an object before a batch: whose it is, and its order."""

    customer: str | None
    head: Head


class Winner(Record, frozen=True):
    """A version about to become the current one.

    ``data`` holds the fields that the newest shape has beyond the log's payload, or all of them, else None.
    """

    key: ObjectKey
    fact: Fact
    head: Head
    essence: dict[str, Any]
    data: dict[str, Any] | None


class Version(Record, frozen=True):
    """A pointer to the event that told one version of an object, with its trace."""

    key: ObjectKey
    trace: Trace
    customer: str | None


class _Head(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What the columns do not hold of a ``Head``."""

    state: int
    version: str | None
    made: int | None
    read: bool
    floor: int
    gap: bool
    tied: bool
    since: int
    since_state: int | None
    since_version: str | None
    since_gap: bool


class HistoryRow(Record, frozen=True):
    """A pointer from a customer's history to an event of the log."""

    created: int
    event_id: str
    event_type: str
    object_type: str
    object_id: str


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(_Head).decode
_after: Final = msgspec.json.Decoder(tuple[str, ...]).decode


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


def _packed(head: Head) -> bytes:
    start = head.checkpoint
    return _encode(
        _Head(
            head.state,
            head.version,
            head.made,
            head.read,
            head.floor,
            head.gap,
            head.tied,
            start.since,
            start.state,
            start.version,
            start.gap,
        )
    )


def _unpacked(row: tuple[Any, ...]) -> Head:
    """From (created, event id, event type, deleted, verdict, head)."""
    created, event_id, event_type, deleted, verdict, packed = row
    rest = _decode(packed)
    return Head(
        second=created,
        fact_id=event_id,
        event_type=event_type,
        state=rest.state,
        verdict=VERDICTS[verdict],
        checkpoint=Checkpoint(since=rest.since, state=rest.since_state, version=rest.since_version, gap=rest.since_gap),
        made=rest.made,
        version=rest.version,
        deleted=deleted,
        read=rest.read,
        floor=rest.floor,
        gap=rest.gap,
        tied=rest.tied,
    )


def lock(keys: Sequence[ObjectKey]) -> dict[ObjectKey, Current]:
    """Lock the current rows of these keys in key order; keys the mirror does not know are left out."""
    return _current(LOCK, keys)


def current(keys: Sequence[ObjectKey]) -> dict[ObjectKey, Current]:
    """What the mirror holds of these objects now; keys that it does not know are left out."""
    return _current(CURRENT, keys) if keys else {}


def facts_before(since: Mapping[ObjectKey, int], begun: datetime) -> list[tuple[ObjectKey, int, str, bool]]:
    """The facts about these objects from a second on that were in the log before a moment of ours.

    With each its second, its id, and whether it is a deletion that may be refuted (see ``order.history``). Ordered by
    type and id.
    """
    values = _keys(list(since)) | {"since": arrays.int8s(list(since.values())), "begun": begun}
    rows = psycopg.Cursor(database.connection()).execute(FACTS_BEFORE, values, binary=True).fetchall()
    return [
        (ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3]), *row[4:7]) for row in rows
    ]


def _current(statement: bytes, keys: Sequence[ObjectKey]) -> dict[ObjectKey, Current]:
    rows = psycopg.Cursor(database.connection()).execute(statement, _keys(keys), binary=True).fetchall()
    return {
        ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3]): Current(
            customer=row[4], head=_unpacked(row[5:])
        )
        for row in rows
    }


def replace(winners: Sequence[Winner], *, shape_version: int) -> None:
    """Make versions current of objects whose rows the caller has locked."""
    psycopg.Cursor(database.connection()).execute(REPLACE, winner_values(winners, shape_version))


def add(winners: Sequence[Winner], *, shape_version: int) -> int:
    """Make versions current of objects that the mirror did not know.

    Answers how many were written: fewer when somebody else wrote one meanwhile.
    """
    return psycopg.Cursor(database.connection()).execute(ADD, winner_values(winners, shape_version)).rowcount


def winner_values(winners: Sequence[Winner], shape_version: int) -> dict[str, Any]:
    """Winners as ``SAVE`` takes them."""
    facts = [winner.fact for winner in winners]
    heads = [winner.head for winner in winners]
    # From the essence, so that whoever has no more than that finds the same.
    listed = [NONE if one.head.deleted else amounts(one.key.object_type, one.essence) for one in winners]
    told = columns.values(listed, unknown=UNKNOWN) | _keys([winner.key for winner in winners])
    return told | {
        "customer": arrays.texts([fact.customer or "" for fact in facts]),
        "deleted": arrays.bools([head.deleted for head in heads]),
        "created": arrays.int8s([head.second for head in heads]),
        "event_id": arrays.texts([head.fact_id for head in heads]),
        "event_type": arrays.texts([head.event_type for head in heads]),
        "verdict": arrays.int8s([VERDICTS.index(head.verdict) for head in heads]),
        "head": arrays.utf8s([_packed(head) for head in heads]),
        "essence": arrays.utf8s([orjson.dumps(winner.essence) for winner in winners]),
        "data": arrays.utf8s([b"" if winner.data is None else orjson.dumps(winner.data) for winner in winners]),
        "shape_version": shape_version,
    }


def outdated(*, shape_version: int, limit: int) -> dict[ObjectKey, tuple[Current, str]]:
    """Lock some objects that were made by other versions of the rules; with each its essence as it stands."""
    values = {"shape_version": shape_version, "limit": limit}
    rows = psycopg.Cursor(database.connection()).execute(OUTDATED, values).fetchall()
    return {
        ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3]): (
            Current(customer=row[4], head=_unpacked(row[5:11])),
            row[11],
        )
        for row in rows
    }


def note_shaped(keys: Sequence[ObjectKey], *, shape_version: int) -> None:
    """Take objects as they are for made by this version: their events are gone, so nothing better can be made."""
    psycopg.Cursor(database.connection()).execute(SHAPED, _keys(keys) | {"shape_version": shape_version})


def reorder(heads: Mapping[ObjectKey, Head]) -> None:
    """Write what is known of the order of objects whose current version stays the same."""
    values = _keys(list(heads)) | {
        "verdict": arrays.int8s([VERDICTS.index(head.verdict) for head in heads.values()]),
        "head": arrays.utf8s([_packed(head) for head in heads.values()]),
    }
    psycopg.Cursor(database.connection()).execute(REORDER, values)


def add_versions(versions: Sequence[Version]) -> None:
    """Point at the events that told these versions; those known already stay."""
    psycopg.Cursor(database.connection()).execute(VERSIONS, version_values(versions))


def version_values(versions: Sequence[Version]) -> dict[str, Any]:
    """Versions as ``VERSIONS_INTO`` takes them."""
    traces = [version.trace for version in versions]
    return _keys([version.key for version in versions]) | {
        "created": arrays.int8s([trace.second for trace in traces]),
        "event_id": arrays.texts([trace.fact_id for trace in traces]),
        "event_type": arrays.texts([trace.event_type for trace in traces]),
        "customer": arrays.texts([version.customer or "" for version in versions]),
        "state": arrays.int8s([trace.state for trace in traces]),
        "before": arrays.int8s([UNKNOWN if trace.before is None else trace.before for trace in traces]),
        "made": arrays.int8s([-1 if trace.made is None else trace.made for trace in traces]),
        "api_version": arrays.texts([trace.version or "" for trace in traces]),
        "stage": arrays.int8s([-1 if trace.stage is None else trace.stage for trace in traces]),
        "deleted": arrays.bools([trace.deleted for trace in traces]),
        "read": arrays.bools([trace.read for trace in traces]),
        "after": arrays.utf8s([_encode(trace.after) if trace.after else b"" for trace in traces]),
        "unknown": UNKNOWN,
    }


def traces(since: Mapping[ObjectKey, int]) -> dict[ObjectKey, list[Trace]]:
    """The traces of each object's versions from a second on."""
    values = _keys(list(since)) | {"since": arrays.int8s(list(since.values()))}
    found: dict[ObjectKey, list[Trace]] = {}
    for row in psycopg.Cursor(database.connection()).execute(TRACES, values, binary=True).fetchall():
        key, trace = _traced(row)
        found.setdefault(key, []).append(trace)
    return found


def traces_until(
    *,
    customers: Sequence[tuple[int, bool, str]],
    keys: Sequence[ObjectKey],
    at: int,
    known_at: datetime | None,
) -> list[tuple[ObjectKey, Trace]]:
    """The traces up to a second of all objects that belonged to these customers by then, and of these keys."""
    values = _customers(customers) | {f"key_{name}": value for name, value in _keys(keys).items()}
    values |= {"at": at, "known_at": known_at}
    rows = psycopg.Cursor(database.connection()).execute(TRACES_UNTIL, values, binary=True).fetchall()
    return [_traced(row) for row in rows]


def _traced(row: tuple[Any, ...]) -> tuple[ObjectKey, Trace]:
    key = ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3])
    return key, Trace(
        second=row[4],
        fact_id=row[5],
        event_type=row[6],
        state=row[7],
        before=row[8],
        made=row[9],
        version=row[10],
        stage=row[11],
        deleted=row[12],
        read=row[13],
        after=() if row[14] is None else _after(row[14]),
    )


def clear() -> None:
    """Empty the mirror's tables and its queue."""
    database.execute("truncate mirror_object, mirror_version, mirror_about, mirror_changed")


def mark_changed(keys: Sequence[ObjectKey], *, topic: str, unless_queued: bool = False) -> int:
    """Queue customers and the catalogue's objects that moved, and wake ``topic``; returns how many.

    The one place that marks.
    """
    statement = CHANGED_UNLESS_QUEUED if unless_queued else CHANGED
    values = _keys(keys) | {"channel": CHANNEL, "topic": topic}
    row = psycopg.Cursor(database.connection()).execute(statement, values).fetchone()
    return int(row[0]) if row else 0


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
