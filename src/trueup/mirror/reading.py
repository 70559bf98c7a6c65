"""Reading objects from the log: what an event told, how objects were at a moment, and what changed when."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
import orjson

from trueup.inbox import service as inbox
from trueup.kernel.time import from_unix
from trueup.mirror import about, lookup, rules, store
from trueup.mirror.changes import changes
from trueup.mirror.errors import Unusable
from trueup.mirror.lookup import Place, Pointer
from trueup.mirror.order.resolve import resolve
from trueup.mirror.order.types import Head, PlaceKind, Resolution, Trace, Verdict
from trueup.mirror.order.types import Place as Unsure
from trueup.mirror.types import (
    Body,
    Comparison,
    Doubt,
    Fact,
    FieldChange,
    MirrorObject,
    ObjectDetail,
    ObjectKey,
    ObjectRow,
    ObjectVersion,
    VerdictName,
)
from trueup.mirror.upcast import upcast
from trueup.mirror.upcast.text import is_clean, storable

VERDICTS: Final[dict[Verdict, tuple[VerdictName, str]]] = {
    Verdict.CERTAIN: ("certain", "All events known fit together: this is the newest version."),
    Verdict.AMBIGUOUS: (
        "ambiguous",
        "Several events of the newest second may be the last; one of them was chosen. Only Stripe can tell.",
    ),
    Verdict.GAP: (
        "gap",
        "This is the newest version known, but an event before it is missing, so a later one may be missing too.",
    ),
}
"""What a verdict is called, and what it means to a person."""


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
        fact = _fact(event.body)
        if fact is not None:
            key = wanted[event.account_id, event.livemode, event.event_id, fact.created]
            found[key] = Told(fact, is_clean(event.body))
    return found


def _fact(body: bytes) -> Fact | None:
    """What a stored body told, or None where an erasure left nothing that can be read."""
    try:
        return rules.facts_of(parse(body))
    except (ValueError, RecursionError, Unusable):
        return None


def last_known(stubs: Iterable[tuple[ObjectKey, Sequence[Trace]]]) -> dict[ObjectKey, Told]:
    """What these objects, of which a reading said only that they are gone, were like at last, from their traces.

    Those of which nothing else is known, or in the log any more, are left out.
    """
    lives: dict[ObjectKey, Head] = {}
    for key, traces in stubs:
        living = [trace for trace in traces if not trace.deleted]
        if living:
            lives[key] = resolve(living).head
    return read((key, head.second, head.fact_id) for key, head in lives.items())


def gone(stub: Told, last: Told | None) -> Told:
    """The fact of a deletion that was read, with the object as it was at last: a deleted object keeps its contents."""
    if last is None:
        return stub
    data = rules.whole(last.fact)
    told = msgspec.structs.replace(stub.fact, data=data, customer=last.fact.customer or stub.fact.customer)
    return Told(told, last.clean)


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
    stubs = {key: traces[key] for key, head in heads.items() if head.deleted and head.read and key in told}
    for key, last in last_known(stubs.items()).items():
        told[key] = gone(told[key], last)
    # Versions name the objects that were these customers' at some time by then: those of somebody else, or of nobody,
    # in the end are left out, as they are now.
    named, owners = set(keys), set(customers)
    return {
        key: MirrorObject(
            object_type=key.object_type,
            object_id=key.object_id,
            data=upcast(key.object_type, rules.whole(fact), clean=clean),
            deleted=heads[key].deleted,
            created=heads[key].second,
            event_id=heads[key].fact_id,
            event_type=heads[key].event_type,
        )
        for key, (fact, clean) in told.items()
        if key in named or (key.account_id, key.livemode, fact.customer) in owners
    }


def pointer_at(key: ObjectKey, *, at: int, known_at: datetime | None) -> Pointer | None:
    """Which event told an object's newest version at a moment (see ``objects_at``), or None when nothing had.

    ``customer`` is only told of objects about a payment: of others the event itself says whose they were.
    """
    traces = [trace for _key, trace in store.traces_until(customers=(), keys=[key], at=at, known_at=known_at)]
    if not traces:
        return None
    head = resolve(traces).head
    indirect = key.object_type in rules.ABOUT_PAYMENTS
    return Pointer(
        key=key,
        customer=about.customer_then(key, at=at, known_at=known_at) if indirect else None,
        deleted=head.deleted,
        created=head.second,
        event_id=head.fact_id,
        event_type=head.event_type,
        verdict=head.verdict,
    )


def row_of(pointer: Pointer, slug: str) -> ObjectRow:
    """A pointer as people see it."""
    verdict, told = VERDICTS[pointer.verdict]
    return ObjectRow(
        account_slug=slug,
        livemode=pointer.key.livemode,
        type=pointer.key.object_type,
        id=pointer.key.object_id,
        customer=pointer.customer,
        deleted=pointer.deleted,
        verdict=verdict,
        verdict_told=told,
        event_id=pointer.event_id,
        event_type=pointer.event_type or rules.READ,
        at=from_unix(pointer.created),
    )


def detail_of(pointer: Pointer, slug: str, *, with_told: bool) -> ObjectDetail:
    """A pointer with what its event told."""
    place = (pointer.key, pointer.created, pointer.event_id)
    log = _log([place])[place]
    row = msgspec.structs.asdict(row_of(pointer, slug))
    if log.fact is not None:
        row["customer"] = log.fact.customer or row["customer"]
    told = storable(log.fact.data) if with_told and log.fact is not None else None
    return ObjectDetail(**row, received_at=log.received_at, body=log.body, shape=log.shape, told=told)


class _Log(NamedTuple):
    """What the log holds of one version."""

    received_at: datetime | None
    body: Body
    fact: Fact | None
    shape: dict[str, Any] | None


def _log(places: Sequence[Place]) -> dict[Place, _Log]:
    """What the log holds of these versions: an entry for each, also where the event is gone."""
    arrived = lookup.logged(places)
    found: dict[Place, _Log] = {}
    # Not through ``read``, which gives one version of each object: these are several of the same.
    for event in inbox.bodies(
        [(key.account_id, key.livemode, event_id, from_unix(at)) for key, at, event_id in arrived]
    ):
        fact = _fact(event.body)
        shape = _shape(fact, clean=is_clean(event.body)) if fact is not None else None
        if fact is not None and shape is not None:
            key = ObjectKey(
                account_id=event.account_id,
                livemode=event.livemode,
                object_type=fact.object_type,
                object_id=fact.object_id,
            )
            found[key, fact.created, fact.event_id] = _Log(None, Body.WHOLE, fact, shape)
    told: dict[Place, _Log] = {}
    for place in places:
        times = arrived.get(place)
        log = found.get(place, _Log(None, Body.GONE, None, None))
        if times is not None:
            redacted = log.body is Body.WHOLE and times.redacted_at is not None
            log = log._replace(received_at=times.received_at, body=Body.REDACTED if redacted else log.body)
        told[place] = log
    return told


def _shape(fact: Fact, *, clean: bool) -> dict[str, Any] | None:
    """The object in the newest shape, or None where it is nested so deeply that nobody could be told of it."""
    shape = upcast(fact.object_type, rules.whole(fact), clean=clean)
    try:
        msgspec.json.encode(shape)
    except RecursionError:
        return None
    return shape


def order_of(key: ObjectKey) -> Resolution:
    """All versions of an object in their order; ``ValueError`` for one that the mirror does not know."""
    return resolve(store.traces({key: 0}).get(key, ()))


def versions_of(key: ObjectKey, order: Resolution, start: int, stop: int) -> list[ObjectVersion]:
    """The versions from ``start`` up to, and not with, ``stop``, counted from the newest, which is 0."""
    newest_first = order.versions[::-1]
    told = newest_first[start : stop + 1]
    logs = _log([(key, trace.second, trace.fact_id) for trace in told])
    versions: list[ObjectVersion] = []
    for number, trace in enumerate(newest_first[start:stop]):
        before = told[number + 1] if number + 1 < len(told) else None
        if before is not None and _begins_again(before, trace):
            before = None
        log = logs[key, trace.second, trace.fact_id]
        differing, left_out = _changes(logs[key, before.second, before.fact_id] if before is not None else None, log)
        versions.append(
            ObjectVersion(
                event_id=trace.fact_id,
                event_type=trace.event_type or rules.READ,
                at=from_unix(trace.second),
                received_at=log.received_at,
                api_version=trace.version,
                deleted=trace.deleted,
                current=start + number == 0,
                doubts=tuple(_doubts(order.places, trace)),
                body=log.body,
                compared_to=before.fact_id if before is not None else None,
                changes=differing,
                changes_left_out=left_out,
            )
        )
    return versions


def compared(key: ObjectKey, order: Resolution, before: str, after: str) -> Comparison:
    """What differs between two versions, named by their events, which have to be among those of the order."""
    traces = {trace.fact_id: trace for trace in order.versions}
    places = [(key, traces[name].second, name) for name in (before, after)]
    logs = _log(places)
    found, left_out = _changes(*(logs[place] for place in places))
    return Comparison(before=before, after=after, changes=found, changes_left_out=left_out)


def _begins_again(before: Trace, trace: Trace) -> bool:
    """Whether a version is the first of an object that was made again under its id."""
    remade = before.made is not None and trace.made is not None and before.made != trace.made
    return remade or (before.deleted and not trace.deleted)


def _changes(before: _Log | None, after: _Log) -> tuple[tuple[FieldChange, ...] | None, int]:
    if before is None or before.shape is None or after.shape is None:
        return None, 0
    return changes(before.shape, after.shape)


def _doubts(places: Iterable[Unsure], trace: Trace) -> Iterator[Doubt]:
    """What is not plain about one version."""
    for place in places:
        if trace.fact_id not in place.facts or (place.kind is PlaceKind.GAP and trace.fact_id != place.facts[-1]):
            continue
        if place.kind is PlaceKind.GAP:
            between = f"Between {place.facts[0]} and this" if len(set(place.facts)) > 1 else "Before this"
            yield Doubt(kind="gap", told=f"{between} an event is missing.", event_ids=place.facts)
        elif place.kind is PlaceKind.AMBIGUOUS:
            told = "Which of these events of one second was the last is not known."
            yield Doubt(kind="ambiguous", told=told, event_ids=place.facts)
        elif place.kind is PlaceKind.STARTS_LATE:
            told = "This is the first version known; the object is older."
            yield Doubt(kind="starts_late", told=told, event_ids=place.facts)
        else:
            told = "It claims to be later than the object's deletion, and is taken for earlier."
            yield Doubt(kind="after_deletion", told=told, event_ids=place.facts)
