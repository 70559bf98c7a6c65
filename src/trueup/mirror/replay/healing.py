"""Reading events again for good: the mirror's rows become what the log tells, whatever they said before.

The mirror's reader passes over a version that it knows, which keeps duplicates cheap, and so never mends a row that was
damaged or made by a rule that was wrong. This derives the rows of the objects from all their versions instead. Rows
that are right are not written, so that reading everything again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import psycopg

from trueup.inbox.types import PendingEvent
from trueup.kernel.records import Record
from trueup.mirror import drain, rules, store
from trueup.mirror.order.resolve import resolve
from trueup.mirror.order.traces import trace_of
from trueup.mirror.reading import parse
from trueup.mirror.service import TOPIC
from trueup.mirror.statements import MEND, VERSIONS_AGAIN
from trueup.mirror.types import Fact, ObjectKey
from trueup.runtime import arrays, database

_LOCK: Final = b"""
select k.account_id, k.livemode, k.object_type, k.object_id, o.customer
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[])
     as k (account_id, livemode, object_type, object_id)
cross join lateral (
    select customer from mirror_object
    where (account_id, livemode, object_type, object_id) = (k.account_id, k.livemode, k.object_type, k.object_id)
    offset 0 for update
) o
"""
"""Reads no column that could be damaged so that it cannot be read."""


class Healed(Record, frozen=True):
    """What reading events again came to: objects whose rows were wrong, and events that told of none."""

    changed: frozenset[ObjectKey]
    silent: int


def read_again(events: Sequence[PendingEvent]) -> Healed:
    """Mend what these events tell of, in the caller's transaction, and have its customers folded again.

    Again, it changes nothing. Raises what reading a body raises; and a serialisation failure where another worker made
    one of the objects meanwhile, after which the caller starts over.
    """
    versions: list[store.Version] = []
    facts: list[tuple[ObjectKey, Fact]] = []
    for event in events:
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
        facts.append((key, fact))
    if not versions:
        return Healed(changed=frozenset(), silent=len(events))
    keys = sorted(
        {key for key, _fact in facts},
        key=lambda key: (key.account_id, key.livemode, key.object_type, key.object_id),
    )
    owners = _lock(keys)
    changed = _mend_versions(versions)
    heads = {key: resolve(traces).head for key, traces in store.traces(dict.fromkeys(keys, 0)).items()}
    made = drain.winners(heads)
    changed |= _mend(made, owners)
    dirty = drain.dirty(made, customers=_touched(facts, owners))
    if dirty:
        store.mark_changed(list(dirty), topic=TOPIC)
    return Healed(changed=frozenset(changed), silent=len(events) - len(versions))


def _lock(keys: Sequence[ObjectKey]) -> dict[ObjectKey, str | None]:
    """Hold the rows of these objects, in the order that every writer takes them; whose each is by now."""
    values = {
        "account_id": arrays.int8s([key.account_id for key in keys]),
        "livemode": arrays.bools([key.livemode for key in keys]),
        "object_type": arrays.texts([key.object_type for key in keys]),
        "object_id": arrays.texts([key.object_id for key in keys]),
    }
    rows = psycopg.Cursor(database.connection()).execute(_LOCK, values, binary=True).fetchall()
    return {ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3]): row[4] for row in rows}


def _mend_versions(versions: Sequence[store.Version]) -> set[ObjectKey]:
    # Two events of one key cannot stand in one statement that may update.
    once = {(version.key, version.trace.second, version.trace.fact_id): version for version in versions}
    values = store.version_values(list(once.values())) | {"about": sorted(rules.ABOUT_PAYMENTS)}
    return _named(psycopg.Cursor(database.connection()).execute(VERSIONS_AGAIN, values).fetchall())


def _mend(winners: Sequence[store.Winner], owners: Mapping[ObjectKey, str | None]) -> set[ObjectKey]:
    fresh = [winner for winner in winners if winner.key not in owners]
    if fresh and store.add(fresh, shape_version=drain.SHAPE_VERSION) < len(fresh):
        message = "the object appeared meanwhile"
        raise psycopg.errors.SerializationFailure(message)
    held = [winner for winner in winners if winner.key in owners]
    values = store.winner_values(held, drain.SHAPE_VERSION) | {"about": sorted(rules.ABOUT_PAYMENTS)}
    rows = psycopg.Cursor(database.connection()).execute(MEND, values).fetchall() if held else []
    return {winner.key for winner in fresh} | _named(rows)


def _touched(
    facts: Iterable[tuple[ObjectKey, Fact]], owners: Mapping[ObjectKey, str | None]
) -> dict[ObjectKey, set[str]]:
    """The customers that these events speak of, and those that have the objects by now, by object."""
    found: dict[ObjectKey, set[str]] = {}
    for key, fact in facts:
        found.setdefault(key, set()).update(rules.affected_customers(fact))
    for key, customer in owners.items():
        if customer is not None:
            found.setdefault(key, set()).add(customer)
    return found


def _named(rows: Iterable[tuple[Any, ...]]) -> set[ObjectKey]:
    return {ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3]) for row in rows}
