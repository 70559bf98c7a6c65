"""From the log to the mirror.

The newest version of every object a batch speaks of becomes current, and whose it is gets queued.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import orjson
import psycopg

from trueup.inbox import service as inbox
from trueup.inbox.types import TOPIC as INBOX
from trueup.mirror import about, fetching, rules, store
from trueup.mirror.essence import ESSENCE_VERSION, essence
from trueup.mirror.fetching import Reason
from trueup.mirror.order.resolve import advance
from trueup.mirror.order.traces import trace_of
from trueup.mirror.order.types import Head, Need, Trace
from trueup.mirror.reading import Told, gone, last_known, parse, read
from trueup.mirror.service import TOPIC
from trueup.mirror.set_aside import want_read
from trueup.mirror.types import ObjectKey
from trueup.mirror.upcast import UPCAST_VERSION, upcast
from trueup.mirror.upcast.text import is_clean
from trueup.runtime import database
from trueup.runtime.drains import Drain
from trueup.runtime.queues import Claimed

CATALOG: Final = frozenset({"product", "price", "coupon", "test_helpers.test_clock"})
"""Objects without a customer whose change moves customers' states."""


SHAPE_VERSION: Final = UPCAST_VERSION + ESSENCE_VERSION
"""Raised whenever either is, as both only grow; rows with another number are made again."""


def apply(rows: Sequence[Claimed]) -> None:
    """Mirror a batch of events; running it again changes nothing."""
    versions: list[store.Version] = []
    traces: dict[ObjectKey, list[Trace]] = {}
    newest: dict[ObjectKey, list[Told]] = {}
    owners: dict[ObjectKey, set[str]] = {}
    for event in inbox.pending_events(rows):
        parsed = parse(event.body)
        fact = rules.facts_of(parsed)
        if fact is None:
            continue
        key = ObjectKey(
            account_id=event.account_id,
            livemode=event.livemode,
            object_type=fact.object_type,
            object_id=fact.object_id,
        )
        trace = trace_of(fact, version=rules.version_of(parsed))
        versions.append(store.Version(key=key, trace=trace, customer=fact.customer))
        traces.setdefault(key, []).append(trace)
        if fact.customer is not None:
            owners.setdefault(key, set()).add(fact.customer)
        # Only the facts of an object's newest second are kept, so that a large batch holds few payloads in memory.
        held = newest.get(key)
        if held is None or fact.created > held[0].fact.created:
            newest[key] = [Told(fact, is_clean(event.body))]
        elif fact.created == held[0].fact.created:
            held.append(Told(fact, is_clean(event.body)))
    if not versions:
        return
    store.add_versions(versions)
    changed = _save(traces, newest, owners)
    if changed:
        store.mark_changed(changed, topic=TOPIC)


def _save(
    traces: Mapping[ObjectKey, list[Trace]],
    newest: Mapping[ObjectKey, list[Told]],
    owners: Mapping[ObjectKey, set[str]],
) -> list[ObjectKey]:
    """Make the newest versions current; returns the customers and products that are dirty now."""
    # Every writer takes rows in the same order, so that two workers wait for each other instead of deadlocking.
    keys = sorted(traces, key=_place)
    known = store.lock(keys)
    heads = {key: current.head for key, current in known.items()}
    moved = _advance(keys, heads, traces)
    moved |= _spoken_of_again(heads, moved, traces)
    facts = _facts(moved, heads, newest)
    store_again = {key: head for key, head in moved.items() if key not in facts}
    if store_again:
        store.reorder(store_again)
    winners = [_winner(key, moved[key], told) for key, told in facts.items()]
    fresh = [winner for winner in winners if winner.key not in known]
    if fresh and store.add(fresh, shape_version=SHAPE_VERSION) < len(fresh):
        # Another worker made one of these objects between our lock and our write, so neither its order nor its former
        # customer is known to us: start over.
        message = "the object appeared meanwhile"
        raise psycopg.errors.SerializationFailure(message)
    if len(fresh) < len(winners):
        store.replace([winner for winner in winners if winner.key in known], shape_version=SHAPE_VERSION)
    doubts = {key: reason for key, head in moved.items() if (reason := fetching.doubt(head)) is not None}
    doubts |= {
        winner.key: Reason.TRUNCATED for winner in winners if not winner.head.deleted and fetching.is_cut(winner.fact)
    }
    if doubts:
        fetching.want_each(doubts)
    dirty: dict[ObjectKey, None] = {}
    for winner in winners:
        key, before = winner.key, known.get(winner.key)
        customers = {*rules.affected_customers(winner.fact), *([before.customer] if before is not None else [])}
        for customer in sorted(customers - {None}, key=str):
            dirty[_customer(key, str(customer))] = None
        if key.object_type in CATALOG:
            dirty[key] = None
    dirty |= _attributed(keys, winners, [winner.key for winner in winners if _has_another_customer(winner, known)])
    for key, current in known.items():
        # What comes after a deletion, or an event from before a reading, changes nothing but when the customer was last
        # heard of.
        if (
            current.customer is not None
            and key not in facts
            and (current.head.read or max(trace.second for trace in traces[key]) > current.head.second)
        ):
            dirty[_customer(key, current.customer)] = None
    holders = {key: current.customer for key, current in known.items()}
    holders |= {winner.key: winner.fact.customer for winner in winners}
    for key, told in owners.items():
        # Who had the object for a while, and has it no more or never had it when we looked, was heard of all the same.
        for customer in sorted(told - {holders.get(key)}):
            dirty[_customer(key, customer)] = None
    return list(dirty)


