"""What witnesses are asked about: the newest signed checkpoint, and the tiles that proofs are read from."""

from __future__ import annotations

from typing import Any, Final

import psycopg

from trueup.audit.merkle.proofs import subtree_root
from trueup.audit.merkle.reading import HashReader
from trueup.audit.merkle.tiles import Tile
from trueup.audit.notes.keys import VerifierKey, parse_key
from trueup.kernel.records import Record

NEWEST: Final = b"""
select size, root, note from audit_checkpoint where livemode = %s and note is not null order by size desc limit 1
"""
ROOT: Final = b"select root from audit_checkpoint where livemode = %s and size = %s"
TILE: Final = b"select hashes from audit_tile where livemode = %s and level = %s and tile_index = %s"
KEYS: Final = b"select verifier_key from audit_signingkey where livemode = %s order by number"
COSIGN: Final = b"""
insert into audit_cosignature (livemode, size, key_name, line)
values (%(livemode)s, %(size)s, %(key_name)s, %(line)s)
on conflict (livemode, size, key_name) do update set line = excluded.line, made_at = now()
"""

Connection = psycopg.Connection[tuple[Any, ...]]


class SignedCheckpoint(Record, frozen=True):
    """A checkpoint that the log has signed."""

    size: int
    root: bytes
    note: bytes


def newest(connection: Connection, *, livemode: bool) -> SignedCheckpoint | None:
    """The newest one; None before anything was signed."""
    row = psycopg.Cursor(connection).execute(NEWEST, (livemode,)).fetchone()
    return None if row is None else SignedCheckpoint(size=row[0], root=bytes(row[1]), note=row[2].encode())


def log_keys(connection: Connection, *, livemode: bool) -> list[VerifierKey]:
    """The keys that the log of this mode announced, oldest first."""
    return [parse_key(line) for (line,) in psycopg.Cursor(connection).execute(KEYS, (livemode,)).fetchall()]


def reader(connection: Connection, *, livemode: bool, size: int) -> HashReader:
    """Reads nodes of the tree of this size out of the stored tiles; ``TileInvalid`` for one that is not there."""

    def fetch(tile: Tile) -> bytes:
        row = psycopg.Cursor(connection).execute(TILE, (livemode, tile.level, tile.index)).fetchone()
        return b"" if row is None else bytes(row[0])

    return HashReader(size, fetch)


def root_at(connection: Connection, *, livemode: bool, size: int) -> bytes:
    """The root of the tree of this size, as a checkpoint says it, or else as the tiles have it."""
    row = psycopg.Cursor(connection).execute(ROOT, (livemode, size)).fetchone()
    if row is not None:
        return bytes(row[0])
    return subtree_root(0, size, reader(connection, livemode=livemode, size=size).node)


def cosigned(connection: Connection, *, livemode: bool, size: int, key_name: str, line: str) -> None:
    """Keep a witness's line below a checkpoint; a newer one of the same witness replaces it."""
    values = {"livemode": livemode, "size": size, "key_name": key_name, "line": line}
    psycopg.Cursor(connection).execute(COSIGN, values)
