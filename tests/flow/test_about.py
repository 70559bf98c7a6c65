"""Disputes and the like name a payment and no customer: they reach its customer, whatever comes first."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.flow.conftest import Ask
from tests.instance import TESTER, Door, Json, customer, encoded, event, post_all
from trueup.accounts.types import Account
from trueup.customer import merging, timeline
from trueup.customer import service as customers
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.kernel.time import from_unix
from trueup.mirror import service as mirror
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.mirror.drain import remake, settle
from trueup.runtime import database, drains, queues
from trueup.runtime.crypto import Sealer

START = 1_790_000_000
DAY = 86_400
Tell = Callable[..., None]


def charge(id: str, of: str | None, **more: Any) -> Json:  # noqa: A002 - the field's name
    told = {"id": id, "object": "charge", "customer": of, "amount": 4900, "currency": "usd", "status": "succeeded"}
    return told | {"paid": True, "captured": True, "created": START + 10, "payment_intent": None} | more


def dispute(id: str, charge: str, status: str = "needs_response", **more: Any) -> Json:  # noqa: A002
    told = {"id": id, "object": "dispute", "charge": charge, "payment_intent": None, "created": START + DAY}
    return told | {"amount": 4900, "currency": "usd", "status": status, "reason": "fraudulent"} | more


def history() -> list[Json]:
    """Two customers and somebody unknown; everything that is about a payment, and a few versions of each."""
    warned = {"id": "issfr_1", "object": "radar.early_fraud_warning", "charge": "ch_1", "fraud_type": "misc"}
    intent = {"id": "pi_2", "object": "payment_intent", "customer": "cus_2", "amount": 900, "currency": "usd"}
    review = {"id": "prv_1", "object": "review", "charge": None, "payment_intent": "pi_2", "reason": "rule"}
    refund = {"id": "re_1", "object": "refund", "charge": "ch_2", "payment_intent": "pi_2", "amount": 900}
    opened = dispute("dp_1", "ch_1", payment_intent="pi_1")
    lost = dispute("dp_1", "ch_1", "lost", payment_intent="pi_1")
    return [
        event("customer.created", customer("cus_1"), at=START),
        event("customer.created", customer("cus_2"), at=START + 1),
        event("charge.succeeded", charge("ch_1", "cus_1"), at=START + 10),
        event("charge.succeeded", charge("ch_2", "cus_2", payment_intent="pi_2"), at=START + 20),
        event("charge.succeeded", charge("ch_3", None), at=START + 30),
        event("payment_intent.created", intent | {"status": "processing"}, at=START + 15),
        event("payment_intent.succeeded", intent | {"status": "succeeded"}, at=START + 20),
        event("radar.early_fraud_warning.created", warned, at=START + 100),
        event("charge.dispute.created", opened, at=START + DAY),
        event("charge.dispute.closed", lost, at=START + 9 * DAY),
        event("charge.dispute.created", dispute("dp_3", "ch_3"), at=START + DAY),
        event("charge.dispute.created", dispute("dp_9", "ch_unknown"), at=START + DAY),
        event("review.opened", review, at=START + 21),
        event("refund.created", refund | {"status": "pending", "currency": "usd"}, at=START + 2 * DAY),
        event("refund.failed", refund | {"status": "failed", "currency": "usd"}, at=START + 3 * DAY),
    ]


@pytest.fixture
def tell(connect: Callable[..., Account], database: str, sealer: Sealer) -> Iterator[Tell]:
    """Send events to the account ``acme`` and let everybody read them."""
    connect("acme")
    with Door(database, sealer=sealer) as door:

        def post(*events: Json, drain: bool = True) -> None:
            post_all(door.port, "/webhooks/stripe/acme", [encoded(one) for one in events], connections=4)
            if drain:
                drains.empty(MIRROR)
                drains.empty(CUSTOMER)

        yield post


def named(id: str) -> list[str]:  # noqa: A002 - the field's name
    return [f"{one.event_type} {one.object_id}" for one in timeline.history(id, limit=50).data]


def everything(ask: Ask) -> list[list[tuple[Any, ...]]]:
    return [
        sorted(ask("select stripe_customer_id, state, last_event_at from customer_customer"), key=str),
        sorted(ask("select object_type, object_id, event_id, customer from mirror_object"), key=str),
        sorted(ask("select object_type, object_id, event_id, customer from mirror_version"), key=str),
        sorted(ask("select object_type, object_id, customer, charge, payment_intent from mirror_about"), key=str),
    ]


def test_what_is_about_a_payment_stands_in_the_timeline_of_its_customer(tell: Tell) -> None:
    tell(*history())

    assert named("cus_1") == [
        "charge.dispute.closed dp_1",
        "charge.dispute.created dp_1",
        "radar.early_fraud_warning.created issfr_1",
        "charge.succeeded ch_1",
        "customer.created cus_1",
    ]
    assert named("cus_2") == [
        "refund.failed re_1",
        "review.opened prv_1",
        "payment_intent.succeeded pi_2",
        "customer.created cus_2",
    ]
    assert [(row.id, row.customer) for row in mirror.search(type="dispute").data] == [
        ("dp_1", "cus_1"),
        ("dp_3", None),
        ("dp_9", None),
    ]
    assert [row.id for row in mirror.search(customer="cus_1", type="dispute").data] == ["dp_1"]
    assert customers.get("cus_1").last_event_at == from_unix(START + 9 * DAY)
    assert customers.get("cus_2").last_event_at == from_unix(START + 3 * DAY)


@pytest.mark.parametrize("seed", range(6))
def test_shuffled_and_sent_twice_it_ends_alike(
    connect: Callable[..., Account], tell: Tell, ask: Ask, wiped: Callable[[], None], seed: int
) -> None:
    luck = random.Random(seed)
    tell(*history())
    straight = everything(ask)
    wiped()
    mixed = history() + luck.sample(history(), 5)
    luck.shuffle(mixed)

    # A batch of one is the extreme: nothing is known yet of what comes later.
    step = luck.choice([1, 3, 7])
    for start in range(0, len(mixed), step):
        tell(*mixed[start : start + step])

    assert everything(ask) == straight


@pytest.fixture
def wiped(ask: Ask) -> Callable[[], None]:
    """Forget every event and all that was made of them, but no account."""

    def wipe() -> None:
        ask(
            "with a as (delete from inbox_event), b as (delete from inbox_pending), c as (delete from mirror_object), "
            "d as (delete from mirror_version), e as (delete from mirror_about), f as (delete from mirror_changed), "
            "g as (delete from customer_lookup), h as (delete from customer_trait) "
            "delete from customer_customer returning 1"
        )

    return wipe


def test_a_payment_that_is_given_a_customer_later_brings_its_dispute(tell: Tell) -> None:
    tell(*history())
    before = named("cus_2")

    tell(event("charge.updated", charge("ch_3", "cus_2"), at=START + 2 * DAY))

    assert set(named("cus_2")) - set(before) == {"charge.dispute.created dp_3"}


def test_a_dispute_follows_the_version_that_is_current(tell: Tell) -> None:
    tell(
        event("customer.created", customer("cus_1"), at=START),
        event("charge.succeeded", charge("ch_1", "cus_1"), at=START + 10),
        event("charge.dispute.updated", dispute("dp_1", "ch_1", "under_review"), at=START + 2 * DAY),
    )

    # The first version comes last, and is not current.
    tell(event("charge.dispute.created", dispute("dp_1", "ch_1"), at=START + DAY))

    assert "charge.dispute.created dp_1" in named("cus_1")


def test_two_workers_that_missed_each_other_are_healed_by_the_sweep(tell: Tell, ask: Ask) -> None:
    tell(event("customer.created", customer("cus_1"), at=START))
    tell(event("charge.succeeded", charge("ch_1", "cus_1"), at=START + 10), drain=False)
    tell(event("charge.dispute.created", dispute("dp_1", "ch_1"), at=START + DAY), drain=False)
    applied, go_on = threading.Event(), threading.Event()

    def take(wait: Callable[[], object]) -> None:
        with database.transaction() as connection:
            rows = queues.claim(connection, MIRROR.queue, 1)
            MIRROR.apply(rows)
            queues.finish(connection, MIRROR.queue, [row.id for row in rows])
            wait()

    def wait() -> None:
        applied.set()
        go_on.wait(20)

    def slow() -> None:
        try:
            take(wait)
        finally:
            database.close()

    other = threading.Thread(target=slow)
    other.start()
    assert applied.wait(20)
    take(lambda: None)
    go_on.set()
    other.join(20)
    drains.empty(CUSTOMER)
    assert "charge.dispute.created dp_1" not in named("cus_1")

    assert settle() == 0
    assert settle(after=timedelta(0)) == 1
    drains.empty(CUSTOMER)

    assert "charge.dispute.created dp_1" in named("cus_1")
    assert customers.get("cus_1").last_event_at == from_unix(START + DAY)
    assert settle(after=timedelta(0)) == 0
    assert ask("select count(*) from mirror_about where not settled") == [(0,)]


def test_as_of_a_moment_a_dispute_counts_from_when_it_and_its_payment_were_known(tell: Tell, ask: Ask) -> None:
    tell(event("customer.created", customer("cus_1"), at=START))
    tell(event("charge.dispute.created", dispute("dp_1", "ch_1"), at=START + DAY))
    [(moment,)] = ask("select max(received_at) from inbox_event")
    tell(event("charge.succeeded", charge("ch_1", "cus_1"), at=START + 10))
    later = from_unix(START + 5 * DAY)

    def last(at: datetime, known_at: datetime | None = None) -> datetime | None:
        return customers.get_at("cus_1", at=at, known_at=known_at).state.last_event_at

    assert last(later) == customers.get("cus_1").state.last_event_at == from_unix(START + DAY)
    assert last(from_unix(START + DAY - 1)) == from_unix(START + 10)
    assert last(later, moment) == from_unix(START)
    assert mirror.get("dp_1").customer == "cus_1"
    assert mirror.get("dp_1", as_of=later).customer == "cus_1"
    assert mirror.get("dp_1", as_of=later, known_at=moment).customer is None
    told = timeline.history("cus_1", as_of=from_unix(START + DAY - 1)).data
    assert [entry.event_type for entry in told] == ["charge.succeeded", "customer.created"]
    assert len(timeline.history("cus_1", as_of=from_unix(START + DAY)).data) == 3


def test_a_merged_customers_disputes_stand_with_the_one_that_leads(tell: Tell) -> None:
    tell(*history())
    merging.merge(id="cus_1", others=["cus_2"], by=TESTER)

    together = named("cus_1")

    assert {"charge.dispute.closed dp_1", "review.opened prv_1", "refund.failed re_1"} <= set(together)
    assert customers.get("cus_2").last_event_at == from_unix(START + 9 * DAY)


def test_what_an_older_version_mirrored_is_given_to_its_customer(tell: Tell, ask: Ask) -> None:
    tell(*history())
    straight = everything(ask)
    about = "object_type in ('dispute', 'radar.early_fraud_warning', 'refund', 'review')"
    ask("delete from mirror_about returning 1")
    ask(f"update mirror_object set customer = null where {about} returning 1")
    ask(f"update mirror_version set customer = null where {about} returning 1")
    ask("update mirror_object set shape_version = shape_version - 1 returning 1")

    while remake():
        pass
    drains.empty(CUSTOMER)

    assert everything(ask) == straight
