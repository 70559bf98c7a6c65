"""What others may ask of the mirror."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import psycopg

from trueup.inbox import service as inbox
from trueup.kernel.time import from_unix
from trueup.mirror import reading, rules, store
from trueup.mirror.reading import parse
from trueup.mirror.types import Fact, MirrorObject, ObjectKey
from trueup.runtime import queues
from trueup.runtime.queues import Queue

TOPIC: Final = "mirror.changed"
"""Woken when customers or products wait to be folded."""
CHANGED: Final = Queue(table="mirror_changed", columns=("account_id", "livemode", "object_type", "object_id"))
"""Customers and products whose objects moved."""

CustomerKey = tuple[int, bool, str]
"""Account, mode, and Stripe's customer id."""


def objects_of(customers: Sequence[CustomerKey], types: Sequence[str]) -> dict[CustomerKey, list[MirrorObject]]:
    """The current objects of these customers, of the given types; ``data`` is their essence."""
    return store.of_customers(customers, types)


def objects(keys: Sequence[ObjectKey]) -> dict[tuple[int, bool, str], list[MirrorObject]]:
    """The current versions of these objects, by account, mode and object id; ``data`` is their essence.

    Unknown ones are left out.
    """
    return store.by_key(keys) if keys else {}


def objects_at(
    *,
    customers: Sequence[CustomerKey] = (),
    keys: Sequence[ObjectKey] = (),
    types: Collection[str],
    at: int,
    known_at: datetime | None = None,
) -> dict[ObjectKey, MirrorObject]:
    """How the objects of these customers, and those of these keys, were at a moment (Unix seconds, in Stripe's time).

    The events of that very second count. With ``known_at``, only what had arrived by then counts. ``data`` is the whole
    object in the newest shape. Objects that were not there yet are left out.
    """
    return reading.objects_at(customers=customers, keys=keys, types=types, at=at, known_at=known_at)


def last_events(customers: Sequence[CustomerKey]) -> dict[CustomerKey, int]:
    """When the newest event about each customer happened, in Unix seconds."""
    return store.last_events(customers)


def history(customer: CustomerKey, *, before: tuple[int, str], only: Iterable[str], limit: int) -> list[Fact]:
    """What events of the types ``only`` told of a customer's objects before a point (created, event id), newest first.

    Events that were erased are left out.
    """
    rows = store.history(customer, before=before, only=list(only), limit=limit)
    account_id, livemode, _ = customer
    found = inbox.bodies([(account_id, livemode, row.event_id, from_unix(row.created)) for row in rows])
    bodies = {event.event_id: event.body for event in found}
    facts = (rules.facts_of(parse(bodies[row.event_id])) for row in rows if row.event_id in bodies)
    return [fact for fact in facts if fact is not None]


def event_types(versions: Sequence[tuple[ObjectKey, int, str]]) -> dict[str, str]:
    """The types of the events that told these versions (key, created in Unix seconds, event id), by event id.

    Versions that the mirror does not know are left out.
    """
    return store.event_types(versions) if versions else {}


def mark_changed(keys: Iterable[ObjectKey], *, unless_queued: bool = False) -> int:
    """Queue customers or products to be folded again, and return how many; the caller wakes ``TOPIC``.

    ``unless_queued`` leaves out those with a row already, due or set aside. It is for a caller that comes again, as the
    sweep does, and not for one that changed something: the row may be in the hands of a reader that looked before.
    """
    return store.mark_changed(list(keys), unless_queued=unless_queued)


def depth(connection: psycopg.Connection[tuple[Any, ...]]) -> queues.Depth:
    """How the queue of customers to fold stands."""
    return queues.depth(connection, CHANGED, "since")
