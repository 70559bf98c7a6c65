"""Rows that nothing supports any more: counting them, showing some, and removing them piece by piece."""

from __future__ import annotations

from typing import Final

from trueup.kernel.records import Record
from trueup.runtime import database

PIECE: Final = 5_000
"""Rows removed in one transaction."""


class Orphan(Record, frozen=True):
    """A kind of rows that nothing supports.

    ``key`` is what names a row to a person and ``condition`` what tells it, both SQL on ``t``; ours, never a caller's.
    """

    table: str
    what: str
    key: str
    condition: str


class Orphans(Record, frozen=True):
    """How many rows of a kind there are, and the keys of some."""

    table: str
    what: str
    rows: int
    examples: tuple[str, ...]


def found(orphan: Orphan, *, examples: int) -> Orphans:
    """The rows of a kind as they are now."""
    sql = f"select count(*) from {orphan.table} t where {orphan.condition}"  # noqa: S608 - constants of ours
    row = database.execute(sql).fetchone() or (0,)
    named: list[str] = []
    if row[0]:
        sql = f"select {orphan.key} from {orphan.table} t where {orphan.condition} order by 1 limit %(limit)s"  # noqa: S608
        named = [key for (key,) in database.execute(sql, {"limit": examples}).fetchall()]
    return Orphans(table=orphan.table, what=orphan.what, rows=row[0], examples=tuple(named))


def remove(orphan: Orphan) -> int:
    """Remove the next rows of a kind, in the caller's transaction; returns how many, 0 when there are no more."""
    sql = (
        f"delete from {orphan.table} where ctid = any(array("  # noqa: S608 - constants of ours
        f"select t.ctid from {orphan.table} t where {orphan.condition} limit %(limit)s for update skip locked))"
    )
    return database.execute(sql, {"limit": PIECE}).rowcount
