"""Whatever happens in a Stripe account, and however it is told, there is one mirror, one state and one past."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from tests.flow.conftest import Ask
from tests.flow.histories import CUSTOMERS, World
from tests.flow.read_histories import ReadWorld, named_in
from tests.flow.tables import DERIVED, differences, rebuild, stored
from tests.instance import TESTER, Door, Json, encoded, post_all
from trueup.accounts.types import Account
from trueup.customer import merging, timeline
from trueup.customer import service as customers
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.inbox import storing
from trueup.inbox.storing import Arrival
from trueup.inbox.types import Kind, Source
from trueup.kernel.errors import NotFound
from trueup.kernel.records import Record
from trueup.kernel.time import from_unix
from trueup.mirror import reading
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.mirror.order.resolve import resolve
from trueup.mirror.order.traces import trace_of
from trueup.mirror.order.types import Trace
from trueup.mirror.rules import READ, facts_of, version_of
from trueup.mirror.store import VERDICTS
from trueup.mirror.types import ObjectKey
from trueup.runtime import drains
from trueup.runtime.crypto import Sealer
from trueup.runtime.database import transaction

EXAMPLES: Final = int(os.environ.get("TRUEUP_HISTORIES", "24"))
"""Histories to try; for a night, some thousands."""
LATER: Final = from_unix(2_000_000_000)


class Delivery(Record, frozen=True):
    """One batch: the events' places in the history, and how many rows the drains take at once, 0 for none yet."""

    places: tuple[int, ...]
    mirrored: int
    folded: int


class History(Record, frozen=True):
    """What happened, oldest first, and another way in which it was told: in any order, some of it twice."""

    events: tuple[Json, ...]
    deliveries: tuple[Delivery, ...]
    merged: bool
    """Whether somebody says in the end that all its customers are one."""

    @override
    def __repr__(self) -> str:
        """One line an event: a history that fails is read by a person."""
        lines = []
        for number, one in enumerate(self.events):
            about, before = one["data"]["object"], one["data"].get("previous_attributes")
            whose = about.get("customer")
            said = f"{one['type']} {about['id']} of {whose} at {one['created']} {one['id']} before {before}"
            lines.append(f"{number}: {said} {one['api_version']}")
        told = [f"{one.places} mirrored by {one.mirrored}, folded by {one.folded}" for one in self.deliveries]
        return "\n".join(["", *lines, *told])


@st.composite
def histories(draw: st.DrawFn) -> History:
    def pick(options: Sequence[Any]) -> Any:
        return draw(st.sampled_from(options))

    world = draw(st.sampled_from((World, ReadWorld)))
    # What Hypothesis draws choice by choice it can make smaller; a seed makes longer and more varied lives.
    seed = draw(st.none() | st.integers(0, 2**32))
    if seed is None:
        events = world(pick).live(draw(st.integers(1, 30)))
    else:
        events = world(random.Random(seed).choice).live(draw(st.integers(20, 50)))
    places = list(range(len(events)))
    twice = draw(st.lists(st.sampled_from(places), max_size=6)) if places else []
    waiting = draw(st.permutations(places + twice))
    deliveries = []
    while waiting:
        size = draw(st.integers(1, 12))
        rows = st.sampled_from((0, 1, 3, 100))
        deliveries.append(Delivery(places=tuple(waiting[:size]), mirrored=draw(rows), folded=draw(rows)))
        waiting = waiting[size:]
    return History(events=tuple(events), deliveries=tuple(deliveries), merged=draw(st.booleans()))


class Installation:
    """One account behind one door, told one history after another."""

    def __init__(self, door: Door, address: str, ask: Ask, account: Account) -> None:
        self._door, self._address, self._ask, self._account = door, address, ask, account

    def forget(self) -> None:
        """Nothing was ever told."""
        tables = ("inbox_event", "inbox_pending", "customer_merged", *DERIVED)
        with psycopg.connect(self._address) as connection:
            connection.execute(";".join(f"delete from {table}" for table in tables).encode())

    def tell(self, events: Iterable[Json], *, mirrored: int = 100, folded: int = 100) -> None:
        """Post events, and let the drains take that many rows at once; with 0 they do not look yet."""
        events = list(events)
        posted = [encoded(one) for one in events if one["object"] != READ]
        answers = post_all(self._door.port, "/webhooks/stripe/acme", posted, connections=2)
        assert {answer.status for answer in answers} <= {200}
        with transaction():
            storing.store([self._read(one) for one in events if one["object"] == READ], source=Source.REFETCH)
        if mirrored:
            drains.empty(msgspec.structs.replace(MIRROR, batch=mirrored))
        if folded:
            drains.empty(msgspec.structs.replace(CUSTOMER, batch=folded))

    def _read(self, told: Json) -> Arrival:
        """A reading on its way into the log."""
        object_type, object_id = named_in(told)
        return Arrival(
            account_id=self._account.id,
            livemode=False,
            event_id=told["id"],
            created=told["created"],
            type=READ,
            kind=Kind.READ,
            body=encoded(told),
            object_type=object_type,
            object_id=object_id,
        )

    def rows(self) -> dict[str, list[Json]]:
        """All that was made of what was told; nothing waits."""
        assert self._ask("select (select count(*) from inbox_pending), (select count(*) from mirror_changed)") == [
            (0, 0)
        ]
        return stored(self._ask)

    def heads(self) -> dict[ObjectKey, Any]:
        """Each object's current version and verdict, as its row says."""
        rows = self._ask("select object_type, object_id, created, event_id, deleted, verdict from mirror_object")
        return {self.key(*row[:2]): (*row[2:5], VERDICTS[row[5]]) for row in rows}

    def heads_at(self, keys: Iterable[ObjectKey], *, at: int, known_at: datetime | None = None) -> dict[ObjectKey, Any]:
        """The same as of a moment, from the versions."""
        found = {key: reading.pointer_at(key, at=at, known_at=known_at) for key in keys}
        return {
            key: (one.created, one.event_id, one.deleted, one.verdict) for key, one in found.items() if one is not None
        }

    def arrived(self) -> datetime:
        """When the newest event came."""
        [(moment,)] = self._ask("select max(received_at) from inbox_event")
        assert isinstance(moment, datetime)
        return moment

    def key(self, object_type: str, object_id: str) -> ObjectKey:
        return ObjectKey(account_id=self._account.id, livemode=False, object_type=object_type, object_id=object_id)


