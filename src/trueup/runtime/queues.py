"""Queue tables.

Narrow rows written beside the state they announce, claimed with SKIP LOCKED, deleted in the reader's transaction.

A queue table has, beside its own columns: ``id bigint identity``, ``attempts smallint``, ``due_at timestamptz null``,
``last_error text null``, ``set_aside_at timestamptz null``. Reading by ``id > last`` would lose rows that commit late,
and a snapshot watermark would stall behind any long transaction; claiming rows does neither.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import psycopg

from trueup.kernel.records import Record

FIRST_DELAY: Final = timedelta(seconds=1)
LONGEST_DELAY: Final = timedelta(minutes=10)


class Queue(Record, frozen=True):
    """A queue table and the columns a reader wants. Names are ours, never a caller's input."""

    table: str
    columns: tuple[str, ...]


class Claimed(Record, frozen=True):
    """One claimed row: its id, how often it failed before, and its columns in the queue's order."""

    id: int
    attempts: int
    values: tuple[Any, ...]


class Depth(Record, frozen=True):
    """How a queue stands: rows due or retrying, rows set aside, and the age of the oldest due row in seconds."""

    waiting: int
    set_aside: int
    oldest_seconds: float


def delay(attempts: int) -> timedelta:
    """How long a row waits after its ``attempts``-th failure: doubling from one second, at most ten minutes."""
    return min(LONGEST_DELAY, FIRST_DELAY * (1 << min(attempts - 1, 20)))


def claim(connection: psycopg.Connection[tuple[Any, ...]], queue: Queue, limit: int) -> list[Claimed]:
    """Lock up to ``limit`` due rows, oldest first, that no other reader holds."""
    sql = (
        f"select id, attempts, {', '.join(queue.columns)} from {queue.table} "  # noqa: S608 - names from our own constants
        "where set_aside_at is null and (due_at is null or due_at <= now()) order by id limit %s for update skip locked"
    )
    rows = psycopg.Cursor(connection).execute(sql.encode(), (limit,)).fetchall()
    return [Claimed(id=row[0], attempts=row[1], values=row[2:]) for row in rows]


def finish(connection: psycopg.Connection[tuple[Any, ...]], queue: Queue, ids: list[int]) -> None:
    """Delete rows that were handled."""
    psycopg.Cursor(connection).execute(f"delete from {queue.table} where id = any(%b)".encode(), (ids,))  # noqa: S608


def fail(
    connection: psycopg.Connection[tuple[Any, ...]], queue: Queue, row: Claimed, *, error: str, max_attempts: int
) -> bool:
    """Note a failure on its row: retry later, or set it aside after ``max_attempts``. True when it was set aside."""
    attempts = row.attempts + 1
    aside = attempts >= max_attempts
    psycopg.Cursor(connection).execute(
        f"update {queue.table} set attempts = %s, last_error = %s, due_at = now() + %s, "  # noqa: S608
        "set_aside_at = case when %s then now() end where id = %s".encode(),
        (attempts, storable(error), delay(attempts), aside, row.id),
    )
    return aside


def storable(error: str) -> str:
    """The error as a text column takes it.

    Bounded, without NUL characters and lone surrogates, which payloads may hold.
    """
    return error[:2000].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def depth(connection: psycopg.Connection[tuple[Any, ...]], queue: Queue, since: str) -> Depth:
    """Count a queue; ``since`` names the column with the time a row was written."""
    sql = (
        "select count(*) filter (where set_aside_at is null), count(*) filter (where set_aside_at is not null), "  # noqa: S608
        f"coalesce(extract(epoch from now() - min({since}) filter (where set_aside_at is null)), 0)::float8 "
        f"from {queue.table}"
    )
    row = psycopg.Cursor(connection).execute(sql.encode()).fetchone() or (0, 0, 0.0)
    return Depth(waiting=row[0], set_aside=row[1], oldest_seconds=max(0.0, row[2]))
