from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
import pytest

from tests import instance
from tests.inbox.conftest import Ask
from tests.inbox.line import Line
from tests.inbox.store import keep, keep_all
from tests.instance import customer, encoded, event, eventually
from trueup.accounts.types import Account
from trueup.customer import drain as customer_drain
from trueup.inbox import service as inbox
from trueup.mirror import drain as mirror_drain
from trueup.mirror import service as mirror
from trueup.mirror.types import ObjectKey
from trueup.ops import tasks
from trueup.runtime import database as runtime_database
from trueup.runtime import drains, listening, topics, wake
from trueup.runtime.drains import Drain, Step
from trueup.runtime.queues import Claimed

pytestmark = pytest.mark.usefixtures("database")

MIRROR, CUSTOMER = mirror_drain.DRAIN, customer_drain.DRAIN


def drained() -> None:
    """Bring everything that is due through to the customers' states."""
    while drains.empty(MIRROR).claimed or drains.empty(CUSTOMER).claimed:
        continue


@contextmanager
def listener(address: str, topic: str) -> Iterator[threading.Event]:
    """Hear a topic; what a fresh listener is told for what it missed is heard already."""
    heard, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=listening.listen, args=(address, {topic: [heard]}, stop), daemon=True)
    thread.start()
    try:
        assert heard.wait(20)
        heard.clear()
        yield heard
    finally:
        stop.set()
        thread.join(20)


@pytest.fixture
def hears(database: str) -> Iterator[threading.Event]:
    """Set when the topic ``t`` was woken."""
    with listener(database, "t") as heard:
        yield heard


def test_a_wake_is_heard_after_the_commit_and_not_before(hears: threading.Event) -> None:
    with runtime_database.transaction() as connection:
        wake.wake(connection, "t")
        assert not hears.wait(0.3)

    assert hears.wait(10)


def test_a_wake_that_was_rolled_back_is_never_heard(hears: threading.Event) -> None:
    def roll_back() -> None:
        with runtime_database.transaction() as connection:
            wake.wake(connection, "t")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        roll_back()

    assert not hears.wait(0.5)


def test_a_listener_that_lost_its_connection_wakes_everybody_when_it_is_back(database: str) -> None:
    with Line(database) as line, listener(line.conninfo, "t") as heard:
        line.cut()
        assert not heard.wait(0.3)

        line.mend()

        assert heard.wait(20)


@contextmanager
def running(drain: Drain) -> Iterator[threading.Event]:
    """A drain in a thread; gives what wakes it."""
    wakes, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=drains.run, args=([drain],), kwargs={"wakes": wakes, "stop": stop}, daemon=True)
    thread.start()
    try:
        yield wakes
    finally:
        stop.set()
        wakes.set()
        thread.join(20)
    assert not thread.is_alive()


def test_a_drain_sleeps_until_it_is_woken(account: Account, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drains, "IDLE_SECONDS", 3600.0)
    with running(MIRROR) as wakes:
        time.sleep(0.3)
        keep(account, encoded(event("customer.created", customer("cus_0"))))
        time.sleep(0.3)
        assert not ask("select 1 from mirror_object")

        wakes.set()

        eventually(lambda: ask("select 1 from mirror_object"), "the event is read")


def test_a_wake_during_a_batch_is_not_lost(account: Account, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drains, "IDLE_SECONDS", 3600.0)
    inside, go_on = threading.Event(), threading.Event()

    def apply(rows: Sequence[Claimed]) -> None:
        inside.set()
        go_on.wait(20)

    keep(account, encoded(event("customer.created", customer("cus_0"))))
    with running(Drain(name="slow", topic="t", queue=inbox.PENDING, since="received_at", apply=apply)) as wakes:
        inside.wait(20)
        keep(account, encoded(event("customer.created", customer("cus_1"))))
        wakes.set()
        go_on.set()

        eventually(lambda: not ask("select 1 from inbox_pending"), "the second event is read too")


