"""Alarms in the database: that somebody is on one, what is over, and many who settle at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.inbox.conftest import Ask
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms import store
from trueup.inbox.alarms.types import Alarm, StandingAlarm
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.kernel.errors import Conflict, Forbidden, NotFound, Refused
from trueup.operators import service as operators
from trueup.operators.types import Role
from trueup.runtime import clock
from trueup.runtime import database as db

A = Alarm(code="a", message="A.", remedy="Do a.")
B = Alarm(code="b", message="B.", remedy="Do b.")
SHELL = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
MONTH = timedelta(days=30)


def say(*found: Alarm, account_id: int | None = None) -> None:
    """Say all that is wrong."""
    alarms.settle(source="test", account_id=account_id, alarms=found)


def raised(*found: Alarm, account_id: int | None = None) -> StandingAlarm:
    """An alarm that stands, the first of these."""
    say(*found, account_id=account_id)
    return next(one for one in alarms.standing() if one.code == found[0].code)


@pytest.fixture
def hired(database: str) -> Iterator[Callable[[str, Role], Actor]]:
    """Lets somebody have a role, until the test is over; somebody else is owner."""

    def hire(name: str, role: Role) -> Actor:
        fields: dict[str, Any] = {"name": name.title(), "password": "correct horse battery", "roles": [role]}
        person = operators.create_operator(email=f"{name}@acme.example", by=system("test"), **fields)
        return Actor(kind=ActorKind.OPERATOR, id=str(person.id))

    hire("olga", Role.OWNER)
    yield hire
    db.execute("delete from operators_operator")


def recorded() -> list[str]:
    """What was recorded of alarms, the oldest first."""
    return [one.action for one in reversed(audit.entries(db.connection(), object_type="alarm"))]


def test_who_says_so_is_on_it_with_a_note_and_it_still_stands(
    account: Account, hired: Callable[[str, Role], Actor]
) -> None:
    elena, stood = hired("elena", Role.OPS), raised(A, account_id=account.id)
    assert (stood.acknowledged_by, stood.on_it, stood.acknowledged_at, stood.note) == ("", "", None, "")

    taken = alarms.acknowledge(alarm_id=stood.id, note="  Waiting for\nStripe. ", by=elena)
    say(A, account_id=account.id)

    (found,) = alarms.standing()
    assert (found.acknowledged_by, found.on_it, found.note) == (f"operator:{elena.id}", "Elena", "Waiting for Stripe.")
    assert found.acknowledged_at == taken.acknowledged_at
    assert alarms.counts() == {"a": 1}
    (entry,) = audit.entries(db.connection(), object_type="alarm", opened=True)
    assert (entry.action, entry.object_id, entry.livemode) == ("inbox.alarm.acknowledged", str(found.id), False)
    assert entry.after == {"code": "a", "source": "test", "account_id": account.id}
    assert entry.why == "Waiting for Stripe."


@pytest.mark.usefixtures("database")
def test_saying_it_again_changes_nothing_but_another_note() -> None:
    stood = raised(A)
    first = alarms.acknowledge(alarm_id=stood.id, note="One.", by=SHELL)

    assert alarms.acknowledge(alarm_id=stood.id, note="One.", by=SHELL) == first
    assert alarms.acknowledge(alarm_id=stood.id, by=SHELL) == first
    assert recorded() == ["inbox.alarm.acknowledged"]

    other = alarms.acknowledge(alarm_id=stood.id, note="Two.", by=SHELL)
    assert (other.note, other.acknowledged_at) == ("Two.", first.acknowledged_at)
    assert recorded() == ["inbox.alarm.acknowledged"] * 2


@pytest.mark.usefixtures("database")
def test_another_takes_it_once_it_was_taken_back() -> None:
    other, stood = system("other"), raised(A)
    alarms.acknowledge(alarm_id=stood.id, note="Mine.", by=SHELL)
    with pytest.raises(Conflict) as refused:
        alarms.acknowledge(alarm_id=stood.id, by=other)
    assert (refused.value.code, alarms.standing()[0].acknowledged_by) == ("alarm_taken", "command_line:ada")

    back = alarms.release(alarm_id=stood.id, by=other)

    assert (back.acknowledged_by, back.acknowledged_at, back.note) == ("", None, "")
    assert alarms.release(alarm_id=stood.id, by=other) == back
    assert alarms.acknowledge(alarm_id=stood.id, by=other).on_it == "system:other"
    assert recorded() == ["inbox.alarm.acknowledged", "inbox.alarm.released", "inbox.alarm.acknowledged"]


@pytest.mark.usefixtures("database")
def test_one_that_comes_again_waits_for_somebody_again_and_the_former_is_kept() -> None:
    stood = raised(A, B)
    alarms.acknowledge(alarm_id=stood.id, note="Mine.", by=SHELL)
    say(B)
    say(A, B)

    again = next(one for one in alarms.standing() if one.code == "a")
    assert (again.id != stood.id, again.acknowledged_by, again.note) == (True, "", "")
    (former,) = alarms.past(since=clock.now() - MONTH).data
    assert (former.id, former.since, former.note, former.on_it) == (stood.id, stood.since, "Mine.", "command_line:ada")
    assert former.lasted > timedelta(0)

    alarms.clear(source="test", account_id=None, code="a")
    alarms.clear(source="test", account_id=None, code="a")
    assert [one.code for one in alarms.standing()] == ["b"]
    assert [one.id for one in alarms.past(since=clock.now() - MONTH).data] == [again.id, stood.id]


@pytest.mark.usefixtures("database")
def test_nobody_is_on_what_is_over_or_never_was() -> None:
    stood = raised(A)
    say()

    for do in (alarms.acknowledge, alarms.release):
        with pytest.raises(Conflict) as over:
            do(alarm_id=stood.id, by=SHELL)
        assert (over.value.code, bool(over.value.hint)) == ("alarm_over", True)
        for unknown in (stood.id + 100, 0, 2**70):
            with pytest.raises(NotFound) as missing:
                do(alarm_id=unknown, by=SHELL)
            assert missing.value.code == "alarm_unknown"
    assert recorded() == []


def test_it_takes_the_permission_to_repair_and_a_short_note(hired: Callable[[str, Role], Actor]) -> None:
    auditor, stood = hired("august", Role.AUDITOR), raised(A)

    for do in (alarms.acknowledge, alarms.release):
        with pytest.raises(Forbidden):
            do(alarm_id=stood.id, by=auditor)
    with pytest.raises(Refused) as refused:
        alarms.acknowledge(alarm_id=stood.id, note="x" * 201, by=SHELL)
    assert refused.value.code == "note_length"
    assert alarms.acknowledge(alarm_id=stood.id, note="x" * 200, by=SHELL).note == "x" * 200


@pytest.mark.usefixtures("database")
def test_what_is_over_is_paged_the_newest_first_within_a_span_and_dropped_after_ninety_days() -> None:
    for number in range(5):
        say(Alarm(code=f"c{number}", message="C.", remedy="Do."))
    say()
    db.execute("update inbox_pastalarm set ended_at = now() - interval '40 days' where code = 'c1'")
    db.execute("update inbox_pastalarm set ended_at = now() - interval '91 days' where code = 'c0'")
    since = clock.now() - MONTH

    first = alarms.past(since=since, limit=2)
    rest = alarms.past(since=since, limit=2, after=first.next)

    assert ([one.code for one in first.data], first.total) == (["c4", "c3"], 3)
    assert ([one.code for one in rest.data], rest.next) == (["c2"], None)
    assert (alarms.tidy(), alarms.tidy()) == (1, 0)
    assert alarms.past(since=clock.now() - 3 * MONTH).total == 4


@pytest.mark.usefixtures("database")
def test_only_what_is_new_counts_as_raised_and_only_what_stood_as_over() -> None:
    def settled(*found: Alarm) -> tuple[list[str], list[str]]:
        return store.settle(source="test", account_id=None, alarms=found)

    with db.transaction():
        assert settled(B, A) == (["b", "a"], [])
        assert settled(A, B) == ([], [])
    assert settled(A) == ([], ["b"])
    assert settled() == ([], ["a"])
    assert settled() == ([], [])


def test_many_who_settle_at_once_neither_lose_an_alarm_nor_end_one_twice(ask: Ask) -> None:
    turns: tuple[Sequence[Alarm], ...] = ([A, B], [B], [], [A], [B, A])
    ids: set[int] = set()

    def settle(start: int) -> None:
        try:
            for turn in range(60):
                say(*turns[(start + turn) % len(turns)])
                ids.update(one.id for one in alarms.standing())
        finally:
            db.close()

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(settle, start) for start in range(6)]:
            done.result(timeout=60)

    say(A)
    stand = ask("select code from inbox_alarm")
    over = {id_ for (id_,) in ask("select id from inbox_pastalarm")}
    assert stand == [("a",)]
    assert ids - over <= {one.id for one in alarms.standing()}
    assert ask("select count(*) from inbox_pastalarm where ended_at < since") == [(0,)]
    assert len(over) > 5


def test_who_began_before_it_was_raised_ends_it_after(database: str, ask: Ask) -> None:
    with psycopg.connect(database) as other:
        other.execute("select now()")
        say(A)
        other.execute(store.CLEAR.encode(), {"source": "test", "account_id": None, "codes": []})
        other.commit()

    assert ask("select code, ended_at > since from inbox_pastalarm") == [("a", True)]
