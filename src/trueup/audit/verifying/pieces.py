"""A piece of the log as it is stored: leaves, their entries, tiles and checkpoints, read in a few large values.

Row by row, or with an array for each column, a million entries take longer to read than to check. Where a piece is not
as it should be it is read again, column by column.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import psycopg

from trueup.audit.merkle.tiles import WIDTH, Tile, new_tiles
from trueup.audit.sealing import trees
from trueup.kernel.records import Record

Connection = psycopg.Connection[tuple[Any, ...]]

LEAVES: Final = 16 * WIDTH
"""In a piece. Entries have up to 64 KB, so that the largest piece is a quarter of what the server can send at once."""
COLUMN: Final = "\x1f"
ROW: Final = "\x1e"
"""What stands between columns, and between rows: two control characters that no value of ours has."""

# Fenced off, so that each entry is found by its key and no plan reads whole months for one piece.
PIECE: Final = """
from audit_leaf l
left join lateral (
    select true as found, at at time zone 'UTC' as at, livemode, actor_kind, actor_id, behind_kind, behind_id,
           action, object_type, object_id, request_id, body
    from audit_logentry e where e.id = l.entry_id and e.at = l.at offset 0
) e on true
where l.livemode = %(livemode)s and l.leaf_index >= %(start)s and l.leaf_index < %(end)s
"""
AT_ONCE: Final = f"""
select count(*), coalesce(min(leaf_index), -1), coalesce(max(leaf_index), -1), count(found),
       coalesce(bool_and(e.livemode = %(livemode)s), true),
       coalesce(string_agg(leaf_hash, ''::bytea order by leaf_index), ''::bytea),
       coalesce(string_agg(concat_ws(%(column)s, to_char(e.at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), actor_kind, actor_id,
                                     behind_kind, behind_id, action, object_type, object_id, request_id),
                           %(row)s order by leaf_index), ''),
       coalesce(string_agg(int4send(coalesce(octet_length(body), -1)), ''::bytea order by leaf_index), ''::bytea),
       coalesce(string_agg(body, ''::bytea order by leaf_index), ''::bytea)
{PIECE}
""".encode()
BY_COLUMN: Final = f"""
select coalesce(array_agg(leaf_index order by leaf_index), '{{}}'),
       coalesce(array_agg(e.at order by leaf_index), '{{}}'),
       coalesce(array_agg(e.livemode order by leaf_index), '{{}}'),
       coalesce(array_agg(actor_kind order by leaf_index), '{{}}'),
       coalesce(array_agg(actor_id order by leaf_index), '{{}}'),
       coalesce(array_agg(behind_kind order by leaf_index), '{{}}'),
       coalesce(array_agg(behind_id order by leaf_index), '{{}}'),
       coalesce(array_agg(action order by leaf_index), '{{}}'),
       coalesce(array_agg(object_type order by leaf_index), '{{}}'),
       coalesce(array_agg(object_id order by leaf_index), '{{}}'),
       coalesce(array_agg(request_id order by leaf_index), '{{}}')
{PIECE}
""".encode()
CHECKPOINTS: Final = b"""
select size, previous_size, root, note from audit_checkpoint
where livemode = %(livemode)s and size > %(start)s and size <= %(end)s order by size
"""


class Checkpoint(Record, frozen=True):
    """A checkpoint as it is stored."""

    size: int
    previous_size: int | None
    root: bytes
    note: str | None


class Entries(Record, frozen=True):
    """The leaves ``[start, end)``, as far as they are there, and their entries."""

    count: int
    first: int
    last: int
    """The largest index; -1 without any."""
    found: int
    """How many entries are there."""
    of_mode: bool
    """Whether all those say that they are of this mode."""
    hashes: bytes
    """The run of the leaf hashes."""
    columns: str
    """The other columns, with ``COLUMN`` and ``ROW`` between them; moments as bodies write them."""
    bodies: Sequence[bytes | None]
    """None where the entry is missing."""


class Columns(Record, frozen=True):
    """The same one sequence a column; where an entry is missing its values are None."""

    leaf_index: Sequence[int]
    at: Sequence[datetime | None]
    """Without a zone, in UTC."""
    livemode: Sequence[bool | None]
    actor_kind: Sequence[str | None]
    actor_id: Sequence[str | None]
    behind_kind: Sequence[str | None]
    behind_id: Sequence[str | None]
    action: Sequence[str | None]
    object_type: Sequence[str | None]
    object_id: Sequence[str | None]
    request_id: Sequence[str | None]


class Piece(Record, frozen=True):
    """All that is stored of the leaves ``[start, end)``."""

    start: int
    end: int
    entries: Entries
    tiles: Mapping[Tile, bytes]
    """Those that are new or wider in the tree of ``end`` than in that of ``start``, as far as they are there."""
    checkpoints: Sequence[Checkpoint]
    """Those of the sizes ``(start, end]``."""


class Asked:
    """A piece that the server was asked for. Inside a pipeline it works while something else is done here."""

    def __init__(self, connection: Connection, start: int, end: int, *, livemode: bool) -> None:
        self._start, self._end = start, end
        self._tiles = {(tile.level, tile.index): tile for tile in new_tiles(start, end)}
        self._cursors = [psycopg.Cursor(connection) for _ in range(3)]
        values = {"livemode": livemode, "start": start, "end": end}
        entries, checkpoints, tiles = self._cursors
        entries.execute(AT_ONCE, values | {"column": COLUMN, "row": ROW}, binary=True)
        checkpoints.execute(CHECKPOINTS, values, binary=True)
        levels, indexes = [at[0] for at in self._tiles], [at[1] for at in self._tiles]
        tiles.execute(trees.TILES, {"livemode": livemode, "levels": levels, "indexes": indexes}, binary=True)

    def piece(self) -> Piece:
        """The answer."""
        entries, checkpoints, tiles = self._cursors
        *row, lengths, run = entries.fetchone() or ()
        named = dict(zip(Entries.__struct_fields__, [*row, _split(run, lengths)], strict=True))
        return Piece(
            start=self._start,
            end=self._end,
            entries=Entries(**named),
            tiles=trees.cut(self._tiles, tiles.fetchall()),
            checkpoints=[_checkpoint(one) for one in checkpoints.fetchall()],
        )


def _checkpoint(row: tuple[Any, ...]) -> Checkpoint:
    return Checkpoint(**dict(zip(Checkpoint.__struct_fields__, row, strict=True)))


def _split(run: bytes, lengths: bytes) -> list[bytes | None]:
    """Bodies, one by one, out of what stands side by side; a length of -1 stands for one that is missing."""
    bodies: list[bytes | None] = []
    at = 0
    for (length,) in struct.iter_unpack("!i", lengths):
        bodies.append(None if length < 0 else run[at : at + length])
        at += max(length, 0)
    return bodies


def columns(connection: Connection, start: int, end: int, *, livemode: bool) -> Columns:
    """Read the columns of a piece one by one."""
    values = {"livemode": livemode, "start": start, "end": end}
    row = psycopg.Cursor(connection).execute(BY_COLUMN, values, binary=True).fetchone()
    return Columns(**dict(zip(Columns.__struct_fields__, row or (), strict=True)))
