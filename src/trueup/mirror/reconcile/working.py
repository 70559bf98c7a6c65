"""Working on a run: who holds its lease does a bounded piece, and another may go on with the next.

The states of customers are folded above, so ``customer.reconcile`` drives this, and is told when its turn is.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
import orjson

from trueup.accounts import service as accounts
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import system
from trueup.kernel.errors import TrueupError
from trueup.mirror.backfill import service as backfill
from trueup.mirror.backfill import walks
from trueup.mirror.drain import DRAIN
from trueup.mirror.essence import essence
from trueup.mirror.reading import parse
from trueup.mirror.reconcile import phases, raising, runs, seen, store
from trueup.mirror.reconcile.runs import Working
from trueup.mirror.reconcile.store import New
from trueup.mirror.reconcile.types import STATE, Cause, Difference, FieldDifference, Kind, Phase, Run, Status, Trouble
from trueup.mirror.types import ObjectKey
from trueup.mirror.upcast import upcast
from trueup.runtime import database, drains, logs

log = logs.get(__name__)

LEASE_SECONDS: Final = 120.0
"""Longer than any piece, in which Stripe is asked some dozens of times."""
STATES: Final = "states"
"""The place within ``Phase.VERIFY`` at which the states of customers are looked at again; after it may stand more."""


class Lease(NamedTuple):
    """The right to work on a run."""

    run_id: int
    token: UUID


class Step(NamedTuple):
    """What comes next: over, or after some seconds; ``states`` says that it is the turn of customers' states."""

    over: bool = False
    seconds: float = 0.0
    states: bool = False


class StateDifference(NamedTuple):
    """How the state of a Stripe customer differs from what follows from its objects."""

    customer: str
    kind: Kind
    fields: tuple[FieldDifference, ...]
    more: int
    cause: Cause
    explanation: str
    since: datetime | None = None


def take(run_id: int | None = None) -> Lease | None:
    """Take a run that is due, or that one; None where there is none, or somebody holds it."""
    with database.transaction():
        found = runs.take(run_id=run_id, seconds=LEASE_SECONDS)
    return None if found is None else Lease(*found)


def give_back(lease: Lease, *, seconds: float = 0.0) -> None:
    """Let go of a run that is due again after some seconds."""
    with database.transaction():
        runs.give_back(lease.run_id, lease.token, seconds=seconds)


def step(lease: Lease, *, stop: threading.Event) -> Step:
    """Do a piece of a run. Never inside a transaction: Stripe is asked."""
    with database.transaction():
        if not runs.hold(lease.run_id, lease.token, seconds=LEASE_SECONDS):
            return Step(over=True)
        working = _working(lease)
        early = _EARLY.get(working.run.phase)
        if early is not None:
            return Step(seconds=early(working))
    if working.run.phase is Phase.STATES or working.place.startswith(STATES):
        return Step(states=True)
    return _look_singly(lease, working, stop)


_EARLY: Final = {Phase.LISTS: phases.lists, Phase.UNSEEN: phases.unseen}


def _look_singly(lease: Lease, working: Working, stop: threading.Event) -> Step:
    """Look at some objects in doubt; when none is left, go on with the next phase."""
    verify = working.run.phase is Phase.VERIFY
    try:
        account = accounts.account(working.run.account_id)
        seconds = phases.confirm(working, account, verify=verify, stop=stop)
    except TrueupError as error:
        return _failed(lease, error)
    if seconds is not None:
        return Step(seconds=seconds)
    with database.transaction():
        if verify:
            runs.move(lease.run_id, place=STATES)
        else:
            runs.move(lease.run_id, phase=Phase.STATES)
    return Step()


def _failed(lease: Lease, error: TrueupError) -> Step:
    """End a run that cannot go on, as when its key was taken away."""
    with database.transaction():
        runs.add_trouble(lease.run_id, Trouble(type="", code=error.code, told=error.message))
        finish(lease)
    return Step(over=True)


def _working(lease: Lease) -> Working:
    found = runs.working(lease.run_id, {})
    if found is None:  # pragma: no cover - a run whose lease is held is not deleted
        message = "a run is gone"
        raise LookupError(message)
    return found


def run(lease: Lease) -> tuple[Run, str, int]:
    """The run, the place in its phase, and its patience in seconds."""
    found = _working(lease)
    return found.run, found.place, found.patience


