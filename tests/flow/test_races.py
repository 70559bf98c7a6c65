"""The probes R1 to R3: what is read from Stripe and what events tell, in each other's way; and red without the rule.

The clock of the sandbox stands still but where it is turned, so everything happens within one second: the hardest case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime

import pytest

from tests.flow.beside import Beside, Json, beside
from trueup.accounts import calls
from trueup.accounts.calls import Lane
from trueup.inbox.types import Source
from trueup.mirror import reads, store
from trueup.mirror.order import history
from trueup.mirror.order.types import Trace
from trueup.mirror.reads import Read
from trueup.mirror.types import ObjectKey
from trueup.runtime import database

Opened = Callable[[], AbstractContextManager[Beside]]


@pytest.fixture
def opened(database: str) -> Opened:
    """A sandbox with one customer that subscribes, known here."""
    return lambda: beside(database, seed="races")


def subscribed(stripe: Beside) -> Json:
    """A subscription that is active, and known here."""
    product = stripe.post("/v1/products", name="Pro")
    price = stripe.post(
        "/v1/prices", product=product["id"], currency="usd", unit_amount=2000, recurring={"interval": "month"}
    )
    customer = stripe.post("/v1/customers", name="Ada")
    made = stripe.post(
        "/v1/subscriptions",
        customer=customer["id"],
        items=[{"price": price["id"]}],
        collection_method="send_invoice",
        days_until_due=30,
    )
    stripe.sandbox.wait_delivered()
    stripe.fetch()
    return made


def page(stripe: Beside) -> tuple[datetime, list[Read]]:
    """A page of subscriptions, read and not stored yet."""
    begun = reads.begin()
    answer = calls.get(stripe.account, "/v1/subscriptions", {"status": "all"}, lane=Lane.BACKFILL)
    found, _more = reads.split(answer.body)
    named = [(*reads.name_of(one), one) for one in found]
    return begun, [Read(object_type=kind, object_id=name, body=one, second=answer.second) for kind, name, one in named]


def keep(stripe: Beside, begun: datetime, found: list[Read]) -> None:
    with database.transaction():
        reads.keep(stripe.account, found, source=Source.BACKFILL, begun=begun, even_known=True)
    stripe.read()


def status(stripe: Beside, made: Json) -> str:
    shape = stripe.mirrored("subscription", made["id"]).shape
    assert shape is not None
    return str(shape["status"])


def r1_a_page_read_before_and_stored_after_a_cancellation(stripe: Beside) -> None:
    made = subscribed(stripe)
    begun, found = page(stripe)
    stripe.delete(f"/v1/subscriptions/{made['id']}")
    stripe.sandbox.wait_delivered()
    stripe.read()
    keep(stripe, begun, found)

    assert status(stripe, made) == "canceled"
    stripe.fetch()
    assert stripe.equal("subscription", made["id"])


def r2_a_single_reading_then_a_cancellation_in_the_same_second(stripe: Beside) -> None:
    made = subscribed(stripe)
    keep(stripe, *page(stripe))
    stripe.delete(f"/v1/subscriptions/{made['id']}")
    stripe.sandbox.wait_delivered()
    stripe.read()

    assert status(stripe, made) == "canceled"
    stripe.fetch()
    assert stripe.equal("subscription", made["id"])


def r3_two_readings_at_once_of_which_the_older_is_stored_last(stripe: Beside) -> None:
    made = subscribed(stripe)
    slow = page(stripe)
    stripe.delete(f"/v1/subscriptions/{made['id']}")
    stripe.sandbox.wait_delivered()
    stripe.read()
    keep(stripe, *page(stripe))
    keep(stripe, *slow)

    assert status(stripe, made) == "canceled"
    stripe.fetch()
    assert stripe.equal("subscription", made["id"])
    assert stripe.mirrored("subscription", made["id"]).verdict == "certain"


def r3b_the_same_while_time_passes(stripe: Beside) -> None:
    made = subscribed(stripe)
    slow = page(stripe)
    stripe.sandbox.advance(seconds=3)
    stripe.delete(f"/v1/subscriptions/{made['id']}")
    stripe.sandbox.wait_delivered()
    stripe.read()
    keep(stripe, *page(stripe))
    keep(stripe, *slow)

    assert status(stripe, made) == "canceled"
    assert stripe.equal("subscription", made["id"])


def readings_are_as_new_as_their_storing(patch: pytest.MonkeyPatch) -> None:
    """What is stored last is taken for read last, as a table of ``now()`` has it."""
    right, count = reads._arrival, iter(range(1, 1000))

    def arrival(key: ObjectKey, asked: reads._Asked, known: store.Current | None) -> object:
        read = asked.read
        later = Read(
            object_type=read.object_type,
            object_id=read.object_id,
            body=read.body,
            second=read.second + 60 * next(count),
        )
        return right(key, asked._replace(read=later), known)

    patch.setattr(reads, "_arrival", arrival)


def readings_beat_the_events_of_their_second(patch: pytest.MonkeyPatch) -> None:
    """Every event of a second is taken for earlier than a reading in it."""

    def sides(facts: list[Trace]) -> tuple[tuple[Trace, ...], tuple[Trace, ...], list[Trace]]:
        seen = tuple(fact for fact in facts if fact.read)
        told = [fact for fact in facts if not fact.read]
        return (tuple(told), seen, []) if seen else ((), (), told)

    patch.setattr(history, "_sides", sides)


PROBES = [
    (r1_a_page_read_before_and_stored_after_a_cancellation, readings_are_as_new_as_their_storing),
    (r2_a_single_reading_then_a_cancellation_in_the_same_second, readings_beat_the_events_of_their_second),
    (r3_two_readings_at_once_of_which_the_older_is_stored_last, readings_are_as_new_as_their_storing),
    (r3b_the_same_while_time_passes, readings_are_as_new_as_their_storing),
]
Probe = Callable[[Beside], None]


@pytest.fixture
def stripe(opened: Opened) -> Iterator[Beside]:
    with opened() as made:
        yield made


@pytest.mark.parametrize("probe", [probe for probe, _rule in PROBES])
def test_readings_and_events_do_not_get_in_each_others_way(probe: Probe, stripe: Beside) -> None:
    probe(stripe)


@pytest.mark.parametrize(("probe", "rule"), PROBES)
def test_a_race_is_lost_without_its_rule(
    probe: Probe, rule: Callable[[pytest.MonkeyPatch], None], stripe: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(monkeypatch)
    with pytest.raises(AssertionError):
        probe(stripe)
