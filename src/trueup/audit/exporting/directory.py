"""An export: a folder with the log, or a part of it, that somebody can verify who trusts neither us nor this program.

Its form is that of https://c2sp.org/tlog-tiles, with the program that verifies it (``verifier.py``, standard library
only) and a page that says what that proves. Two exports of the same log up to the same checkpoint have the same bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg

from trueup.audit import composing
from trueup.audit import service as audit
from trueup.audit.exporting import page, scope
from trueup.audit.exporting.files import Files, Tell, whole
from trueup.audit.exporting.scope import Scope
from trueup.audit.exporting.values import Chosen, Told
from trueup.audit.merkle.tiles import ENTRIES, WIDTH, tile_at, tiles_of
from trueup.audit.sealing import trees
from trueup.audit.types import Action, Phase
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Broken
from trueup.kernel.modes import mode_name
from trueup.kernel.records import Record
from trueup.runtime import database

FORMAT: Final = "trueup-audit-export/1"
MANIFEST: Final = "manifest.json"
VERIFIER: Final = Path(__file__).with_name("verifier.py")
TILES: Final = 1024
BUNDLES: Final = 64
"""How many of each are read at once."""

# The server makes the bundles: a length of two bytes before each body. The lateral part is fenced off, so that no plan
# reads all months to find some thousand entries of them.
BUNDLE: Final = b"""
select l.leaf_index / 256, count(e.body), min(l.leaf_index) filter (where e.body is null),
       string_agg(substring(int4send(octet_length(e.body)) from 3) || e.body, ''::bytea order by l.leaf_index)
