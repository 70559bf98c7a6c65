"""Reading Stripe's lists, page by page: what the worker does for every backfill that runs, and ``--here`` for one.

A span is leased, its page is read with no transaction open, and in one transaction the objects go into the log, the
cursor moves, and what was cut off becomes spans of its own. Whoever is killed leaves a lease that ends.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import psycopg
from django.db import InterfaceError, OperationalError

from trueup.accounts import calls
from trueup.accounts import service as accounts
from trueup.accounts.calls import Lane
from trueup.accounts.types import Account
from trueup.connectors.stripe.errors import StripeForbidden, StripeMissing, StripeParameterMissing, StripePathUnknown
from trueup.connectors.stripe.resources import RESOURCES, Resource
from trueup.inbox.types import Source
from trueup.kernel.errors import Refused, TrueupError, Unavailable
from trueup.kernel.records import Record
from trueup.mirror import fetching, reads
from trueup.mirror import store as mirror
from trueup.mirror.backfill import lists, rules, spans, store, walks
from trueup.mirror.backfill.rules import Page, Span
from trueup.mirror.backfill.spans import New, Taken
from trueup.mirror.backfill.types import Status
from trueup.mirror.backfill.walks import Used
from trueup.mirror.fetching import Reason
from trueup.mirror.reads import Read
from trueup.mirror.types import ObjectKey
from trueup.runtime import clock, database, logs, metrics
from trueup.runtime.errands import Errand

log = logs.get(__name__)

TOPIC: Final = "mirror.backfill"
THREADS: Final = 4
"""In each worker. Each holds a connection, and Stripe answers a page in a fifth of a second or so."""
LEASE_SECONDS: Final = 60.0
PATIENCE: Final = 15.0
"""Seconds that a call may wait for its turn; longer than all calls of a page together the lease lasts."""
PIECE_SECONDS: Final = 5.0
LONGEST_WAIT: Final = 60.0
MOST_TRIES: Final = 10
"""After so many failures of one page that are nobody's outage, its type is given up."""
AWAY: Final = (psycopg.OperationalError, psycopg.InterfaceError, OperationalError, InterfaceError)
"""The database does not answer, or two got in each other's way; nothing of a page is at fault."""
FOLLOWED_AT_ONCE: Final = 1000
CLOCK_PAUSE: Final = 2.0
"""Seconds until a test clock that is being advanced is looked at again."""


class _Seen(msgspec.Struct):
    """What a backfill itself wants to know of an object."""

    id: str
    object: str
    created: int | None = None
    customer: Any = None
    test_clock: Any = None


class _Clock(msgspec.Struct):
    frozen_time: int
    status: str = "ready"


_seen: Final = msgspec.json.Decoder(_Seen)
_clock: Final = msgspec.json.Decoder(_Clock)


class _Got(Record, frozen=True):
    """A page: the bytes of its objects, what was seen of each, and when reading began by both clocks."""

    bodies: Sequence[bytes]
    seen: Sequence[_Seen]
    has_more: bool
    second: int
    begun: datetime


class _ClockBusyError(Exception):
    """A test clock is on its way: what it will show when it has arrived is not yet known."""


def work(stop: threading.Event, *, run_id: int | None = None, seconds: float = PIECE_SECONDS) -> int:
    """Read for some seconds from the span that is next, of any run or of one; answers the number of pages.

    0 means that nothing is due; runs that have nothing left to read are ended then.
    """
    taken = spans.take(run_id=run_id, seconds=LEASE_SECONDS)
    if taken is None:
        return _end_runs(run_id) or _follow_up(run_id)
    account = accounts.account(taken.account_id)
    pages, until = 0, clock.monotonic() + seconds
    while not stop.is_set():
        try:
            following = _page(account, taken)
        except Exception as error:
            if not isinstance(error, AWAY):
                _stumbled(taken, error)
            raise
        if following is None:
            break
        pages += 1
        taken = following
        if clock.monotonic() > until:
            break
    spans.give_back(taken)
    return max(1, pages)


def _page(account: Account, taken: Taken) -> Taken | None:
    """Read one page; gives the span as it then is, or None when it is over or somebody else's turn."""
    resource = RESOURCES[taken.object_type]
    try:
        got = _read(account, taken, resource)
    except _ClockBusyError:
        spans.give_back(taken, seconds=CLOCK_PAUSE)
    except StripeParameterMissing:
        _gone(taken)
    except StripeMissing as error:
        if taken.parents is None and taken.clock is None:
            _failed(taken, resource, error)
        else:
            spans.skip_parent(taken)
    except StripePathUnknown:
        sentence = "This API has no such list: a sandbox, or an account that does not take part in the product."
        spans.give_up(taken, status="absent", code="backfill_absent", error=sentence)
    except Refused as error:
        _failed(taken, resource, error)
    except Unavailable as error:
        # Throttling and outages only wait.
        metrics.BACKFILL_PAGES.labels(outcome="waited").inc()
        _wait(taken, error.message)
    else:
        return _written(account, taken, resource, got)
    return None