def _has_another_customer(winner: store.Winner, known: Mapping[ObjectKey, store.Current]) -> bool:
    """Whether objects about a payment may have another customer now than before."""
    if winner.key.object_type not in rules.PAYMENTS:
        return False
    before = known.get(winner.key)
    return winner.fact.customer != (before.customer if before is not None else None)


def _attributed(
    keys: Sequence[ObjectKey], winners: Sequence[store.Winner], payments: Sequence[ObjectKey]
) -> dict[ObjectKey, None]:
    """Find out whose the objects are that are about payments, once a batch; returns the customers dirty by it."""
    objects = [key for key in keys if key.object_type in rules.ABOUT_PAYMENTS]
    if not objects and not payments:
        return {}
    noted = {winner.key: winner.fact for winner in winners if winner.key.object_type in rules.ABOUT_PAYMENTS}
    if noted:
        about.note(list(noted.items()))
    if len(noted) < len(objects):
        about.touch([key for key in objects if key not in noted])
    return _dirty(about.attribute(objects=objects, payments=payments))


def _dirty(moved: Sequence[about.Moved]) -> dict[ObjectKey, None]:
    """The customers that gained or lost an object, in the order of their keys."""
    found = {(one.account_id, one.livemode, customer) for one in moved for customer in (one.before, one.customer)}
    return {
        ObjectKey(account_id=account_id, livemode=livemode, object_type="customer", object_id=customer): None
        for account_id, livemode, customer in sorted(found, key=str)
        if customer is not None
    }


def settle(*, limit: int = 2000, after: timedelta = about.SETTLED_AFTER) -> int:
    """Look again at objects about payments that were noted longer than ``after`` ago; returns how many.

    Run by the sweep until there are none: what two transactions wrote at once, and each missed, heals by itself.
    """
    with database.transaction():
        keys = about.unsettled(limit=limit, after=after)
        dirty = _dirty(about.attribute(objects=keys)) if keys else {}
        if dirty:
            store.mark_changed(list(dirty), topic=TOPIC)
    return len(keys)


def _customer(key: ObjectKey, customer: str) -> ObjectKey:
    return ObjectKey(account_id=key.account_id, livemode=key.livemode, object_type="customer", object_id=customer)


def _advance(
    keys: Sequence[ObjectKey], heads: Mapping[ObjectKey, Head], traces: Mapping[ObjectKey, list[Trace]]
) -> dict[ObjectKey, Head]:
    """The heads that these traces move. Ties and late events ask for what is stored; the usual event does not."""
    moved: dict[ObjectKey, Head] = {}
    wanted: dict[ObjectKey, int] = {}
    for key in keys:
        head = heads.get(key)
        found = advance(head, traces[key])
        if isinstance(found, Need):
            wanted[key] = found.since
        elif found is not head:
            moved[key] = found
    stored = store.traces(wanted) if wanted else {}
    for key in wanted:
        head = heads.get(key)
        found = advance(head, traces[key], stored.get(key, ()))
        if not isinstance(found, Need) and found != head:
            moved[key] = found
    return moved


