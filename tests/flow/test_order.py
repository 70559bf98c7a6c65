"""The mirror's rows follow the order that all facts together tell, however they were delivered."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec

from tests.flow.conftest import Ask, Lived
from tests.instance import Door, post_all
from trueup.accounts.types import Account
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.mirror.order.resolve import resolve
from trueup.mirror.order.traces import trace_of
from trueup.mirror.order.types import Trace, Verdict
from trueup.mirror.rules import facts_of, version_of
from trueup.mirror.store import VERDICTS
from trueup.runtime import drains
from trueup.runtime.crypto import Sealer

SEED = 20_261_121
EVENTS = 1_500
COARSE = 200_000
"""Seconds that become one, so that many events of an object fall into the same."""


def crowded(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events of many companies, many of one object in one second, a few lost on the way or without their past."""
    luck = random.Random(SEED)
    for event in told:
        event["created"] -= event["created"] % COARSE
        if luck.random() < 0.3:
            event["data"].pop("previous_attributes", None)
    return [event for event in told if luck.random() > 0.03]


def test_ties_late_events_and_duplicates_end_in_the_head_that_all_facts_tell(
    connect: Callable[..., Account], database: str, sealer: Sealer, ask: Ask, lived: Lived
) -> None:
    connect("acme")
    events = crowded(lived(EVENTS))
    facts: dict[tuple[str, str], list[Trace]] = defaultdict(list)
    for event in events:
        fact = facts_of(event)
        if fact is not None:
            facts[fact.object_type, fact.object_id].append(trace_of(fact, version=version_of(event)))
    expected = {key: resolve(traces).head for key, traces in facts.items()}
    luck = random.Random(SEED)
    sent = [msgspec.json.encode(event) for event in events + luck.sample(events, EVENTS // 10)]
    luck.shuffle(sent)

    with Door(database, sealer=sealer) as door:
        for start in range(0, len(sent), 200):
            post_all(door.port, "/webhooks/stripe/acme", sent[start : start + 200], connections=16)
            drains.empty(MIRROR)

    rows = ask("select object_type, object_id, event_id, created, deleted, verdict from mirror_object")
    found = {(row[0], row[1]): (row[2], row[3], row[4], VERDICTS[row[5]]) for row in rows}
    assert found == {key: (head.fact_id, head.second, head.deleted, head.verdict) for key, head in expected.items()}
    # The history is as crowded as it is meant to be: every verdict is among the answers.
    assert {head.verdict for head in expected.values()} == set(Verdict)


def test_a_row_shows_the_object_of_the_event_that_is_its_head(
    connect: Callable[..., Account], database: str, sealer: Sealer, ask: Ask, lived: Lived
) -> None:
    connect("acme")
    events = crowded(lived(EVENTS))
    names = {event["id"]: event["data"]["object"].get("status") for event in events}
    sent = [msgspec.json.encode(event) for event in reversed(events)]

    with Door(database, sealer=sealer) as door:
        for start in range(0, len(sent), 100):
            post_all(door.port, "/webhooks/stripe/acme", sent[start : start + 100], connections=16)
            drains.empty(MIRROR)

    rows = ask("select event_id, essence::jsonb ->> 'status' from mirror_object where object_type = 'subscription'")
    assert len(rows) > 20
    assert all(names[event_id] == status for event_id, status in rows)
