"""The thread that carries events to their endpoints."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Final

import orjson

from trueup.sandbox.assumptions import DELIVERY_TIMEOUT
from trueup.sandbox.delivery import signing, thin
from trueup.sandbox.delivery.connections import Connection
from trueup.sandbox.delivery.outbox import Outbox, Outcome, Parcel
from trueup.sandbox.delivery.targets import Target
from trueup.sandbox.world import machine

_LOG: Final = logging.getLogger("trueup.sandbox")
_BATCH: Final = 64
_UNRECORDED: Final = 0.05
"""Seconds after which outcomes are written down, though the batch is not over."""
_GATHER: Final = 0.02
"""Seconds in which what comes is gathered: each look at the store costs the requests some of their time."""
_LOST: Final = "lost on its way, as the delivery mode wants"


class Courier:
    """Carries what is due, to each endpoint by itself, in a thread with an event loop of its own.

    Whoever makes something due calls ``wake``. After a kill everything goes on from the store, and what was under way
    goes out again.
    """

    def __init__(self, outbox: Outbox, *, timeout: float = DELIVERY_TIMEOUT) -> None:
        self._outbox = outbox
        self._timeout = timeout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wanted = asyncio.Event()
        self._hurry = asyncio.Event()
        self._hurried = 0
        self._working: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.after: Callable[[], None] = lambda: None
        """Called by the thread after outcomes were written down."""

    def start(self) -> None:
        """Begin; once."""
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=lambda: loop.run_until_complete(self._run()), name="sandbox-courier", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End; what is under way is broken off, and goes out again after the next start."""
        if self._loop is not None and self._thread is not None and not self._stopping:
            self._stopping = True
            self._loop.call_soon_threadsafe(self._wanted.set)
            self._thread.join()
            self._loop.close()

    def wake(self) -> None:
        """Look for what is due; from any thread."""
        if self._loop is not None and not self._stopping:
            self._loop.call_soon_threadsafe(self._wanted.set)

    def wait_idle(self, timeout: float) -> bool:
        """Wait until nothing is due or under way; whether that came about in ``timeout`` seconds."""
        until, pause = machine.precise() + timeout, threading.Event()
        self._hurried += 1
        try:
            if self._loop is not None and not self._stopping:
                self._loop.call_soon_threadsafe(self._hurry.set)
            while self._working or self._wanted.is_set() or self._outbox.waiting():
                if machine.precise() > until or self._stopping:
                    return False
                pause.wait(0.002)
        finally:
            self._hurried -= 1
        return True

    # --- in the thread -----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        self._wanted.set()
        while not self._stopping:
            next_ready = self._outbox.next_ready()
            pause = None if next_ready is None else max(0.0, next_ready - machine.precise())
            await _heard(self._wanted, pause)
            if not self._hurried:
                await _heard(self._hurry, _GATHER)
            self._hurry.clear()
            # Cleared before the look, so that what becomes due during it is looked for once more.
            self._wanted.clear()
            for target in self._outbox.waiting():
                if target.id not in self._working:
                    self._working[target.id] = asyncio.create_task(self._serve(target.id))
        for task in self._working.values():
            task.cancel()
        await asyncio.gather(*self._working.values(), return_exceptions=True)

    async def _serve(self, endpoint: str) -> None:
        """Deliver to one endpoint until nothing is due to it."""
        round_ = _Round(self._outbox, endpoint, self._timeout, self.after)
        try:
            while await round_.go():
                pass
        except Exception:  # noqa: BLE001 - one endpoint's trouble must not end the delivery to others
            _LOG.exception("sandbox_delivery_failed", extra={"endpoint": endpoint})
        finally:
            await round_.close()
            del self._working[endpoint]
            # Something may have become due between the last look and the end of this task.
            self._wanted.set()


async def _heard(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for an event, so long at most.

    Not ``asyncio.timeout``: on Python 3.11 a limit reached in the very turn of the loop in which the event comes
    leaves a cancellation behind, which would end the thread at its next wait.
    """
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((waiting,), timeout=seconds)
    finally:
        waiting.cancel()


class _Round:
    """Batches of deliveries to one endpoint over its connections."""

    def __init__(self, outbox: Outbox, endpoint: str, timeout: float, after: Callable[[], None]) -> None:
        self._outbox, self._endpoint, self._timeout, self._after = outbox, endpoint, timeout, after
        self._connections: list[Connection] = []
        self._url = ""
        self._outcomes: list[Outcome] = []
        self._recorded = 0.0

    async def go(self) -> bool:
        """Attempt what is due now; whether there was anything."""
        target, parcels = self._outbox.take(self._endpoint, _BATCH)
        if target is None or not parcels:
            return False
        if target.url != self._url:
            await self.close()
            self._url = target.url
        mode = self._outbox.mode(self._endpoint)
        lanes = mode.at_once if mode.order == "parallel" else 1
        while len(self._connections) < lanes:
            self._connections.append(Connection(target.url))
        self._recorded = machine.precise()
        work = iter(parcels)
        try:
            async with asyncio.TaskGroup() as group:
                for connection in self._connections[:lanes]:
                    group.create_task(self._carry(target, connection, work))
        finally:
            self._record()
        return True

    async def _carry(self, target: Target, connection: Connection, work: Iterator[Parcel]) -> None:
        for parcel in work:
            if not self._outbox.current(target.id, parcel.era):
                return
            status, problem = (None, _LOST) if parcel.lost else await self._attempt(target, connection, parcel)
            self._outcomes.append(
                Outcome(
                    era=parcel.era,
                    seq=parcel.seq,
                    event=parcel.event,
                    attempts=parcel.attempts,
                    status=status,
                    problem=problem,
                )
            )
            if machine.precise() - self._recorded > _UNRECORDED:
                self._record()

    async def _attempt(self, target: Target, connection: Connection, parcel: Parcel) -> tuple[int | None, str]:
        body = content(target, parcel)
        signature = signing.header(body, secrets=(one.text for one in target.secrets), at=machine.unix())
        try:
            async with asyncio.timeout(self._timeout):
                status = await connection.post(body, signature)
        except TimeoutError:
            await connection.close()
            return None, f"no answer in {self._timeout:g} seconds"
        except (OSError, EOFError, ValueError) as error:
            await connection.close()
            return None, f"{type(error).__name__}: {error}"
        return status, "" if status in range(200, 300) else f"answered {status}"

    def _record(self) -> None:
        if self._outcomes:
            outcomes, self._outcomes = self._outcomes, []
            self._outbox.record(outcomes)
            self._recorded = machine.precise()
            self._after()

    async def close(self) -> None:
        """Let the connections go."""
        for connection in self._connections:
            await connection.close()
        self._connections.clear()


def content(target: Target, parcel: Parcel) -> bytes:
    """The body that is sent: JSON with two spaces, as Stripe's is."""
    event = orjson.loads(parcel.body)
    if target.payload == "thin":
        return orjson.dumps(thin.notification(event), option=orjson.OPT_INDENT_2)
    event["pending_webhooks"] = parcel.pending
    return orjson.dumps(event, option=orjson.OPT_INDENT_2)
