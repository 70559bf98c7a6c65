"""Reading objects from the log: what an event told, and how objects were at a moment."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from trueup.inbox import service as inbox
from trueup.kernel.time import from_unix
from trueup.mirror import rules, store
from trueup.mirror.order.resolve import resolve
from trueup.mirror.order.types import Trace
from trueup.mirror.types import Fact, MirrorObject, ObjectKey
from trueup.mirror.upcast import upcast
from trueup.mirror.upcast.text import is_clean

Place = tuple[ObjectKey, int, str]
"""One version: of which object, when its event was created (Unix seconds), and the event's id."""


class Told(NamedTuple):
    """A fact as the log holds it; ``clean`` says that its body holds no text that PostgreSQL cannot store."""

    fact: Fact
    clean: bool


def parse(body: bytes) -> Any:
    """The JSON in a stored body.

    The fast parser refuses lone surrogates, which JSON allows; the slow one takes them.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body)


def read(places: Iterable[Place]) -> dict[ObjectKey, Told]:
    """What these events told, one of an object; those whose body is gone are left out."""
    wanted = {(key.account_id, key.livemode, event_id, created): key for key, created, event_id in places}
    if not wanted:
        return {}
    found: dict[ObjectKey, Told] = {}
    for event in inbox.bodies([(row[0], row[1], row[2], from_unix(row[3])) for row in wanted]):
        fact = rules.facts_of(parse(event.body))
        if fact is not None:
            key = wanted[event.account_id, event.livemode, event.event_id, fact.created]
            found[key] = Told(fact, is_clean(event.body))
    return found


def objects_at(
    *,
    customers: Sequence[tuple[int, bool, str]] = (),
    keys: Sequence[ObjectKey] = (),
    types: Collection[str],
    at: int,
    known_at: datetime | None = None,
) -> dict[ObjectKey, MirrorObject]:
    """How the objects of these customers, and those of these keys, were at a moment in Stripe's time.

    ``at`` is in Unix seconds and counts; with ``known_at`` only what had arrived by then counts. ``data`` is the whole
    object in the newest shape. Objects that were not there yet are left out, and so are those whose event is gone.
    """
    traces: dict[ObjectKey, list[Trace]] = defaultdict(list)
    for key, trace in store.traces_until(customers=customers, keys=keys, at=at, known_at=known_at):
        if key.object_type in types:
            traces[key].append(trace)
    heads = {key: resolve(found).head for key, found in traces.items()}
    told = read((key, head.second, head.fact_id) for key, head in heads.items())
    return {
        key: MirrorObject(
            object_type=key.object_type,
            object_id=key.object_id,
            data=upcast(key.object_type, fact.data, clean=clean),
            deleted=heads[key].deleted,
            created=heads[key].second,
            event_id=heads[key].fact_id,
            event_type=heads[key].event_type,
        )
        for key, (fact, clean) in told.items()
    }
