"""Why an object differs, and since when: what tells of it and is not mirrored, and what the log says of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg

from trueup.kernel.time import from_unix
from trueup.mirror.order.types import Verdict
from trueup.mirror.reconcile.looking import Found, Held
from trueup.mirror.reconcile.types import Cause, Kind
from trueup.mirror.types import Fact, ObjectKey
from trueup.runtime import database

_ABOUT: Final = b"""
select q.queue, e.event_id, e.type, extract(epoch from e.created)::int8, q.set_aside, q.error
from (
    select 'pending' as queue, account_id, livemode, event_id, created, set_aside_at is not null as set_aside,
           coalesce(last_error, '') as error
    from inbox_pending
    union all
    select 'given_up', account_id, livemode, event_id, created, true, error from inbox_discarded
) q
cross join lateral (
    select event_id, type, created from inbox_event
    where (account_id, livemode, event_id, created) = (q.account_id, q.livemode, q.event_id, q.created)
      and object_type = %(object_type)s and object_id = %(object_id)s
    offset 0
) e
where q.account_id = %(account)s and q.livemode = %(livemode)s
order by e.created, e.event_id
"""
_FETCHED: Final = b"""
select set_aside_at is not null, coalesce(last_error, '') from mirror_fetch
where (account_id, livemode, object_type, object_id) = (%(account)s, %(livemode)s, %(object_type)s, %(object_id)s)
"""

_ARRIVED: Final = b"""
select exists (
    select from mirror_version v join inbox_event e
        on (e.account_id, e.livemode, e.event_id, e.created)
            = (v.account_id, v.livemode, v.event_id collate "default", to_timestamp(v.created))
    where (v.account_id, v.livemode, v.object_type, v.object_id)
        = (%(account)s, %(livemode)s, %(object_type)s, %(object_id)s)
      and (%(state)s::int8 is null or v.state = %(state)s) and (e.received_at >= %(since)s or e.event_id = %(event)s)
)
"""


class Event(NamedTuple):
    """An event about an object that the mirror did not read: in which queue it is, and why it was set aside."""

    queue: str
    event_id: str
    type: str
    second: int
    set_aside: bool
    error: str


class Way(NamedTuple):
    """What tells of an object and is not mirrored: events, and whether reading it was set aside (None: not asked)."""

    events: list[Event]
    fetch_aside: bool | None
    fetch_error: str

    @property
    def moving(self) -> bool:
        """Whether something of it will be mirrored by itself."""
        return any(not one.set_aside for one in self.events) or self.fetch_aside is False


Explained = tuple[Cause, str, Event | None]


def named(key: ObjectKey) -> dict[str, Any]:
    """An object's key as statements take it."""
    return {
        "account": key.account_id,
        "livemode": key.livemode,
        "object_type": key.object_type,
        "object_id": key.object_id,
    }


def arrived(key: ObjectKey, *, since: datetime, state: int | None = None, event_id: str | None = None) -> bool:
    """Whether a fact about an object that came since a moment of ours is mirrored; one just so, with ``state``.

    With ``event_id`` that event counts too, whenever it came.
    """
    values = named(key) | {"since": since, "state": state, "event": event_id}
    row = psycopg.Cursor(database.connection()).execute(_ARRIVED, values).fetchone()
    return bool(row and row[0])


def way_to(key: ObjectKey) -> Way:
    """What tells of an object and is not mirrored yet."""
    cursor = psycopg.Cursor(database.connection())
    events = [Event(*row) for row in cursor.execute(_ABOUT, named(key)).fetchall()]
    fetch = cursor.execute(_FETCHED, named(key)).fetchone()
    return Way(events, None if fetch is None else fetch[0], "" if fetch is None else fetch[1])


def since(held: Held | None, told: dict[str, Any] | None, event: Event | None) -> tuple[datetime | None, bool]:
    """Since when it differs, in Stripe's time, and whether that is the very moment or the earliest one possible."""
    if event is not None:
        return from_unix(event.second), True
    if held is None:
        made = None if told is None else told.get("created")
        return (from_unix(made), True) if type(made) is int else (None, False)
    return from_unix(held.head.second), False


def explained(held: Held | None, found: Found, way: Way, told: dict[str, Any] | None) -> Explained:
    """Why an object differs, in a sentence without personal data, and the event that it hangs on."""
    if found.damaged and held is not None:
        return _damaged(held)
    return _hanging(way) or _lacking(held, found, told)


def _damaged(held: Held) -> Explained:
    if held.gone:
        return Cause.DAMAGED, f"Its row is gone; the newest event that the log has of it is {held.head.fact_id}.", None
    if held.invented:
        return Cause.DAMAGED, f"Nothing in the log supports its row, which names {held.head.fact_id}.", None
    named = ", ".join(sorted({one.path for one in held.damage})[:5])
    if held.older:
        return Cause.OLDER_RULES, f"Older rules made it, and it is not made again yet: {named}.", None
    return Cause.DAMAGED, f"What is stored is not what the log says: {named}.", None


def _hanging(way: Way) -> Explained | None:
    """What keeps a fact that has come from being mirrored, None where nothing does."""
    for one in sorted(way.events, key=lambda one: (not one.set_aside, one.queue != "pending")):
        told = f"The event {one.event_id} ({one.type})"
        if not one.set_aside:
            return Cause.BEHIND, f"{told} waits to be mirrored.", one
        if one.queue == "pending":
            return Cause.SET_ASIDE, f"{told} was set aside: {one.error.partition(':')[0]}.", one
        return Cause.GIVEN_UP, f"{told} was given up.", one
    if way.fetch_aside:
        return Cause.UNREAD, f"It was to be read from Stripe: {way.fetch_error.partition(':')[0]}.", None
    return None if way.fetch_aside is None else (Cause.BEHIND, "It waits to be read from Stripe.", None)


def _lacking(held: Held | None, found: Found, told: dict[str, Any] | None) -> Explained:
    """What is missing from the log, or done wrong with what it has."""
    if held is None:
        return Cause.NEVER_CAME, "No event ever told of it, and no reading.", None
    newest = f"The newest that we have is {held.head.fact_id}"
    if held.head.verdict is not Verdict.CERTAIN:
        return Cause.GAP, f"{newest}, and an event before or after it is missing.", None
    if found.kind is Kind.STALE and _ruled(held.fact, told, found):
        return Cause.RULE, f"{newest}; it says the same as Stripe, and our rules make something else of it.", None
    later = "that it was deleted" if found.kind is Kind.ORPHANED else "of what changed since"
    return Cause.NEVER_CAME, f"{newest}, and no event told {later}.", None


def _ruled(fact: Fact | None, told: dict[str, Any] | None, found: Found) -> bool:
    """Whether the log holds, of all that differs, what Stripe says."""
    if fact is None or told is None:
        return False
    names = {one.path.partition(".")[0].partition("[")[0] for one in found.fields}
    return all(fact.data.get(name) == told.get(name) for name in names)
