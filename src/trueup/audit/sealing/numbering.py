"""The first step of sealing: give what is pending its places in the tree, without gaps, and let the tiles grow.

All of it is one transaction: whoever dies in between has done nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import psycopg

from trueup.audit.merkle.errors import TileInvalid
from trueup.audit.merkle.hashing import HASH_SIZE
from trueup.audit.merkle.reading import HashReader
from trueup.audit.merkle.tiles import Tile, grow, partial_tiles
from trueup.audit.sealing import trees
from trueup.audit.sealing.errors import SealingRefused
from trueup.audit.store import WRITTEN
from trueup.runtime import clock, database

LIMIT: Final = 10_000
"""Entries that one transaction takes."""

# Entries are hashed where they are: the server makes a million hashes a second, and bodies need not travel.
# One that was written by a version before waits without its body, and stands where it will stand already; the lateral
# part is fenced off, so that no plan reads all months to find ten thousand entries of them.
# A value whose key was destroyed while it waited is not put anywhere.
PLACE: Final = f"""
with taken as materialized (
    select u.*, sha256('\\x00'::bytea || coalesce(u.body, e.body)) as leaf_hash
    from audit_unsealed u
    left join lateral (
        select l.body from audit_logentry l
        where u.body is null and l.id = u.entry_id and l.at = u.at and l.livemode = u.livemode offset 0
    ) e on true
    where u.livemode = %(livemode)s and (u.body is not null or e.body is not null)
    order by u.entry_id
    limit %(limit)s
    for update of u skip locked
), gone as (
    delete from audit_unsealed where entry_id = any(array(select entry_id from taken))
), entered as (
    insert into audit_logentry (id, {WRITTEN})
    select entry_id, {WRITTEN} from taken where body is not null
), told as (
    insert into audit_disclosure (entry_id, digest, subject, key_id, ciphertext)
    select t.entry_id, v.digest, v.subject, v.key_id, decode(v.ciphertext, 'base64')
    from taken t, json_to_recordset(t.told::json) as v (digest text, subject text, key_id bigint, ciphertext text)
    join audit_subjectkey k using (key_id, subject)
), placed as (
    insert into audit_leaf (livemode, leaf_index, entry_id, at, leaf_hash)
    select %(livemode)s, %(size)s + row_number() over (order by entry_id) - 1, entry_id, at, leaf_hash from taken
    returning leaf_index, leaf_hash
)
select count(*), coalesce(string_agg(leaf_hash, ''::bytea order by leaf_index), ''::bytea) from placed
"""  # noqa: S608 - names of our own columns
PUT: Final = b"""
insert into audit_tile (livemode, level, tile_index, hashes)
select %(livemode)s, t.level, t.tile_index, t.hashes
from unnest(%(levels)b::smallint[], %(indexes)b::bigint[], %(contents)b::bytea[]) as t (level, tile_index, hashes)
on conflict (livemode, level, tile_index) do update set hashes = excluded.hashes
"""
SEAL: Final = """
insert into audit_checkpoint (livemode, size, previous_size, root, made_at)
values (%(livemode)s, %(size)s, %(previous)s, %(root)b, %(at)s)
"""
LOCK: Final = "select pg_try_advisory_xact_lock(hashtext('audit sequencer'), %(livemode)s::boolean::int)"


def number(*, livemode: bool, limit: int = LIMIT) -> int:
    """Number up to ``limit`` pending entries of a mode, and make the checkpoint that waits to be signed.

    Returns how many; 0 as well while another worker does it. ``SealingRefused`` where what is stored is no tree.
    """
    with database.transaction() as connection:
        if database.execute(LOCK, {"livemode": livemode}).fetchone() != (True,):
            return 0
        size = trees.leaves(connection, livemode=livemode)
        newest = trees.newest(connection, livemode=livemode)
        if size != (newest.size if newest else 0):
            raise torn(f"There are {size} leaves, and the newest checkpoint is of {newest.size if newest else 0}.")
        values = {"livemode": livemode, "limit": limit, "size": size}
        row = database.execute(PLACE, values).fetchone()
        count, leaves = (int(row[0]), bytes(row[1])) if row else (0, b"")
        if not count:
            return 0
        partial = trees.stored_tiles(connection, partial_tiles(size), livemode=livemode)
        try:
            grown = grow(size, leaves, partial)
        except TileInvalid as error:
            raise torn(error.message) from None
        _put(connection, grown, livemode=livemode)
        total = size + len(leaves) // HASH_SIZE
        root = trees.root_at(_edge(total, [partial, grown]), total)
        previous = newest.size if newest else None
        sealed = {"livemode": livemode, "size": total, "previous": previous, "root": root, "at": clock.now()}
        database.execute(SEAL, sealed)
    return count


def torn(what: str) -> SealingRefused:
    """What is stored is no tree."""
    return SealingRefused(
        f"The stored tree of the audit log is torn. {what}",
        code="audit_tree_torn",
        hint="See where: trueup audit verify --db",
    )


def _put(connection: psycopg.Connection[tuple[Any, ...]], grown: Mapping[Tile, bytes], *, livemode: bool) -> None:
    values = {
        "livemode": livemode,
        "levels": [tile.level for tile in grown],
        "indexes": [tile.index for tile in grown],
        "contents": list(grown.values()),
    }
    psycopg.Cursor(connection).execute(PUT, values)


def _edge(size: int, known: Iterable[Mapping[Tile, bytes]]) -> HashReader:
    """The right edge of a tree, where all its partial tiles are known: a root needs no others."""
    contents = {(tile.level, tile.index): content for tiles in known for tile, content in tiles.items()}
    return HashReader(size, lambda tile: contents[tile.level, tile.index])
