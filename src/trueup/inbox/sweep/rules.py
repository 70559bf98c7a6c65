"""Where a sweep goes, what its pages show, and which alarms follow. Functions of facts.

A sweep goes from the oldest slice to the newest, because it is the oldest events that Stripe drops next. Inside a slice
it goes as Stripe lists, from the newest event to the oldest. A slice is finished before the cursor moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from trueup.inbox.alarms.types import Alarm
from trueup.inbox.sweep.types import Code, Endpoint, EndpointState, Sweep
from trueup.inbox.types import Kind, Source
from trueup.kernel.records import Record

KEPT: Final = timedelta(days=30)
"""How long Stripe lists an event. Source: https://docs.stripe.com/api/events"""
OVERLAP: Final = timedelta(minutes=30)
"""How far a sweep goes back behind the last one, for events that Stripe lists late."""
TRAIL: Final = timedelta(seconds=60)
"""How far it stays behind Stripe's present: Stripe lists the newest events a moment late, and webhooks need one too."""
SLICE: Final = timedelta(days=1)
"""The first slice. After one that was a single page the next is twice as long, after one of more pages half."""
SHORTEST: Final = timedelta(hours=1)
REACH: Final = {Kind.SNAPSHOT: KEPT, Kind.THIN: timedelta(days=1)}
"""How far the first sweep goes back. Nearly all thin events are twins of snapshot ones, and read for nothing."""
STALE: Final = timedelta(hours=1)
"""A slice that begins so much before what Stripe keeps was left lying, and the sweep begins anew."""
SILENT: Final = timedelta(hours=6)
"""How long Stripe may have events and send us none."""
MISSED: Final = timedelta(days=1)
"""How long an event that only the sweep found is told of."""
OLD: Final = timedelta(days=25)
SKEW_SECONDS: Final = 60
"""Signatures are refused when the clocks are 300 s apart; a sixth of that and more is worth knowing."""
TURNED_SECONDS: Final = 86_400
"""A sandbox so far away has a clock that somebody turned on purpose."""
PATIENCE: Final = 3
"""How often in a row Stripe may be away before somebody is told; a refusal is told at once."""
AWAY: Final = frozenset({"stripe_unavailable", "stripe_throttled", "call_budget_spent"})

_EVENTS: Final = {Kind.SNAPSHOT: "events", Kind.THIN: "thin events"}


class Shown(Record, frozen=True):
    """What a page showed of one event."""

    type: str
    created: datetime
    fresh: bool
    source: Source


def begin(sweep: Sweep, *, now: datetime, started_at: datetime, back_to: datetime | None = None) -> Sweep:
    """A new sweep, up to a little before ``now`` by Stripe's clock; ``started_at`` is ours.

    ``back_to`` asks for one that goes back further than it would. What lies between the cursor and what Stripe still
    keeps is lost, and the sweep says so.
    """
    goal, oldest = now - TRAIL, now - KEPT
    lost_since, lost_until, wanted = sweep.lost_since, sweep.lost_until, sweep.backfill_wanted_at
    reaching_back, cursor = sweep.reaching_back, sweep.cursor
    if cursor is None:
        cursor = origin = now - REACH[sweep.kind]
        reaching_back = True
    elif cursor < oldest:
        lost_since = min(lost_since or cursor, cursor)
        lost_until = oldest
        # The moment of the newest loss: a backfill that began before it may have read what changed since.
        wanted = started_at
        cursor = origin = oldest
    else:
        origin = max(oldest, cursor - OVERLAP)
    if back_to is not None and back_to < origin:
        origin = max(back_to, oldest)
        reaching_back = True
    goal = max(goal, origin)
    return msgspec.structs.replace(
        sweep,
        started_at=started_at,
        cursor=cursor,
        since=origin,
        until=min(origin + SLICE, goal),
        after=None,
        origin=origin,
        goal=goal,
        begun=sweep.begun or goal,
        reaching_back=reaching_back,
        pages=0,
        read=0,
        found=0,
        lost_since=lost_since,
        lost_until=lost_until,
        backfill_wanted_at=wanted,
    )


def stale(sweep: Sweep, *, now: datetime) -> bool:
    """Whether a sweep was left lying so long that Stripe dropped what it was about to read."""
    return sweep.since is not None and sweep.since < now - KEPT - STALE


