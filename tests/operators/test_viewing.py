"""Seeing the console as a role: for a while, for a reason, and without changing anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.operators.conftest import BY, PASSWORD
from trueup.audit.types import AuditEntry
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Forbidden, Refused
from trueup.operators import models, permissions
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.operators.types import Person, Role
from trueup.operators.viewing import service as viewing
from trueup.runtime import clock

Entries = Callable[[], list[AuditEntry]]


@pytest.fixture
def owner(person: Person) -> Actor:
    return Actor(kind=ActorKind.OPERATOR, id=str(person.id))


def seen_by(owner: Actor, role: Role) -> Actor:
    return Actor(kind=ActorKind.ROLE, id=role.value, behind=owner)


@pytest.mark.parametrize("role", list(Role))
def test_whoever_sees_as_a_role_reads_what_it_reads_and_changes_nothing(owner: Actor, role: Role) -> None:
    may = operators.permissions_of(seen_by(owner, role))

    assert may == permissions.TABLE[role] - permissions.CHANGING
    with pytest.raises(Forbidden):
        operators.require(seen_by(owner, role), Permission.PEOPLE_MANAGE)


def test_nobody_sees_more_than_they_may_themselves(owner: Actor) -> None:
    admin = operators.create_operator(email="a@acme.example", password=PASSWORD, roles=[Role.ADMIN], by=BY)
    sales = operators.create_operator(email="s@acme.example", password=PASSWORD, roles=[Role.SALES], by=BY)
    by_admin = Actor(kind=ActorKind.OPERATOR, id=str(admin.id))
    by_sales = Actor(kind=ActorKind.OPERATOR, id=str(sales.id))

    assert Permission.GALLERY_READ not in operators.permissions_of(seen_by(by_admin, Role.DEVELOPER))
    assert operators.permissions_of(seen_by(by_sales, Role.SUPPORT)) == frozenset()
    assert operators.permissions_of(Actor(kind=ActorKind.ROLE, id="owner")) == frozenset()
    assert permissions.shown_as(Role.SUPPORT, permissions.TABLE[Role.SALES]) == frozenset()
    assert permissions.shown_as(Role.SUPPORT, frozenset(Permission)) == permissions.TABLE[Role.SUPPORT]


def test_a_leave_holds_for_a_while_for_whoever_took_it_and_ends(owner: Actor, entries: Entries) -> None:
    leave = viewing.start(role=Role.SUPPORT, why="A question about a page.", by=owner)
    other = operators.create_operator(email="a@acme.example", password=PASSWORD, roles=[Role.ADMIN], by=BY)
    assert leave.expires_at - leave.started_at == timedelta(minutes=30)
    assert viewing.active(leave.id, by=owner) == leave
    assert viewing.active(leave.id, by=Actor(kind=ActorKind.OPERATOR, id=str(other.id))) is None

    viewing.end(viewing_id=leave.id, by=owner)
    viewing.end(viewing_id=leave.id, by=owner)

    assert viewing.active(leave.id, by=owner) is None
    assert [entry.action for entry in entries()[-3:]] == [
        "operators.viewing.started",
        "operators.operator.created",
        "operators.viewing.ended",
    ]
    assert "question" not in repr(entries())


def test_a_leave_ends_by_itself_and_with_the_right_to_take_one(owner: Actor) -> None:
    leaves = [viewing.start(role=Role.SALES, why="To see.", by=owner) for _ in "12"]
    models.Viewing.objects.filter(pk=leaves[0].id).update(expires_at=clock.now())
    operators.create_operator(email="o@acme.example", password=PASSWORD, roles=[Role.OWNER], by=BY)
    assert [viewing.active(leave.id, by=owner) is None for leave in leaves] == [True, False]

    operators.set_roles(operator_id=int(owner.id), roles=[Role.SALES], by=BY)

    assert viewing.active(leaves[1].id, by=owner) is None


def test_it_takes_the_permission_a_person_a_reason_and_at_most_half_an_hour(owner: Actor) -> None:
    sales = operators.create_operator(email="s@acme.example", password=PASSWORD, roles=[Role.SALES], by=BY)
    for by in (Actor(kind=ActorKind.OPERATOR, id=str(sales.id)), BY, seen_by(owner, Role.OWNER)):
        with pytest.raises(Forbidden):
            viewing.start(role=Role.SUPPORT, why="To see.", by=by)
    for why, lifetime in ((" ", timedelta(minutes=5)), ("To see.", timedelta(minutes=31)), ("To see.", timedelta())):
        with pytest.raises(Refused):
            viewing.start(role=Role.SUPPORT, why=why, lifetime=lifetime, by=owner)
