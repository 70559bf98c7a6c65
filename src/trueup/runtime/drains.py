"""The drain loop.

Claim due rows, act on them in one transaction, isolate the row at fault, and sleep until somebody wakes the topic.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg
from django.db import DatabaseError as DjangoDatabaseError
from django.db import InterfaceError as DjangoInterfaceError

from trueup.kernel.errors import TrueupError
from trueup.kernel.records import Record
from trueup.runtime import clock, database, logs, metrics, queues
from trueup.runtime.queues import Claimed, Queue

log = logs.get(__name__)

IDLE_SECONDS: Final = 5.0
"""A drain looks at its queue this often even when nobody wakes it."""
LONGEST_PAUSE: Final = 5.0
"""Seconds between tries while the database is away or a batch cannot be handled at all."""
LONGEST_REST: Final = 5.0
"""Seconds that a drain waits at most for the ones before it to catch up."""
STRAINED: Final = 4
"""A batch that is a fourth full took so long that a fourth of a batch came meanwhile: the drain is near its limit."""
PACE: Final = 0.005
"""Seconds between the starts of two rounds."""
CONFLICT_TRIES: Final = 10
DATABASE_ERRORS: Final = (psycopg.Error, DjangoDatabaseError, DjangoInterfaceError)
CONFLICTS: Final = "40"
"""PostgreSQL's class of errors for transactions that got in each other's way: deadlocks, serialisation failures."""
ROW_FAULTS: Final = ("54", "57014")
"""What psycopg files under operational errors although the row is at fault.

A value too large for an index, a statement that
takes longer than the operator allows."""

Apply = Callable[[Sequence[Claimed]], None]
Handle = Callable[["Drain", psycopg.Connection[tuple[Any, ...]], list[Claimed]], "Step"]


class Drain(Record, frozen=True):
    """What empties a queue.

    ``apply`` handles a batch in the open transaction; it must give the same result when run again.

    A batch that raises is rolled back and tried again row by row, so that one poison row stops nobody else.
    """

    name: str
    topic: str
    queue: Queue
    since: str
    """The column with the time a row was written."""
    apply: Apply
    batch: int = 500
    units: int | None = None
    """How many different things a batch may speak of, where several rows may speak of the same.

    The rows beyond them are left for the next batch. So a batch may be large where its rows say the same again and
    again, and stays bounded where each says something else. ``None`` takes every row for a thing of its own."""
    max_attempts: int = 8
    rebuildable: bool = True
    """Whether a crash of the database may lose the last batch.

    It may where queue and result are lost together, since the rows are then due
    again; the commit need not wait for the disk. A drain with effects outside says False."""
    left: Apply | None = None
    """Told of rows in the transaction that sets them aside, so that what they spoke of can be known to be behind.

    What it raises costs nobody but itself."""


class Step(Record, frozen=True):
    """What one batch did."""

    claimed: int
    done: int
    failed: int
    set_aside: int


class _Rehearsal(Exception):
    """Rolls a dry run back."""


def step(drain: Drain, *, dry_run: bool = False) -> Step:
    """Handle one batch in one transaction.

    With ``dry_run`` everything is done and rolled back: the counts are exact, nothing is written.

    A transaction that another one got in the way of is rolled back and tried again; no row is charged for it.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return _step(drain, dry_run=dry_run)
        except DATABASE_ERRORS as error:
            if not sqlstate(error).startswith(CONFLICTS) or tries == CONFLICT_TRIES:
                raise
            log.info("drain.conflict", drain=drain.name, tries=tries)


def _step(drain: Drain, *, dry_run: bool) -> Step:
    """A batch in one go; should a row be at fault, it is rolled back and taken again row by row."""
    try:
        result = _attempt(drain, _together, dry_run=dry_run)
    except Exception as error:
        if isinstance(error, DATABASE_ERRORS) and not is_the_rows_fault(error):
            raise
        result = _attempt(drain, _one_by_one, dry_run=dry_run)
    if not dry_run:
        metrics.DRAINED.labels(drain=drain.name, result="done").inc(result.done)
        metrics.DRAINED.labels(drain=drain.name, result="failed").inc(result.failed)
        metrics.DRAINED.labels(drain=drain.name, result="set_aside").inc(result.set_aside)
    return result


def _attempt(drain: Drain, handle: Handle, *, dry_run: bool) -> Step:
    result = Step(claimed=0, done=0, failed=0, set_aside=0)
    database.commit_without_disk(drain.rebuildable)
    try:
        with database.transaction() as connection:
            rows = _bounded(drain, queues.claim(connection, drain.queue, drain.batch))
            if rows:
                result = handle(drain, connection, rows)
            if dry_run:
                raise _Rehearsal
    except _Rehearsal:
        return result
    return result


def _bounded(drain: Drain, rows: list[Claimed]) -> list[Claimed]:
    """The rows that speak of the first ``units`` different things; the others are free again at the commit."""
    if drain.units is None or len(rows) <= drain.units:
        return rows
    things: dict[tuple[Any, ...], None] = {}
    return [row for row in rows if row.values in things or (len(things) < drain.units and _added(things, row.values))]


def _added(things: dict[tuple[Any, ...], None], thing: tuple[Any, ...]) -> bool:
    things[thing] = None
    return True


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code for an error, through Django's wrapping.

    Empty when the server gave none, as when it went away.
    """
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return (cause.sqlstate or "") if isinstance(cause, psycopg.Error) else ""


def is_the_rows_fault(error: BaseException) -> bool:
    """Whether the row is at fault, and not the database, which is away, in trouble or busy with another transaction."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if not isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError)):
        return not isinstance(error, DjangoInterfaceError)
    return sqlstate(error).startswith(ROW_FAULTS)