def _facts(
    moved: Mapping[ObjectKey, Head], heads: Mapping[ObjectKey, Head], newest: Mapping[ObjectKey, list[Told]]
) -> dict[ObjectKey, Told]:
    """The facts that are current now and were not before; those of earlier batches are read from the log."""
    facts: dict[ObjectKey, Told] = {}
    missing: dict[ObjectKey, Head] = {}
    for key, head in moved.items():
        before = heads.get(key)
        same = before is not None and (before.second, before.fact_id) == (head.second, head.fact_id)
        if same and not (head.deleted and head.read):
            continue
        told = next((told for told in newest.get(key, ()) if told.fact.event_id == head.fact_id), None)
        if told is None:
            missing[key] = head
        else:
            facts[key] = told
    facts |= read({(key, head.second, head.fact_id) for key, head in missing.items()})
    stubs = [key for key in facts if moved[key].deleted and moved[key].read]
    if stubs:
        stored = store.traces(dict.fromkeys(stubs, 0))
        for key, last in last_known((key, stored.get(key, ())) for key in stubs).items():
            facts[key] = gone(facts[key], last)
    return facts


def _spoken_of_again(
    heads: Mapping[ObjectKey, Head], moved: Mapping[ObjectKey, Head], traces: Mapping[ObjectKey, list[Trace]]
) -> dict[ObjectKey, Head]:
    """The objects of which a reading said that they are gone, and events now say more of what they were like."""
    return {
        key: head
        for key, head in heads.items()
        if head.deleted and head.read and key not in moved and not all(trace.deleted for trace in traces[key])
    }


def _winner(key: ObjectKey, head: Head, told: Told) -> store.Winner:
    """The row that a fact makes when it is current."""
    fact, clean = told
    data = rules.whole(fact)
    shaped = upcast(fact.object_type, data, clean=clean)
    # What the log holds under this event: of an object that is gone only its name.
    logged = fact.data if fact.reading is None or not head.deleted else {}
    return store.Winner(
        key=key,
        fact=fact,
        head=head,
        essence=essence(fact.object_type, shaped),
        data=None if shaped is logged else _beyond(logged, shaped) if clean else shaped,
    )


def _beyond(told: dict[str, Any], shaped: dict[str, Any]) -> dict[str, Any]:
    """What the newest shape has beyond the payload in the log: upcasting adds and replaces fields, and removes none."""
    return {name: value for name, value in shaped.items() if name not in told or told[name] is not value}


def winners(heads: Mapping[ObjectKey, Head]) -> list[store.Winner]:
    """The rows that objects with these heads have, from the log; those whose event is gone are left out."""
    return [_winner(key, heads[key], told) for key, told in _facts(heads, {}, {}).items()]


def dirty(made: Sequence[store.Winner], *, customers: Mapping[ObjectKey, set[str]]) -> dict[ObjectKey, None]:
    """Who is to be folded again once these rows are written, of objects that are known to be these customers'."""
    found = {_customer(key, customer): None for key, theirs in customers.items() for customer in sorted(theirs)}
    found |= {winner.key: None for winner in made if winner.key.object_type in CATALOG}
    payments = [winner.key for winner in made if winner.key.object_type in rules.PAYMENTS]
    return found | _attributed([winner.key for winner in made], made, payments)


def remake(*, limit: int = 2000) -> int:
    """Make objects again from the log that an older upcaster or essence made; returns how many.

    Run by the sweep until there are none, so a better rule heals by itself. Whose essence changed is queued.
    """
    with database.transaction():
        rows = store.outdated(shape_version=SHAPE_VERSION, limit=limit)
        facts = _facts({key: current.head for key, (current, _essence) in rows.items()}, {}, {})
        winners = [_winner(key, rows[key][0].head, told) for key, told in facts.items()]
        if winners:
            store.replace(winners, shape_version=SHAPE_VERSION)
        gone = [key for key in rows if key not in facts]
        if gone:
            store.note_shaped(gone, shape_version=SHAPE_VERSION)
        changed = [winner for winner in winners if orjson.dumps(winner.essence).decode() != rows[winner.key][1]]
        dirty = {
            _customer(winner.key, customer): None
            for winner in changed
            for customer in rules.affected_customers(winner.fact)
        }
        dirty |= {winner.key: None for winner in changed if winner.key.object_type in CATALOG}
        dirty |= _attributed([winner.key for winner in winners], winners, ())
        if dirty:
            store.mark_changed(list(dirty), topic=TOPIC)
    return len(rows)


def _place(key: ObjectKey) -> tuple[int, bool, str, str]:
    return (key.account_id, key.livemode, key.object_type, key.object_id)


DRAIN: Final = Drain(
    name="mirror", topic=INBOX, queue=inbox.PENDING, since="received_at", apply=apply, batch=2000, left=want_read
)
