"""Tokens that programs use."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.operators.conftest import BY
from trueup.audit.types import AuditEntry
from trueup.kernel.errors import NotFound, Refused, Unauthenticated
from trueup.operators import service as operators
from trueup.operators.models import ApiToken
from trueup.operators.types import Scope

Entries = Callable[[], list[AuditEntry]]


def moved(token_id: int, **columns: object) -> None:
    """Change a token's row behind the service's back, as time would."""
    ApiToken.objects.filter(pk=token_id).update(**columns)


def test_a_token_is_shown_once_and_kept_as_a_digest(db: None, entries: Entries) -> None:
    made = operators.create_token(name=" ci ", scopes=[Scope.READ, Scope.READ], by=BY)

    row = ApiToken.objects.get(pk=made.id)
    assert made.token.startswith("tru_")
    assert len(made.token) >= 47
    assert bytes(row.digest) == hashlib.sha256(made.token.encode()).digest()
    assert row.prefix == made.token[:10]
    assert (made.name, made.scopes) == ("ci", (Scope.READ,))
    assert made.token not in repr([operators.tokens(), entries(), vars(row)])
    assert [entry.action for entry in entries()] == ["operators.token.created"]


def test_two_tokens_are_never_the_same(db: None) -> None:
    assert len({operators.create_token(name="x", scopes=[Scope.READ], by=BY).token for _ in range(20)}) == 20


def test_a_live_token_is_known_with_its_scopes(db: None) -> None:
    made = operators.create_token(name="ci", scopes=[Scope.WRITE], by=BY)

    token = operators.authenticate(made.token)

    assert (token.id, token.scopes, token.expires_at, token.revoked_at) == (made.id, (Scope.WRITE,), None, None)


def test_its_use_is_noted_at_most_once_a_minute(db: None) -> None:
    made = operators.create_token(name="ci", scopes=[Scope.READ], by=BY)
    assert operators.tokens()[0].last_used_at is None

    operators.authenticate(made.token)
    first = operators.tokens()[0].last_used_at
    operators.authenticate(made.token)
    assert first is not None
    assert operators.tokens()[0].last_used_at == first

    moved(made.id, last_used_at=first - timedelta(seconds=61))
    operators.authenticate(made.token)
    again = operators.tokens()[0].last_used_at
    assert again is not None
    assert again >= first


@pytest.mark.parametrize("wrong", ["", "tru_", "tru_" + "x" * 43, "tru_\x00", "ü" * 50])
def test_what_is_no_token_is_not_known(db: None, wrong: str) -> None:
    operators.create_token(name="ci", scopes=[Scope.READ], by=BY)

    with pytest.raises(Unauthenticated) as refused:
        operators.authenticate(wrong)
    assert refused.value.code == "token_invalid"


def test_an_expired_token_is_not_known(db: None) -> None:
    made = operators.create_token(name="ci", scopes=[Scope.READ], lifetime=timedelta(days=1), by=BY)
    assert operators.authenticate(made.token).expires_at is not None

    moved(made.id, expires_at=datetime(2020, 1, 1, tzinfo=UTC))

    with pytest.raises(Unauthenticated):
        operators.authenticate(made.token)
    assert operators.tokens()[0].last_used_at is not None


def test_a_revoked_token_is_not_known_from_that_moment_on(db: None, entries: Entries) -> None:
    made = operators.create_token(name="ci", scopes=[Scope.READ], by=BY)
    other = operators.create_token(name="other", scopes=[Scope.READ], by=BY)

    token = operators.revoke_token(token_id=made.id, by=BY)

    assert token.revoked_at is not None
    with pytest.raises(Unauthenticated):
        operators.authenticate(made.token)
    assert operators.authenticate(other.token).id == other.id
    assert [entry.action for entry in entries()][-1] == "operators.token.revoked"


def test_a_token_is_revoked_once(db: None, entries: Entries) -> None:
    made = operators.create_token(name="ci", scopes=[Scope.READ], by=BY)
    operators.revoke_token(token_id=made.id, by=BY)

    for token_id in (made.id, 10**9):
        with pytest.raises(NotFound):
            operators.revoke_token(token_id=token_id, by=BY)
    assert len(entries()) == 2


@pytest.mark.parametrize(("name", "scopes"), [("  ", [Scope.READ]), ("ci", [])])
def test_a_token_needs_a_name_and_a_scope(db: None, name: str, scopes: list[Scope]) -> None:
    with pytest.raises(Refused, match="needs a name and a scope"):
        operators.create_token(name=name, scopes=scopes, by=BY)
    assert operators.tokens() == []
