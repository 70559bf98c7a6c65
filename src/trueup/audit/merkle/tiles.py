"""Tiles: the nodes of a tree in files of 256, and the entries in bundles beside them.

https://c2sp.org/tlog-tiles. A tile is always the run of its hashes, 32 bytes each; a full one has 8,192 bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from trueup.audit.merkle.errors import TileInvalid
from trueup.audit.merkle.hashing import HASH_SIZE, parents
from trueup.kernel.records import Record

WIDTH: Final = 256
"""Hashes in a full tile, and entries in a full bundle."""
HEIGHT: Final = 8
"""Levels of the tree that one level of tiles spans."""
FULL: Final = WIDTH * HASH_SIZE
"""Bytes of a full tile."""
ENTRIES: Final = -1
"""The level that stands for bundles of entries, which are named like tiles."""
LARGEST_ENTRY: Final = 0xFFFF
"""Bytes of the longest entry that a bundle can hold."""
_HIGHEST_LEVEL: Final = 63
_PATH: Final = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class Tile(Record, frozen=True, order=True):
    """The place of a tile, or of a bundle of entries where ``level`` is ``ENTRIES``; sorts by level and index."""

    level: int
    index: int
    width: int = WIDTH
    """How many hashes or entries it holds, 1 to 256; fewer than 256 make it a partial one."""

    @property
    def path(self) -> str:
        """Its name below the log's address: ``tile/0/x001/x234/067.p/112``."""
        digits = f"{self.index:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        level = "entries" if self.level == ENTRIES else str(self.level)
        number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        return f"tile/{level}/{number}" + (f".p/{self.width}" if self.width < WIDTH else "")

    @property
    def start(self) -> int:
        """The index of the first entry below it."""
        return self.index << HEIGHT * (max(self.level, 0) + 1)

    @property
    def size(self) -> int:
        """The bytes of a tile of hashes of this width."""
        return self.width * HASH_SIZE


def parse_path(path: str) -> Tile:
    """The tile or bundle of such a name, which is in its one right form; else ``TileInvalid``."""
    match = _PATH.fullmatch(path)
    if match:
        level = ENTRIES if match["level"] == "entries" else int(match["level"])
        tile = Tile(level=level, index=int(re.sub(r"[x/]", "", match["index"])), width=int(match["width"] or WIDTH))
        # Writing it again finds elements of zeros in front, and `.p/256`, which the pattern lets through.
        if tile.level <= _HIGHEST_LEVEL and tile.width <= WIDTH and tile.path == path:
            return tile
    raise TileInvalid(f"{path!r} does not name a tile.")


def row_width(level: int, size: int) -> int:
    """How many hashes stand in all tiles of one level of a tree of ``size`` together."""
    return size >> HEIGHT * max(level, 0)


def tile_at(level: int, index: int, size: int) -> Tile:
    """The tile of this level and index as it is in a tree of ``size``; ``TileInvalid`` where there is none."""
    width = min(row_width(level, size) - index * WIDTH, WIDTH)
    if width < 1 or index < 0:
        raise TileInvalid(f"A tree of {size} entries has no tile {index} at level {level}.")
    return Tile(level=level, index=index, width=width)


def tiles_of(size: int) -> Iterator[Tile]:
    """All tiles of hashes of a tree of ``size``, by level and index."""
    return _tiles(size, 0)


def new_tiles(old_size: int, size: int) -> Iterator[Tile]:
    """The tiles, partial ones included, that a tree of ``size`` has and that of ``old_size`` has not, in order."""
    return _tiles(size, old_size)


def partial_tiles(size: int) -> list[Tile]:
    """The partial tiles at the right edge of a tree of ``size``, at most one a level: what ``grow`` goes on from."""
    return [
        Tile(level=level, index=width // WIDTH, width=width % WIDTH)
        for level in range(_levels(size))
        if (width := row_width(level, size)) % WIDTH
    ]


def bundles_of(size: int, start: int = 0) -> Iterator[Tile]:
    """The bundles of a tree of ``size`` that hold entries from ``start`` on, by index."""
    for index in range(start // WIDTH, -(-size // WIDTH)):
        yield tile_at(ENTRIES, index, size)


def grow(old_size: int, leaves: bytes, partial: Mapping[Tile, bytes]) -> dict[Tile, bytes]:
    """The tiles, with content, that are new or wider once a run of leaf hashes is appended to a tree of ``old_size``.

    ``partial`` holds the contents of ``partial_tiles(old_size)``, and may hold more; one that is needed and missing, or
    of another length, raises ``TileInvalid``. They come by level and index.
    """
    tiles: dict[Tile, bytes] = {}
    level, run = 0, leaves
    while run:
        index, before = divmod(row_width(level, old_size), WIDTH)
        if before:
            run = _content(Tile(level=level, index=index, width=before), partial) + run
        whole = len(run) // FULL * FULL
        for at in range(0, whole, FULL):
            tiles[Tile(level=level, index=index)] = run[at : at + FULL]
            index += 1
        if whole < len(run):
            rest = run[whole:]
            tiles[Tile(level=level, index=index, width=len(rest) // HASH_SIZE)] = rest
        run = run[:whole]
        for _ in range(HEIGHT):
            run = parents(run)
        level += 1
    return tiles


def render_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries as a bundle: each after its length in two bytes. One beyond ``LARGEST_ENTRY`` raises ``TileInvalid``."""
    parts = []
    for entry in entries:
        if len(entry) > LARGEST_ENTRY:
            raise TileInvalid(f"An entry of {len(entry)} bytes is longer than {LARGEST_ENTRY}.")
        parts += [len(entry).to_bytes(2), entry]
    return b"".join(parts)


def parse_bundle(bundle: bytes, width: int = WIDTH) -> list[bytes]:
    """The entries of a bundle, which are ``width`` many; else ``TileInvalid``."""
    entries: list[bytes] = []
    at = 0
    while at < len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2])
        if end > len(bundle) or at + 2 > len(bundle):
            raise TileInvalid(f"Entry {len(entries)} of the bundle is cut short.")
        entries.append(bundle[at + 2 : end])
        at = end
    if len(entries) != width:
        raise TileInvalid(f"The bundle holds {len(entries)} entries instead of {width}.")
    return entries


def tile_levels(content: bytes) -> list[bytes]:
    """The runs of a tile's subtree: its own hashes, then the complete nodes above them, up to its top."""
    return list(accumulate(range(HEIGHT), lambda run, _: parents(run[: len(run) // 64 * 64]), initial=content))


def _tiles(size: int, old_size: int) -> Iterator[Tile]:
    for level in range(_levels(size)):
        for index in range(row_width(level, old_size) // WIDTH, -(-row_width(level, size) // WIDTH)):
            tile = tile_at(level, index, size)
            if index * WIDTH + tile.width > row_width(level, old_size):
                yield tile


def _levels(size: int) -> int:
    """How many levels of tiles a tree of ``size`` has."""
    return -(-size.bit_length() // HEIGHT)


def _content(tile: Tile, partial: Mapping[Tile, bytes]) -> bytes:
    content = partial.get(tile)
    if content is None or len(content) != tile.size:
        raise TileInvalid(f"The content of {tile.path} is needed, all {tile.size} bytes of it.")
    return content