def _wait(taken: Taken, why: str) -> None:
    spans.give_back(taken, seconds=min(LONGEST_WAIT, 0.5 * 2 ** min(taken.tries, 10)), error=why)


def _stumbled(taken: Taken, error: Exception) -> None:
    """Try again what should not have happened, a page that is none for instance; give its type up after many times."""
    kind = type(error).__name__
    if taken.tries < MOST_TRIES:
        _wait(taken, f"A page of {taken.object_type} could not be used ({kind}).")
        return
    log.warning("backfill.stumbled", run=taken.run_id, type=taken.object_type, error=kind)
    sentence = f"A page of {taken.object_type} could not be used, {MOST_TRIES} times ({kind}); the log says more."
    spans.give_up(taken, status="failed", code="backfill_page_unusable", error=sentence)


def _gone(taken: Taken) -> None:
    """What a parameter named is gone: the cursor, if there is one, else the parent."""
    if taken.span.cursor is not None:
        spans.reset(taken, rules.without_cursor(taken.span))
    else:
        spans.skip_parent(taken)


def _failed(taken: Taken, resource: Resource, error: TrueupError) -> None:
    metrics.BACKFILL_PAGES.labels(outcome="failed").inc()
    sentence = error.message
    if isinstance(error, StripeForbidden):
        named = f"“{resource.permission}” (read)" if resource.permission else "to read it"
        sentence = f"The API key lacks the permission {named}: {error.message}"
    log.warning("backfill.failed", run=taken.run_id, type=taken.object_type, code=error.code)
    spans.give_up(taken, status="failed", code=error.code, error=sentence)


def _read(account: Account, taken: Taken, resource: Resource) -> _Got:
    parent = "" if taken.parents is None else taken.parents[taken.parents_done]
    path, params = _list(resource, taken, parent)
    second = _frozen(account, taken.clock) if taken.clock is not None else None
    begun = reads.begin()
    answer = calls.get(account, path, params, lane=Lane.BACKFILL, patience=PATIENCE)
    bodies, has_more = reads.split(answer.body)
    if has_more and not bodies:
        raise msgspec.DecodeError("it is empty and says that there is more")
    return _Got(
        bodies=bodies,
        seen=[_seen.decode(body) for body in bodies],
        has_more=has_more,
        second=answer.second if second is None else second,
        begun=begun,
    )


def _list(resource: Resource, taken: Taken, parent: str) -> tuple[str, dict[str, Any]]:
    params = rules.params(taken.span)
    if resource.parent is None and taken.parents is not None:
        return str(resource.list), {**resource.all_params[taken.variant], **params, "customer": parent}
    path, fixed = resource.many(parent=parent)[taken.variant]
    if taken.clock is not None and taken.parents is None:
        fixed["test_clock"] = taken.clock
    return path, fixed | params


def _frozen(account: Account, clock_id: str) -> int:
    """What a test clock shows, read before the objects that live by it."""
    path = RESOURCES[lists.CLOCK].one(clock_id)
    answer = calls.get(account, str(path), lane=Lane.BACKFILL, patience=PATIENCE)
    found = _clock.decode(answer.body)
    if found.status == "advancing":
        raise _ClockBusyError
    return found.frozen_time


def _written(account: Account, taken: Taken, resource: Resource, got: _Got) -> Taken | None:
    """Write a page, the cursor and what follows from both; None when the span is over or no longer ours."""
    span, parents_done = taken.span, taken.parents_done
    with database.transaction():
        if not spans.hold(taken):
            return None
        divisible = resource.created_filter and taken.parents is None and taken.clock is None
        page = Page(ids=[one.id for one in got.seen], created=[one.created for one in got.seen], has_more=got.has_more)
        room = rules.FANOUT - spans.open_spans(taken) if divisible and got.has_more else 0
        step = rules.step(span, page, room=room)
        kept = _use(account, taken, got)
        following: Span | None = step.rest
        if following is None and taken.parents is not None:
            parents_done += 1
            following = Span() if parents_done < len(taken.parents) else None
        new = [
            New(place=taken.place, object_type=taken.object_type, variant=taken.variant, span=lower)
            for lower in step.lower
        ]
        spans.insert(taken.run_id, [*new, *_inside(taken, got)])
        spans.advance(
            taken,
            following,
            parents_done=parents_done,
            listed=kept.listed,
            new=kept.new,
            changed=kept.changed,
            known=kept.known,
            newest=max((one.created for one in got.seen if one.created is not None), default=None),
            seconds=LEASE_SECONDS,
        )
    metrics.BACKFILL_PAGES.labels(outcome="read").inc()
    for result in ("new", "changed", "known"):
        metrics.BACKFILL_OBJECTS.labels(result=result).inc(getattr(kept, result))
    if following is None:
        return None
    return msgspec.structs.replace(taken, span=following, parents_done=parents_done, tries=0)


