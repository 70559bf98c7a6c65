"""The check of a whole log, or of its end, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import psycopg

from trueup.audit.merkle.errors import TileInvalid
from trueup.audit.merkle.tiles import WIDTH
from trueup.audit.notes.errors import KeyInvalid
from trueup.audit.sealing import trees
from trueup.audit.signing import keys
from trueup.audit.signing.keys import SigningKey
from trueup.audit.verifying import checkpoints, entries, loose, pieces, tree
from trueup.audit.verifying.pieces import Piece
from trueup.audit.verifying.types import Finding, Problem, Wrong
from trueup.runtime import clock

Progress = Callable[[int, int], None]
"""Is told how many leaves were checked, and of how many."""
Connection = psycopg.Connection[tuple[Any, ...]]


class _Found:
    """The first problem and how many there are; a log may be wrong in a million places."""

    def __init__(self) -> None:
        self.first: Problem | None = None
        self.count = 0

    def add(self, problems: list[Problem]) -> None:
        if problems and self.first is None:
            self.first = problems[0]
        self.count += len(problems)


def check(connection: Connection, *, livemode: bool, since_size: int, progress: Progress | None) -> Finding:
    """Check the leaves from ``since_size`` on, rounded down to a tile, and all that is made of them."""
    started = clock.now()
    found = _Found()
    size = trees.leaves(connection, livemode=livemode)
    start = min(since_size, size) // WIDTH * WIDTH
    kept = loose.minimum(connection, livemode=livemode)
    known, wrong_keys = _keys(connection, livemode=livemode, kept=kept)
    checking = checkpoints.Checking(connection, known, start, livemode=livemode)
    hashed = _tree(connection, found, checking, start, size, livemode=livemode, progress=progress)
    newest = trees.newest(connection, livemode=livemode)
    if (newest.size if newest else 0) < size:
        sentence = f"The tree has {size} entries, and the newest checkpoint {newest.size if newest else 0}."
        found.add([Problem(code=Wrong.CHECKPOINT_MISSING, position=size, sentence=sentence)])
    if newest is not None and newest.size > trees.leaves(connection, livemode=livemode):
        sentence = f"The newest checkpoint has {newest.size} entries, and leaf {size} is missing."
        found.add([Problem(code=Wrong.LEAF_MISSING, position=size, sentence=sentence)])
    found.add(wrong_keys)
    found.add(tree.beyond(connection, livemode=livemode))
    found.add(loose.check(connection, livemode=livemode))
    found.add(loose.check_minimum(connection, kept, livemode=livemode))
    found.add(loose.check_memory(connection, livemode=livemode))
    return Finding(
        livemode=livemode,
        since_size=start,
        size=size,
        entries=hashed,
        checkpoints=checking.count,
        first=found.first,
        problems=found.count,
        started_at=started,
        ended_at=clock.now(),
    )


def _keys(connection: Connection, *, livemode: bool, kept: int) -> tuple[list[SigningKey], list[Problem]]:
    known: list[SigningKey] = []
    problems: list[Problem] = []
    # A key that is announced between two statements is looked at again.
    for _ in range(2):
        try:
            known = keys.announced(connection, livemode=livemode)
            problems = checkpoints.check_keys(connection, known, livemode=livemode, minimum=kept)
        except KeyInvalid as error:
            problems = [Problem(code=Wrong.KEY_CHANGED, position=1, sentence=error.message)]
        if not problems:
            break
    return known, problems


def _tree(
    connection: Connection,
    found: _Found,
    checking: checkpoints.Checking,
    start: int,
    size: int,
    *,
    livemode: bool,
    progress: Progress | None,
) -> int:
    """Check entries, leaves, tiles and checkpoints by their place; returns how many entries were hashed."""
    try:
        growing = tree.Growing(connection, start, livemode=livemode)
    except TileInvalid as error:
        found.add([Problem(code=Wrong.TILE_MISSING, position=start, sentence=error.message)])
        return 0
    hashed = 0
    for piece in _pieces(connection, start, size, livemode=livemode):
        run, problems = entries.check(
            piece,
            livemode=livemode,
            # Asked again: retention may drop what was there at the beginning.
            minimum=partial(loose.minimum, connection, livemode=livemode),
            columns=partial(pieces.columns, connection, piece.start, piece.end, livemode=livemode),
        )
        found.add(problems)
        found.add(growing.append(run, piece.tiles))
        found.add(checking.check(piece.checkpoints, growing.root_at))
        hashed += piece.entries.found
        if progress is not None:
            progress(piece.end - start, size - start)
    return hashed


def _pieces(connection: Connection, start: int, size: int, *, livemode: bool) -> Iterator[Piece]:
    """The pieces in their order; while one is checked here, the server reads the next."""
    spans = iter([(at, min(at + pieces.LEAVES, size)) for at in range(start, size, pieces.LEAVES)])
    with connection.pipeline():
        asked = next((pieces.Asked(connection, *span, livemode=livemode) for span in spans), None)
        while asked is not None:
            following = next((pieces.Asked(connection, *span, livemode=livemode) for span in spans), None)
            yield asked.piece()
            asked = following
