"""Queries on entries, checkpoints and tiles, for those who look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import psycopg

from trueup.audit.store import COLUMNS, LOG, VALUES, Row, to_row
from trueup.kernel.records import Record

Connection = psycopg.Connection[tuple[Any, ...]]

ENTRIES: Final = f"select {COLUMNS}, l.leaf_index, l.leaf_hash from {LOG} e left join audit_leaf l on l.entry_id = e.id"  # noqa: S608 - names of our own columns
AT: Final = f"{ENTRIES} where l.livemode = %s and l.leaf_index = %s".encode()
OPEN: Final = f"""
select d.entry_id, d.digest from {VALUES} d join audit_subjectkey k using (key_id, subject)
where d.entry_id = any(%(entry_ids)b)
""".encode()  # noqa: S608 - our own text
CHECKPOINTS: Final = b"""
select c.livemode, c.size, c.root, c.made_at, c.signed_at,
       array(select s.key_name from audit_cosignature s where s.livemode = c.livemode and s.size = c.size
             order by s.key_name)
from audit_checkpoint c where c.livemode = %(livemode)b and c.size < %(before)b order by c.size desc limit %(limit)b
"""
NOTE: Final = b"""
select c.note, array(select s.line from audit_cosignature s where s.livemode = c.livemode and s.size = c.size
                     order by s.key_name)
from audit_checkpoint c
where c.livemode = %(livemode)b and c.note is not null and (%(size)s::bigint is null or c.size = %(size)s)
order by c.size desc limit 1
"""
TILE: Final = b"""
select hashes from audit_tile where livemode = %(livemode)b and level = %(level)s and tile_index = %(tile_index)s
"""
BUNDLE: Final = b"""
select e.body from audit_leaf l join audit_logentry e on e.id = l.entry_id and e.at = l.at
where l.livemode = %(livemode)b and l.leaf_index >= %(start)s and l.leaf_index < %(end)s order by l.leaf_index
"""


class Leaf(Record, frozen=True):
    """An entry's place in the tree, and the hash that the tree has there."""

    index: int
    hash: bytes


def entries(
    connection: Connection,
    wanted: Mapping[str, Any],
    *,
    since: datetime | None,
    until: datetime | None,
    before_id: int,
    limit: int,
) -> list[tuple[Row, Leaf | None]]:
    """Entries and their leaves, newest first; a list in ``wanted`` holds alternatives."""
    values: dict[str, Any] = {"before_id": before_id, "limit": limit, "since": since, "until": until, **wanted}
    conditions = ["e.id < %(before_id)s"]
    conditions += [
        f"e.{name} = any(%({name})s)" if isinstance(value, list) else f"e.{name} = %({name})s"
        for name, value in wanted.items()
    ]
    if since is not None:
        conditions.append("e.at >= %(since)s")
    if until is not None:
        conditions.append("e.at < %(until)s")
    statement = f"{ENTRIES} where {' and '.join(conditions)} order by e.id desc limit %(limit)s"
    return _located(psycopg.Cursor(connection).execute(statement.encode(), values).fetchall())


def entry(connection: Connection, entry_id: int) -> tuple[Row, Leaf | None] | None:
    """One entry by its id."""
    rows = psycopg.Cursor(connection).execute(f"{ENTRIES} where e.id = %s".encode(), (entry_id,)).fetchall()
    return next(iter(_located(rows)), None)


def entry_at(connection: Connection, *, livemode: bool, leaf_index: int) -> tuple[Row, Leaf | None] | None:
    """One entry by its place in a tree."""
    rows = psycopg.Cursor(connection).execute(AT, (livemode, leaf_index)).fetchall()
    return next(iter(_located(rows)), None)


def _located(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Row, Leaf | None]]:
    return [(to_row(row[:-2]), None if row[-1] is None else Leaf(index=row[-2], hash=bytes(row[-1]))) for row in rows]


def openable(connection: Connection, entry_ids: Sequence[int]) -> set[tuple[int, str]]:
    """Entry and digest of every personal value of these entries that can still be opened."""
    return set(psycopg.Cursor(connection).execute(OPEN, {"entry_ids": list(entry_ids)}).fetchall())


def checkpoints(connection: Connection, *, livemode: bool, before: int, limit: int) -> list[tuple[Any, ...]]:
    """Mode, size, root, moments and witnesses of checkpoints, the largest first."""
    values = {"livemode": livemode, "before": before, "limit": limit}
    return psycopg.Cursor(connection).execute(CHECKPOINTS, values).fetchall()


def note(connection: Connection, *, livemode: bool, size: int | None) -> tuple[str, list[str]] | None:
    """The signed note of a size, or the newest, and the lines of its cosignatures."""
    row = psycopg.Cursor(connection).execute(NOTE, {"livemode": livemode, "size": size}).fetchone()
    return None if row is None else (row[0], row[1])


def tile(connection: Connection, *, livemode: bool, level: int, tile_index: int) -> bytes:
    """The hashes of a tile, as many as there are by now; none where there is no such tile."""
    values = {"livemode": livemode, "level": level, "tile_index": tile_index}
    row = psycopg.Cursor(connection).execute(TILE, values).fetchone()
    return b"" if row is None else bytes(row[0])


def bundle(connection: Connection, *, livemode: bool, start: int, end: int) -> list[bytes]:
    """The bodies of these leaves in their order; those that are not there are left out."""
    values = {"livemode": livemode, "start": start, "end": end}
    return [bytes(row[0]) for row in psycopg.Cursor(connection).execute(BUNDLE, values).fetchall()]
