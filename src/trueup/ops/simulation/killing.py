"""One seed with real processes, the database's among them, that are killed with SIGKILL while the lives go on.

What happens at Stripe comes from the seed; when a process is struck down, in the midst of what, does not.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg
from typing_extensions import override

import trueup.sandbox
from trueup.accounts import service as accounts
from trueup.inbox.intake.app import PREFIX
from trueup.kernel.errors import TrueupError, Unavailable
from trueup.mirror.backfill import service as backfill
from trueup.mirror.reconcile import service as reconciliations
from trueup.mirror.replay import service as replays
from trueup.mirror.replay.types import Selection
from trueup.ops.simulation.asking import HOUR
from trueup.ops.simulation.machine import BY, Machine
from trueup.ops.simulation.play import SLUG, Play
from trueup.ops.simulation.post import Parcel, Post
from trueup.ops.simulation.types import Outcome, Plan, Weather
from trueup.runtime import clock, database
from trueup.runtime.drains import DATABASE_ERRORS
from trueup.runtime.postgres import server
from trueup.runtime.postgres.home import Home

KINDS: Final = ("intake", "web", "worker")
KILL_PERCENT: Final = 25
"""Of the steps in which one process would do something, those in which something is killed instead."""
PATIENCE: Final = 60.0
PACE: Final = 0.05
"""Seconds that the processes have for themselves after each step."""
_OK: Final = 200


class Part:
    """A process that somebody outside keeps running, as a service manager does."""

    def __init__(self, kind: str, home: Path) -> None:
        self.kind = kind
        self.port = _free_port()
        self.killed = 0
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None

    def tend(self) -> None:
        """Start it when it does not run."""
        if self._process is not None and self._process.poll() is None:
            return
        # This process is a worker of its own kind, with a database's address; what it starts finds out by itself.
        ours = ("DATABASE_URL", "TRUEUP_PROCESS")
        environment = {name: value for name, value in os.environ.items() if name not in ours}
        environment |= {"TRUEUP_HOME": str(self._home), "TRUEUP_PORT": str(self.port), "TRUEUP_LOG_LEVEL": "error"}
        with (self._home.parent / f"{self.kind}.log").open("ab") as said:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "trueup.ops.main", self.kind],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def ready(self) -> bool:
        """Whether it says that it is; a worker is ready when it runs."""
        if self.kind == "worker":
            return self._process is not None and self._process.poll() is None
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                return int(answer.status) == _OK
        except (urllib.error.URLError, OSError):
            return False

    def kill(self) -> bool:
        """SIGKILL, in whatever it is doing; whether there was anybody to kill."""
        if self._process is None or self._process.poll() is not None:
            return False
        self._process.kill()
        self.killed += 1
        return True

    def stop(self) -> None:
        """SIGTERM, and its end."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Postgres:
    """The server's first process; its keeper starts another."""

    def __init__(self, home: Path) -> None:
        self.kind = "postgres"
        self.killed = 0
        self._home = Home(home)

    def kill(self) -> bool:
        """SIGKILL; its backends notice."""
        found = server.find(self._home.data())
        if found is None:
            return False
        pid = found.pid
        found.close()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.killed += 1
            return True
        return False


