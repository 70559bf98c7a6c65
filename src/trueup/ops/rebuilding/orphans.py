"""Rows that nothing in the log supports: shown first, and removed when somebody agrees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.customer import orphans as customers
from trueup.inbox import orphans as inbox
from trueup.kernel.actor import Actor
from trueup.mirror import orphans as mirror
from trueup.ops.rebuilding.building import Progress, silent
from trueup.runtime import database
from trueup.runtime.orphans import Orphan, Orphans, found, remove

KINDS: Final = (*inbox.ORPHANS, *mirror.ORPHANS, *mirror.BESIDE, *customers.ORPHANS)
QUEUED: Final = (*inbox.ORPHANS, mirror.CHANGED)
"""Those in queues, which are short."""
ROUNDS: Final = 3
"""What one round removes may leave others without support."""


def preview(*, examples: int = 5, kinds: Sequence[Orphan] = KINDS, progress: Progress = silent) -> list[Orphans]:
    """How many rows of each kind there are, and some of them; kinds without any are left out.

    What stands beside a customer goes with it, and is not counted as long as the customer is there. Changes nothing.
    """
    listed = []
    for number, kind in enumerate(kinds):
        progress("Looking for orphans", number, len(kinds))
        one = found(kind, examples=examples)
        if one.rows:
            listed.append(one)
    return listed


def clean(*, by: Actor, progress: Progress = silent) -> dict[str, int]:
    """Remove them piece by piece, each piece audited with its transaction; returns how many rows by table.

    Of the mirror whole objects are counted: what the log still tells of one is read again. Ended at any moment, what
    was removed is removed and the rest is left; what people said is never touched.
    """
    removed: dict[str, int] = {}
    for _ in range(ROUNDS):
        before = sum(removed.values())
        for table, pieces in _work():
            for number in _pieces(table, pieces, by=by):
                removed[table] = removed.get(table, 0) + number
                progress("Removing orphans", sum(removed.values()), 0)
        if sum(removed.values()) == before:
            break
    return removed


def _work() -> Iterator[tuple[str, Callable[[], int]]]:
    def of(kind: Orphan) -> Callable[[], int]:
        return lambda: remove(kind)

    for kind in inbox.ORPHANS:
        yield kind.table, of(kind)
    yield mirror.OBJECTS.table, mirror.remove
    for kind in (*mirror.BESIDE, *customers.ORPHANS):
        yield kind.table, of(kind)


def _pieces(table: str, piece: Callable[[], int], *, by: Actor) -> Iterator[int]:
    while True:
        with database.transaction() as connection:
            number = piece()
            if number:
                audit.record(
                    connection,
                    by=by,
                    action=Action.ORPHANS_REMOVED,
                    object_type="tables",
                    object_id=table,
                    after={"rows": number},
                )
        if not number:
            return
        yield number