def _use(account: Account, taken: Taken, got: _Got) -> Used:
    """Use a page's objects, but for those that come with their test clock's time: a backfill puts them into the log."""
    elsewhere = _elsewhere(taken, got)
    # The clocks themselves live in Stripe's time.
    found = [
        Read(object_type=one.object, object_id=one.id, body=body, second=got.second)
        for one, body in zip(got.seen, got.bodies, strict=True)
        if one.id not in elsewhere
    ]
    if not found:
        return Used(listed=0, new=0, changed=0, known=0)
    if taken.purpose != walks.BACKFILL:
        return walks.use_of(taken.purpose)(account, taken.run_id, found)
    keys = [
        ObjectKey(
            account_id=account.id, livemode=account.livemode, object_type=one.object_type, object_id=one.object_id
        )
        for one in found
    ]
    before = len(mirror.current(keys))
    kept = reads.keep(account, found, source=Source.BACKFILL, begun=got.begun)
    new = min(kept.stored, len(found) - before)
    return Used(listed=len(found), new=new, changed=kept.stored - new, known=kept.known)


def _elsewhere(taken: Taken, got: _Got) -> set[str]:
    """Those of a plain page that are listed by their clock or its customer as well, and count there."""
    if taken.livemode or taken.clock is not None or taken.object_type == lists.CLOCK:
        return set()
    if not spans.has_clocks(taken.run_id):
        return set()
    clocked = {one.id for one in got.seen if one.test_clock is not None and RESOURCES[taken.object_type].by_clock}
    if taken.object_type in lists.BY_CUSTOMER:
        owners = {one.id: one.customer for one in got.seen if type(one.customer) is str}
        theirs = spans.clocked(taken.run_id, sorted(set(owners.values()))) if owners else set()
        clocked |= {object_id for object_id, owner in owners.items() if owner in theirs}
    return clocked


def _inside(taken: Taken, got: _Got) -> list[New]:
    """The spans within what a page listed: of test clocks their objects, of customers and the like their lists."""
    ids = tuple(one.id for one in got.seen if one.object == taken.object_type)
    if not ids:
        return []
    if taken.object_type == lists.CLOCK:
        return [_of_clock(taken, name, clock_id) for clock_id in ids for name in lists.by_clock(taken.types)]
    if taken.clock is None and taken.object_type == lists.CUSTOMER and not taken.livemode:
        theirs = {one.id for one in got.seen if one.test_clock is not None}
        ids = tuple(one for one in ids if one not in theirs)
    inside = list(lists.within(taken.types, taken.object_type))
    if taken.clock is not None and taken.object_type == lists.CUSTOMER:
        inside += [name for name in taken.types if name in lists.BY_CUSTOMER]
    return [
        New(
            place=lists.place(taken.types, name),
            object_type=name,
            variant=variant,
            clock=taken.clock,
            parents=ids,
        )
        for name in inside
        for variant in range(len(RESOURCES[name].all_params))
        if ids
    ]


def _of_clock(taken: Taken, object_type: str, clock_id: str) -> New:
    customers = object_type == lists.CUSTOMER
    place = lists.CLOCK_CUSTOMERS_PLACE if customers else lists.place(taken.types, object_type)
    return New(place=place, object_type=object_type, clock=clock_id)


def _end_runs(run_id: int | None) -> int:
    """End the runs that are read, each with what it came to."""
    ended = 0
    for found, purpose in store.over(run_id):
        with database.transaction():
            run = store.run(found, lock=True)
            if run is None or run.status is not Status.RUNNING:
                continue
            failed = any(count.failed for count in store.counts(found))
            store.end(found, Status.INCOMPLETE if failed else Status.COMPLETE)
            ended += 1
        if purpose == walks.BACKFILL:
            log.info("backfill.ended", run=found, complete=not failed)
        else:
            log.info("walk.ended", purpose=purpose, walk=found, complete=not failed)
    return ended


def _follow_up(run_id: int | None) -> int:
    """Ask for the deleted customers that objects of a backfill name: no list has them, and each can be fetched.

    Only once its objects are mirrored: before that nobody knows who is missing.
    """
    with database.transaction():
        run = store.to_follow_up(run_id=run_id)
        if run is None:
            return 0
        after, asked = "", 0
        while found := store.unknown_customers(run.account_id, after=after, limit=FOLLOWED_AT_ONCE):
            after = found[-1][1]
            asked += fetching.want(
                (
                    ObjectKey(account_id=run.account_id, livemode=live, object_type=lists.CUSTOMER, object_id=customer)
                    for live, customer in found
                ),
                reason=Reason.ASKED,
            )
        store.followed_up(run.id)
    log.info("backfill.followed_up", run=run.id, customers=asked)
    return 1


ERRAND: Final = Errand(name="mirror.backfill", topic=TOPIC, run=work, threads=THREADS)
