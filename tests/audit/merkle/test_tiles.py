"""Tiles: their names, the shape of a tree in them, growth, bundles, and reading nodes back."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit.merkle import reference
from tests.audit.merkle.reading import reader_of
from trueup.audit.merkle.errors import ProofInvalid, TileInvalid
from trueup.audit.merkle.frontier import EMPTY, Frontier
from trueup.audit.merkle.hashing import leaf_hashes, split
from trueup.audit.merkle.reading import HashReader
from trueup.audit.merkle.tiles import (
    ENTRIES,
    Tile,
    bundles_of,
    grow,
    new_tiles,
    parse_bundle,
    parse_path,
    partial_tiles,
    render_bundle,
    tile_at,
    tiles_of,
)

NAMES = [
    (Tile(level=0, index=0), "tile/0/000"),
    (Tile(level=0, index=1234067, width=112), "tile/0/x001/x234/067.p/112"),
    (Tile(level=63, index=999, width=1), "tile/63/999.p/1"),
    (Tile(level=1, index=1000, width=255), "tile/1/x001/000.p/255"),
    (Tile(level=ENTRIES, index=273, width=112), "tile/entries/273.p/112"),
]


@pytest.mark.parametrize(("tile", "path"), NAMES)
def test_a_tile_has_one_name(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert parse_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/000/000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/",
        "tile/0/000\n",
        "/tile/0/000",
        "tile/data/000",
        "tile/0/\u0660\u0660\u0660",
    ],
)
def test_another_name_is_refused(path: str) -> None:
    with pytest.raises(TileInvalid, match="does not name a tile"):
        parse_path(path)


@given(st.integers(0, 2**64), st.integers(0, 63), st.integers(1, 256))
@settings(deadline=None)
def test_every_name_is_read_back(index: int, level: int, width: int) -> None:
    tile = Tile(level=level, index=index, width=width)

    assert parse_path(tile.path) == tile


def test_a_tree_of_seventy_thousand_has_the_shape_that_the_specification_gives() -> None:
    tiles = list(tiles_of(70_000))

    assert [tile for tile in tiles if tile.level == 0] == [
        *(Tile(level=0, index=index) for index in range(273)),
        Tile(level=0, index=273, width=112),
    ]
    assert [tile for tile in tiles if tile.level > 0] == [
        Tile(level=1, index=0),
        Tile(level=1, index=1, width=17),
        Tile(level=2, index=0, width=1),
    ]
    assert partial_tiles(70_000) == [tiles[273], tiles[275], tiles[276]]
    assert len(list(bundles_of(70_000))) == 274
    assert list(bundles_of(70_000, start=70_000 - 113)) == [
        Tile(level=ENTRIES, index=272),
        Tile(level=ENTRIES, index=273, width=112),
    ]


def test_a_tree_of_256_has_a_full_tile_and_one_hash_above_it() -> None:
    assert list(tiles_of(256)) == [Tile(level=0, index=0), Tile(level=1, index=0, width=1)]
    assert list(tiles_of(0)) == []


def test_growth_in_steps_equals_building_at_once() -> None:
    leaves = b"".join(reference.leaves(70_000))
    steps = random.Random(17)
    stored: dict[tuple[int, int], tuple[Tile, bytes]] = {}
    frontier, size = EMPTY, 0

    while size < 70_000:
        count = min(steps.choice([1, 2, 100, 255, 256, 257, 3_000, 9_999]), 70_000 - size)
        run = leaves[size * 32 : (size + count) * 32]
        grown = grow(size, run, {tile: stored[tile.level, tile.index][1] for tile in partial_tiles(size)})
        assert list(grown) == list(new_tiles(size, size + count))
        stored |= {(tile.level, tile.index): (tile, content) for tile, content in grown.items()}
        frontier = frontier.append(run)
        size += count

    assert dict(stored.values()) == grow(0, leaves, {})
    assert frontier == EMPTY.append(leaves) == Frontier.at(70_000, reader_of(leaves).node)


def test_a_partial_tile_grows_by_its_prefix() -> None:
    leaves = b"".join(reference.leaves(300))
    before = grow(0, leaves[: 290 * 32], {})
    after = grow(290, leaves[290 * 32 :], before)

    assert list(after) == [Tile(level=0, index=1, width=44)]
    assert after[Tile(level=0, index=1, width=44)].startswith(before[Tile(level=0, index=1, width=34)])
    assert grow(290, b"", before) == {}


def test_growth_without_the_partial_tile_is_refused() -> None:
    leaves = b"".join(reference.leaves(300))
    tile = Tile(level=0, index=1, width=34)

    with pytest.raises(TileInvalid, match=r"The content of tile/0/001\.p/34 is needed, all 1088 bytes"):
        grow(290, leaves[290 * 32 :], {})
    with pytest.raises(TileInvalid, match="all 1088 bytes"):
        grow(290, leaves[290 * 32 :], {tile: b"\x00" * 1087})


def test_a_tile_spans_the_entries_below_it() -> None:
    assert Tile(level=0, index=3).start == 768
    assert Tile(level=1, index=3).start == 3 * 65_536
    assert Tile(level=ENTRIES, index=3).start == 768


@pytest.mark.parametrize(("level", "index", "size"), [(0, 2, 512), (0, -1, 512), (1, 0, 255), (0, 0, 0)])
def test_a_tile_outside_the_tree_is_refused(level: int, index: int, size: int) -> None:
    with pytest.raises(TileInvalid, match=f"A tree of {size} entries has no tile {index} at level {level}"):
        tile_at(level, index, size)


@given(st.lists(st.binary(max_size=300), max_size=256))
@settings(deadline=None)
def test_a_bundle_is_read_back(entries: list[bytes]) -> None:
    assert parse_bundle(render_bundle(entries), width=len(entries)) == entries


def test_a_bundle_is_each_entry_after_its_length() -> None:
    assert render_bundle([b"ab", b"", b"c" * 256]) == b"\x00\x02ab\x00\x00\x01\x00" + b"c" * 256
    assert len(render_bundle([b"\x00" * 65_535])) == 65_537
    with pytest.raises(TileInvalid, match="An entry of 65536 bytes is longer than 65535"):
        render_bundle([b"\x00" * 65_536])


@pytest.mark.parametrize(
    ("bundle", "width", "message"),
    [
        (b"\x00", 1, "Entry 0 of the bundle is cut short"),
        (b"\x00\x01a\x00\x02b", 2, "Entry 1 of the bundle is cut short"),
        (b"\x00\x01a", 2, "holds 1 entries instead of 2"),
        (b"\x00\x01a\x00\x00", 1, "holds 2 entries instead of 1"),
    ],
)
def test_a_bundle_of_another_form_is_refused(bundle: bytes, width: int, message: str) -> None:
    with pytest.raises(TileInvalid, match=message):
        parse_bundle(bundle, width=width)


def test_every_node_is_read_out_of_the_tiles() -> None:
    leaves = reference.leaves(600)
    reader = reader_of(b"".join(leaves))

    for level in range(10):
        for index in range(600 >> level):
            assert reader.node(level, index) == reference.tree_hash(leaves[index << level : (index + 1) << level])


@pytest.mark.parametrize(("level", "index"), [(0, 600), (1, 300), (9, 1), (10, 0), (-1, 0), (0, -1)])
def test_a_node_that_is_not_complete_is_refused(level: int, index: int) -> None:
    with pytest.raises(TileInvalid, match=f"has no complete node {index} at level {level}"):
        reader_of(b"".join(reference.leaves(600))).node(level, index)


def test_a_tile_that_is_kept_is_not_fetched_again() -> None:
    tiles = grow(0, b"".join(reference.leaves(1_000)), {})
    fetched: list[Tile] = []

    def fetch(tile: Tile) -> bytes:
        fetched.append(tile)
        return tiles[tile]

    reader = HashReader(1_000, fetch, kept=2)
    for index in (0, 1, 300, 2, 600, 3, 301):
        reader.node(0, index)

    # The tile that was not asked for longest makes room.
    assert [tile.index for tile in fetched] == [0, 1, 2, 1]


def test_a_tile_may_have_grown_and_may_not_be_short() -> None:
    tiles = grow(0, b"".join(reference.leaves(300)), {})
    grown = tiles[Tile(level=0, index=1, width=44)]

    assert HashReader(290, lambda _: grown).node(1, 128) == HashReader(300, lambda _: grown).node(1, 128)
    with pytest.raises(TileInvalid, match=r"tile/0/001\.p/44 holds 1088 bytes instead of 1408"):
        HashReader(300, lambda _: grown[:1088]).node(0, 299)


@pytest.mark.parametrize(("size", "hashes"), [(1, ()), (0, (b"\x00" * 32,)), (-1, (b"\x00" * 32,)), (1, (b"\x00",))])
def test_an_edge_that_is_not_the_sizes_is_refused(size: int, hashes: tuple[bytes, ...]) -> None:
    with pytest.raises(ProofInvalid, match="are no edge of a tree"):
        Frontier(size=size, hashes=hashes)


def test_leaf_hashes_of_many_are_those_of_each() -> None:
    entries = [reference.entry(index) for index in range(5)]

    assert split(leaf_hashes(entries)) == reference.leaves(5)
