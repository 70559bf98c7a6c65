from __future__ import annotations

import pytest
from django.db import transaction

from tests.inbox.conftest import Ask
from tests.inbox.store import keep_all
from tests.instance import Json, encoded
from trueup.accounts.types import Account
from trueup.inbox import service as inbox
from trueup.inbox.types import AwaitingRow, State
from trueup.runtime import database as runtime_database

pytestmark = pytest.mark.usefixtures("database")


def thin(number: int) -> Json:
    """A thin event about a customer of its own."""
    return {
        "id": f"evt_test_65{number:04}",
        "object": "v2.core.event",
        "type": "v1.customer.updated",
        "created": f"2026-09-01T12:00:{number:02}.000Z",
        "livemode": False,
        "related_object": {"id": f"cus_{number}", "type": "customer", "url": f"/v1/customers/cus_{number}"},
    }


@pytest.fixture
def waiting(account: Account) -> list[bytes]:
    """Three thin events that wait for their objects."""
    bodies = [encoded(thin(number)) for number in range(3)]
    keep_all(account, bodies)
    return bodies


def lease(limit: int = 10, seconds: float = 60) -> list[AwaitingRow]:
    """Take what is due."""
    return inbox.lease_awaiting(limit=limit, seconds=seconds)


def overdue(ask: Ask) -> None:
    """Let all leases and pauses be over."""
    ask("update inbox_awaitingfetch set due_at = now() - interval '1 second' returning 1")


def test_a_lease_gives_what_is_needed_to_fetch(waiting: list[bytes], account: Account) -> None:
    rows = sorted(lease(), key=lambda row: row.event_id)

    assert [row.body for row in rows] == waiting
    assert [(row.account_id, row.livemode, row.attempts) for row in rows] == [(account.id, False, 0)] * 3
    assert rows[1].type == "v1.customer.updated"
    assert (rows[1].object_type, rows[1].object_id) == ("customer", "cus_1")


def test_what_is_leased_is_nobody_elses_until_the_lease_is_over(waiting: list[bytes], ask: Ask) -> None:
    first, second = lease(limit=2), lease()

    assert [len(first), len(second), len(lease())] == [2, 1, 0]
    overdue(ask)
    assert {row.id for row in lease()} == {row.id for row in first + second}


def test_what_is_finished_is_folded_and_what_is_not_waits(waiting: list[bytes], ask: Ask) -> None:
    done, *_ = lease()

    inbox.finish_awaiting([done.id])
    inbox.finish_awaiting([done.id])

    assert inbox.event(done.event_id).state is State.FOLDED
    assert inbox.stats().awaiting_fetch == 2
    overdue(ask)
    assert done.id not in {row.id for row in lease()}


def test_finishing_is_taken_back_with_the_transaction_it_is_part_of(waiting: list[bytes]) -> None:
    row, *_ = lease()

    with runtime_database.transaction():
        inbox.finish_awaiting([row.id])
        transaction.set_rollback(True)

    assert inbox.event(row.event_id).state is State.AWAITING_FETCH


def test_a_failure_waits_longer_each_time_and_is_set_aside_after_eight(waiting: list[bytes], ask: Ask) -> None:
    row, *_ = lease(limit=1)

    asides = [inbox.fail_awaiting(row.id, "Stripe did not answer.") for _ in range(8)]

    assert asides == [False] * 7 + [True]
    assert inbox.fail_awaiting(row.id, "again") is False
    assert inbox.event(row.event_id).state is State.SET_ASIDE
    assert inbox.event(row.event_id).error == "Stripe did not answer."
    overdue(ask)
    assert row.id not in {other.id for other in lease()}


def test_a_final_failure_is_set_aside_at_once_and_one_that_is_gone_is_left_alone(waiting: list[bytes]) -> None:
    row, gone, *_ = lease()
    inbox.finish_awaiting([gone.id])

    assert inbox.fail_awaiting(row.id, "The key may not read it.", final=True) is True
    assert inbox.fail_awaiting(gone.id, "late", final=True) is False


def test_attempts_are_told_with_the_lease(waiting: list[bytes], ask: Ask) -> None:
    row, *_ = lease(limit=1)
    inbox.fail_awaiting(row.id, "No.")
    overdue(ask)

    assert [other.attempts for other in lease() if other.id == row.id] == [1]