def read_lists(run_id: int, *, threads: int, stop: threading.Event) -> None:
    """Read the lists of a run in threads of this process, for where no worker runs; beside one it only helps."""
    found = runs.working(run_id, {})
    if found is not None and found.run.phase is Phase.LISTS and found.walk_id is not None:
        backfill.read_here(found.walk_id, threads=threads, stop=stop)


def mirror_some() -> int:
    """Let the mirror read a batch of what waits in the log; for where no worker runs. Answers how many events."""
    return drains.step(DRAIN).claimed


def move(lease: Lease, place: str) -> None:
    """Note how far the states are, in the caller's transaction."""
    runs.move(lease.run_id, place=place)


def count_states(lease: Lease, *, compared: int = 0, kinds: Sequence[Kind] = (), repaired: int = 0) -> None:
    """Add to what the run has come to, in the caller's transaction."""
    counts = _working(lease).run.counts
    found = dict(counts.found)
    for kind in kinds:
        found[kind.value] = found.get(kind.value, 0) + 1
    runs.count(
        lease.run_id,
        msgspec.structs.replace(
            counts, states=counts.states + compared, found=found, repaired=counts.repaired + repaired
        ),
    )


class Told(NamedTuple):
    """An object that differs: its essence at Stripe, None where it has none, and whether our row of it is invented."""

    kind: str
    object_type: str
    object_id: str
    essence: str | None
    invented: bool


def told(run: Run, customers: Sequence[str]) -> dict[str, list[Told]]:
    """These customers' objects that differ, by customer."""
    found: dict[str, list[Told]] = {}
    for customer, kind, object_type, object_id, told, invented in store.told(run, customers):
        kept = None if told is None else _essence(object_type, told)
        found.setdefault(customer, []).append(Told(kind, object_type, object_id, kept, invented))
    return found


def _essence(object_type: str, told: str) -> str:
    """The essence of an object that was told, as JSON."""
    return orjson.dumps(essence(object_type, upcast(object_type, parse(told.encode())))).decode()


def state_differs(run: Run, found: StateDifference) -> None:
    """Write that a customer's state differs, in the caller's transaction."""
    store.record(
        run.id,
        New(
            key=_state_key(run, found.customer),
            customer=found.customer,
            kind=found.kind,
            fields=found.fields,
            more=found.more,
            cause=found.cause,
            explanation=found.explanation,
            since=found.since,
        ),
    )


def state_equals(run: Run, customer: str, *, repaired: bool = False) -> bool:
    """Write that a customer's state is right, in the caller's transaction; True where it was said to differ.

    ``repaired`` says that the run made it right.
    """
    return store.resolve(_state_key(run, customer), run.id, repaired=repaired)


def states_that_differ(run: Run) -> list[Difference]:
    """The states that this run found to differ and that are open."""
    return store.differences(
        {}, account_id=None, kind=None, object_type=STATE, customer="", run_id=run.id, before=2**63 - 1, limit=100_000
    )


def _state_key(run: Run, customer: str) -> ObjectKey:
    return ObjectKey(account_id=run.account_id, livemode=run.livemode, object_type=STATE, object_id=customer)


def states_done(lease: Lease) -> Step:
    """The states are compared: what was repaired is looked at once more, or the run is over."""
    with database.transaction():
        working = _working(lease)
        if working.run.phase is Phase.STATES and working.run.repair:
            seen.doubt_repaired(lease.run_id)
            runs.move(lease.run_id, phase=Phase.VERIFY)
            return Step()
        finish(lease)
        return Step(over=True)


def finish(lease: Lease) -> None:
    """End a run in the caller's transaction: what it compared and did not find any more is over."""
    working = _working(lease)
    run = working.run
    complete = not run.troubles and not run.counts.moving
    store.resolve_unseen(run, types=phases.compared(working))
    if run.repair and (run.counts.found or run.counts.repaired):
        audit.record(
            database.connection(),
            by=system("reconcile"),
            action=Action.RECONCILE_REPAIRED,
            object_type="reconciliation",
            object_id=str(run.id),
            livemode=run.livemode,
            after={"found": run.counts.found, "repaired": run.counts.repaired},
        )
    if working.walk_id is not None:
        walks.forget(working.walk_id)
    runs.end(run.id, Status.COMPLETE if complete else Status.INCOMPLETE)
    raising.drift(run.account_id)
    raising.sight(run, complete=complete)
    log.info("reconcile.ended", run=run.id, complete=complete, found=sum(run.counts.found.values()))
