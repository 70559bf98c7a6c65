"""What others may ask about operators and tokens."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.crypto import salted_hmac

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.kernel.errors import Conflict, NotFound, Refused, Unauthenticated
from trueup.operators import rules, store
from trueup.operators.errors import SignInThrottled
from trueup.operators.types import Attempt, NewToken, Person, Scope, Token
from trueup.runtime import clock, database

TOKEN_PREFIX: Final = "tru_"  # noqa: S105 - what every token begins with
SHORTEST_PASSWORD: Final = 10
LONGEST_EMAIL: Final = 254
LONGEST_NAME: Final = 200


def create_operator(*, email: str, password: str, name: str = "", by: Actor) -> Person:
    """A new person; an address already known raises ``Conflict``, a weak password or a bad address ``Refused``."""
    email = email.strip()
    try:
        validate_email(email)
    except ValidationError:
        raise Refused(
            "That is not an email address.", code="email_invalid", hint="Write it as name@example.com."
        ) from None
    if len(password) < SHORTEST_PASSWORD:
        raise Refused(f"A password has at least {SHORTEST_PASSWORD} characters.", code="password_too_short")
    if len(email) > LONGEST_EMAIL or len(name) > LONGEST_NAME:
        raise Refused(
            "The address or the name is too long.",
            code="operator_too_long",
            hint=f"An address has at most {LONGEST_EMAIL} characters, a name {LONGEST_NAME}.",
        )
    with database.transaction() as connection:
        # Of two who make the same person at once the second waits, and is told. A violated constraint would tell as
        # well, but then the database server writes the address into its log.
        connection.execute("select pg_advisory_xact_lock(hashtext('operators email'), hashtext(%s))", (email.lower(),))
        if store.find_operator(email) is not None:
            raise Conflict(
                "An operator with this address exists.",
                code="operator_exists",
                hint="Use `trueup operator password` to set a new password.",
            )
        person = store.insert_operator(email=email, name=name, password=password)
        audit.record(
            connection,
            by=by,
            action=Action.OPERATOR_CREATED,
            object_type="operator",
            object_id=str(person.id),
            after={"is_active": True},
        )
    return person


def set_password(*, email: str, password: str, by: Actor) -> Person:
    """Replace a person's password; an unknown address raises ``NotFound``."""
    if len(password) < SHORTEST_PASSWORD:
        raise Refused(f"A password has at least {SHORTEST_PASSWORD} characters.", code="password_too_short")
    with database.transaction() as connection:
        person = store.find_operator(email)
        if person is None:
            raise NotFound("There is no operator with this address.", code="operator_unknown")
        store.update_password(person.id, password)
        # Whoever may set a password ends the wait that somebody else's guesses brought upon this address.
        store.forget_attempts_of(_subject("address", person.email.lower()))
        audit.record(
            connection, by=by, action=Action.OPERATOR_PASSWORD_SET, object_type="operator", object_id=str(person.id)
        )
    return person


def find_operator(email: str) -> Person | None:
    """The person with this address, in any case."""
    return store.find_operator(email)


def operator_count() -> int:
    """How many people may sign in."""
    return store.operator_count()


def begin_sign_in(*, email: str, client: str) -> Attempt:
    """Ask whether a sign-in may be tried now; after too many failures ``SignInThrottled`` tells when to retry.

    Call it before the password is looked at. The attempt counts as failed from here on, so that a thousand at once are
    not all let through; ``record_sign_in`` takes it back. ``client`` is the network address that the visitor comes
    from.
    """
    now = clock.now()
    subjects = sorted({_subject("address", email.strip().lower()), _subject("client", rules.client_of(client))})
    with database.transaction() as connection:
        # In order, so that two attempts that share a subject wait for each other and never deadlock.
        for subject in subjects:
            connection.execute("select pg_advisory_xact_lock(%s)", (int.from_bytes(subject[:8], signed=True),))
        store.forget_attempts_before(now - rules.WINDOW)
        waits = [rules.retry_at(store.attempts(subject, since=now - rules.WINDOW), now=now) for subject in subjects]
        if until := max((moment for moment in waits if moment is not None), default=None):
            raise SignInThrottled(until)
        return Attempt(ids=tuple(store.insert_attempts(subjects, at=now)))


def _subject(kind: str, value: str) -> bytes:
    return salted_hmac(f"trueup sign-in {kind}", value, algorithm="sha256").digest()


def record_sign_in(operator_id: int, *, attempt: Attempt | None = None) -> None:
    """Note that a person signed in; their ``attempt`` and earlier failures for their address are forgotten.

    Failures of the client stay: somebody with an account must not get more guesses at the others' by signing in.
    """
    with database.transaction() as connection:
        if attempt is not None:
            store.forget_attempts(attempt.ids)
            store.forget_attempts_of(_subject("address", store.operator(operator_id).email.lower()))
        by = Actor(kind=ActorKind.OPERATOR, id=str(operator_id))
        audit.record(
            connection,
            by=by,
            action=Action.OPERATOR_SIGNED_IN,
            object_type="operator",
            object_id=str(operator_id),
        )


def record_sign_out(operator_id: int) -> None:
    """Note that a person signed out."""
    with database.transaction() as connection:
        by = Actor(kind=ActorKind.OPERATOR, id=str(operator_id))
        audit.record(
            connection, by=by, action=Action.OPERATOR_SIGNED_OUT, object_type="operator", object_id=str(operator_id)
        )


def record_refused_sign_in(email: str) -> None:
    """Note a failed sign-in.

    An address we do not know is kept only as a digest, because it may be a mistyped password.
    """
    person = store.find_operator(email)
    object_id = (
        str(person.id) if person else f"unknown:{hashlib.sha256(email.strip().lower().encode()).hexdigest()[:16]}"
    )
    with database.transaction() as connection:
        audit.record(
            connection,
            by=system("console"),
            action=Action.OPERATOR_SIGN_IN_REFUSED,
            object_type="operator",
            object_id=object_id,
        )


def create_token(*, name: str, scopes: Iterable[Scope], lifetime: timedelta | None = None, by: Actor) -> NewToken:
    """A new bearer token; its secret part is in the answer and nowhere else."""
    kept = tuple(dict.fromkeys(scopes))
    if not name.strip() or not kept:
        raise Refused(
            "A token needs a name and a scope.",
            code="token_incomplete",
            hint="For instance: trueup token create --name ci --scope read",
        )
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with database.transaction() as connection:
        expires_at = None if lifetime is None else clock.now() + lifetime
        token = store.insert_token(
            name=name.strip(), digest=_digest(secret), prefix=secret[:10], scopes=kept, expires_at=expires_at
        )
        after = {"name": token.name, "scopes": [scope.value for scope in kept], "expires_at": expires_at}
        audit.record(
            connection, by=by, action=Action.TOKEN_CREATED, object_type="token", object_id=str(token.id), after=after
        )
    return NewToken(id=token.id, name=token.name, token=secret, scopes=kept)


def revoke_token(*, token_id: int, by: Actor) -> Token:
    """End a token at once; an unknown or already revoked one raises ``NotFound``."""
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
    """All tokens, newest first."""
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
