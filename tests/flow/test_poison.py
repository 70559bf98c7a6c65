"""An event that cannot be read is set aside, and its customer becomes true all the same; replays outlive workers."""

from __future__ import annotations

import base64
import random
import signal
import subprocess
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.flow.beside import Beside, beside
from tests.flow.conftest import Ask
from tests.flow.histories import World
from tests.flow.tables import differences, stored
from tests.inbox.store import keep_all
from tests.instance import TESTER, Home, encoded, eventually
from tests.ops.conftest import as_url
from trueup.accounts.types import Account
from trueup.customer import service as customers
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.inbox import dead_letters
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.mirror.replay import service as replay
from trueup.mirror.replay.types import Progress, Selection
from trueup.runtime import drains


@pytest.fixture
def stripe(database: str) -> Iterator[Beside]:
    with beside(database, seed="poison") as made:
        yield made


def spoil(ask: Ask, event_type: str) -> None:
    """Make the newest event of a type unreadable."""
    ask(
        "update inbox_event set body = '{' where (event_id, created) ="
        " (select event_id, created from inbox_event where type = %s order by received_at desc limit 1) returning 1",
        event_type,
    )


def exhaust(stripe: Beside, ask: Ask) -> None:
    """Let what cannot be read fail until it is set aside."""
    for _ in range(MIRROR.max_attempts):
        stripe.read()
        ask("update inbox_pending set due_at = null where set_aside_at is null returning 1")


def test_the_customer_of_a_poison_event_becomes_true_without_it(stripe: Beside, ask: Ask) -> None:
    ada = stripe.post("/v1/customers", name="Ada")
    bea = stripe.post("/v1/customers", name="Bea")
    stripe.sandbox.wait_delivered()
    stripe.read()
    stripe.sandbox.advance(seconds=60)
    stripe.post(f"/v1/customers/{ada['id']}", name="Ada Lovelace")
    stripe.sandbox.wait_delivered()
    spoil(ask, "customer.updated")
    stripe.sandbox.advance(seconds=60)
    method = stripe.post(
        "/v1/payment_methods/pm_card_visa/attach",
        customer=ada["id"],
    )
    stripe.post(f"/v1/customers/{bea['id']}", email="bea@example.com")
    stripe.sandbox.wait_delivered()
    exhaust(stripe, ask)

    # The other customer, and the other objects of this one, did not wait for it.
    assert stripe.equal("payment_method", method["id"])
    assert customers.get(bea["id"]).email == "bea@example.com"
    assert ask("select object_id, reason from mirror_fetch where reason = 'set_aside'") == [(ada["id"], "set_aside")]
    assert customers.get(ada["id"]).name == "Ada"

    stripe.fetch()

    assert stripe.equal("customer", ada["id"])
    assert customers.get(ada["id"]).name == "Ada Lovelace"
    assert [(group.queue, group.things) for group in dead_letters.groups()] == [("mirror", 1)]


@pytest.fixture
def told(connect: Callable[..., Account]) -> int:
    """Some hundred events, read and folded."""
    events = World(random.Random(9).choice).live(500)
    keep_all(connect("lived"), [encoded(one) for one in events])
    drains.empty(MIRROR)
    drains.empty(CUSTOMER)
    return len(events)


@pytest.fixture
def workers(database: str, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start real workers on the test's database."""
    home = Home(
        tmp_path / "home", {"DATABASE_URL": as_url(database), "TRUEUP_SECRET_KEY": base64.b64encode(bytes(32)).decode()}
    )
    home.root.mkdir()
    yield lambda: home.start("trueup.config.worker", log="worker")
    home.end()


def test_a_replay_goes_on_where_a_killed_worker_left_it(
    told: int, workers: Callable[[], subprocess.Popen[bytes]], ask: Ask
) -> None:
    before = stored(ask)
    begun = replay.start(Selection(everything=True), why="A test.", by=TESTER, rate=150)
    first = workers()
    eventually(lambda: replay.get(begun.id).done >= 100, "the first worker reads")
    first.send_signal(signal.SIGKILL)
    first.wait()
    left = replay.get(begun.id)
    assert left.progress is Progress.RUNNING
    assert ask("select count(*) from mirror_replayevent") == [(told - left.done,)]

    workers()
    eventually(lambda: replay.get(begun.id).progress is Progress.DONE, "the second worker ends it")
    eventually(lambda: ask("select count(*) from mirror_changed") == [(0,)], "who was read again is folded")

    ended = replay.get(begun.id)
    assert (ended.done, ended.total, ended.changed, ended.failed) == (told, told, 0, 0)
    assert list(islice(differences(stored(ask), before), 20)) == []
    entries = ask("select action from audit_entries where object_type = 'replay' order by id")
    assert entries == [("mirror.replay.started",), ("mirror.replay.ended",)]
