"""What is set aside or quarantined is an alarm for as long as it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.inbox.conftest import Ask
from tests.inbox.store import keep_all
from tests.inbox.test_dead_letters import exhaust, poisons
from tests.instance import TESTER, Door
from trueup.accounts.types import Account
from trueup.inbox import dead_letters
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.aside import alarms_of
from trueup.inbox.alarms.types import StandingAlarm
from trueup.ops import health
from trueup.runtime.dead_letters import Group

pytestmark = pytest.mark.usefixtures("database")


def group(cause: str, rows: int, *, shelf: str = "mirror") -> Group:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    error = "ValueError: ada@example.com"
    return Group(cause=cause, shelf=shelf, rows=rows, things=rows, first_at=at, last_at=at, error=error, examples=())


def standing() -> dict[str, StandingAlarm]:
    dead_letters.watch()
    return {alarm.code: alarm for alarm in alarms.standing()}


def test_what_is_set_aside_stands_as_an_alarm_until_it_is_tried_again(account: Account, ask: Ask) -> None:
    keep_all(account, poisons(2))
    exhaust(ask)

    told = standing()

    (cause,) = (one.cause for one in dead_letters.groups())
    assert set(told) == {"set_aside"}
    assert told["set_aside"].message == f"2 rows were set aside because nothing could be made of them: {cause}."
    assert f"trueup dead-letters retry {cause}" in told["set_aside"].remedy
    assert 'trueup_alarms{code="set_aside"} 1.0' in health.exposition().decode()

    dead_letters.retry(cause=cause, by=TESTER)

    assert alarms.standing() == ()


def test_what_is_quarantined_stands_as_an_alarm_of_its_own_until_it_is_given_up(door: Door) -> None:
    assert door.post(b"{no json").status == 200

    told = standing()

    (cause,) = (one.cause for one in dead_letters.groups())
    assert set(told) == {"quarantined"}
    assert told["quarantined"].message == f"1 signed delivery cannot be used as an event: {cause}."
    dead_letters.retry(cause=cause, by=TESTER)
    assert [alarm.code for alarm in alarms.standing()] == ["quarantined"]

    dead_letters.discard(cause=cause, why="Somebody's experiment.", by=TESTER)

    assert alarms.standing() == ()


def test_an_alarm_is_over_by_the_clock_once_somebody_else_took_the_rows_away(account: Account, ask: Ask) -> None:
    keep_all(account, poisons(1))
    exhaust(ask)
    assert set(standing()) == {"set_aside"}

    ask("delete from inbox_pending returning 1")

    assert standing() == {}


def test_the_cause_of_most_rows_is_named_over_all_queues_and_no_error_is() -> None:
    found = alarms_of([group("a-1", 3), group("b-2", 2), group("b-2", 2, shelf="customer")], [])

    assert [alarm.message for alarm in found] == [
        "7 rows were set aside because nothing could be made of them: 4 for b-2, the rest for other causes."
    ]
    assert "ada" not in f"{found}"
