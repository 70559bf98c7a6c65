"""What others may ask about operators, and what everybody may do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from django.utils.crypto import salted_hmac

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.kernel.errors import Conflict, NotFound, Refused
from trueup.operators import admitting, permissions, ranks, rules, store
from trueup.operators.errors import PermissionMissing, SignInThrottled
from trueup.operators.permissions import Permission
from trueup.operators.types import Attempt, Person, Role, Token
from trueup.runtime import clock, database

SHORTEST_PASSWORD: Final = admitting.SHORTEST_PASSWORD


def permissions_of(by: Actor) -> frozenset[Permission]:
    """What somebody may do now: a person by their roles, a token by its scopes and never more than who made it.

    Trueup itself and whoever has a shell on the host may do everything: neither can be kept from the database. Whoever
    sees the console as a role reads what the role and they themselves may, and changes nothing.
    """
    if by.kind in {ActorKind.SYSTEM, ActorKind.COMMAND_LINE}:
        return frozenset(Permission)
    if by.kind is ActorKind.ROLE:
        return permissions.seen_as(Role(by.id), permissions_of(by.behind)) if by.behind else frozenset()
    if not by.id.isdecimal():
        return frozenset()
    if by.kind is ActorKind.OPERATOR:
        return permissions.granted(store.roles(int(by.id), now=clock.now()))
    token = store.live_token(int(by.id), now=clock.now())
    return frozenset() if token is None else _of_token(token)


def _of_token(token: Token) -> frozenset[Permission]:
    its = permissions.of_scopes(token.scopes)
    if token.made_by_id is None:
        return its
    return its & permissions.granted(store.roles(token.made_by_id, now=clock.now()))


def require(by: Actor, permission: Permission) -> None:
    """Go on only if whoever acts may do this; ``PermissionMissing`` says who may.

    Every function of a service that changes something, or tells what not everybody may know, begins with it.
    """
    if permission not in permissions_of(by):
        raise PermissionMissing(permission)


def operators() -> list[Person]:
    """Everybody who may sign in or could once, by address."""
    return store.operators()


def set_roles(*, operator_id: int, roles: Iterable[Role], by: Actor, approval: int | None = None) -> Person:
    """Replace what a person is here for.

    ``Conflict`` where nobody would be owner any more. Only an owner makes or unmakes owners and admins (``Forbidden``),
    so that nobody raises themselves; where another owner can be asked to make one, that one has to agree first
    (``Conflict``, ``approval_needed``). ``approval`` is the id of the request with which they did.
    """
    require(by, Permission.PEOPLE_MANAGE)
    new = tuple(dict.fromkeys(roles))
    if not new:
        raise Refused("A person has at least one role.", code="role_missing", hint="To shut somebody out, deactivate.")
    with database.transaction() as connection:
        ranks.lock(connection)
        before = store.find_by_id(operator_id)
        if before is None:
            raise NotFound(f"There is no operator {operator_id}.", code="operator_unknown")
        ranks.require(by, set(before.roles) ^ set(new))
        if approval is None:
            ranks.require_alone(by, set(new) - set(before.roles))
        store.update_roles(operator_id, new)
        if not store.owners():
            raise Conflict("Somebody has to be owner.", code="owner_missing", hint="Make another person owner first.")
        audit.record(
            connection,
            by=by,
            action=Action.OPERATOR_ROLES_SET,
            object_type="operator",
            object_id=str(operator_id),
            before={"roles": [role.value for role in before.roles]},
            after={"roles": [role.value for role in new], "approval": approval},
        )
    return store.operator(operator_id)


def create_operator(*, email: str, password: str, name: str = "", roles: Iterable[Role] = (), by: Actor) -> Person:
    """A new person; an address already known raises ``Conflict``, a weak password or a bad address ``Refused``.

    The first person is owner, whatever is asked for; everybody else needs at least one role.
    """
    require(by, Permission.PEOPLE_MANAGE)
    email = email.strip()
    given = tuple(dict.fromkeys(roles))
    ranks.require(by, given)
    ranks.require_alone(by, given)
    admitting.check(email=email, name=name)
    with database.transaction() as connection:
        admitting.lock(connection, email)
        admitting.check_unknown(email)
        if store.operator_count() == 0:
            given = (Role.OWNER,)
        if not given:
            raise Refused(
                "A person needs a role.",
                code="role_missing",
                hint=f"One or more of: {', '.join(role.value for role in Role)}.",
            )
        person = admitting.insert(email=email, name=name, password=password, roles=given)
        audit.record(
            connection,
            by=by,
            action=Action.OPERATOR_CREATED,
            object_type="operator",
            object_id=str(person.id),
            after={
                "email": person.email,
                "name": person.name,
                "is_active": True,
                "roles": [role.value for role in given],
            },
        )
    return person


def set_password(*, email: str, password: str, by: Actor) -> Person:
    """Replace a person's password, and end their sessions; an unknown address raises ``NotFound``.

    Only an owner sets an owner's or admin's.
    """
    require(by, Permission.PEOPLE_MANAGE)
    with database.transaction() as connection:
        person = store.find_operator(email)
        if person is None:
            raise NotFound("There is no operator with this address.", code="operator_unknown")
        ranks.require(by, person.roles)
        admitting.check_password(password, of=(person.email, person.name))
        store.update_password(person.id, password)
        store.end_sessions(person.id, why=store.CREDENTIALS_CHANGED, now=clock.now())
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


def record_sign_in(
    operator_id: int,
    *,
    attempt: Attempt | None = None,
    method: str = "password",
    factor: str = "",
    connection_id: int | None = None,
) -> None:
    """Note that a person signed in; their ``attempt`` and earlier failures for their address are forgotten.

    ``method`` is ``password``, ``passkey`` or ``sso``, and ``factor`` what they showed beside it: ``app``, ``code`` or
    ``passkey``, ``provider`` for what somebody's provider saw, empty for nothing.

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
            after={"method": method, "factor": factor, "connection": connection_id},
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
