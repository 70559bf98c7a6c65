"""Judging one object that is in doubt: read it singly, compare it once more, and say since when and why it differs.

An event may be on its way, or wait in a queue; that is no drift. So an object counts as different only when Stripe has
had it unchanged for as long as an event may take, nothing that tells of it waits, and the mirror has not moved while it
was read.
"""

from __future__ import annotations

import threading
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson
import psycopg

from trueup.accounts.calls import Lane
from trueup.accounts.types import Account
from trueup.connectors.stripe.client import API_VERSION
from trueup.connectors.stripe.errors import StripeForbidden
from trueup.connectors.stripe.resources import RESOURCES
from trueup.inbox.types import Source
from trueup.kernel.errors import Refused, TrueupError, Unavailable
from trueup.mirror import fetcher, orphans, reads
from trueup.mirror import rules as mirror_rules
from trueup.mirror import store as mirror
from trueup.mirror.drain import SHAPE_VERSION, dirty, winners
from trueup.mirror.order.fingerprint import fingerprint
from trueup.mirror.order.resolve import resolve
from trueup.mirror.reading import parse
from trueup.mirror.reads import Read
from trueup.mirror.reconcile import explaining, looking, rules, runs, store
from trueup.mirror.reconcile import seen as sights
from trueup.mirror.reconcile.explaining import Way
from trueup.mirror.reconcile.looking import Found, Held
from trueup.mirror.reconcile.runs import Working
from trueup.mirror.reconcile.seen import Doubt
from trueup.mirror.reconcile.store import New
from trueup.mirror.reconcile.types import Kind, Trouble
from trueup.mirror.service import TOPIC
from trueup.mirror.types import ObjectKey
from trueup.mirror.upcast import upcast
from trueup.runtime import database

AGAIN_SECONDS: Final = 1.0
"""Until an object is looked at again whose event waits in a queue."""
AWAY_SECONDS: Final = 5.0
"""Until Stripe is asked again after it did not answer."""
MOST_ROUNDS: Final = 6
"""An object that Stripe changed so often between two looks is left to the next run."""

_TOLD: Final = b"""
select exists (
    select from mirror_version
    where (account_id, livemode, object_type, object_id) = (%(account)s, %(livemode)s, %(object_type)s, %(object_id)s)
      and state = %(state)s
)
"""


class Outcome(StrEnum):
    """What became of a doubt."""

    EQUAL = "equal"
    WAITING = "waiting"
    DIFFERS = "differs"
    MOVING = "moving"
    SILENT = "silent"
    """It differs in what Stripe tells no event of."""
    UNSEEN = "unseen"
    """Stripe would not show it."""


class Judged(NamedTuple):
    """The outcome of a look, and the kind of the difference that stayed."""

    outcome: Outcome
    kind: Kind | None = None


def look(working: Working, account: Account, doubt: Doubt, *, verify: bool, stop: threading.Event) -> Judged:
    """Read an object in doubt once, and judge it if that can be done now; writes what came of it.

    With ``verify`` it was repaired, and no event is waited for any more.
    """
    run = working.run
    key = ObjectKey(
        account_id=account.id, livemode=account.livemode, object_type=doubt.object_type, object_id=doubt.object_id
    )
    begun = reads.begin()
    try:
        read = fetcher.read_one(account, key, lane=Lane.BACKFILL)
    except Unavailable:
        with database.transaction():
            sights.postpone(run.id, doubt, seconds=0 if stop.is_set() else AWAY_SECONDS)
        return Judged(Outcome.WAITING)
    except Refused as error:
        with database.transaction():
            runs.add_trouble(run.id, trouble(key.object_type, error))
            sights.leave(run.id, doubt)
        return Judged(Outcome.UNSEEN)
    with database.transaction():
        return _judged(working, account, doubt, _Look(key, read, begun, _told(read), verify))


def trouble(object_type: str, error: TrueupError) -> Trouble:
    """Why objects of a type cannot be seen, with the permission that is missing."""
    told = error.message
    if isinstance(error, StripeForbidden):
        resource = RESOURCES.get(object_type)
        named = resource.permission if resource is not None else ""
        told = f"The API key lacks the permission {f'“{named}” (read)' if named else 'to read it'}: {error.message}"
    return Trouble(type=object_type, code=error.code, told=told)


class _Look(NamedTuple):
    key: ObjectKey
    read: Read
    begun: datetime
    told: dict[str, Any] | None
    verify: bool


def _told(read: Read) -> dict[str, Any] | None:
    """The object as read, its lists whole; None where Stripe has it no more."""
    if read.body is None:
        return None
    data: dict[str, Any] = parse(read.body)
    return None if data.get("deleted") is True else data


def _whole(data: dict[str, Any], read: Read) -> dict[str, Any]:
    found = dict(data)
    for name, elements in read.lists.items():
        found[name] = data[name] | {"data": [parse(one) for one in elements], "has_more": False}
    return found


