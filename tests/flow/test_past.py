"""A customer as of a moment is what its events up to then fold to, in whatever order they came."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.flow.conftest import Ask, Lived
from tests.instance import Door, post_all
from trueup.accounts.types import Account
from trueup.customer import service as customers
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.customer.types import CustomerState
from trueup.kernel.errors import NotFound
from trueup.kernel.time import from_unix
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.runtime import drains
from trueup.runtime.crypto import Sealer

SEED = 20_261_121
NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


def busiest(events: list[dict[str, Any]]) -> str:
    about = [event["data"]["object"].get("customer") for event in events]
    named = [one for one in about if isinstance(one, str)]
    return max(set(named), key=named.count)


def known(customer: str, at: datetime) -> CustomerState:
    return msgspec.structs.replace(customers.get_at(customer, at=at).state, why={})


def test_prefixes_of_a_history_give_the_states_as_of_their_ends(
    connect: Callable[..., Account], database: str, sealer: Sealer, lived: Lived
) -> None:
    connect("acme")
    events = lived(600)
    customer = busiest(events)
    ends = sorted(
        {
            event["created"]
            for event in events
            if customer in {event["data"]["object"].get("customer"), event["data"]["object"].get("id")}
        }
    )
    then: dict[int, CustomerState] = {}
    with Door(database, sealer=sealer) as door:
        sent = 0
        for end in ends:
            until = sum(event["created"] <= end for event in events)
            bodies = [msgspec.json.encode(event) for event in events[sent:until]]
            random.Random(SEED).shuffle(bodies)
            post_all(door.port, "/webhooks/stripe/acme", bodies, connections=8)
            sent = until
            drains.empty(MIRROR)
            drains.empty(CUSTOMER)
            then[end] = msgspec.structs.replace(customers.get(customer).state, why={})

    assert len(then) > 8
    assert {end: known(customer, from_unix(end)) for end in then} == then
    assert len({msgspec.json.encode(state) for state in then.values()}) > 5
    with pytest.raises(NotFound, match="then"):
        customers.get_at(customer, at=from_unix(ends[0]) - timedelta(seconds=1))


def test_what_arrived_later_was_not_known_then(
    connect: Callable[..., Account], database: str, sealer: Sealer, ask: Ask, lived: Lived
) -> None:
    connect("acme")
    events = lived(300)
    customer = busiest(events)
    half = len(events) // 2
    with Door(database, sealer=sealer) as door:
        early = [msgspec.json.encode(event) for event in events[:half]]
        post_all(door.port, "/webhooks/stripe/acme", early, connections=8)
        drains.empty(MIRROR)
        drains.empty(CUSTOMER)
        before = msgspec.structs.replace(customers.get(customer).state, why={})
        [(moment,)] = ask("select max(received_at) from inbox_event")
        late = [msgspec.json.encode(event) for event in events[half:]]
        post_all(door.port, "/webhooks/stripe/acme", late, connections=8)
    drains.empty(MIRROR)
    drains.empty(CUSTOMER)

    then = customers.get_at(customer, at=NOW, known_at=moment).state

    assert msgspec.structs.replace(then, why={}) == before
    assert msgspec.structs.replace(customers.get(customer).state, why={}) != before