def told_of(ask: Callable[[str], Any]) -> dict[str, Any]:
    """An answer for each customer; those of whom nothing is known are left out."""
    found = {}
    for name in CUSTOMERS:
        try:
            found[name] = ask(name)
        except NotFound:
            continue
    return found


def states() -> dict[str, Any]:
    return told_of(lambda name: customers.get(name).state)


def states_at(at: datetime, *, known_at: datetime | None = None) -> dict[str, Any]:
    return told_of(lambda name: customers.get_at(name, at=at, known_at=known_at).state)


def timelines() -> dict[str, Any]:
    return told_of(lambda name: timeline.history(name, limit=200).data)


def same(found: Any, expected: Any) -> None:
    assert list(islice(differences(found, expected), 20)) == []


@pytest.fixture
def installation(connect: Callable[..., Account], database: str, sealer: Sealer, ask: Ask) -> Iterator[Installation]:
    account = connect("acme")
    with Door(database, sealer=sealer) as door:
        yield Installation(door, database, ask, account)


def by_second(events: Sequence[Json]) -> dict[int, list[Json]]:
    found: dict[int, list[Json]] = {}
    for one in events:
        found.setdefault(one["created"], []).append(one)
    return dict(sorted(found.items()))


# Long runs and the search for the smallest history that fails take more than any other test.
@pytest.mark.timeout(600 + 10 * EXAMPLES)
@given(history=histories())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=False,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_a_history_has_one_mirror_one_state_and_one_past_however_it_was_told(
    installation: Installation, history: History
) -> None:
    # Told in order, second by second: what was known after each.
    installation.forget()
    then: dict[int, tuple[Any, Any]] = {}
    for second, events in by_second(history.events).items():
        installation.tell(events)
        then[second] = (installation.heads(), states())
    straight, words = installation.rows(), timelines()

    # Every prefix of it in Stripe's time is what it is as of its end.
    heads = installation.heads()
    same({at: (installation.heads_at(heads, at=at), states_at(from_unix(at))) for at in then}, then)
    traces: dict[ObjectKey, list[Trace]] = {}
    for one in history.events:
        fact = facts_of(one)
        assert fact is not None
        key = installation.key(fact.object_type, fact.object_id)
        traces.setdefault(key, []).append(trace_of(fact, version=version_of(one)))
    expected = {key: resolve(told).head for key, told in traces.items()}
    same(heads, {key: (one.second, one.fact_id, one.deleted, one.verdict) for key, one in expected.items()})

    # Told in any order, some of it twice, to drains that look now and then: what was known whenever they had looked.
    installation.forget()
    known: dict[datetime, tuple[Any, Any]] = {}
    for delivery in history.deliveries:
        batch = [history.events[place] for place in delivery.places]
        installation.tell(batch, mirrored=delivery.mirrored, folded=delivery.folded)
        if delivery.mirrored and delivery.folded:
            known[installation.arrived()] = (installation.heads(), states())
    installation.tell([])
    same(installation.rows(), straight)
    same(timelines(), words)
    past = {
        moment: (installation.heads_at(heads, at=2**31, known_at=moment), states_at(LATER, known_at=moment))
        for moment in known
    }
    same(past, known)

    # Told all at once, newest first.
    installation.forget()
    installation.tell(reversed(history.events))
    same(installation.rows(), straight)
    same(timelines(), words)

    # Made again from the log alone, also when several of its customers have been said to be one.
    rebuild()
    same(installation.rows(), straight)
    same(timelines(), words)
    if history.merged and len(words) > 1:
        leader, *others = words
        merging.merge(id=leader, others=others, by=TESTER)
        merged, words = installation.rows(), timelines()
        rebuild()
        same(installation.rows(), merged)
        same(timelines(), words)
