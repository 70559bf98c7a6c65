"""Tokens that programs use."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.operators.conftest import BY
from trueup.audit.types import AuditEntry
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Forbidden, NotFound, Refused, Unauthenticated
from trueup.operators import permissions
from trueup.operators import service as operators
from trueup.operators.models import ApiToken, FormerSecret, Operator
from trueup.operators.permissions import Permission
from trueup.operators.tokens import service as tokens
from trueup.operators.types import NewToken, Person, Role, Scope, Token
from trueup.runtime import clock

Entries = Callable[[], list[AuditEntry]]


def moved(token_id: int, **columns: object) -> None:
    """Change a token's row behind the service's back, as time would."""
    ApiToken.objects.filter(pk=token_id).update(**columns)


def test_a_token_is_shown_once_and_kept_as_a_digest(db: None, entries: Entries) -> None:
    made = tokens.create_token(name=" ci ", scopes=[Scope.READ, Scope.READ], by=BY)

    row = ApiToken.objects.get(pk=made.id)
    assert made.token.startswith("tru_")
    assert len(made.token) >= 47
    assert bytes(row.digest) == hashlib.sha256(made.token.encode()).digest()
    assert row.prefix == made.token[:10]
    assert (made.name, made.scopes) == ("ci", (Scope.READ,))
    assert made.token not in repr([tokens.tokens(), entries(), vars(row)])
    assert [entry.action for entry in entries()] == ["operators.token.created"]


def test_two_tokens_are_never_the_same(db: None) -> None:
    assert len({tokens.create_token(name="x", scopes=[Scope.READ], by=BY).token for _ in range(20)}) == 20


def test_a_live_token_is_known_with_its_scopes(db: None) -> None:
    made = tokens.create_token(name="ci", scopes=[Scope.WRITE], by=BY)

    token = tokens.authenticate(made.token)

    assert (token.id, token.scopes, token.expires_at, token.revoked_at) == (made.id, (Scope.WRITE,), None, None)


def test_its_use_is_noted_at_most_once_a_minute(db: None) -> None:
    made = tokens.create_token(name="ci", scopes=[Scope.READ], by=BY)
    assert tokens.tokens()[0].last_used_at is None

    tokens.authenticate(made.token)
    first = tokens.tokens()[0].last_used_at
    tokens.authenticate(made.token)
    assert first is not None
    assert tokens.tokens()[0].last_used_at == first

    moved(made.id, last_used_at=first - timedelta(seconds=61))
    tokens.authenticate(made.token)
    again = tokens.tokens()[0].last_used_at
    assert again is not None
    assert again >= first


@pytest.mark.parametrize("wrong", ["", "tru_", "tru_" + "x" * 43, "tru_\x00", "ü" * 50])
def test_what_is_no_token_is_not_known(db: None, wrong: str) -> None:
    tokens.create_token(name="ci", scopes=[Scope.READ], by=BY)

    with pytest.raises(Unauthenticated) as refused:
        tokens.authenticate(wrong)
    assert refused.value.code == "token_invalid"


def test_an_expired_token_is_not_known(db: None) -> None:
    made = tokens.create_token(name="ci", scopes=[Scope.READ], lifetime=timedelta(days=1), by=BY)
    assert tokens.authenticate(made.token).expires_at is not None

    moved(made.id, expires_at=datetime(2020, 1, 1, tzinfo=UTC))

    with pytest.raises(Unauthenticated):
        tokens.authenticate(made.token)
    assert tokens.tokens()[0].last_used_at is not None


def test_a_revoked_token_is_not_known_from_that_moment_on(db: None, entries: Entries) -> None:
    made = tokens.create_token(name="ci", scopes=[Scope.READ], by=BY)
    other = tokens.create_token(name="other", scopes=[Scope.READ], by=BY)

    token = tokens.revoke_token(token_id=made.id, by=BY)

    assert token.revoked_at is not None
    with pytest.raises(Unauthenticated):
        tokens.authenticate(made.token)
    assert tokens.authenticate(other.token).id == other.id
    assert [entry.action for entry in entries()][-1] == "operators.token.revoked"


def test_a_token_is_revoked_once(db: None, entries: Entries) -> None:
    made = tokens.create_token(name="ci", scopes=[Scope.READ], by=BY)
    tokens.revoke_token(token_id=made.id, by=BY)

    for token_id in (made.id, 10**9):
        with pytest.raises(NotFound):
            tokens.revoke_token(token_id=token_id, by=BY)
    assert len(entries()) == 2


@pytest.mark.parametrize(("name", "scopes"), [("  ", [Scope.READ]), ("ci", [])])
def test_a_token_needs_a_name_and_a_scope(db: None, name: str, scopes: list[Scope]) -> None:
    with pytest.raises(Refused, match="needs a name and a scope"):
        tokens.create_token(name=name, scopes=scopes, by=BY)
    assert tokens.tokens() == []


def somebody(*roles: Role) -> Actor:
    person = operators.create_operator(
        email=f"{roles[0]}@acme.example", password="nine quiet rivers", roles=roles, by=BY
    )
    return Actor(kind=ActorKind.OPERATOR, id=str(person.id))


def program(token: NewToken | Token, maker: Actor | None = None) -> Actor:
    return Actor(kind=ActorKind.TOKEN, id=str(token.id), behind=maker)


def test_a_token_never_may_more_than_its_maker_may_now(person: Person) -> None:
    maker = somebody(Role.DEVELOPER)
    token = program(tokens.create_token(name="ci", scopes=[Scope.READ, Scope.WRITE], by=maker), maker)
    assert operators.permissions_of(token) == permissions.SCOPES[Scope.WRITE] & permissions.TABLE[Role.DEVELOPER]

    operators.set_roles(operator_id=int(maker.id), roles=[Role.AUDITOR], by=BY)
    assert Permission.EVENTS_REPLAY not in operators.permissions_of(token)

    Operator.objects.filter(pk=int(maker.id)).update(is_active=False)
    assert operators.permissions_of(token) == frozenset()


def test_a_person_outside_of_their_window_may_nothing_and_neither_do_their_tokens(person: Person) -> None:
    maker = somebody(Role.OPS)
    token = program(tokens.create_token(name="ci", scopes=[Scope.READ], by=maker), maker)

    for window in ({"access_until": clock.now()}, {"access_until": None, "access_from": clock.now() + timedelta(1)}):
        Operator.objects.filter(pk=int(maker.id)).update(**window)
        assert operators.permissions_of(maker) == operators.permissions_of(token) == frozenset()

    Operator.objects.filter(pk=int(maker.id)).update(access_from=clock.now(), access_until=clock.now() + timedelta(1))
    assert operators.permissions_of(maker) == permissions.TABLE[Role.OPS]


def test_a_rotated_token_has_a_new_secret_and_the_old_one_is_good_for_a_while(person: Person, entries: Entries) -> None:
    made = tokens.create_token(name="ci", scopes=[Scope.READ], by=BY)

    turned = tokens.rotate_token(token_id=made.id, overlap=timedelta(hours=2), by=BY)

    assert turned.token != made.token
    assert tokens.authenticate(made.token).id == tokens.authenticate(turned.token).id == made.id
    assert turned.former_until is not None
    assert turned.former_until - clock.now() <= timedelta(hours=2)
    FormerSecret.objects.update(until=clock.now())
    with pytest.raises(Unauthenticated):
        tokens.authenticate(made.token)
    assert tokens.authenticate(turned.token).id == made.id
    assert entries()[-1].action == "operators.token.rotated"
    assert turned.token not in repr(entries())


def test_rotating_again_ends_the_oldest_secret_at_once_and_revoking_ends_all(person: Person) -> None:
    made = tokens.create_token(name="ci", scopes=[Scope.READ], by=BY)
    second = tokens.rotate_token(token_id=made.id, by=BY)
    third = tokens.rotate_token(token_id=made.id, overlap=timedelta(), lifetime=timedelta(days=3), by=BY)

    for gone in (made, second):
        with pytest.raises(Unauthenticated):
            tokens.authenticate(gone.token)
    assert tokens.authenticate(third.token).expires_at == third.expires_at
    assert third.expires_at is not None
    tokens.rotate_token(token_id=made.id, by=BY)
    tokens.revoke_token(token_id=made.id, by=BY)
    with pytest.raises(Unauthenticated):
        tokens.authenticate(third.token)
    with pytest.raises(NotFound):
        tokens.rotate_token(token_id=made.id, by=BY)
    with pytest.raises(Refused, match="seven days"):
        tokens.rotate_token(token_id=made.id, overlap=timedelta(days=8), by=BY)


def test_nobody_is_told_the_secret_of_a_token_that_may_more_than_they(person: Person) -> None:
    ops = somebody(Role.OPS)
    wide = tokens.create_token(name="wide", scopes=[Scope.WRITE], by=BY)
    keeper = program(tokens.create_token(name="keeper", scopes=[Scope.TOKENS], by=BY))

    for by in (ops, keeper):
        with pytest.raises(Forbidden, match="more than you may"):
            tokens.rotate_token(token_id=wide.id, by=by)
    with pytest.raises(Forbidden, match="more than you may"):
        tokens.create_token(name="wider", scopes=[Scope.WRITE], by=keeper)
    assert tokens.create_token(name="same", scopes=[Scope.TOKENS], by=keeper).scopes == (Scope.TOKENS,)


def test_a_program_rotates_its_own_token_and_no_other(person: Person) -> None:
    owner = Actor(kind=ActorKind.OPERATOR, id=str(person.id))
    mine, other = (tokens.create_token(name="ci", scopes=[Scope.READ], by=owner) for _ in "12")

    assert tokens.rotate_token(token_id=mine.id, by=program(mine, owner)).id == mine.id
    with pytest.raises(Forbidden, match=r"tokens\.manage"):
        tokens.rotate_token(token_id=other.id, by=program(mine, owner))


def test_what_a_program_does_names_the_person_behind_its_token(person: Person, entries: Entries) -> None:
    owner = Actor(kind=ActorKind.OPERATOR, id=str(person.id))
    mine = tokens.create_token(name="ci", scopes=[Scope.READ], by=owner)

    tokens.rotate_token(token_id=mine.id, by=program(mine, owner))

    entry = entries()[-1]
    assert (entry.actor_kind, entry.actor_id) == ("token", str(mine.id))
    assert (entry.behind_kind, entry.behind_id) == ("operator", str(person.id))
