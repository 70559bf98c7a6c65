"""Group commit: up to 200 events a statement, answers only after the commit.

Three connections take turns: the next batch is made up while the database is busy with one and the disk with another.
The queue is bounded, so a database that is slow or away turns into 503 and Stripe retries; nothing is answered
200 that is not on disk.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

import psycopg

from trueup.inbox.intake.batch import STATEMENTS, Batch, Job
from trueup.inbox.intake.connection import Connection
from trueup.runtime import clock, logs, metrics

log = logs.get(__name__)

LANES: Final = 3
"""Connections that write side by side: while the database is busy with one batch, the next is made up."""
BATCH: Final = 200
QUEUE_ROWS: Final = 5_000
QUEUE_BYTES: Final = 64 * 1024 * 1024


class _Resting(Exception):
    """The database was away a moment ago.

    Answered at once, instead of piling requests up behind attempts to connect.
    """


class Flusher:
    """The queue of verified events and the lanes that write it; must be started in the loop that serves."""

    def __init__(self, conninfo: str) -> None:
        self._queue: deque[Job] = deque()
        self._bytes = 0
        self._lanes = [_Lane(conninfo) for _ in range(LANES)]
        self._free = list(self._lanes)
        self._flushing: set[asyncio.Task[None]] = set()
        self._looking = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Begin to write; connections are made with the first batches."""
        self._loop = asyncio.get_running_loop()
        self._look()

    async def stop(self) -> None:
        """Write what is queued, then close."""
        while self._queue or self._flushing:
            self._take_all()
            await asyncio.wait(self._flushing)
        for lane in self._lanes:
            lane.disconnect()

    def full(self) -> bool:
        """Whether a new event has to be turned away."""
        return len(self._queue) >= QUEUE_ROWS or self._bytes >= QUEUE_BYTES

    def submit(self, job: Job) -> None:
        """Queue a body; its ``done`` is called after the commit, or with ``DATABASE_AWAY``."""
        self._queue.append(job)
        self._bytes += len(job.body)
        if self._free and not self._looking:
            self._look()

    def _look(self) -> None:
        if self._loop is not None:
            self._looking = True
            self._loop.call_soon(self._gather, 0)

    def _gather(self, seen: int) -> None:
        """Give the queue to a free lane once no more comes in with the same wave.

        Answers to a batch leave together, so the senders' next events arrive together too. One more look at the sockets
        costs microseconds, and a statement for each straggler costs hundreds.
        """
        found = len(self._queue)
        if seen < found < BATCH and self._loop is not None:
            self._loop.call_soon(self._gather, found)
            return
        self._looking = False
        self._take_all()

    def _take_all(self) -> None:
        while self._free and self._queue:
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            self._bytes -= sum([len(job.body) for job in batch])
            metrics.INTAKE_QUEUE.set(len(self._queue))
            task = asyncio.ensure_future(self._flush(self._free.pop(), Batch(batch)))
            self._flushing.add(task)
            task.add_done_callback(self._flushing.discard)

    async def _flush(self, lane: _Lane, batch: Batch) -> None:
        try:
            await lane.flush(batch)
        finally:
            self._free.append(lane)
            if self._queue and not self._looking:
                self._look()


class _Lane:
    """One connection that writes one batch at a time."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Connection | None = None
        self._retry_at = 0.0
        self._outages = 0

    async def flush(self, batch: Batch) -> None:
        """Write a batch and tell what became of each body, whatever happens."""
        started = clock.monotonic()
        try:
            await batch.write(await self._connected())
        except _Resting:
            pass
        except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError, OSError) as error:
            self._outages += 1
            log.warning("intake.database_away", error=type(error).__name__, events=len(batch), outages=self._outages)
            self.disconnect()
            self._retry_at = clock.monotonic() + min(1.0, 0.05 * 2 ** min(self._outages, 5))
        except Exception as error:  # noqa: BLE001 - see below
            # The flusher serves everybody: it must outlive any one batch. A trace could quote a body.
            log.error("intake.flush_failed", error=type(error).__name__, events=len(batch))
            self.disconnect()
        else:
            self._outages = 0
            metrics.INTAKE_FLUSH_SECONDS.observe(clock.monotonic() - started)
            metrics.INTAKE_FLUSH_ROWS.observe(len(batch))
        finally:
            batch.end()

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            if clock.monotonic() < self._retry_at:
                raise _Resting
            self._connection = await Connection.open(self._conninfo, STATEMENTS)
        return self._connection

    def disconnect(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