def _together(drain: Drain, connection: psycopg.Connection[tuple[Any, ...]], rows: list[Claimed]) -> Step:
    drain.apply(rows)
    queues.finish(connection, drain.queue, [row.id for row in rows])
    return Step(claimed=len(rows), done=len(rows), failed=0, set_aside=0)


def _one_by_one(drain: Drain, connection: psycopg.Connection[tuple[Any, ...]], rows: list[Claimed]) -> Step:
    """Each thing by itself: its rows say the same, so they succeed or fail as one."""
    things: dict[tuple[Any, ...], list[Claimed]] = {}
    for row in rows:
        things.setdefault((row.id,) if drain.units is None else row.values, []).append(row)
    done, failed = list[int](), 0
    aside: list[Claimed] = []
    for alike in things.values():
        error = _try(drain, alike)
        if error is None:
            done += [row.id for row in alike]
            continue
        for row in alike:
            if queues.fail(connection, drain.queue, row, error=error, max_attempts=drain.max_attempts):
                aside.append(row)
                log.error("drain.row_set_aside", drain=drain.name, row=row.id, attempts=row.attempts + 1)
            else:
                failed += 1
                log.warning("drain.row_failed", drain=drain.name, row=row.id, attempts=row.attempts + 1)
    if done:
        queues.finish(connection, drain.queue, done)
    if aside:
        _leave(drain, aside)
    return Step(claimed=len(rows), done=len(done), failed=failed, set_aside=len(aside))


def _leave(drain: Drain, rows: Sequence[Claimed]) -> None:
    """Tell of rows that are set aside now, inside a savepoint."""
    if drain.left is None:
        return
    try:
        with database.transaction():
            drain.left(rows)
    except Exception as error:
        if isinstance(error, DATABASE_ERRORS) and not is_the_rows_fault(error):
            raise
        log.error("drain.left_failed", drain=drain.name, rows=len(rows), error=type(error).__name__)


def _try(drain: Drain, rows: Sequence[Claimed]) -> str | None:
    """Apply rows inside a savepoint; None, or what went wrong without the rows' content."""
    try:
        with database.transaction():
            drain.apply(rows)
    except TrueupError as error:
        return f"{error.code}: {error.message}"
    except DATABASE_ERRORS as error:
        if not is_the_rows_fault(error):
            raise
        # The database's detail line quotes values; the primary message does not.
        return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    except Exception as error:  # noqa: BLE001 - a poison row must never stop the others; it is recorded on its row
        return f"{type(error).__name__}: {error}"
    return None


def empty(drain: Drain, *, dry_run: bool = False) -> Step:
    """Run steps until nothing is due; a dry run does one step."""
    total = step(drain, dry_run=dry_run)
    last = total
    while last.claimed and not dry_run:
        last = step(drain)
        total = Step(
            claimed=total.claimed + last.claimed,
            done=total.done + last.done,
            failed=total.failed + last.failed,
            set_aside=total.set_aside + last.set_aside,
        )
    return total


class _Turn:
    """Where one drain stands in the loop."""

    def __init__(self, drain: Drain, now: float) -> None:
        self.drain = drain
        self.failures = 0
        self.resume_at = 0.0
        self.last_at = now

    def take(self) -> int:
        """Handle one batch and return the rows claimed; a fault of whatever kind rests this drain and no other."""
        started = clock.monotonic()
        self.last_at = started
        try:
            claimed = step(self.drain).claimed
        except Exception as error:  # noqa: BLE001 - see below
            # Nobody would notice a drain that has ended, so it goes on whatever happens.
            self.failures += 1
            if isinstance(error, DATABASE_ERRORS):
                log.warning(
                    "drain.database_away", drain=self.drain.name, error=type(error).__name__, tries=self.failures
                )
            else:
                # The trace could quote a payload.
                log.error("drain.failed", drain=self.drain.name, error=type(error).__name__, tries=self.failures)
            database.close()
            self.resume_at = clock.monotonic() + min(LONGEST_PAUSE, 0.1 * 2 ** min(self.failures, 6))
            return 0
        self.failures = 0
        if claimed:
            metrics.DRAIN_SECONDS.labels(drain=self.drain.name).observe(clock.monotonic() - started)
        return claimed


def run(drains: Sequence[Drain], *, wakes: threading.Event, stop: threading.Event) -> None:
    """Run drains in turn until ``stop`` is set, each before those that read what it writes.

    ``wakes`` cuts the wait short. One thread serves them all: on one interpreter two threads wait for each other longer
    than they gain, and in turn an event goes all the way within one round. For more, run more workers.

    While a drain is strained, the ones after it wait for at most ``LONGEST_REST``: many of its rows speak of the same
    thing, and one batch of theirs then serves more of them. A drain that fails rests, and the others go on.
    """
    turns = [_Turn(drain, clock.monotonic()) for drain in drains]
    while not stop.is_set():
        wakes.clear()
        started = clock.monotonic()
        claimed, full, strained = 0, False, False
        for turn in turns:
            now = clock.monotonic()
            if now < turn.resume_at or (strained and now - turn.last_at < LONGEST_REST):
                continue
            taken = turn.take()
            claimed += taken
            full = full or taken >= turn.drain.batch
            strained = strained or taken * STRAINED >= turn.drain.batch
        if full:
            continue
        # A round for every single event would spend more on transactions than on events.
        stop.wait(PACE - (clock.monotonic() - started))
        if not claimed:
            resting = [turn.resume_at - clock.monotonic() for turn in turns if turn.failures]
            wakes.wait(min([IDLE_SECONDS, *(max(0.0, seconds) for seconds in resting)]))
    database.close()
