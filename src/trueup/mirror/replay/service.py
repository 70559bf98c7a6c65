"""Replay: events of the log are read again, for good. What a selection means, starting, watching and ending one."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import psycopg

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.inbox import dead_letters
from trueup.inbox import service as inbox
from trueup.kernel.actor import Actor, system
from trueup.kernel.errors import Conflict, NotFound, Refused, TrueupError
from trueup.mirror import set_aside
from trueup.mirror.replay import healing, selection, store
from trueup.mirror.replay.store import Key, Step
from trueup.mirror.replay.types import Preview, Progress, Replay, Selection
from trueup.mirror.types import ObjectKey
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import database, logs
from trueup.runtime.drains import DATABASE_ERRORS, is_the_rows_fault
from trueup.runtime.pages import Number, Page, decode_cursor, encode_cursor
from trueup.runtime.wake import wake

log = logs.get(__name__)

TOPIC: Final = "mirror.replay"
"""Woken when a replay was started."""
USUAL_RATE: Final = 200
"""Events a second, unless asked otherwise: a small part of what the drains do beside it."""
FASTEST: Final = 5_000
REHEARSED: Final = 1_000
"""Of so many events a preview tells what would change; of more it counts only."""
BATCH: Final = 100
LARGEST_PAGE: Final = 200
LONGEST_REASON: Final = 2000


class _Rehearsal(Exception):
    """Takes a rehearsal back."""


def preview(which: Selection, *, rate: int = USUAL_RATE) -> Preview:
    """What a replay would read and do. Everything is counted exactly; nothing is written.

    Where it is not more than ``REHEARSED`` events they are read again, and what came of it is rolled back; the objects
    are held meanwhile, so that the mirror's reader waits for a moment.
    """
    _rate(rate)
    picked, values = selection.statement(which)
    counted = store.count(picked, values)
    step, rehearsed = Step(), 0
    if 0 < counted.events <= REHEARSED:
        step, rehearsed = _rehearse(store.first(picked, values, limit=REHEARSED)), counted.events
    return Preview(
        events=counted.events,
        types=counted.types,
        objects=counted.objects,
        customers=counted.customers,
        set_aside=counted.set_aside,
        discarded=counted.discarded,
        passed_over=counted.thin,
        seconds=-(-counted.events // rate),
        rehearsed=rehearsed,
        objects_changed=step.changed if rehearsed else None,
        would_fail=step.failed,
    )


def require_known(which: Selection) -> None:
    """Refuse, with ``NotFound``, a selection that names an event, object or customer that nobody knows.

    Whoever types an id wants to hear that it is wrong. ``preview`` and ``start`` take such an id as no match.
    """
    selection.require_known(which)


def start(which: Selection, *, why: str, by: Actor, rate: int = USUAL_RATE) -> Replay:
    """Start reading the events of a selection again, at most ``rate`` a second; workers do it.

    They are picked now: what comes later is not among them. ``Refused`` without a reason, for a selection that says
    nothing, and where no event matches.
    """
    operators.require(by, Permission.EVENTS_REPLAY)
    _rate(rate)
    reason = why.strip()[:LONGEST_REASON].replace("\x00", "\ufffd")
    if not reason:
        raise Refused("A replay needs a reason.", code="reason_missing", hint="Say why, for whoever asks later.")
    picked, values = selection.statement(which)
    with database.transaction() as connection:
        replay_id = store.add(which, why=reason, by=by, rate=rate)
        total = store.pick(replay_id, picked, values)
        if not total:
            raise Refused("No event matches.", code="replay_empty", hint="Look first, with --dry-run.")
        told = {name: value for name, value in msgspec.to_builtins(which).items() if value}
        _record(connection, by, Action.REPLAY_STARTED, replay_id, why=reason, events=total, rate=rate, selection=told)
        wake(connection, TOPIC)
    return get(replay_id)


def cancel(replay_id: int, *, by: Actor) -> Replay:
    """End a replay where it is: what it read stays read, the rest is left. ``Conflict`` when it has ended already."""
    operators.require(by, Permission.EVENTS_REPLAY)
    with database.transaction() as connection:
        found = store.find(replay_id, lock=True)
        if found is None:
            raise _unknown(replay_id)
        if found.progress is not Progress.RUNNING:
            raise Conflict(f"The replay {replay_id} has ended already.", code="replay_ended")
        left = store.end(replay_id, Progress.CANCELED)
        _record(connection, by, Action.REPLAY_CANCELED, replay_id, events=found.done, left=left)
    return get(replay_id)


def get(replay_id: int) -> Replay:
    """One replay and how far it is."""
    found = store.find(replay_id)
    if found is None:
        raise _unknown(replay_id)
    return found


def replays(*, limit: int = 50, after: str | None = None) -> Page[Replay]:
    """All replays, newest first."""
    limit = max(1, min(limit, LARGEST_PAGE))
    before = decode_cursor(after, tuple[Number])[0] if after else 2**63 - 1
    found = store.page(before_id=before, limit=limit + 1)
    more = len(found) > limit
    return Page(
        data=tuple(found[:limit]), next=encode_cursor(found[limit - 1].id) if more else None, total=store.total()
    )


def proceed() -> tuple[int, float] | None:
    """Read the next events of a replay again, in one transaction.

    Answers how many, and how many seconds it should rest before the next; None when no replay runs that nobody else
    has in hand. What was taken is on the list again if this does not end well.
    """
    with database.transaction() as connection:
        due = store.following()
        if due is None:
            return None
        replay_id, rate, seconds = due
        if seconds > 0:
            return 0, seconds
        keys = store.take(replay_id, limit=max(1, min(BATCH, rate)))
        step = _read(keys)
        store.note(replay_id, step, pause=len(keys) / rate)
        if not keys:
            store.end(replay_id, Progress.DONE)
            ended = get(replay_id)
            told: dict[str, Any] = {
                "events": ended.done,
                "failed": ended.failed,
                "gone": ended.gone,
                "changed": ended.changed,
            }
            _record(connection, system("replay"), Action.REPLAY_ENDED, replay_id, **told)
    return len(keys), 0.0


def _rehearse(keys: list[Key]) -> Step:
    step = Step()
    try:
        with database.transaction():
            step = _read(keys)
            raise _Rehearsal
    except _Rehearsal:
        return step


def _read(keys: list[Key]) -> Step:
    """Read these events again: together, or where one is at fault each by itself."""
    step = Step(done=len(keys))
    # What waits for its first reading is left to it: two transactions that write one version wait for each other.
    unread = dead_letters.unread(keys)
    keys = [key for key in keys if key not in unread]
    bodies = inbox.bodies(keys)
    step.gone = len(keys) - len(bodies)
    changed: set[ObjectKey] = set()
    by_key = {
        (one.account_id, one.livemode, one.event_id): key for key in keys for one in bodies if key[:3] == _id(one)
    }
    healed, error = _try(bodies)
    if healed is not None:
        changed |= healed.changed
        step.gone += healed.silent
        dead_letters.settle([by_key[_id(one)] for one in bodies])
    else:
        for one in bodies:
            healed, error = _try([one])
            if healed is not None:
                changed |= healed.changed
                step.gone += healed.silent
                dead_letters.settle([by_key[_id(one)]])
            else:
                step.failed += 1
                step.error = error
                if dead_letters.put_aside(by_key[_id(one)], error or ""):
                    set_aside.want([by_key[_id(one)]])
                log.warning("replay.event_failed", event_id=one.event_id)
    step.changed = len(changed)
    return step


def _id(event: Any) -> tuple[int, bool, str]:
    return (event.account_id, event.livemode, event.event_id)


def _try(events: list[Any]) -> tuple[healing.Healed | None, str | None]:
    """Read events inside a savepoint; what it came to, or what went wrong."""
    try:
        with database.transaction():
            return healing.read_again(events), None
    except TrueupError as error:
        return None, f"{error.code}: {error.message}"
    except DATABASE_ERRORS as error:
        if not is_the_rows_fault(error):
            raise
        return None, f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    except Exception as error:  # noqa: BLE001 - a poison event must not stop the others; it is set aside
        return None, f"{type(error).__name__}: {error}"


def _rate(rate: int) -> None:
    if not 1 <= rate <= FASTEST:
        raise Refused(f"The rate has to be from 1 to {FASTEST} events a second.", code="rate_invalid")


def _unknown(replay_id: int) -> NotFound:
    return NotFound(f"There is no replay {replay_id}.", code="replay_unknown", hint="See: trueup replay list")


def _record(
    connection: psycopg.Connection[tuple[Any, ...]],
    by: Actor,
    action: Action,
    replay_id: int,
    *,
    why: str = "",
    **told: Any,
) -> None:
    audit.record(connection, by=by, action=action, object_type="replay", object_id=str(replay_id), why=why, after=told)
