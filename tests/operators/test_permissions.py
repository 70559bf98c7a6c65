"""Who may do what: the table, the order of ranks, and that a service asks."""

from __future__ import annotations

import pytest

from tests.operators.conftest import BY, PASSWORD
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.kernel.errors import Conflict, Forbidden, Refused
from trueup.operators import permissions
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Person, Role, Scope


def somebody(*roles: Role, email: str = "joe@acme.example") -> Actor:
    person = operators.create_operator(email=email, password=PASSWORD, roles=roles, by=BY)
    return Actor(kind=ActorKind.OPERATOR, id=str(person.id))


def test_every_role_and_every_scope_stands_in_its_table() -> None:
    assert set(permissions.TABLE) == set(Role)
    assert set(permissions.SCOPES) == set(Scope)
    assert all(permissions.roles_with(one) for one in Permission)


def test_an_auditor_changes_nothing() -> None:
    assert not permissions.TABLE[Role.AUDITOR] & permissions.CHANGING


@pytest.mark.parametrize("role", list(Role))
def test_whoever_may_read_payloads_may_read_the_names_in_them(role: Role) -> None:
    its = permissions.TABLE[role]

    assert Permission.PERSONAL_CONTACT in its or Permission.PERSONAL_PAYLOAD not in its


def test_several_roles_add_up() -> None:
    both = permissions.granted([Role.SALES, Role.OPS])
    assert both == permissions.TABLE[Role.SALES] | permissions.TABLE[Role.OPS]
    assert permissions.granted([]) == frozenset()


def test_the_first_person_is_owner_and_the_next_needs_a_role(person: Person) -> None:
    assert person.roles == (Role.OWNER,)
    with pytest.raises(Refused, match="needs a role"):
        somebody()
    assert operators.permissions_of(somebody(Role.FINANCE)) == permissions.TABLE[Role.FINANCE]


def test_whoever_runs_on_the_host_may_everything_and_whoever_is_unknown_nothing(person: Person) -> None:
    assert operators.permissions_of(system("worker")) == frozenset(Permission)
    assert operators.permissions_of(BY) == frozenset(Permission)
    for unknown in ("999999", "ada", ""):
        assert operators.permissions_of(Actor(kind=ActorKind.OPERATOR, id=unknown)) == frozenset()
        assert operators.permissions_of(Actor(kind=ActorKind.TOKEN, id=unknown)) == frozenset()


def test_a_token_may_what_its_scopes_say_until_it_ends(person: Person) -> None:
    token = tokens.create_token(name="ci", scopes=[Scope.READ], by=BY)
    actor = Actor(kind=ActorKind.TOKEN, id=str(token.id))
    assert operators.permissions_of(actor) == permissions.SCOPES[Scope.READ]

    tokens.revoke_token(token_id=token.id, by=BY)

    assert operators.permissions_of(actor) == frozenset()


def test_a_refusal_names_the_permission_and_the_roles_that_have_it(person: Person) -> None:
    with pytest.raises(Forbidden, match=r"events\.replay") as refused:
        operators.require(somebody(Role.SALES), Permission.EVENTS_REPLAY)
    assert "ops" in refused.value.hint


def test_nobody_raises_themselves_and_somebody_stays_owner(person: Person) -> None:
    owner = Actor(kind=ActorKind.OPERATOR, id=str(person.id))
    admin = somebody(Role.ADMIN)
    with pytest.raises(Forbidden, match="Only an owner"):
        operators.set_roles(operator_id=int(admin.id), roles=[Role.OWNER], by=admin)
    with pytest.raises(Forbidden, match="Only an owner"):
        operators.set_roles(operator_id=person.id, roles=[Role.SALES], by=admin)
    with pytest.raises(Conflict, match="has to be owner"):
        operators.set_roles(operator_id=person.id, roles=[Role.SALES], by=owner)

    operators.set_roles(operator_id=int(admin.id), roles=[Role.OWNER], by=owner)
    operators.set_roles(operator_id=person.id, roles=[Role.SALES], by=admin)

    assert operators.permissions_of(owner) == permissions.TABLE[Role.SALES]
