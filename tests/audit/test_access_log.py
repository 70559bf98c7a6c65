"""Who looked at which customer: one row for somebody, a customer and an hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from trueup.audit import service as audit
from trueup.audit.access_log import service as access_log
from trueup.audit.access_log.types import CustomerKey, Looks, What
from trueup.audit.retention import erasing, holds
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Refused
from trueup.runtime import clock

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
ELENA = Actor(kind=ActorKind.OPERATOR, id="7")
PROGRAM = Actor(kind=ActorKind.TOKEN, id="3")
ACME: CustomerKey = (1, True, "cus_acme")
GLOBEX: CustomerKey = (1, True, "cus_globex")


@pytest.fixture(autouse=True)
def origin() -> Iterator[None]:
    token = audit.ORIGIN.set("192.0.2.7")
    yield
    audit.ORIGIN.reset(token)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The moment that it is; its one element may be exchanged."""
    moment = [NOW]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    return moment


def test_looks_of_an_hour_are_one_row_that_says_all_that_was_seen(at: list[datetime]) -> None:
    access_log.note(ELENA, [ACME], What.PAGE)
    at[0] += timedelta(minutes=20)
    access_log.note(ELENA, [ACME], What.PAYLOAD)
    at[0] += timedelta(minutes=20)
    access_log.note(ELENA, [ACME], What.PAGE)

    (look,) = access_log.looks(Looks()).data

    assert (look.actor, look.customer, look.times, look.origin) == ("operator:7", "cus_acme", 3, "192.0.2.7")
    assert look.what == (What.PAGE, What.PAYLOAD)
    assert (look.first_at, look.last_at) == (NOW, NOW + timedelta(minutes=40))


def test_another_hour_person_or_customer_is_another_row(at: list[datetime]) -> None:
    access_log.note(ELENA, [ACME], What.PAGE)
    access_log.note(PROGRAM, [ACME, GLOBEX, GLOBEX], What.API)
    access_log.note(Actor(kind=ActorKind.OPERATOR, id="8", behind=ELENA), [ACME], What.PAGE)
    at[0] += timedelta(hours=1)
    access_log.note(ELENA, [ACME], What.PAGE)

    told = [(one.actor, one.behind, one.customer, one.times) for one in access_log.looks(Looks()).data]

    assert told == [
        ("operator:7", "", "cus_acme", 1),
        ("operator:8", "operator:7", "cus_acme", 1),
        ("token:3", "", "cus_globex", 1),
        ("token:3", "", "cus_acme", 1),
        ("operator:7", "", "cus_acme", 1),
    ]


@pytest.mark.parametrize(
    ("which", "customers"),
    [
        (Looks(actor="operator"), ["cus_acme"]),
        (Looks(actor="token:3"), ["cus_globex"]),
        (Looks(actor="token:4"), []),
        (Looks(customer="cus_globex"), ["cus_globex"]),
        (Looks(what=What.API), ["cus_globex"]),
        (Looks(what=What.EXPORT), []),
        (Looks(since=NOW + timedelta(minutes=30)), ["cus_globex"]),
        (Looks(until=NOW + timedelta(minutes=30)), ["cus_acme"]),
    ],
)
def test_looks_are_found_by_who_whom_what_and_when(at: list[datetime], which: Looks, customers: list[str]) -> None:
    access_log.note(ELENA, [ACME], What.PAGE)
    at[0] += timedelta(hours=1)
    access_log.note(PROGRAM, [GLOBEX], What.API)

    assert [one.customer for one in access_log.looks(which).data] == customers


def test_pages_go_on_where_the_former_ended() -> None:
    for number in range(5):
        access_log.note(Actor(kind=ActorKind.OPERATOR, id=str(number)), [ACME], What.PAGE)

    first = access_log.of_customers([ACME, GLOBEX], limit=3)
    second = access_log.of_customers([ACME, GLOBEX], limit=3, after=first.next)

    assert [one.actor[-1] for one in (*first.data, *second.data)] == ["4", "3", "2", "1", "0"]
    assert second.next is None
    assert access_log.of_customers([GLOBEX]).data == ()


def test_a_kind_of_actor_that_there_is_not_is_refused() -> None:
    with pytest.raises(Refused, match="no kind of actor"):
        access_log.looks(Looks(actor="elena"))


def test_what_is_older_than_two_years_is_deleted_unless_a_hold_stands(at: list[datetime]) -> None:
    access_log.note(ELENA, [ACME], What.PAGE)
    at[0] += timedelta(days=732)
    access_log.note(ELENA, [GLOBEX], What.PAGE)
    hold = holds.place(name="case 12", why="Subpoena.", subject="customer:cus_other", by=ELENA)

    assert access_log.prune() == 0
    holds.release(hold.id, why="Settled.", by=ELENA)
    assert access_log.prune() == 1

    assert [one.customer for one in access_log.looks(Looks()).data] == ["cus_globex"]


@pytest.mark.usefixtures("home")
def test_erasing_a_person_deletes_from_where_they_looked() -> None:
    access_log.note(ELENA, [ACME], What.PAGE)
    access_log.note(PROGRAM, [ACME], What.API)

    erasing.erase(subjects=["operator:7"], why="Left.", by=PROGRAM)

    assert {one.actor: one.origin for one in access_log.looks(Looks()).data} == {
        "operator:7": "",
        "token:3": "192.0.2.7",
    }