def _judged(working: Working, account: Account, doubt: Doubt, seen: _Look) -> Judged:
    run, key = working.run, seen.key
    held = looking.held([key], thorough=True).get(key)
    whole = None if seen.told is None else _whole(seen.told, seen.read)
    found = looking.compare(key, held, whole, version=API_VERSION)
    if found is None:
        sights.clear_doubt(run.id, doubt)
        store.resolve(key, run.id, repaired=seen.verify)
        return Judged(Outcome.EQUAL)
    way = explaining.way_to(key)
    if explaining.arrived(key, since=seen.begun) or (way.moving and doubt.waited < working.patience):
        sights.postpone(run.id, doubt, seconds=AGAIN_SECONDS)
        return Judged(Outcome.WAITING)
    state = None if seen.told is None else fingerprint(seen.told)
    if not doubt.observed or state != doubt.state:
        return _noticed(working, doubt, seen, state, damaged=found.damaged)
    sights.clear_doubt(run.id, doubt)
    repair = run.repair and not seen.verify
    if repair:
        _repair(account, seen, held, found)
    if not found.damaged and rules.is_silent(key.object_type, found.kind, found.fields, seen.told):
        return Judged(Outcome.SILENT)
    store.record(run.id, _difference(seen, held, found, way, repaired=repair))
    return Judged(Outcome.DIFFERS, found.kind)


def _noticed(working: Working, doubt: Doubt, seen: _Look, state: int | None, *, damaged: bool) -> Judged:
    """Stripe has it otherwise than when it was noticed, or was first looked at now: what told of it may come yet."""
    run = working.run
    if not damaged and doubt.observed and doubt.state is not None and _knows(seen.key, doubt.state):
        # What was noticed then has come since. What is new now is on its way as that was.
        sights.clear_doubt(run.id, doubt)
        store.resolve(seen.key, run.id, repaired=seen.verify)
        return Judged(Outcome.EQUAL)
    if doubt.rounds >= MOST_ROUNDS:
        sights.leave(run.id, doubt)
        return Judged(Outcome.MOVING)
    sights.notice(run.id, doubt, state=state, seconds=0 if seen.verify else working.grace)
    return Judged(Outcome.WAITING)


def _knows(key: ObjectKey, state: int) -> bool:
    """Whether any version that we know of an object is just so."""
    row = psycopg.Cursor(database.connection()).execute(_TOLD, explaining.named(key) | {"state": state}).fetchone()
    return bool(row and row[0])


def _repair(account: Account, seen: _Look, held: Held | None, found: Found) -> None:
    """What was read goes into the log like any fact; a row that is damaged is made again from the log.

    A row that nothing in the log supports is removed, and of an object that never was nothing is kept.
    """
    if held is not None and held.invented:
        orphans.remove_object(seen.key)
        if seen.told is None:
            return
    elif found.damaged:
        remake(seen.key)
        if held is None or not held.gone or held.shape is None:
            # What was erased here is not brought back by a reading either.
            return
    # What the row says that was just made again need not be said twice.
    reads.keep(account, [seen.read], source=Source.RECONCILE, begun=seen.begun, even_known=not found.damaged)


def remake(key: ObjectKey) -> None:
    """Make an object's row again from all that the log tells of it, in the caller's transaction."""
    known = mirror.lock([key]).get(key)
    traces = mirror.traces({key: 0}).get(key)
    if not traces:
        return
    made = winners({key: resolve(traces).head})
    if not made:
        return
    if known is None:
        mirror.add(made, shape_version=SHAPE_VERSION)
    else:
        mirror.replace(made, shape_version=SHAPE_VERSION)
    owners = {made[0].fact.customer, None if known is None else known.customer} - {None}
    changed = dirty(made, customers={key: {str(owner) for owner in owners}})
    if changed:
        mirror.mark_changed(list(changed), topic=TOPIC)


def _difference(seen: _Look, held: Held | None, found: Found, way: Way, *, repaired: bool) -> New:
    key, told = seen.key, seen.told
    cause, explanation, event = explaining.explained(held, found, way, told)
    customer = None if told is None else mirror_rules.customer_of(key.object_type, told)
    since, exact = explaining.since(held, told, event)
    kept = None if told is None else orjson.dumps(upcast(key.object_type, _whole(told, seen.read)))
    return New(
        key=key,
        customer=customer or (None if held is None else held.customer),
        kind=found.kind,
        fields=found.fields,
        more=found.more,
        cause=cause,
        explanation=explanation,
        event_id=None if event is None else event.event_id,
        since=since,
        since_exact=exact,
        told=None if kept is None else kept.decode().replace("\\u0000", "\\ufffd"),
        repaired=repaired,
    )
