"""One seed, in one process: the plan's steps in their order, then the end of all faults, then the comparison."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Final

import trueup.sandbox
from trueup.accounts import service as accounts
from trueup.inbox.intake.app import PREFIX
from trueup.inbox.types import Kind as Told
from trueup.kernel.errors import Refused, TrueupError
from trueup.mirror.reconcile.types import Status
from trueup.ops.simulation import judging
from trueup.ops.simulation.asking import DAY, HOUR
from trueup.ops.simulation.door import Door
from trueup.ops.simulation.lives import DOINGS
from trueup.ops.simulation.machine import BY, Machine, chance, wipe
from trueup.ops.simulation.pace import hurried, told_by
from trueup.ops.simulation.post import SECRET, Parcel, Post
from trueup.ops.simulation.types import Difference, Json, Outcome, Plan, Step
from trueup.runtime import clock, database, installation
from trueup.sandbox.server.faults import KINDS
from trueup.sandbox.server.requests import Request

SLUG: Final = "simulated"
DEEPEST: Final = 2
"""Calls to the API that may be under way at once, each within the one before it."""
TRIES: Final = 6
"""How many doings are tried until there is something to do them with."""
NIGHTS: Final = 2
"""How often everything is reconciled at the end before nothing may differ any more."""
SHORT: Final = 0.02
"""Seconds that a slow answer takes, and silence lasts."""
_TURNS: Final = (1, 1, 2, 5, 30, 300, HOUR, DAY, DAY, 7 * DAY, 32 * DAY)
_PATHS: Final = ("*", "*", "/v1/customers/*", "/v1/events", "/v1/subscriptions*", "/v1/test_helpers/*")
_LISTED: Final = re.compile(r"call GET /v1/(test_helpers/)?[a-z_]+\?")
_KEPT: Final = 25 * DAY
"""Seconds from which on a leap may leave events behind that Stripe keeps no more."""
_TRAILING: Final = 120
"""Seconds after which the sweep trusts Stripe's list of events, and some more."""