def turned(sweep: Sweep, *, shown: Sequence[Shown], listed: int, after: str | None, ended_at: datetime) -> Sweep:
    """The sweep after a page of ``listed`` events; ``after`` names the next page of the slice, None ends the slice.

    ``ended_at`` is when the page was read, by our clock.
    """
    sweep = _counted(sweep, shown, listed)
    if after is not None:
        return msgspec.structs.replace(sweep, after=after)
    until, goal = sweep.until, sweep.goal
    if until is None or goal is None:
        return sweep
    cursor = max(sweep.cursor or until, until)
    if until < goal:
        width = until - (sweep.since or until)
        width = width * 2 if sweep.after is None else max(width / 2, SHORTEST)
        return msgspec.structs.replace(
            sweep, cursor=cursor, since=until, until=min(_whole(until + width), goal), after=None
        )
    return msgspec.structs.replace(
        sweep,
        cursor=cursor,
        since=None,
        until=None,
        after=None,
        goal=None,
        reaching_back=False,
        swept_at=ended_at,
    )


def _whole(moment: datetime) -> datetime:
    """Stripe counts in whole seconds."""
    return moment.replace(microsecond=0)


def _counted(sweep: Sweep, shown: Sequence[Shown], listed: int) -> Sweep:
    fresh = [one for one in shown if one.fresh]
    missed = [one for one in fresh if _awaited(sweep, one)]
    webhooks = [one.created for one in shown if one.source is Source.WEBHOOK]
    webhook = max([*webhooks, *_given(sweep.webhook)], default=None)
    newest_missed = max([*(one.created for one in missed), *_given(sweep.missed)], default=None)
    run = sweep.missed_run + len(missed)
    if webhook is not None and newest_missed is not None and webhook >= newest_missed:
        run = 0
    return msgspec.structs.replace(
        sweep,
        pages=sweep.pages + 1,
        read=sweep.read + listed,
        found=sweep.found + len(fresh),
        newest=max([*(one.created for one in shown), *_given(sweep.newest)], default=None),
        webhook=webhook,
        missed=newest_missed,
        missed_run=run,
        missed_total=sweep.missed_total + len(missed),
        failures=0,
        error_code=None,
        last_error=None,
    )


def _given(moment: datetime | None) -> list[datetime]:
    return [] if moment is None else [moment]


def _awaited(sweep: Sweep, shown: Shown) -> bool:
    """Whether a webhook should have told of an event: after we began to watch, and of a type that we are sent."""
    if sweep.kind is not Kind.SNAPSHOT or sweep.begun is None or shown.created < sweep.begun:
        return False
    endpoint = sweep.endpoint
    return endpoint is None or endpoint.state is not EndpointState.ENABLED or subscribed(endpoint, shown.type)


def subscribed(endpoint: Endpoint, event_type: str) -> bool:
    """Whether an endpoint is sent a type. Which types ``*`` leaves out is Stripe's secret; they count as sent."""
    return "*" in endpoint.events or event_type in endpoint.events


def progress(sweep: Sweep, *, reached: datetime | None = None) -> float | None:
    """How much of a sweep is done, from 0 to 1, where ``reached`` is the oldest event read of its slice; None at rest.

    Events are taken to be spread evenly, which they are not.
    """
    if sweep.origin is None or sweep.goal is None or sweep.since is None or sweep.until is None:
        return None
    whole = (sweep.goal - sweep.origin).total_seconds()
    done = (sweep.since - sweep.origin).total_seconds()
    if reached is not None and sweep.after is not None:
        done += max(0.0, (sweep.until - reached).total_seconds())
    return 1.0 if whole <= 0 else min(1.0, done / whole)


def standing(sweep: Sweep, *, now: datetime, slug: str, sandbox: bool) -> list[Alarm]:
    """The alarms that follow from how an account's sweep stands at ``now`` by Stripe's clock.

    ``sandbox`` says that its API is not Stripe's.
    """
    found = [*_failing(sweep, slug), *_behind(sweep, slug, now), *_lost(sweep, slug)]
    if sweep.kind is Kind.SNAPSHOT:
        if not sandbox or abs(sweep.skew_seconds) < TURNED_SECONDS:
            found += _skewed(sweep)
        found += [*_webhooks(sweep, slug, now), *_endpoint(sweep.endpoint, slug)]
    return found


def _failing(sweep: Sweep, slug: str) -> list[Alarm]:
    if not sweep.failures or (sweep.error_code in AWAY and sweep.failures < PATIENCE):
        return []
    listed = "/v1/events" if sweep.kind is Kind.SNAPSHOT else "/v2/core/events"
    events = _EVENTS[sweep.kind]
    return [
        Alarm(
            code=Code.FAILING,
            message=f"The {events} of {slug} cannot be read at Stripe: {sweep.last_error}",
            remedy=f"Let the API key read events ({listed}), or connect with another key; then: trueup sweep {slug}",
        )
    ]


