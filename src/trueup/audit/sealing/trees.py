"""The tree of a mode as it is stored: its tiles, its checkpoints, and any node out of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import psycopg

from trueup.audit.merkle.errors import TileInvalid
from trueup.audit.merkle.frontier import Frontier
from trueup.audit.merkle.reading import HashReader
from trueup.audit.merkle.tiles import Tile
from trueup.kernel.records import Record

TILE: Final = b"select hashes from audit_tile where livemode = %b and level = %b and tile_index = %b"
TILES: Final = b"""
select t.level, t.tile_index, t.hashes
from audit_tile t join unnest(%(levels)b::smallint[], %(indexes)b::bigint[]) as w (level, tile_index)
    using (level, tile_index)
where t.livemode = %(livemode)s
"""
LEAVES: Final = (
    b"select coalesce((select leaf_index + 1 from audit_leaf where livemode = %s order by leaf_index desc limit 1), 0)"
)
CHECKPOINT: Final = "select size, root, note, made_at, signed_at from audit_checkpoint where livemode = %(livemode)s"
NEWEST: Final = f"{CHECKPOINT} order by size desc limit 1".encode()
NEWEST_SIGNED: Final = f"{CHECKPOINT} and note is not null order by size desc limit 1".encode()
OF_SIZE: Final = f"{CHECKPOINT} and size = %(size)s".encode()


class StoredCheckpoint(Record, frozen=True):
    """A checkpoint as it is stored."""

    size: int
    root: bytes
    note: str | None
    """The signed note; None while it waits to be signed, and for ever if a larger one was signed before it."""
    made_at: datetime
    signed_at: datetime | None


def leaves(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> int:
    """How many leaves are numbered."""
    row = psycopg.Cursor(connection).execute(LEAVES, (livemode,)).fetchone()
    return int(row[0]) if row else 0


def newest(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> StoredCheckpoint | None:
    """The largest checkpoint, signed or not."""
    return _checkpoint(connection, NEWEST, livemode=livemode)


def newest_signed(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> StoredCheckpoint | None:
    """The largest checkpoint that has a note."""
    return _checkpoint(connection, NEWEST_SIGNED, livemode=livemode)


def of_size(connection: psycopg.Connection[tuple[Any, ...]], size: int, *, livemode: bool) -> StoredCheckpoint | None:
    """The checkpoint of one size."""
    return _checkpoint(connection, OF_SIZE, livemode=livemode, size=size)


def reader(connection: psycopg.Connection[tuple[Any, ...]], size: int, *, livemode: bool) -> HashReader:
    """Any node of the tree of ``size``, out of the stored tiles; one that is missing raises ``TileInvalid``."""

    def fetch(tile: Tile) -> bytes:
        row = psycopg.Cursor(connection).execute(TILE, (livemode, tile.level, tile.index)).fetchone()
        if row is None:
            raise TileInvalid(f"{tile.path} is missing.")
        return bytes(row[0])

    return HashReader(size, fetch)


def root_at(read: HashReader, size: int) -> bytes:
    """The root that the tree had at ``size``, which is at most the reader's."""
    return Frontier.at(size, read.node).root


def stored_tiles(
    connection: psycopg.Connection[tuple[Any, ...]], tiles: Iterable[Tile], *, livemode: bool
) -> Mapping[Tile, bytes]:
    """The contents of these tiles, cut to their width; those that are missing or narrower are not among them."""
    wanted = {(tile.level, tile.index): tile for tile in tiles}
    values = {"levels": [at[0] for at in wanted], "indexes": [at[1] for at in wanted], "livemode": livemode}
    return cut(wanted, psycopg.Cursor(connection).execute(TILES, values).fetchall() if wanted else [])


def cut(wanted: Mapping[tuple[int, int], Tile], rows: Iterable[tuple[Any, ...]]) -> Mapping[Tile, bytes]:
    """Rows of ``TILES`` as contents of the tiles that are wanted of those places."""
    found = {wanted[level, index]: bytes(hashes) for level, index, hashes in rows}
    return {tile: content[: tile.size] for tile, content in found.items() if len(content) >= tile.size}


def _checkpoint(
    connection: psycopg.Connection[tuple[Any, ...]], statement: bytes, **values: Any
) -> StoredCheckpoint | None:
    row = psycopg.Cursor(connection).execute(statement, values).fetchone()
    if row is None:
        return None
    fields = dict(zip(StoredCheckpoint.__struct_fields__, row, strict=True))
    return StoredCheckpoint(**fields | {"root": bytes(fields["root"])})