class KillingPlay(Play):
    """A seed whose machine is made of processes."""

    def __init__(self, plan: Plan, *, home: Path, conninfo: str) -> None:
        super().__init__(plan, conninfo=conninfo, telling=True)
        self._home = home
        self._parts = [Part(kind, home) for kind in KINDS]
        self._victims: list[Part | Postgres] = [*self._parts, Postgres(home)]
        self._pause = threading.Event()

    @override
    def _open(self, stack: ExitStack) -> None:
        self.sandbox = stack.enter_context(trueup.sandbox.start(seed=f"simulation {self.plan.seed}", timeout=10.0))
        intake = self._parts[0]
        hook = self.sandbox.endpoint(f"http://127.0.0.1:{intake.port}{PREFIX}{SLUG}")
        self.account = accounts.connect(
            name=SLUG,
            api_key=self.sandbox.api_key,
            webhook_secrets=[hook.secret],
            livemode=False,
            access=None,
            api_base=self.sandbox.base_url,
            stripe_account_id=None,
            sealer=self._sealer,
            by=BY,
        )
        database.close()
        weather = self.plan.weather
        self.sandbox.delivery(
            order="shuffled" if weather.late else "parallel",
            within=1 if weather.late else 0,
            duplicates=weather.twice,
            dropped=weather.dropped,
        )
        # It learns what there is to do something with; the sandbox itself delivers.
        calm = Weather(**dict.fromkeys(Weather.__struct_fields__, 0))
        self.post = Post(port=0, path="", weather=calm, seed=self.plan.seed)
        self.machine = Machine(self.account)
        self.sandbox.engine.listeners.append(self.post.hear)
        stack.enter_context(_tended(self._parts))
        _eventually(lambda: all(part.ready() for part in self._parts), "everything runs")

    @override
    def _do_life(self) -> None:
        super()._do_life()
        self._pause.wait(PACE)

    @override
    def _do_post(self) -> None:
        """What an endpoint did not take comes again."""
        if self._parts[0].ready():
            self.sandbox.engine.outbox.release(retries=True)
            self.sandbox.courier.wake()
        self._pause.wait(PACE)

    def _do_kill(self) -> None:
        """Strike somebody down, now and then."""
        if self.rng.randrange(100) >= KILL_PERCENT:
            return
        victim = self.rng.choice(self._victims)
        if victim.kill():
            self._tell(f"    {victim.kind} is killed")

    _do_mirror = _do_customer = _do_fetch = _do_heal = _do_kill

    @override
    def _do_sweep(self) -> None:
        self._order("sweep", self.machine.sweep)

    @override
    def _do_backfill(self) -> None:
        self._order("backfill", lambda: backfill.start(account=self.account, by=BY))

    @override
    def _do_reconcile(self) -> None:
        self._order("reconciliation", lambda: reconciliations.start(account=self.account, repair=True, by=BY))

    @override
    def _do_replay(self) -> None:
        self._order("replay", lambda: replays.start(Selection(everything=True), why="simulation", by=BY))

    def _order(self, what: str, order: Callable[[], object]) -> None:
        """Ask the worker for something; not while the database is away."""
        try:
            order()
        except (*DATABASE_ERRORS, TrueupError) as error:
            self._tell(f"    {what}: {type(error).__name__}")
        else:
            self._count(f"ordered_{what}")
        finally:
            database.close()

    @override
    def _do_turn(self) -> None:
        # A long leap would make what was not delivered yet older than Stripe keeps.
        self.turn(self.rng.choice((1, 2, 5, 60, HOUR)))

    @override
    def _settle(self) -> None:
        self.sandbox.heal()
        self._tell("the end: nobody is killed any more")
        for victim in self._victims:
            self.counts[f"killed_{victim.kind}"] = victim.killed
        _eventually(lambda: all(part.ready() for part in self._parts), "everything runs again")
        _eventually(self._all_taken, "every event is taken")
        _eventually(self._all_read, "the worker reads all of it by itself")
        counts = self.sandbox.engine.outbox.counts()
        self.counts |= {"delivered": counts["delivered"], "dropped": counts["failed"]}
        for part in self._parts:
            part.stop()
        # From here on nobody else is at work, and this process does what the clock would.
        self._parts.clear()
        super()._settle()

    def _all_taken(self) -> bool:
        self.sandbox.engine.outbox.release(retries=True)
        found = self.sandbox.wait_delivered()
        # What was tried too often is lost, and the sweep finds it.
        return not found["waiting"]

    def _all_read(self) -> bool:
        try:
            with psycopg.connect(self._conninfo, autocommit=True, connect_timeout=5) as connection:
                asked = "select (select count(*) from inbox_pending) + (select count(*) from mirror_changed)"
                return connection.execute(asked.encode()).fetchone() == (0,)
        except psycopg.OperationalError:
            return False

    @override
    def _deliver(self, parcels: list[Parcel]) -> None:
        """Nothing: the sandbox delivers by itself, and when the intake has ended, the sweep finds what is left."""


@contextmanager
def _tended(parts: list[Part]) -> Iterator[None]:
    """Keep the parts running, from a thread; at the end they are stopped."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.1):
            for part in list(parts):
                if not stop.is_set():
                    part.tend()

    known = list(parts)
    thread = threading.Thread(target=work, name="keeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        for part in known:
            part.stop()


def _eventually(question: Callable[[], bool], what: str) -> None:
    until, pause = clock.monotonic() + PATIENCE, threading.Event()
    while not question():
        if clock.monotonic() > until:
            raise Unavailable(f"Not within {PATIENCE:g} seconds: {what}.", code="simulation_late")
        pause.wait(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def play_with_kills(plan: Plan, *, home: Path, conninfo: str) -> Outcome:
    """Play a plan with real processes on the database of a home; the home is theirs alone."""
    try:
        return KillingPlay(plan, home=home, conninfo=conninfo).run()
    except TrueupError as error:
        return Outcome(seed=plan.seed, differences=(), counts={}, seconds=0.0, problem=f"{error.code}: {error}")
