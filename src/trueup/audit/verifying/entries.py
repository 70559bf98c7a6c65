"""Whether entries are what their leaves say, and their columns what their bodies say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec

from trueup.audit.merkle.hashing import HASH_SIZE, leaf_hash, leaf_hashes
from trueup.audit.merkle.tiles import WIDTH, tile_at
from trueup.audit.verifying.pieces import COLUMN, ROW, Columns, Entries, Piece
from trueup.audit.verifying.types import Problem, Wrong
from trueup.kernel.modes import mode_name


class _Named(msgspec.Struct, gc=False):
    kind: str
    id: str


class _Thing(msgspec.Struct, gc=False):
    type: str
    id: str


class _Body(msgspec.Struct, gc=False):
    """As much of a body as stands in columns too."""

    at: str
    mode: str
    action: str
    actor: _Named
    object: _Thing
    behind: _Named | None = None
    request: str = ""


_decode_one: Final = msgspec.json.Decoder(_Body).decode
_decode_all: Final = msgspec.json.Decoder(list[_Body]).decode

NAMES: Final = (
    *("at", "livemode", "actor_kind", "actor_id", "behind_kind", "behind_id"),
    *("action", "object_type", "object_id", "request_id"),
)
IN_ROW: Final = 9
"""Columns that stand in ``Entries.columns``."""


def check(
    piece: Piece, *, livemode: bool, minimum: Callable[[], int], columns: Callable[[], Columns]
) -> tuple[bytes, list[Problem]]:
    """The run of leaf hashes of a piece to go on with, and what is wrong with its entries, in their order.

    Below ``minimum`` entries may have been dropped. It and the columns one by one are asked for where something is
    wrong. Of an entry, a leaf and a tile that do not agree, two usually do.
    """
    if _is_well(piece.entries, piece.end - piece.start, mode_name(livemode)):
        return piece.entries.hashes, []
    return _problems(piece, columns(), minimum=minimum())


def _is_well(entries: Entries, size: int, mode: str) -> bool:
    """Whether all of it is there and as it should be, asked of all entries at once."""
    if not entries.count == entries.found == size == entries.last - entries.first + 1 or not entries.of_mode:
        return False
    present = [body for body in entries.bodies if body is not None]
    # Where a value holds one of the two, where columns end is not known: they are compared one by one.
    if entries.columns.count(ROW) != size - 1 or entries.columns.count(COLUMN) != (IN_ROW - 1) * size:
        return False
    try:
        return (
            leaf_hashes(present) == entries.hashes
            and ROW.join([_row(body, mode) for body in _decode_all(b"[" + b",".join(present) + b"]")])
            == entries.columns
        )
    except (msgspec.MsgspecError, ValueError):
        return False


def _row(body: _Body, mode: str) -> str:
    """The columns of a body, as they are asked for; ``ValueError`` for one of another mode."""
    if body.mode != mode:
        raise ValueError(body.mode)
    actor, thing, behind = body.actor, body.object, body.behind
    kind, identifier = (behind.kind, behind.id) if behind else ("", "")
    return COLUMN.join(
        (body.at, actor.kind, actor.id, kind, identifier, body.action, thing.type, thing.id, body.request)
    )


def _told(body: _Body) -> dict[str, Any]:
    """What a body says of each column."""
    return {
        "at": datetime.fromisoformat(body.at[:-1]),
        "livemode": body.mode == "live",
        "actor_kind": body.actor.kind,
        "actor_id": body.actor.id,
        "behind_kind": "" if body.behind is None else body.behind.kind,
        "behind_id": "" if body.behind is None else body.behind.id,
        "action": body.action,
        "object_type": body.object.type,
        "object_id": body.object.id,
        "request_id": body.request,
    }


def _problems(piece: Piece, columns: Columns, *, minimum: int) -> tuple[bytes, list[Problem]]:
    entries = piece.entries
    rows = dict(zip(columns.leaf_index, range(entries.count), strict=True))
    held = _held(piece)
    run, problems = [], []
    for index in range(piece.start, piece.end):
        row = rows.get(index)
        in_tile = _at(held, index - piece.start)
        leaf = b"" if row is None else _at(entries.hashes, row)
        body = None if row is None else entries.bodies[row]
        entry = b"" if body is None else leaf_hash(body)
        run.append(in_tile if in_tile in {leaf, entry} or not leaf else leaf)
        problem = _wrong_place(index, row, body, minimum=minimum) or _wrong_hash(index, leaf, entry, in_tile)
        if problem is None and row is not None and body is not None:
            problem = _wrong_column(index, columns, row, body)
        problems += [] if problem is None else [problem]
    return b"".join(run), problems


def _held(piece: Piece) -> bytes:
    """The run that the tiles hold for these leaves; zeros where they hold nothing."""
    parts = []
    for index in range(piece.start // WIDTH, -(-piece.end // WIDTH)):
        tile = tile_at(0, index, piece.end)
        parts.append(piece.tiles.get(tile, bytes(tile.size)))
    return b"".join(parts)


def _at(run: bytes, number: int) -> bytes:
    return run[number * HASH_SIZE : (number + 1) * HASH_SIZE]


def _wrong_place(index: int, row: int | None, body: bytes | None, *, minimum: int) -> Problem | None:
    if row is None:
        return Problem(code=Wrong.LEAF_MISSING, position=index, sentence=f"There is no leaf {index}.")
    if body is None and index >= minimum:
        sentence = f"The entry of leaf {index} is missing, and retention has not dropped it."
        return Problem(code=Wrong.ENTRY_MISSING, position=index, sentence=sentence)
    return None


def _wrong_hash(index: int, leaf: bytes, entry: bytes, in_tile: bytes) -> Problem | None:
    if entry in {b"", leaf}:
        return None
    if in_tile == entry:
        sentence = f"Leaf {index} is not the hash of its entry; its tile is."
        return Problem(code=Wrong.LEAF_CHANGED, position=index, sentence=sentence)
    return Problem(code=Wrong.ENTRY_CHANGED, position=index, sentence=f"The entry of leaf {index} does not hash to it.")


def _wrong_column(index: int, columns: Columns, row: int, body: bytes) -> Problem | None:
    try:
        told = _told(_decode_one(body))
    except (msgspec.MsgspecError, ValueError):
        sentence = f"The body of the entry of leaf {index} is not of its form."
        return Problem(code=Wrong.COLUMN_CHANGED, position=index, sentence=sentence)
    wrong = next((name for name in NAMES if told[name] != getattr(columns, name)[row]), "")
    sentence = f"Of the entry of leaf {index} the column {wrong} is not what its body says."
    return Problem(code=Wrong.COLUMN_CHANGED, position=index, sentence=sentence) if wrong else None
