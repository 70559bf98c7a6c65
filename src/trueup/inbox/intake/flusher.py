"""Group commit: up to 200 events a statement, answers only after the commit.

Two connections take turns, so that the next batch is made up while the database is busy with the last; more were not
faster. The queue is bounded, so a database that is slow or away turns into 503 and Stripe retries; nothing is answered
200 that is not on disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import Coroutine
from typing import Any, Final, TypeAlias

import psycopg

from trueup.inbox.intake import arrays
from trueup.inbox.intake.envelope import Envelope
from trueup.inbox.intake.statements import QUARANTINE, STORE
from trueup.inbox.types import Reason, Source
from trueup.kernel.records import Record
from trueup.runtime import clock, logs, metrics
from trueup.runtime.listening import KEEPALIVE

log = logs.get(__name__)

LANES: Final = 2
"""Connections that write side by side: while the database is busy with one batch, the next is made up."""
BATCH: Final = 200
QUEUE_ROWS: Final = 5_000
QUEUE_BYTES: Final = 64 * 1024 * 1024
STATEMENT_SECONDS: Final = 15.0
"""Longer than this and the connection is taken for dead: the callers get 503 and the next batch a new connection."""

LIMITS_EXCEEDED: Final = "54"
"""PostgreSQL's class of errors for a value that is too large for an index, say; psycopg calls them operational."""


class Stored(Record, frozen=True):
    """What became of a body: on disk, and whether it was there before."""

    duplicate: bool
    quarantined: bool = False


class Away(Exception):
    """The database did not take it: the sender has to try again."""


class Job(Record, frozen=True):
    """One verified body on its way to disk; ``reason`` is set when it goes to the quarantine."""

    account_id: int
    livemode: bool
    signature: str
    body: bytes
    envelope: Envelope | None = None
    reason: Reason | None = None
    detail: str = ""


Connection: TypeAlias = psycopg.AsyncConnection[tuple[Any, ...]]
Waiting: TypeAlias = tuple[Job, asyncio.Future[Stored]]


class _Resting(Exception):
    """The database was away a moment ago.

    Answered at once, instead of piling requests up behind attempts to connect.
    """


def _key(waiting: Waiting) -> tuple[int, bool, str, int]:
    job, _future = waiting
    envelope = job.envelope
    return (job.account_id, job.livemode, *((envelope.event_id, envelope.created) if envelope else ("", 0)))


def _turn_away(batch: list[Waiting]) -> None:
    for _job, future in batch:
        if not future.done():
            future.set_exception(Away())


def _forget(task: asyncio.Task[None]) -> None:
    """Look at what became of work that was given up, since nobody else does."""
    if not task.cancelled():
        task.exception()


def _body_at_fault(error: psycopg.Error) -> bool:
    """Whether the database refuses what a body says, and would refuse it again.

    Not an outage, however psycopg files it.
    """
    if isinstance(error, (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError, psycopg.InternalError)):
        return True
    return (error.sqlstate or "").startswith(LIMITS_EXCEEDED)


class Flusher:
    """The queue of verified events and the lanes that write it; must be started in the loop that serves."""

    def __init__(self, conninfo: str) -> None:
        self._queue: deque[Waiting] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._lanes = [_Lane(conninfo) for _ in range(LANES)]
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    async def start(self) -> None:
        """Begin to write; connections are made with the first batches."""
        self._tasks = [asyncio.create_task(self._run(lane), name="flusher") for lane in self._lanes]

    async def stop(self) -> None:
        """Write what is queued, then close."""
        self._stopping = True
        self._wake.set()
        await asyncio.gather(*self._tasks)
        for lane in self._lanes:
            await lane.disconnect()

    def full(self) -> bool:
        """Whether a new event has to be turned away."""
        return len(self._queue) >= QUEUE_ROWS or self._bytes >= QUEUE_BYTES

    def submit(self, job: Job) -> asyncio.Future[Stored]:
        """Queue a body; the future resolves after its commit, or raises ``Away``."""
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._queue.append((job, future))
        self._bytes += len(job.body)
        self._wake.set()
        return future

    async def _run(self, lane: _Lane) -> None:
        while True:
            if not self._queue:
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            self._bytes -= sum(len(job.body) for job, _future in batch)
            metrics.INTAKE_QUEUE.set(len(self._queue))
            await lane.flush(batch)


