"""Sessions: how long they last by role, that use keeps them, and that they end at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from trueup.audit import service as audit
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.kernel.errors import Forbidden, NotFound
from trueup.operators import service as operators
from trueup.operators.sessions import rules
from trueup.operators.sessions import service as sessions
from trueup.operators.sessions.types import End, Session
from trueup.operators.types import Person, Role
from trueup.runtime import database

BY = system("test")
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def owner(db: None) -> Person:
    return operators.create_operator(email="o@acme.example", password="nine quiet rivers", by=BY)


@pytest.fixture
def sales(owner: Person) -> Person:
    return operators.create_operator(email="s@acme.example", password="nine quiet rivers", roles=[Role.SALES], by=BY)


def _as(person: Person) -> Actor:
    return Actor(kind=ActorKind.OPERATOR, id=str(person.id))


def _open(person: Person) -> int:
    return sessions.open_session(person.id, client="192.0.2.7", device="Firefox/140").id


def _aged(session_id: int, *, opened: timedelta, used: timedelta) -> None:
    database.execute(
        "update operators_session set opened_at = now() - %s, used_at = now() - %s where id = %s",
        (opened, used, session_id),
    )


def _use(person: Person, session_id: int, *, counts: bool = True) -> Session | End:
    return sessions.use(session_id, operator_id=person.id, client="192.0.2.8", counts=counts)


def test_every_role_has_its_limits_and_whoever_moves_money_or_manages_the_shortest() -> None:
    assert set(rules.TABLE) == set(Role)
    assert rules.limits([Role.SALES]).idle > rules.limits([Role.OWNER]).idle
    assert rules.limits([Role.SALES, Role.FINANCE]) == rules.limits([Role.FINANCE])
    assert rules.limits([]) == rules.limits([Role.OWNER])
    assert all(one.idle < one.absolute <= timedelta(hours=24) for one in rules.TABLE.values())


@pytest.mark.parametrize(
    ("_case", "now", "expected"),
    [
        ("before either end", NOON - MINUTE, None),
        ("unused until its end", NOON, End.IDLE),
        ("the last moment of all", NOON + MINUTE, End.ABSOLUTE),
    ],
)
def test_a_session_is_over_at_its_very_end(_case: str, now: datetime, expected: End | None) -> None:
    assert rules.over(ends_at=NOON, last_at=NOON + MINUTE, now=now) is expected


def test_use_moves_the_end_and_what_a_page_asks_by_itself_does_not(sales: Person) -> None:
    session = _open(sales)
    _aged(session, opened=timedelta(hours=2), used=timedelta(minutes=90))

    waited = _use(sales, session, counts=False)
    used = _use(sales, session)

    assert not isinstance(waited, End)
    assert not isinstance(used, End)
    assert waited.ends_at < used.ends_at
    assert used.client == "192.0.2.8"
    (listed,) = sessions.sessions(sales.id)
    assert listed == used


def test_a_session_ends_unused_and_however_much_it_is_used(sales: Person, owner: Person) -> None:
    idle, long, short = _open(sales), _open(sales), _open(owner)
    _aged(idle, opened=timedelta(hours=3), used=timedelta(hours=2))
    _aged(long, opened=timedelta(hours=12), used=MINUTE)
    _aged(short, opened=timedelta(hours=1), used=timedelta(minutes=30))

    assert sessions.sessions(sales.id) == []
    assert [_use(sales, idle), _use(sales, long), _use(owner, short)] == [End.IDLE, End.ABSOLUTE, End.IDLE]
    assert _use(sales, idle) is End.IDLE


def test_a_session_of_somebody_else_is_none(sales: Person, owner: Person) -> None:
    assert _use(sales, _open(owner)) is End.REVOKED


def test_a_revoked_session_ends_at_once_and_is_recorded_once(sales: Person) -> None:
    one, two, three = _open(sales), _open(sales), _open(sales)

    sessions.revoke(session_id=one, operator_id=sales.id, by=_as(sales))
    assert sessions.revoke_all(operator_id=sales.id, but=three, by=_as(sales)) == 1
    assert sessions.revoke_all(operator_id=sales.id, but=three, by=_as(sales)) == 0

    assert [_use(sales, one), _use(sales, two)] == [End.REVOKED, End.REVOKED]
    assert [session.id for session in sessions.sessions(sales.id)] == [three]
    with pytest.raises(NotFound):
        sessions.revoke(session_id=one, operator_id=sales.id, by=_as(sales))
    found = [entry for entry in audit.entries(database.connection()) if entry.action == "operators.sessions.revoked"]
    assert [entry.after for entry in found] == [{"sessions": 1}, {"sessions": 1}]


def test_only_whoever_manages_people_ends_sessions_of_others(sales: Person, owner: Person) -> None:
    theirs = _open(owner)

    with pytest.raises(Forbidden):
        sessions.revoke(session_id=theirs, operator_id=owner.id, by=_as(sales))
    sessions.revoke_all(operator_id=sales.id, by=_as(owner))

    assert not isinstance(_use(owner, theirs), End)


def test_sessions_of_long_ago_are_forgotten_when_somebody_signs_in(sales: Person) -> None:
    old = _open(sales)
    _aged(old, opened=sessions.KEPT + MINUTE, used=sessions.KEPT)

    new = _open(sales)

    assert database.execute("select id from operators_session").fetchall() == [(new,)]
