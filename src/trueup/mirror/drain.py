"""From the log to the mirror.

The newest version of every object a batch speaks of becomes current, and whose it is gets queued.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import psycopg

from trueup.inbox import service as inbox
from trueup.inbox.types import TOPIC as INBOX
from trueup.mirror import rules, store
from trueup.mirror.essence import ESSENCE_VERSION, essence
from trueup.mirror.service import TOPIC, parse
from trueup.mirror.types import Fact, ObjectKey
from trueup.mirror.upcast import UPCAST_VERSION, upcast
from trueup.runtime import database
from trueup.runtime.drains import Drain
from trueup.runtime.queues import Claimed
from trueup.runtime.wake import wake

CATALOG: Final = frozenset({"product"})
"""Objects without a customer whose change moves customers' states."""


SHAPE_VERSION: Final = UPCAST_VERSION + ESSENCE_VERSION
"""Raised whenever either is, as both only grow; rows with another number are made again."""


def apply(rows: Sequence[Claimed]) -> None:
    """Mirror a batch of events; running it again changes nothing."""
    versions: list[store.Version] = []
    newest: dict[ObjectKey, Fact] = {}
    for event in inbox.pending_events(rows):
        fact = rules.facts_of(parse(event.body))
        if fact is None:
            continue
        key = ObjectKey(
            account_id=event.account_id,
            livemode=event.livemode,
            object_type=fact.object_type,
            object_id=fact.object_id,
        )
        versions.append(
            store.Version(
                key=key,
                created=fact.created,
                event_id=fact.event_id,
                event_type=fact.event_type,
                customer=fact.customer,
            )
        )
        # Only the newest fact of an object is kept, so that a large batch holds few payloads in memory.
        known = newest.get(key)
        if known is None or rules.order_key(fact) > rules.order_key(known):
            newest[key] = fact
    if not versions:
        return
    store.add_versions(versions)
    changed = _save(newest)
    if changed:
        store.mark_changed(changed)
        wake(database.connection(), TOPIC)


def _save(newest: dict[ObjectKey, Fact]) -> list[ObjectKey]:
    """Make the newer versions current; returns the customers and products that are dirty now."""
    # Every writer takes rows in the same order, so that two workers wait for each other instead of deadlocking.
    keys = sorted(newest, key=lambda key: (key.account_id, key.livemode, key.object_type, key.object_id))
    current = store.lock(keys)
    winners = []
    for key in keys:
        fact, known = newest[key], current.get(key)
        if known is None or rules.order_key(fact) > known.order:
            newest_shape = upcast(fact.object_type, fact.data)
            winners.append(
                store.Winner(
                    key=key,
                    fact=fact,
                    rank=rules.event_rank(fact.event_type),
                    essence=essence(fact.object_type, newest_shape),
                    data=None if newest_shape is fact.data else newest_shape,
                )
            )
    if not winners:
        return []
    written = store.save(winners, shape_version=SHAPE_VERSION)
    dirty: dict[ObjectKey, None] = {}
    for winner in winners:
        key, known = winner.key, current.get(winner.key)
        if known is None and not written.get(key, False):
            # Another worker made this object between our lock and our write, so its former customer is not known to
            # us: start over.
            message = "the object appeared meanwhile"
            raise psycopg.errors.SerializationFailure(message)
        customers = {
            *rules.affected_customers(winner.fact),
            *([known.customer] if known is not None and known.customer else []),
        }
        for customer in sorted(customers):
            dirty[
                ObjectKey(account_id=key.account_id, livemode=key.livemode, object_type="customer", object_id=customer)
            ] = None
        if key.object_type in CATALOG:
            dirty[key] = None
    return list(dirty)


DRAIN: Final = Drain(name="mirror", topic=INBOX, queue=inbox.PENDING, since="received_at", apply=apply, batch=2000)