from audit_leaf l
left join lateral (
    select x.body from audit_logentry x where x.id = l.entry_id and x.at = l.at offset 0
) e on true
where l.livemode = %(livemode)s and l.leaf_index >= %(first)s and l.leaf_index < %(end)s
group by 1 order by 1
"""


class Exported(Record, frozen=True):
    """What an export holds."""

    folder: str
    origin: str
    mode: str
    size: int
    """Entries that the tree has at the checkpoint."""
    root: str
    minimum: int
    """The first entry that is in it."""
    entries: int
    values: int
    """Personal values that it discloses."""
    values_lost: int
    """Those that were chosen and cannot be opened any more, by whoever: their key was erased or is lost."""
    older_checkpoints: int
    anchors: int
    bytes: int


def export(
    folder: Path,
    *,
    livemode: bool,
    by: Actor,
    why: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    chosen: Chosen | None = None,
    tell: Tell,
) -> Exported:
    """Write the log of a mode into a folder, which must not exist or be empty; see ``scope.of`` for the span.

    That it is made is on record, with the values that were chosen, before anything is written, and what came of it
    afterwards. ``Conflict`` (the folder holds something), ``Refused`` (nothing to export), ``Unavailable`` (no room)
    and ``Broken`` (an entry or a tile is missing: `trueup audit verify` says which).
    """
    chosen = chosen or Chosen()
    connection = database.connection()
    reach = scope.of(connection, livemode=livemode, since=since, until=until)
    with whole(folder) as files:
        intent = _record(reach, chosen, by=by, why=why, phase=Phase.INTENT)
        try:
            done = _written(connection, files, reach, chosen, folder=folder, tell=tell)
        except BaseException:
            _record(reach, chosen, by=by, phase=Phase.FAILED, intent=intent)
            raise
        _record(reach, chosen, by=by, phase=Phase.SUCCEEDED, intent=intent, values=done.values)
    return done


def _written(
    connection: psycopg.Connection[tuple[Any, ...]],
    files: Files,
    reach: Scope,
    chosen: Chosen,
    *,
    folder: Path,
    tell: Tell,
) -> Exported:
    files.write("checkpoint", reach.checkpoint)
    files.write("policy", reach.policy)
    if reach.minimum:
        files.write("minimum", f"{reach.minimum}\n".encode())
    for size, note in reach.older:
        files.write(f"checkpoints/{size}", note)
    for anchor in reach.anchors:
        files.write(anchor.path, anchor.evidence)
    _write_tiles(connection, files, reach, tell)
    _write_entries(connection, files, reach, tell)
    told = Told(connection, chosen, livemode=reach.livemode)
    if not chosen.nothing:
        files.write_lines("disclosures.jsonl", _disclosures(told, reach, tell))
    files.write("verify.py", VERIFIER.read_bytes())
    done = Exported(
        folder=str(folder),
        origin=reach.origin,
        mode=mode_name(reach.livemode),
        size=reach.size,
        root=base64.b64encode(reach.root).decode(),
        minimum=reach.minimum,
        entries=reach.size - reach.minimum,
        values=told.count,
        values_lost=told.lost,
        older_checkpoints=len(reach.older),
        anchors=len(reach.anchors),
        bytes=sum(one.bytes for one in files.written.values()),
    )
    files.write("README.html", page.rendered(reach, chosen, done.values, done.values_lost, files.written["verify.py"]))
    files.write(MANIFEST, _manifest(files, reach, chosen, done))
    return done


def _manifest(files: Files, reach: Scope, chosen: Chosen, done: Exported) -> bytes:
    """What is in the export, without the moment and the place of its making: those are on record in the log."""
    said = {name: getattr(done, name) for name in done.__struct_fields__ if name not in {"folder", "bytes"}}
    anchors = [
        {
            "file": one.path,
            "size": one.size,
            "kind": one.kind,
            "of": one.destination,
            "at": composing.moment(one.made_at),
        }
        for one in reach.anchors
    ]
    said |= {"format": FORMAT, "dropped": reach.dropped, "chosen": chosen, "anchors": anchors, "files": files.written}
    return msgspec.json.format(msgspec.json.encode(said, order="sorted"), indent=1) + b"\n"


def _write_tiles(connection: psycopg.Connection[tuple[Any, ...]], files: Files, reach: Scope, tell: Tell) -> None:
    tiles = list(tiles_of(reach.size))
    for start in range(0, len(tiles), TILES):
        some = tiles[start : start + TILES]
        found = trees.stored_tiles(connection, some, livemode=reach.livemode)
        for tile in some:
            if tile not in found:
                raise _missing(f"The tile {tile.path}")
            files.write(tile.path, found[tile])
        tell("Tiles", start + len(some), len(tiles))


def _write_entries(connection: psycopg.Connection[tuple[Any, ...]], files: Files, reach: Scope, tell: Tell) -> None:
    span = BUNDLES * WIDTH
    for start in range(reach.minimum // WIDTH * WIDTH, reach.size, span):
        first, end = max(start, reach.minimum), min(start + span, reach.size)
        values = {"livemode": reach.livemode, "first": first, "end": end}
        rows = psycopg.Cursor(connection).execute(BUNDLE, values, binary=True).fetchall()
        expected = range(first // WIDTH, -(-end // WIDTH))
        if [row[0] for row in rows] != list(expected):
            raise _missing(f"A leaf between {first} and {end - 1}")
        for index, count, gap, entries in rows:
            tile = tile_at(ENTRIES, index, reach.size)
            # Entries before the first one that is kept are empty in the bundle that they share with it.
            before = max(reach.minimum - index * WIDTH, 0)
            if gap is not None or count != tile.width - before:
                raise _missing(f"Entry {gap}" if gap is not None else f"A leaf of {tile.path}")
            files.write(tile.path, bytes(2 * before) + bytes(entries))
        tell("Entries", end - reach.minimum, reach.size - reach.minimum)


def _disclosures(told: Told, reach: Scope, tell: Tell) -> Iterator[bytes]:
    for number, line in enumerate(told.lines(reach.minimum, reach.size)):
        if number % 1000 == 0:
            tell("Values", number, 0)
        yield line


def _record(
    reach: Scope, chosen: Chosen, *, by: Actor, phase: Phase, why: str = "", intent: int | None = None, **more: int
) -> int:
    with database.transaction() as connection:
        return audit.record(
            connection,
            by=by,
            action=Action.EXPORT_MADE,
            object_type="audit_log",
            object_id=mode_name(reach.livemode),
            livemode=reach.livemode,
            why=why,
            after={"size": reach.size, "minimum": reach.minimum, "chosen": msgspec.to_builtins(chosen)} | more,
            phase=phase,
            intent=intent,
        )


def _missing(what: str) -> Broken:
    return Broken(
        f"{what} is missing, so the log cannot be exported whole.",
        code="audit_export_incomplete",
        hint="See what else is: trueup audit verify --db",
    )