def _behind(sweep: Sweep, slug: str, now: datetime) -> list[Alarm]:
    if sweep.cursor is None or sweep.reaching_back or now - sweep.cursor <= OLD:
        return []
    days = (now - sweep.cursor).days
    return [
        Alarm(
            code=Code.CURSOR_OLD,
            message=f"The {_EVENTS[sweep.kind]} of {slug} were last read to their end {days} days ago; "
            "Stripe drops them after 30.",
            remedy=f"Run: trueup sweep {slug}. See docs/runbooks/dead-endpoint.md",
        )
    ]


def _lost(sweep: Sweep, slug: str) -> list[Alarm]:
    if sweep.backfill_wanted_at is None or sweep.lost_since is None or sweep.lost_until is None:
        return []
    return [
        Alarm(
            code=Code.EVENTS_LOST,
            message=f"Stripe no longer has the {_EVENTS[sweep.kind]} of {slug} between "
            f"{sweep.lost_since:%Y-%m-%d %H:%M} and {sweep.lost_until:%Y-%m-%d %H:%M} UTC.",
            remedy=f"Their objects are read anew by a backfill: trueup backfill status {slug}. See "
            "docs/runbooks/dead-endpoint.md",
        )
    ]


def _skewed(sweep: Sweep) -> list[Alarm]:
    if abs(sweep.skew_seconds) <= SKEW_SECONDS:
        return []
    way = "behind" if sweep.skew_seconds > 0 else "ahead of"
    return [
        Alarm(
            code=Code.CLOCK_SKEW,
            message=f"This host's clock is {abs(sweep.skew_seconds)} s {way} Stripe's.",
            remedy="Let the host keep its time by NTP: beyond 300 s every webhook is refused.",
        )
    ]


def _number(events: int, slug: str) -> str:
    return f"One event of {slug} was" if events == 1 else f"{events} events of {slug} were"


def _webhooks(sweep: Sweep, slug: str, now: datetime) -> list[Alarm]:
    found = []
    last = f"the last that came by webhook is of {sweep.webhook:%Y-%m-%d %H:%M} UTC" if sweep.webhook else "none ever"
    if sweep.missed_run:
        found.append(
            Alarm(
                code=Code.ENDPOINT_DEAD,
                message=f"{_number(sweep.missed_run, slug)} found by the sweep alone; {last}.",
                remedy=f"See whether Stripe reaches /webhooks/stripe/{slug}: docs/runbooks/dead-endpoint.md",
            )
        )
    elif sweep.missed is not None and now - sweep.missed < MISSED:
        found.append(
            Alarm(
                code=Code.EVENTS_MISSED,
                message=f"Some events of {slug} were found by the sweep alone, the last of "
                f"{sweep.missed:%Y-%m-%d %H:%M} UTC; others came by webhook.",
                remedy="Nothing is lost. See whether the intake was down or too busy: docs/runbooks/intake-down.md",
            )
        )
    heard = max(_given(sweep.webhook) + _given(sweep.begun), default=None)
    if sweep.begun is not None and heard is not None and sweep.newest is not None and sweep.newest - heard > SILENT:
        found.append(
            Alarm(
                code=Code.WEBHOOKS_SILENT,
                message=f"Stripe has events of {slug} up to {sweep.newest:%Y-%m-%d %H:%M} UTC; {last}.",
                remedy=f"Let Stripe send events to /webhooks/stripe/{slug}: docs/runbooks/dead-endpoint.md",
            )
        )
    return found


def _endpoint(endpoint: Endpoint | None, slug: str) -> list[Alarm]:
    if endpoint is None or endpoint.state in {EndpointState.ENABLED, EndpointState.UNREADABLE}:
        return []
    if endpoint.state is EndpointState.DISABLED:
        return [
            Alarm(
                code=Code.ENDPOINT_DISABLED,
                message=f"Stripe has disabled the webhook endpoint {endpoint.id} of {slug}.",
                remedy="Enable it in Stripe's dashboard once it answers again: docs/runbooks/dead-endpoint.md",
            )
        ]
    return [
        Alarm(
            code=Code.ENDPOINT_MISSING,
            message=f"No webhook endpoint at Stripe leads to /webhooks/stripe/{slug}.",
            remedy="Add one in Stripe's dashboard, for all events; until then changes come in by the sweep, late.",
        )
    ]
