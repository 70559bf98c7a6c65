"""Tokens of programs: made, rotated, revoked, and known by their secret."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Forbidden, NotFound, Refused, Unauthenticated
from trueup.operators import permissions, store
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.operators.types import NewToken, Scope, Token
from trueup.runtime import clock, database

TOKEN_PREFIX: Final = "tru_"  # noqa: S105 - what every token begins with
LONGEST_OVERLAP: Final = timedelta(days=7)
"""For so long at most a token's former secret is good beside the new one."""


def create_token(*, name: str, scopes: Iterable[Scope], lifetime: timedelta | None = None, by: Actor) -> NewToken:
    """A new bearer token; its secret part is in the answer and nowhere else.

    It may never do more than the person who made it may at that moment; a program makes none that outgrows itself
    (``Forbidden``).
    """
    operators.require(by, Permission.TOKENS_MANAGE)
    kept = tuple(dict.fromkeys(scopes))
    if not name.strip() or not kept:
        raise Refused(
            "A token needs a name and a scope.",
            code="token_incomplete",
            hint="Say what it is for, and choose at least one scope.",
        )
    if by.kind is ActorKind.TOKEN:
        _require_all(by, permissions.of_scopes(kept))
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with database.transaction() as connection:
        token = store.insert_token(
            name=name.strip(),
            digest=_digest(secret),
            prefix=secret[:10],
            scopes=kept,
            expires_at=None if lifetime is None else clock.now() + lifetime,
            made_by_id=_person_of(by),
        )
        after = {"name": token.name, "scopes": [scope.value for scope in kept], "expires_at": token.expires_at}
        audit.record(
            connection, by=by, action=Action.TOKEN_CREATED, object_type="token", object_id=str(token.id), after=after
        )
    return NewToken(id=token.id, name=token.name, token=secret, scopes=kept, expires_at=token.expires_at)


def _person_of(by: Actor) -> int | None:
    """The person who acts, or behind the token that does; None on the host."""
    who = by.behind or by
    return int(who.id) if who.kind is ActorKind.OPERATOR else None


def _require_all(by: Actor, wanted: frozenset[Permission]) -> None:
    if not wanted <= operators.permissions_of(by):
        raise Forbidden(
            "That token may do more than you may.", code="token_exceeds", hint="Ask somebody who may as much."
        )


def rotate_token(
    *, token_id: int, overlap: timedelta = timedelta(days=1), lifetime: timedelta | None = None, by: Actor
) -> NewToken:
    """Give a token a new secret; the one it has stays good for ``overlap``, at most ``LONGEST_OVERLAP``.

    A program may rotate its own token without a permission. Nobody rotates a token that may do more than they may
    (``Forbidden``), because they are told its secret. ``lifetime`` counts from now; without one the end stays.
    """
    if by != Actor(kind=ActorKind.TOKEN, id=str(token_id), behind=by.behind):
        operators.require(by, Permission.TOKENS_MANAGE)
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise Refused("The old secret stays good for seven days at most.", code="overlap_invalid")
    secret, now = TOKEN_PREFIX + secrets.token_urlsafe(32), clock.now()
    with database.transaction() as connection:
        before = store.live_token(token_id, now=now, lock=True)
        if before is None:
            raise NotFound(f"There is no live token {token_id}.", code="token_unknown")
        _require_all(by, operators.permissions_of(Actor(kind=ActorKind.TOKEN, id=str(token_id))))
        token = store.rotate_token(
            token_id,
            digest=_digest(secret),
            prefix=secret[:10],
            former_until=now + overlap,
            expires_at=before.expires_at if lifetime is None else now + lifetime,
            now=now,
        )
        audit.record(
            connection,
            by=by,
            action=Action.TOKEN_ROTATED,
            object_type="token",
            object_id=str(token_id),
            before={"expires_at": before.expires_at},
            after={"expires_at": token.expires_at, "former_until": now + overlap},
        )
    return NewToken(
        id=token.id,
        name=token.name,
        token=secret,
        scopes=token.scopes,
        expires_at=token.expires_at,
        former_until=now + overlap,
    )


def revoke_token(*, token_id: int, by: Actor) -> Token:
    """End a token at once; an unknown or already revoked one raises ``NotFound``."""
    operators.require(by, Permission.TOKENS_MANAGE)
    with database.transaction() as connection:
        token = store.revoke_token(token_id, now=clock.now())
        if token is None:
            raise NotFound(f"There is no live token {token_id}.", code="token_unknown")
        audit.record(
            connection,
            by=by,
            action=Action.TOKEN_REVOKED,
            object_type="token",
            object_id=str(token_id),
            before={"name": token.name},
        )
    return token


def tokens() -> list[Token]:
    """All tokens, newest first; those that ended too."""
    return store.tokens()


def authenticate(secret: str) -> Token:
    """The live token with this secret; anything else raises ``Unauthenticated``."""
    token = store.usable_token(_digest(secret), now=clock.now())
    if token is None:
        raise Unauthenticated(
            "The token is unknown, expired or revoked.", code="token_invalid", hint="Make one with: trueup token create"
        )
    return token


def _digest(secret: str) -> bytes:
    # A token has 256 bits of randomness, so a plain digest cannot be reversed by guessing and needs no salt.
    return hashlib.sha256(secret.encode()).digest()
