from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.inbox.conftest import Ask
from tests.inbox.line import Line
from tests.inbox.store import submit
from tests.instance import Door, customer, encoded, event, eventually
from trueup.accounts.types import Account
from trueup.inbox.intake import connection
from trueup.inbox.intake.answers import DATABASE_AWAY, STORED, Answer
from trueup.inbox.intake.flusher import LANES, Flusher
from trueup.runtime.crypto import Sealer


@pytest.fixture
def line(database: str) -> Iterator[Line]:
    """The way to the database, which can be cut."""
    with Line(database) as way:
        yield way


@pytest.fixture
def far(line: Line, account: Account, sealer: Sealer) -> Iterator[Door]:
    """The intake at the end of that way."""
    with Door(line.conninfo, sealer=sealer, path="/webhooks/stripe/acme") as opened:
        yield opened


WAITING_LOCKS = "select count(*) from pg_locks where relation = 'inbox_event'::regclass and not granted"


def told(number: int) -> bytes:
    return encoded(event("customer.created", customer(f"cus_{number}")))


def test_with_the_database_away_the_sender_is_told_to_come_again_and_then_served(
    far: Door, line: Line, ask: Ask
) -> None:
    assert far.post(told(0)).status == 200

    line.cut()
    away = far.post(told(1))
    line.mend()
    eventually(lambda: far.post(told(1)).status == 200, "the intake recovers by itself")

    assert (away.status, away.code, away.headers["retry-after"]) == (503, "database_away", "1")
    assert ask("select count(*) from inbox_event") == [(2,)]


def test_the_intake_recovers_also_under_steady_traffic(far: Door, line: Line, ask: Ask) -> None:
    assert far.post(told(0)).status == 200
    line.cut()
    numbers = itertools.count(1)
    for _ in range(8):
        assert {answer.status for answer in far.post_all([told(next(numbers)) for _ in range(8)], connections=8)} == {
            503
        }
    line.mend()

    deadline = time.monotonic() + 10
    while {answer.status for answer in far.post_all([told(next(numbers)) for _ in range(8)], connections=8)} != {200}:
        assert time.monotonic() < deadline

    assert ask("select count(*) from inbox_event")[0][0] >= 9


def test_an_intake_that_starts_before_its_database_serves_when_it_comes(
    line: Line, account: Account, sealer: Sealer
) -> None:
    line.cut()
    with Door(line.conninfo, sealer=sealer, path="/webhooks/stripe/acme") as early:
        first = early.post(told(0))
        assert (first.status, first.code) == (503, "database_away")
        line.mend()

        eventually(lambda: early.post(told(0)).status == 200, "the intake finds its database")


def test_a_database_that_goes_silent_is_given_up_in_time(
    far: Door, line: Line, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STATEMENT_SECONDS", 1.0)
    assert far.post(told(0)).status == 200
    line.freeze()

    silent = far.post(told(1))
    line.mend()

    assert (silent.status, silent.code) == (503, "database_away")
    eventually(lambda: far.post(told(1)).status == 200, "the intake recovers")
    assert ask("select count(*) from inbox_event") == [(2,)]


def test_a_full_queue_turns_away_and_loses_nothing_it_took(door: Door, database: str, ask: Ask) -> None:
    big = [
        encoded(event("customer.created", customer(f"cus_{number}", description="x" * 1_000_000)))
        for number in range(68 + LANES)
    ]
    answers: list[int] = []
    with psycopg.connect(database) as blocker:
        blocker.execute("lock table inbox_event in access exclusive mode")
        # One batch for each connection of the flusher; what comes after them has to wait in the queue. They are sent
        # one by one: two that arrive together are one batch, and the second connection has nothing to wait with.
        held: list[threading.Thread] = []
        for body in big[:LANES]:
            held.append(threading.Thread(target=lambda sent=body: answers.append(door.post(sent).status), daemon=True))
            held[-1].start()
            eventually(lambda: ask(WAITING_LOCKS) == [(len(held),)], "the flusher waits")
        queued = threading.Thread(
            target=lambda: answers.extend(a.status for a in door.post_all(big[LANES:], connections=68)), daemon=True
        )
        queued.start()

        eventually(door.intake._flusher.full, "the queue is full")
        refused = door.post(told(1000))

        assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "queue_full", "1")
        blocker.rollback()
        for one in held:
            one.join(30)
        queued.join(30)

    assert ask("select count(*) from inbox_event") == [(answers.count(200),)]
    assert answers.count(200) >= 66
    assert set(answers) <= {200, 503}
    assert door.post(told(1000)).status == 200


def test_two_intakes_that_get_the_same_events_in_opposite_order_do_not_deadlock(
    database: str, account: Account, ask: Ask
) -> None:
    async def store() -> list[Answer]:
        one, other = Flusher(database), Flusher(database)
        await one.start()
        await other.start()
        results: list[Answer] = []
        for turn in range(15):
            bodies = [told(1000 * turn + number) for number in range(200)]
            results += await asyncio.gather(
                *(submit(one, account, body) for body in bodies),
                *(submit(other, account, body) for body in reversed(bodies)),
            )
        await one.stop()
        await other.stop()
        return results

    results = asyncio.run(store())

    assert {result.outcome for result in results} == {"stored", "duplicate"}
    assert results.count(STORED) == 3000
    assert ask("select count(*) from inbox_event") == [(3000,)]


def test_what_was_accepted_is_stored_before_the_intake_stops(database: str, account: Account, ask: Ask) -> None:
    async def store() -> list[Answer]:
        flusher = Flusher(database)
        await flusher.start()
        answers = [submit(flusher, account, told(number)) for number in range(700)]
        await flusher.stop()
        assert all(answer.done() for answer in answers)
        return [answer.result() for answer in answers]

    assert asyncio.run(store()) == [STORED] * 700
    assert ask("select count(*) from inbox_event") == [(700,)]


def test_an_answer_that_cannot_be_given_does_not_stop_the_others(database: str, account: Account, ask: Ask) -> None:
    async def store() -> Answer:
        flusher = Flusher(database)
        await flusher.start()
        gone, stays = submit(flusher, account, told(0)), submit(flusher, account, told(1))
        gone.cancel()  # Its ``done`` raises.
        stored = await stays
        await flusher.stop()
        return stored

    assert asyncio.run(store()) is STORED
    assert ask("select count(*) from inbox_event") == [(2,)]


def test_a_wrong_address_of_the_database_is_an_outage_too(account: Account) -> None:
    async def store() -> Answer:
        flusher = Flusher("postgresql://nobody@127.0.0.1:1/nowhere")
        await flusher.start()
        try:
            return await submit(flusher, account, told(0))
        finally:
            await flusher.stop()

    assert asyncio.run(store()) is DATABASE_AWAY
