"""Nodes of a tree out of its tiles."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from trueup.audit.merkle.errors import TileInvalid
from trueup.audit.merkle.hashing import HASH_SIZE
from trueup.audit.merkle.tiles import HEIGHT, Tile, tile_at, tile_levels

FetchTile = Callable[[Tile], bytes]
"""What a tile holds, or a wider one of the same place: tiles only grow."""
KEPT: Final = 512
"""Tiles that a reader keeps with the nodes inside them, some 16 KB each."""


class HashReader:
    """Reads any node of a tree of ``size`` out of the tiles that ``fetch`` gives, each fetched once while it is kept.

    Nothing that is read is verified here: a proof made of it is, and so is a root.
    """

    def __init__(self, size: int, fetch: FetchTile, *, kept: int = KEPT) -> None:
        self.size = size
        self._fetch = fetch
        self._kept = kept
        self._tiles: OrderedDict[Tile, list[bytes]] = OrderedDict()

    def node(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree: see ``NodeReader``. One that the tree has not raises ``TileInvalid``."""
        if level < 0 or index < 0 or (index + 1) << level > self.size:
            raise TileInvalid(f"A tree of {self.size} entries has no complete node {index} at level {level}.")
        row, height = divmod(level, HEIGHT)
        # The node spans whole hashes of one tile: a tile is itself a complete subtree of height eight.
        tile = tile_at(row, index << height >> HEIGHT, self.size)
        at = (index - (tile.index << HEIGHT >> height)) * HASH_SIZE
        return self._levels(tile)[height][at : at + HASH_SIZE]

    def _levels(self, tile: Tile) -> list[bytes]:
        levels = self._tiles.get(tile)
        if levels is None:
            content = self._fetch(tile)
            if len(content) < tile.size:
                raise TileInvalid(f"{tile.path} holds {len(content)} bytes instead of {tile.size}.")
            levels = self._tiles[tile] = tile_levels(content[: tile.size])
            if len(self._tiles) > self._kept:
                self._tiles.popitem(last=False)
        self._tiles.move_to_end(tile)
        return levels