class Play:
    """A seed under way. The sandbox's clock stands still but for the plan's turns."""

    def __init__(self, plan: Plan, *, conninfo: str, telling: bool = False) -> None:
        self.plan = plan
        self.rng = random.Random(0)  # noqa: S311 - each step brings its own
        self.history: list[str] = []
        self.counts: dict[str, int] = {}
        self._telling = telling
        self._conninfo = conninfo
        self._sealer = installation.sealer()
        self._steps: Iterator[Step] = iter(plan.steps)
        self._objects: dict[str, dict[str, Json]] = {}
        self._depth = 0
        self._calls = 0
        self._left: tuple[Difference, ...] = ()
        self._leapt = False

    def run(self) -> Outcome:
        """Play to the end. What our own code raises ends the seed as a problem."""
        begun = clock.monotonic()
        differences: tuple[Difference, ...] = ()
        facts: tuple[str, ...] = ()
        problem = ""
        wipe()
        with hurried(), ExitStack() as stack:
            self._open(stack)
            try:
                for step in self._steps:
                    self._do(step)
                self._settle()
                differences = (*judging.judge(self.sandbox, self.account, lost=self._may_be_lost()), *self._left)
                facts = judging.facts(self.account, differences) if self._telling else ()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what the seed found
                problem = f"{type(error).__name__}: {error}"
                if self._telling:
                    self._tell(problem)
        counts = self.post.counts | self.machine.counts | self.counts
        return Outcome(
            seed=self.plan.seed,
            differences=differences,
            counts=counts,
            seconds=round(clock.monotonic() - begun, 3),
            history=tuple(line for line in self.history if _matters(line, differences)),
            facts=facts,
            steps=len(self.plan.steps),
            problem=problem,
        )

    def _open(self, stack: ExitStack) -> None:
        self.sandbox = stack.enter_context(trueup.sandbox.start(seed=f"simulation {self.plan.seed}"))
        stack.enter_context(told_by(lambda: self.sandbox.now))
        self.account = accounts.connect(
            name=SLUG,
            api_key=self.sandbox.api_key,
            webhook_secrets=[SECRET],
            livemode=False,
            access=None,
            api_base=self.sandbox.base_url,
            stripe_account_id=None,
            sealer=self._sealer,
            by=BY,
        )
        self._pool = stack.enter_context(ThreadPoolExecutor(DEEPEST, thread_name_prefix="meanwhile"))
        door = stack.enter_context(Door(self._conninfo, sealer=self._sealer))
        self.post = Post(port=door.port, path=PREFIX + SLUG, weather=self.plan.weather, seed=self.plan.seed)
        stack.callback(self.post.close)
        self.machine = Machine(self.account)
        self.sandbox.engine.listeners.append(self.post.hear)
        self.sandbox.on_the_way = self._on_the_way
        # Both take a moment to end, so they do it at once.
        stack.callback(lambda: self._pool.submit(self.sandbox.stop))

    # --- what a doing may use ----------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, **params: Any) -> Json:
        """Ask the API; raises ``Refused``."""
        self._count("requests")
        try:
            found = self.sandbox.request(method, path, params)
        except Refused as error:
            self._tell(f"    {method} {path} {params}: refused, {error.code}")
            raise
        self._tell(f"    {method} {path} {params}: {found.get('id', '')}")
        self._sort()
        return found

    def any(self, kind: str, **fields: Any) -> Json:
        """An object of a kind as it was last told, by chance, the younger the likelier."""
        found = [
            one
            for one in self._objects.get(kind, {}).values()
            if all(one.get(name) == value for name, value in fields.items())
        ]
        if not found:
            raise LookupError(kind)
        return found[max(self.rng.randrange(len(found)), self.rng.randrange(len(found)))]

    def turn(self, seconds: int) -> None:
        """Let the sandbox's own time pass."""
        self.sandbox.advance(seconds=seconds)
        self._tell(f"    {seconds} seconds pass: {self.sandbox.now}")
        self._sort()

    def _sort(self) -> None:
        for event in self.post.sort():
            self._count("events")
            about = event["data"]["object"]
            known = self._objects.setdefault(about.get("object", ""), {})
            if not about.get("id"):
                continue
            if event["type"].endswith(".deleted") and about["object"] != "subscription":
                known.pop(about["id"], None)
            else:
                known[about["id"]] = about
            self._tell(f"      told: {event['id'][-6:]} {event['type']} of {about['id']} at {event['created']}")

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def _tell(self, line: str) -> None:
        if self._telling:
            self.history.append("  " * self._depth + line)

    # --- steps -------------------------------------------------------------------------------------------------------

    def _do(self, step: Step) -> None:
        before, self.rng = self.rng, random.Random(step.draw)  # noqa: S311 - chances, not secrets
        self._count(f"steps_{step.kind}")
        self._tell(f"{step.kind}:")
        try:
            getattr(self, f"_do_{step.kind}")()
        finally:
            self.rng = before

    def _do_life(self) -> None:
        # In a young world there is little to do anything with.
        for _ in range(TRIES):
            doing = self.rng.choices(list(DOINGS), list(DOINGS.values()))[0]
            self._tell(f"  {doing.__name__}")
            try:
                doing(self)
            except Refused:
                self._count("refused")
            except LookupError:
                continue
            finally:
                self._sort()
            return

    def _do_turn(self) -> None:
        seconds = self.rng.choice(_TURNS)
        self.turn(seconds)
        self._leapt = self._leapt or seconds > _KEPT

    def _do_post(self) -> None:
        self._deliver(self.post.choose(self.rng))

    def _deliver(self, parcels: list[Parcel]) -> None:
        for parcel in parcels:
            self._tell(f"    {'again: ' if parcel.again else ''}{parcel.name}")
            self.post.deliver(parcel)

    def _do_mirror(self) -> None:
        self._tell(f"    {self.machine.mirror(self.rng.choice((1, 2, 5, 100)))} mirrored")

    def _do_customer(self) -> None:
        self._tell(f"    {self.machine.customer(self.rng.choice((1, 2, 100)))} folded")

    def _do_fetch(self) -> None:
        self._tell(f"    {self.machine.fetch()} fetched")

    def _do_sweep(self) -> None:
        kind = self.rng.choice((Told.SNAPSHOT, Told.SNAPSHOT, Told.THIN))
        self._tell(f"    {kind}: {'done' if self.machine.sweep(kind) else 'failed'}")

    def _do_backfill(self) -> None:
        self.machine.backfill(self.rng.choice((3, 10, 60)))

    def _do_reconcile(self) -> None:
        run = self.machine.reconcile(repair=self.rng.random() < 0.5, rounds=self.rng.choice((5, 20, 100)))
        self._tell(f"    {run.status}: {run.counts.found} found, {run.counts.repaired} repaired")

    def _do_replay(self) -> None:
        self.machine.replay(self.rng.choice((1, 100)))

    def _do_heal(self) -> None:
        if self.rng.random() < 0.5:
            self.machine.lapse()
        self.machine.heal()

    def _do_fault(self) -> None:
        kind: Any = self.rng.choice(KINDS)
        path, times = self.rng.choice(_PATHS), self.rng.choice((1, 1, 2, 9))
        retry = self.rng.choice((None, None, False, True))
        self.sandbox.fail(
            kind, times=times, path=path, seconds=SHORT if kind in {"slow", "timeout"} else None, retry=retry
        )
        self.counts[f"faults_{kind}"] = self.counts.get(f"faults_{kind}", 0) + times
        self._tell(f"    {kind} {times} times at {path}, retry {retry}")

    # --- what happens while Trueup waits -----------------------------------------------------------------------------

    def _on_the_way(self, request: Request) -> None:
        """An answer of the API is on its way to Trueup: let some steps come between."""
        self._count("calls")
        self._calls += 1
        self._tell(f"    call {request.method} {request.path}?{request.query}")
        luck = chance(self.plan.seed, self._calls)
        if self._depth >= DEEPEST or luck.randrange(100) >= self.plan.weather.meanwhile:
            return
        self._pool.submit(self._meanwhile, luck.choice((1, 1, 2, 3, 5))).result()

    def _meanwhile(self, number: int) -> None:
        self._depth += 1
        try:
            for _ in range(number):
                step = next(self._steps, None)
                if step is None:
                    return
                self._count("meanwhile")
                self._do(step)
        finally:
            # What was asked for is done before the answer goes out, and not beside what Trueup then does.
            self.sandbox.engine.settle()
            self._depth -= 1
            # The thread may be another one the next time.
            database.close()

    # --- the end -----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """All faults end, what is late arrives, and everything runs that an operator has run by the clock."""
        self._tell("the end: faults heal")
        self.sandbox.heal()
        self.machine.retry()
        self._steps = iter(())
        self._drain()
        if not self.plan.looked_after:
            return
        self.machine.lapse()
        self.sandbox.advance(seconds=_TRAILING)
        self._drain()
        for kind in (Told.SNAPSHOT, Told.THIN):
            if not self.machine.sweep(kind):
                raise Refused(f"The last sweep of {kind} events failed.", code="simulation_sweep")
        self._drain()
        if self.plan.seed % 4 == 1 and not self.machine.backfill_whole():
            raise Refused("The last backfill was not complete.", code="simulation_backfill")
        self._drain()
        for _ in range(NIGHTS):
            run = self.machine.reconcile(repair=True, fresh=True)
            self._tell(f"    reconciled: {run.counts.found} found, {run.counts.repaired} repaired, {run.left} left")
            if run.status is not Status.COMPLETE:
                raise Refused(f"The last reconciliation is {run.status}: {run.troubles}", code="simulation_reconcile")
            self._drain()
            self._left = judging.left(run)
            if not self._left:
                return

    def _may_be_lost(self) -> bool:
        """Whether the sweep may not have found every event.

        Stripe keeps them for 30 days, and those of test clocks stand in its list where their clocks say.
        """
        # Clocks that were deleted meanwhile leave their kind behind.
        return self._leapt or "test_helpers.test_clock" in self._objects

    def _drain(self) -> None:
        """Until nothing waits anywhere."""
        self._sort()
        self._deliver(self.post.all(self.rng))
        if not self.machine.quiet():
            raise Refused(f"Trueup does not come to rest: {self.machine.left()}", code="simulation_restless")


def _matters(line: str, differences: Sequence[Difference]) -> bool:
    """Whether a line of the history is worth reading: calls are, where they name an object that differs, and lists."""
    told = line.strip()
    if not told.startswith("call "):
        return True
    return any(one.object_id in told for one in differences) or _LISTED.match(told) is not None


def play(plan: Plan, *, conninfo: str, telling: bool = False) -> Outcome:
    """Play a plan in the database that Django works in, which is emptied first."""
    try:
        return Play(plan, conninfo=conninfo, telling=telling).run()
    except TrueupError as error:
        return Outcome(seed=plan.seed, differences=(), counts={}, seconds=0.0, problem=f"{error.code}: {error}")