class _Lane:
    """One connection that writes one batch at a time."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Connection | None = None
        self._retry_at = 0.0
        self._outages = 0

    async def flush(self, batch: list[Waiting]) -> None:
        """Write a batch and resolve its futures, whatever happens."""
        started = clock.monotonic()
        try:
            connection = await self._connected()
            await self._in_time(connection, self._write(connection, batch))
        except _Resting:
            _turn_away(batch)
        except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError, OSError) as error:
            self._outages += 1
            log.warning("intake.database_away", error=type(error).__name__, events=len(batch), outages=self._outages)
            await self.disconnect()
            self._retry_at = clock.monotonic() + min(1.0, 0.05 * 2 ** min(self._outages, 5))
            _turn_away(batch)
        except Exception as error:  # noqa: BLE001 - see below
            # The flusher serves everybody: it must outlive any one batch. A trace could quote a body.
            log.error("intake.flush_failed", error=type(error).__name__, events=len(batch))
            await self.disconnect()
            _turn_away(batch)
        else:
            self._outages = 0
            metrics.INTAKE_FLUSH_SECONDS.observe(clock.monotonic() - started)
            metrics.INTAKE_FLUSH_ROWS.observe(len(batch))

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            if clock.monotonic() < self._retry_at:
                raise _Resting
            async with asyncio.timeout(5):
                connection = await psycopg.AsyncConnection.connect(
                    self._conninfo, autocommit=True, prepare_threshold=1, **KEEPALIVE
                )
            arrays.register(connection)
            self._connection = connection
        return self._connection

    async def _in_time(self, connection: Connection, work: Coroutine[Any, Any, None]) -> None:
        """Do the work within ``STATEMENT_SECONDS``, whatever the server does, or raise ``TimeoutError``."""
        task = asyncio.ensure_future(work)
        done, _ = await asyncio.wait({task}, timeout=STATEMENT_SECONDS)
        if not done:
            # A cancelled statement waits for the server to agree, and a server that went silent never does. Without its
            # socket the work ends, and what it had sent is either committed, a duplicate when it comes again, or not.
            self._connection = None
            connection.pgconn.finish()
            task.cancel()
            task.add_done_callback(_forget)
            raise TimeoutError
        await task

    async def disconnect(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error, OSError, TimeoutError):
                async with asyncio.timeout(2):
                    await connection.close()

    async def _write(self, connection: Connection, batch: list[Waiting]) -> None:
        events = [(job, future) for job, future in batch if job.reason is None]
        # Two processes that store the same events take them in the same order, so that one waits for the other.
        events.sort(key=_key)
        if events:
            try:
                await self._store(connection, events)
            except psycopg.Error as error:
                if not _body_at_fault(error):
                    raise
                # One body at fault must not take its neighbours with it.
                for single in events:
                    await self._store_alone(connection, *single)
        for job, future in batch:
            if job.reason is not None:
                await self._quarantine(connection, job, future)

    async def _store_alone(self, connection: Connection, job: Job, future: asyncio.Future[Stored]) -> None:
        try:
            await self._store(connection, [(job, future)])
        except psycopg.Error as error:
            if not _body_at_fault(error):
                raise
            # A body with a NUL character in its id, for one: JSON allows it, a text column does not.
            detail = f"{type(error).__name__} {error.sqlstate or ''}".strip()
            aside = Job(
                account_id=job.account_id,
                livemode=job.livemode,
                signature=job.signature,
                body=job.body,
                reason=Reason.REFUSED_BY_DATABASE,
                detail=detail,
            )
            await self._quarantine(connection, aside, future)

    async def _store(self, connection: Connection, events: list[Waiting]) -> None:
        rows = [(job, job.envelope) for job, _future in events if job.envelope is not None]
        values = {
            "account_id": arrays.int8s([job.account_id for job, _ in rows]),
            "livemode": arrays.bools([job.livemode for job, _ in rows]),
            "event_id": arrays.texts([envelope.event_id for _, envelope in rows]),
            "created": arrays.int8s([envelope.created for _, envelope in rows]),
            "type": arrays.texts([envelope.type for _, envelope in rows]),
            "kind": arrays.texts([envelope.kind.value for _, envelope in rows]),
            "object_type": arrays.texts([envelope.object_type or "" for _, envelope in rows]),
            "object_id": arrays.texts([envelope.object_id or "" for _, envelope in rows]),
            "customer": arrays.texts([envelope.customer or "" for _, envelope in rows]),
            "api_version": arrays.texts([envelope.api_version or "" for _, envelope in rows]),
            "signature": arrays.texts([job.signature for job, _ in rows]),
            "body_sha256": arrays.byteas([hashlib.sha256(job.body).digest() for job, _ in rows]),
            "body": arrays.byteas([job.body for job, _ in rows]),
            "source": Source.WEBHOOK.value,
        }
        cursor = await connection.execute(STORE, values, binary=True)
        fresh = {tuple(row) for row in await cursor.fetchall()}
        for job, future in events:
            envelope = job.envelope
            if envelope is None or future.done():
                continue
            key = (job.account_id, job.livemode, envelope.event_id, envelope.created)
            new = key in fresh
            fresh.discard(key)  # Twins inside one batch: only the first is new.
            future.set_result(Stored(duplicate=not new))

    async def _quarantine(self, connection: Connection, job: Job, future: asyncio.Future[Stored]) -> None:
        values = {
            "account_id": job.account_id,
            "reason": (job.reason or Reason.UNREADABLE).value,
            "detail": job.detail,
            "signature": job.signature.replace("\x00", ""),
            "body_sha256": hashlib.sha256(job.body).digest(),
            "body": job.body,
        }
        cursor = await connection.execute(QUARANTINE, values)
        row = await cursor.fetchone()
        log.warning("intake.quarantined", account=job.account_id, reason=values["reason"], duplicate=row is None)
        if not future.done():
            future.set_result(Stored(duplicate=row is None, quarantined=True))
