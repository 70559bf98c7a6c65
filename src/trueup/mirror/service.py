"""What others may ask of the mirror."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson
import psycopg

from trueup.inbox import service as inbox
from trueup.kernel.time import from_unix
from trueup.mirror import rules, store
from trueup.mirror.types import Fact, MirrorObject, ObjectKey
from trueup.runtime import queues
from trueup.runtime.queues import Queue

TOPIC: Final = "mirror.changed"
"""Woken when customers or products wait to be folded."""
CHANGED: Final = Queue(table="mirror_changed", columns=("account_id", "livemode", "object_type", "object_id"))
"""Customers and products whose objects moved."""

CustomerKey = tuple[int, bool, str]
"""Account, mode, and Stripe's customer id."""


def parse(body: bytes) -> Any:
    """The JSON in a stored body.

    The fast parser refuses lone surrogates, which JSON allows; the slow one takes them.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body)


def objects_of(customers: Sequence[CustomerKey], types: Sequence[str]) -> dict[CustomerKey, list[MirrorObject]]:
    """The current objects of these customers, of the given types; ``data`` is their essence."""
    return store.of_customers(customers, types)


def objects(keys: Sequence[ObjectKey]) -> dict[tuple[int, bool, str], list[MirrorObject]]:
    """The current versions of these objects, by account, mode and object id; ``data`` is their essence.

    Unknown ones are left out.
    """
    return store.by_key(keys) if keys else {}


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
