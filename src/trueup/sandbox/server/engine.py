"""A sandbox without its HTTP: requests and time, one after another, each whole or not at all."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

import orjson

from trueup.kernel.errors import Refused
from trueup.sandbox.answers.calls import Call, Instead
from trueup.sandbox.answers.expansion import Expansion
from trueup.sandbox.delivery.outbox import Outbox
from trueup.sandbox.server.idempotency import Idempotency
from trueup.sandbox.server.requests import Answer, Request, answered, authenticate, dump, tree_of
from trueup.sandbox.server.turnstile import Turnstile
from trueup.sandbox.server.wiring import WIRING, Wiring
from trueup.sandbox.wire import parameters
from trueup.sandbox.wire.errors import StripeError
from trueup.sandbox.world.clocks import Clocks, Mode
from trueup.sandbox.world.ids import Ids
from trueup.sandbox.world.store import Obj, Store, Told
from trueup.sandbox.world.world import Cause, World

Listener = Callable[[list[Told]], object]

_LOG: Final = logging.getLogger("trueup.sandbox")
_BATCH: Final = 200
"""Timers to a transaction of the store: what a kill may undo of an advance, which then has not happened yet."""


class Engine:
    """One sandbox. Thread-safe: whatever is asked waits for what was asked before.

    The same seed, start and requests give the same bytes. ``listeners`` are told of events after they are stored, in
    their order, by the thread that caused them. ``on_due`` is called when deliveries may have become due.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        seed: str | None = None,
        start: int | None = None,
        mode: Mode | None = None,
        wiring: Wiring = WIRING,
    ) -> None:
        self.store = Store(path)
        kept = self.store.meta("seed", "")
        if kept and seed is not None and seed != kept:
            self.store.close()
            message = f"{path} holds a sandbox of seed {kept!r}, not {seed!r}; name another file or leave the seed out"
            raise ValueError(message)
        seed = kept or seed or "trueup"
        self.store.put_meta("seed", seed)
        self.ids = Ids(seed, int(self.store.meta("ids", "0")))
        self.clocks = Clocks(self.store, start=start if not kept else None, mode=mode)
        self.wiring = wiring
        self.listeners: list[Listener] = []
        self.on_due: Callable[[], None] = lambda: None
        # Requests and advances take turns, each as a whole; the store is held only for a transaction, so that
        # deliveries go on during a long advance.
        self._turn = threading.RLock()
        self._lock = Turnstile()
        self.outbox = Outbox(self.store, seed=seed, lock=self._lock, now=self.now)
        self._expansion = Expansion(wiring.included)
        self._idempotency = Idempotency(self.store)
        if not kept:
            with self.change() as world:
                wiring.begin(world)

    def close(self) -> None:
        """Let the file go."""
        with self._turn, self._lock:
            self._keep_ids()
            self.store.close()

    def save(self, path: Path) -> None:
        """Write everything into a new file. Raises ``Refused`` where it is there or cannot be written."""
        with self._turn:
            self.settle()
            if path.exists():
                raise Refused(f"{path} is there already.", code="file_exists", hint="Name a new file.")
            try:
                with self._lock:
                    self._keep_ids()
                    self.store.save(path)
            except sqlite3.OperationalError as error:
                raise Refused(f"{path} cannot be written: {error}.", code="file_unwritable") from error

    def load(self, path: Path) -> None:
        """Become what ``save`` wrote; what there was is gone. Raises ``Refused`` for a file that holds no sandbox."""
        with self._turn, self._lock:
            self.store.load(path)
            self.ids = Ids(self.store.meta("seed", ""), int(self.store.meta("ids", "0")))
            self.clocks = Clocks(self.store)
            self.outbox.prepare(self.seed)
        self.on_due()

    def events(self, *types: str) -> list[Obj]:
        """All events ever told, oldest first; only those of ``types``, where given."""
        with self._turn:
            self.settle()
        with self._lock:
            rows = self.store.db.execute("select type, body from event order by seq").fetchall()
        return [orjson.loads(body) for type_, body in rows if not types or type_ in types]

    def told(self) -> int:
        """How many events were ever told."""
        with self._lock:
            return int(self.store.db.execute("select count(*) from event").fetchone()[0])

    def summary(self) -> dict[str, Any]:
        """The clocks, and how much there is of everything."""
        with self._lock:
            db = self.store.db
            objects = db.execute("select kind, count(*) from object where not deleted group by kind order by kind")
            due = db.execute("select min(due) from timer where clock = ''").fetchone()[0]
            return {
                "seed": self.seed,
                "mode": self.clocks.mode,
                "now": self.clocks.now(),
                "next_due": due,
                "timers": db.execute("select count(*) from timer").fetchone()[0],
                "events": db.execute("select count(*) from event").fetchone()[0],
                "objects": dict(objects.fetchall()),
                "path": None if self.store.path is None else str(self.store.path),
            }

    @property
    def seed(self) -> str:
        """What everything that looks random comes from."""
        return self.ids.seed

    def now(self, clock: str = "") -> int:
        """The unix second of the sandbox's own clock, or of a test clock."""
        with self._lock:
            return self.clocks.now(clock)

    @contextmanager
    def change(self, cause: Cause | None = None) -> Iterator[World]:
        """A change of the state outside any request: committed at the end, undone by an exception."""
        with self._turn, self._lock:
            self.store.begin()
            world = self._world(cause or Cause())
            try:
                yield world
                told = self._commit(world)
            except BaseException:
                self._undo()
                raise
            self._spread(told)

    # --- requests ----------------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Answer:
        """Do what a request asks and answer as Stripe would.

        What earlier requests left to be done (``settle``) is done first. Raises only where the sandbox has a mistake,
        and then nothing was done.
        """
        with self._turn:
            self.settle()
            with self._lock:
                request_id = "req_" + self.ids.text(14)
                try:
                    authenticate(request)
                    return self._known_or_new(request, request_id)
                except StripeError as error:
                    return answered(error.status, dump(error.body(request_id)), request_id)

    def _known_or_new(self, request: Request, request_id: str) -> Answer:
        matched = parameters.match(request.method, request.path)
        if matched is None or matched[0] not in self.wiring.routes:
            message = (
                f"Unrecognized request URL ({request.method}: {request.path}). Please see "
                "https://stripe.com/docs or we can help at https://support.stripe.com/."
            )
            raise StripeError(message, status=404)
        tree = tree_of(request)
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if not key:
            return answered(*self._run(*matched, request, tree, Cause(request=request_id)), request_id)
        known = self._idempotency.known(key, request.path, tree, now=self.clocks.now())
        if known is not None:
            return answered(known.status, known.body, request_id, key, original=known.request)
        status, body = self._run(*matched, request, tree, Cause(request=request_id, idempotency_key=key))
        self._idempotency.keep(
            key, request.path, tree, status=status, body=body, request=request_id, now=self.clocks.now()
        )
        return answered(status, body, request_id, key)

    def _run(
        self, operation: str, ids: Mapping[str, str], request: Request, tree: Mapping[str, Any], cause: Cause
    ) -> tuple[int, bytes]:
        """Call the handler in a transaction; an error of Stripe's is an answer too and undoes what was done."""
        # The SDK's tables leave it out: it stands in the addresses of further pages that /v2 gives.
        page = tree.get("page") if operation.startswith("GET /v2/") else None
        try:
            checked = parameters.check(
                operation, {name: one for name, one in tree.items() if name != "page" or not page}
            )
        except parameters.ParameterError as error:
            raise StripeError(error.message, code=error.code, param=error.param) from error
        if page is not None:
            checked["page"] = page
        expand = cast("list[str]", checked.pop("expand", None) or [])
        call = Call(method=request.method, path=request.path, ids=ids, params=checked, expand=tuple(expand))
        self.store.begin()
        world = self._world(cause)
        try:
            found = self.wiring.routes[operation](world, call)
            world.flush()
            body = dump(self._expansion.expanded(world, found, expand))
            told = self._commit(world)
        except Instead as preview:
            body = dump(self._expansion.expanded(world, preview.obj, expand))
            self._undo()
            return 200, body
        except StripeError as error:
            if error.keep:
                world.flush()
                self._spread(self._commit(world))
            else:
                self._undo()
                if request.method != "POST":
                    raise
            return error.status, dump(error.body(cause.request or ""))
        except BaseException:
            self._undo()
            raise
        self._spread(told)
        return 200, body

    # --- time --------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Advance the test clocks whose advance was answered, and do what fell due on a clock that runs by itself.

        A timer that fails leaves its clock as ``internal_failure``, told by its event and in the log.
        """
        with self._turn:
            if self.clocks.mode == "running":
                self._run_to(self.now(), "", None)
            for clock, to in list(self.clocks.asked.items()):
                outcome = "clock_reached"
                try:
                    self._run_to(to, clock, None)
                except Exception:  # noqa: BLE001 - a clock that stays `advancing` would tell nobody
                    _LOG.exception("sandbox_clock_failed", extra={"clock": clock})
                    outcome = "clock_failed"
                with self.change() as world:
                    world.clocks.done(clock)
                    world.signal(outcome, clock=clock)

    @property
    def unsettled(self) -> bool:
        """Whether a request left something for ``settle``."""
        return bool(self.clocks.asked)

    def next_due(self, until: int, clock: str = "") -> int | None:
        """When the first timer at or before ``until`` falls due, None where there is none."""
        with self._lock:
            return self.clocks.first(clock, until)

    def advance(self, to: int, clock: str = "", *, on_progress: Callable[[int], None] | None = None) -> int:
        """Turn a clock to the unix second ``to`` and do all that falls due on the way, in time order.

        Gives the number of timers that fired. ``on_progress`` is told the second that was reached, now and then. A time
        that has passed is refused with ``ValueError``. What each timer did is whole or not at all.
        """
        with self._turn:
            self.settle()
            if to < (now := self.now(clock)):
                message = f"the clock shows {_shown(now)} already; it cannot be turned back to {_shown(to)}"
                raise ValueError(message)
            return self._run_to(to, clock, on_progress)

    def _run_to(self, to: int, clock: str, on_progress: Callable[[int], None] | None) -> int:
        fired = 0
        while True:
            with self._lock:
                done = self._batch(to, clock)
            fired += done
            if on_progress is not None:
                on_progress(self.now(clock))
            if done < _BATCH:
                return fired

    def _batch(self, to: int, clock: str) -> int:
        self.store.begin()
        told: list[Told] = []
        done = 0
        runs = self.clocks.mode == "running" and not clock
        try:
            while done < _BATCH:
                timer = self.clocks.due(clock, to)
                self.clocks.late = None
                if timer is None:
                    self._turn_to(clock, to)
                    break
                if runs and timer.due < self.clocks.now():
                    self.clocks.late = timer.due
                self._turn_to(clock, timer.due)
                world = self._world(Cause())
                world.clock = clock
                self.wiring.timers[timer.name](world, timer.about)
                told += self._planned(world)
                done += 1
            self.clocks.late = None
            self.store.commit()
        except BaseException:
            self._undo()
            raise
        self._spread(told)
        if not clock:
            # What was put off by the clock may be due now, whether or not anything was told.
            self.on_due()
        return done

    def _turn_to(self, clock: str, to: int) -> None:
        if to > self.clocks.now(clock):
            self.clocks.turn(clock, to)

    # --- within ------------------------------------------------------------------------------------------------------

    def _world(self, cause: Cause) -> World:
        world = World(self.store, ids=self.ids, clocks=self.clocks, signals=self.wiring.signals)
        world.cause = cause
        return world

    def _planned(self, world: World) -> list[Told]:
        told = world.commit()
        self.outbox.plan(told)
        return told

    def _commit(self, world: World) -> list[Told]:
        told = self._planned(world)
        self.store.commit()
        return told

    def _keep_ids(self) -> None:
        """Write down how many ids were drawn: those of requests that changed nothing are in no transaction."""
        self.store.put_meta("ids", str(self.ids.count))

    def _undo(self) -> None:
        self.store.rollback()
        self.clocks.forget()
        self.outbox.forget()

    def _spread(self, told: list[Told]) -> None:
        if told:
            for listener in self.listeners:
                listener(told)
            self.on_due()


def _shown(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