def test_the_sweep_wakes_for_rows_that_nobody_announced(account: Account, ask: Ask, database: str) -> None:
    for drain in (MIRROR, CUSTOMER):
        topics.subscribe(drain)
    with listener(database, MIRROR.topic) as heard:
        keep(account, encoded(event("customer.created", customer())))
        assert heard.wait(20)
        time.sleep(0.2)
        heard.clear()
        assert tasks.sweep_once() == 0
        assert not heard.wait(0.3)
        ask("update inbox_pending set received_at = now() - interval '1 minute' returning 1")

        assert tasks.sweep_once() == 1

        assert heard.wait(10)


def test_the_sweep_queues_what_an_older_rule_folded_once(account: Account, ask: Ask) -> None:
    keep_all(account, [encoded(event("customer.created", customer(f"cus_{n}"))) for n in range(3)])
    drained()
    ask("update customer_customer set fold_version = 0 returning 1")

    for _ in range(3):
        tasks.sweep_once()

    assert ask("select count(*) from mirror_changed") == [(3,)]
    drained()
    assert ask("select count(*) from customer_customer where fold_version = 0") == [(0,)]
    assert ask("select count(*) from mirror_changed") == [(0,)]


def test_a_drain_survives_an_outage(account: Account, ask: Ask, database: str) -> None:
    with running(MIRROR) as wakes:
        keep(account, encoded(event("customer.created", customer("cus_1"))))
        wakes.set()
        eventually(lambda: ask("select 1 from mirror_object"), "the first event is read")
        ask(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        keep(account, encoded(event("customer.created", customer("cus_2"))))

        wakes.set()

        eventually(lambda: ask("select count(*) from mirror_object") == [(2,)], "the second event is read")


def test_a_drain_goes_on_after_a_fault_outside_any_row(account: Account, ask: Ask) -> None:
    keep(account, encoded(event("customer.created", customer())))
    with psycopg.connect(instance.conninfo(), autocommit=True) as server:
        server.execute("alter table inbox_pending rename column attempts to tries")
        with running(MIRROR):
            time.sleep(0.5)
            server.execute("alter table inbox_pending rename column tries to attempts")

            eventually(lambda: ask("select 1 from mirror_object"), "the event is read")


def test_an_error_with_odd_text_is_recorded_all_the_same(account: Account, ask: Ask) -> None:
    def apply(rows: Sequence[Claimed]) -> None:
        raise ValueError("\ud800 \x00 " + "x" * 5000)

    keep(account, encoded(event("customer.created", customer())))
    odd = Drain(name="odd", topic="t", queue=inbox.PENDING, since="received_at", apply=apply)

    assert drains.step(odd) == Step(claimed=1, done=0, failed=1, set_aside=0)
    assert ask("select left(last_error, 10), length(last_error) from inbox_pending") == [("ValueError", 2000)]


def test_a_customer_without_objects_is_passed_over(account: Account, ask: Ask) -> None:
    with runtime_database.transaction():
        mirror.mark_changed(
            [ObjectKey(account_id=account.id, livemode=False, object_type="customer", object_id="cus_nobody")]
        )

    assert drains.empty(CUSTOMER).done == 1
    assert ask("select count(*) from customer_customer") == [(0,)]


def test_while_a_drain_has_full_batches_the_ones_after_it_wait(account: Account, ask: Ask) -> None:
    told: list[str] = []

    def tells(name: str) -> drains.Apply:
        return lambda rows: told.extend(name for _ in rows)

    first = Drain(name="first", topic="a", queue=inbox.PENDING, since="received_at", apply=tells("first"), batch=1)
    second = Drain(name="second", topic="b", queue=mirror.CHANGED, since="since", apply=tells("second"))
    keep_all(account, [encoded(event("customer.created", customer(f"cus_{number}"))) for number in range(5)])
    with runtime_database.transaction():
        mirror.mark_changed([ObjectKey(account_id=account.id, livemode=False, object_type="customer", object_id="c")])
    stop, wakes = threading.Event(), threading.Event()
    both = {"wakes": wakes, "stop": stop}
    thread = threading.Thread(target=drains.run, args=([first, second],), kwargs=both, daemon=True)

    thread.start()
    try:
        eventually(lambda: ["full"] if len(told) == 6 else [], "everything is handled")
    finally:
        stop.set()
        wakes.set()
        thread.join(20)

    assert told == ["first"] * 5 + ["second"]
    assert ask("select count(*) from mirror_changed") == [(0,)]
