"""Whether the stored tiles are those of the leaves, level by level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import psycopg

from trueup.audit.merkle.errors import TileInvalid
from trueup.audit.merkle.hashing import HASH_SIZE
from trueup.audit.merkle.reading import HashReader
from trueup.audit.merkle.tiles import HEIGHT, Tile, grow, partial_tiles
from trueup.audit.sealing import trees
from trueup.audit.verifying.types import Problem, Wrong

# One statement sees one moment, however the tree grows meanwhile.
BEYOND: Final = b"""
with tree as (select coalesce(max(leaf_index) + 1, 0) as size from audit_leaf where livemode = %(livemode)s)
select t.level, t.tile_index, octet_length(t.hashes) / 32
from audit_tile t, tree
where t.livemode = %(livemode)s
  and t.tile_index * 256 + octet_length(t.hashes) / 32 > tree.size >> least(8 * t.level, 62)
order by t.level, t.tile_index
"""


class Growing:
    """A tree that is built again from the leaves, and compared with the stored tiles as it grows.

    Begins at ``size``, a multiple of a tile's width, with the stored tiles before it, which are believed.
    """

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]], size: int, *, livemode: bool) -> None:
        self.size = size
        self._partial: Mapping[Tile, bytes] = trees.stored_tiles(connection, partial_tiles(size), livemode=livemode)
        if missing := [tile for tile in partial_tiles(size) if tile not in self._partial]:
            raise TileInvalid(f"{missing[0].path} is missing, or has fewer hashes.")
        self._read = trees.reader(connection, size, livemode=livemode)

    def append(self, leaves: bytes, stored: Mapping[Tile, bytes]) -> list[Problem]:
        """Go on by a run of leaf hashes; what is wrong with the stored tiles that they are in."""
        grown = grow(self.size, leaves, self._partial)
        self.size += len(leaves) // HASH_SIZE
        known = {**self._partial, **grown}
        contents = {(tile.level, tile.index): content for tile, content in known.items()}
        self._read = HashReader(self.size, lambda tile: contents[tile.level, tile.index])
        wanted = set(partial_tiles(self.size))
        self._partial = {tile: content for tile, content in known.items() if tile in wanted}
        return [problem for tile, content in grown.items() if (problem := _compare(tile, content, stored.get(tile)))]

    def root_at(self, size: int) -> bytes:
        """The root that the tree had at a size within what was appended last."""
        return trees.root_at(self._read, size)


def beyond(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> list[Problem]:
    """Tiles, or hashes in them, that stand where the tree has none."""
    rows = psycopg.Cursor(connection).execute(BEYOND, {"livemode": livemode}).fetchall()
    return [
        Problem(
            code=Wrong.TILE_CHANGED,
            position=Tile(level=level, index=index).start,
            sentence=f"Tile {level}/{index} holds {width} hashes, more than the tree has there.",
        )
        for level, index, width in rows
    ]


def _compare(tile: Tile, content: bytes, stored: bytes | None) -> Problem | None:
    if stored == content:
        return None
    if stored is None:
        sentence = f"Tile {tile.level}/{tile.index} is missing, or has fewer than {tile.width} hashes."
        return Problem(code=Wrong.TILE_MISSING, position=tile.start, sentence=sentence)
    at = next(
        number
        for number in range(tile.width)
        if stored[number * HASH_SIZE :][:HASH_SIZE] != content[number * HASH_SIZE :][:HASH_SIZE]
    )
    sentence = f"Hash {at} of tile {tile.level}/{tile.index} is not that of the leaves below it."
    position = tile.start + (at << HEIGHT * tile.level)
    return Problem(code=Wrong.TILE_CHANGED, position=position, sentence=sentence)
