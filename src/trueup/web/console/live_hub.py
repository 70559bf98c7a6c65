"""Hears once for a whole process that events came, looks at them once, and gives them to every page that is open.

One connection listens, one thread looks, and each page has a queue of its own: two hundred open pages cost the
database what one costs.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Final
from weakref import WeakKeyDictionary

import psycopg
from django.db import connections
from psycopg.conninfo import make_conninfo

from trueup.customer import service as customers
from trueup.inbox import service as inbox
from trueup.inbox import tail
from trueup.inbox.types import TOPIC, EventRow, InboxStats, State
from trueup.kernel.records import Record
from trueup.mirror.service import TOPIC as FOLDING
from trueup.runtime import clock, database, logs
from trueup.runtime.drains import DATABASE_ERRORS
from trueup.runtime.listening import KEEPALIVE
from trueup.runtime.wake import CHANNEL

log = logs.get(__name__)

TOPICS: Final = frozenset({TOPIC, FOLDING})
"""Wakes after which the end of the log looks different: events came, or were read."""
KEPT: Final = 50
"""Messages that wait for one page; beyond that the oldest is dropped, and the page is told to read its list anew."""
BREATH: Final = 0.25
"""Seconds between two looks, however many wakes there are."""
EVERY: Final = 5.0
"""Seconds after which is looked without a wake: a drain that sets an event aside tells nobody."""
FIGURES_EVERY: Final = 5.0
OVERLAP: Final = timedelta(seconds=3)
"""Transactions end in another order than that in which they began: each look goes so far behind the one before."""
REMEMBERED: Final = 2_000
WATCHED: Final = 200
"""Events that are not read yet, and are looked at again until they are."""


class Told(Record, frozen=True):
    """One event, new or in another state than before, with what to call its customer."""

    row: EventRow
    name: str


class Figures(Record, frozen=True):
    """How the inbox stands."""

    stats: InboxStats


class Missed(Record, frozen=True):
    """More came than was kept: the list has to be read anew."""


Message = Told | Figures | Missed


class OpenPage:
    """What waits for one page."""

    def __init__(self) -> None:
        self._waiting: deque[Message] = deque()
        self._dropped = False
        self._ready = asyncio.Event()

    def put(self, message: Message) -> None:
        """Let it wait; where too many do, the oldest goes."""
        if len(self._waiting) >= KEPT:
            self._waiting.popleft()
            self._dropped = True
        self._waiting.append(message)
        self._ready.set()

    async def take(self, *, seconds: float) -> list[Message]:
        """All that waits, oldest first, as soon as there is something; nothing after so many seconds without."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), seconds)
        self._ready.clear()
        found: list[Message] = [Missed()] if self._dropped else []
        found += self._waiting
        self._waiting.clear()
        self._dropped = False
        return found


class _Watch:
    """What was seen of the end of the log; used by one thread."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._known: OrderedDict[tuple[int, str], EventRow] = OrderedDict()
        self._figures_at = 0.0

    def look(self) -> list[Message]:
        """What is new since the last look, what became of what was not read then, and now and then the figures."""
        try:
            return self._look()
        finally:
            database.close()

    def _look(self) -> list[Message]:
        first, present = self._since is None, tail.present()
        found = tail.newer((self._since or present) - OVERLAP)
        self._since = present
        fresh = [one for one in found if _key(one) not in self._known]
        waiting = [one for one in self._known.values() if one.state in {State.WAITING, State.AWAITING_FETCH}]
        moved = [one for one in tail.again(waiting[-WATCHED:]) if one != self._known.get(_key(one))]
        for one in (*fresh, *moved):
            self._known[_key(one)] = one
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        messages: list[Message] = [Missed()] if not first and len(fresh) >= tail.LARGEST else []
        # What the first look finds was there before the page that asked for it.
        messages += with_names([*([] if first else fresh), *moved])
        if clock.monotonic() - self._figures_at > FIGURES_EVERY:
            self._figures_at = clock.monotonic()
            messages.append(Figures(stats=inbox.stats()))
        return messages


def with_names(rows: Sequence[EventRow]) -> list[Told]:
    """Events with what to call their customers; nothing where one is not folded yet."""
    keys = {(one.account_id, one.livemode, one.customer) for one in rows if one.customer is not None}
    names = customers.names(list(keys)) if keys else {}
    return [Told(row=one, name=names.get((one.account_id, one.livemode, one.customer or ""), "")) for one in rows]


def _key(row: EventRow) -> tuple[int, str]:
    return (row.account_id, row.event_id)


class Hub:
    """The pages of this process, and the one task that serves them; it lives while there is a page."""

    def __init__(self) -> None:
        self._pages: set[OpenPage] = set()
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()

    @property
    def pages(self) -> int:
        """How many pages are open."""
        return len(self._pages)

    def join(self) -> OpenPage:
        """A page that is open from now on."""
        page = OpenPage()
        self._pages.add(page)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="live")
        return page

    def leave(self, page: OpenPage) -> None:
        """The page is closed; with the last one the listening ends."""
        self._pages.discard(page)
        if not self._pages and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        loop, watch = asyncio.get_running_loop(), _Watch()
        listening = loop.create_task(self._listen(), name="live.listen")
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="live")
        try:
            while True:
                try:
                    messages = await loop.run_in_executor(executor, watch.look)
                except DATABASE_ERRORS as error:
                    log.warning("live.database_away", error=type(error).__name__)
                    messages = []
                for page in tuple(self._pages):
                    for message in messages:
                        page.put(message)
                await asyncio.sleep(BREATH)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), EVERY)
                self._woken.clear()
        finally:
            listening.cancel()
            executor.shutdown(wait=False)

    async def _listen(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(_conninfo(), autocommit=True) as connection:
                    await connection.execute(f"listen {CHANNEL}".encode())
                    self._woken.set()
                    async for heard in connection.notifies():
                        if heard.payload in TOPICS:
                            self._woken.set()
            except (psycopg.Error, OSError) as error:
                log.warning("live.listen_away", error=type(error).__name__)
            await asyncio.sleep(1.0)


def _conninfo() -> str:
    """Where this process's database is, whatever Django was told to call it."""
    params = connections["default"].get_connection_params()
    known = {name: params[name] for name in ("dbname", "user", "password", "host", "port") if params.get(name)}
    given: dict[str, Any] = {**known, "connect_timeout": 5, **KEEPALIVE}
    return make_conninfo(**given)


_hubs: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]] = WeakKeyDictionary()


def current() -> Hub:
    """The hub of the running event loop; a process has one."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
