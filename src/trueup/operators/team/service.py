"""Who is in the team: inviting people, what they are here for and until when, shutting them out and letting them in."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import available_timezones

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Conflict, Forbidden, NotFound, Refused
from trueup.operators import admitting, ranks
from trueup.operators import service as operators
from trueup.operators import store as people
from trueup.operators.approvals import service as approvals
from trueup.operators.approvals.kinds import Kind, register
from trueup.operators.approvals.types import Approval
from trueup.operators.permissions import Permission
from trueup.operators.sessions.types import End
from trueup.operators.team import store
from trueup.operators.team.types import Invitation, NewInvitation, RolesChanged
from trueup.operators.types import Person, Role
from trueup.runtime import clock, database

LIFETIME: Final = timedelta(days=7)
"""So long a link lets somebody in."""


def invite(*, email: str, name: str = "", roles: Iterable[Role], by: Actor) -> NewInvitation:
    """Ask somebody in: whoever opens the link within ``LIFETIME`` chooses a password and has these roles.

    The link's secret is in the answer and nowhere else. ``Conflict`` where the address is known or invited already, and
    where two people would have to agree on the roles: invite with others, and ask for these afterwards.
    """
    operators.require(by, Permission.PEOPLE_MANAGE)
    email, given = email.strip(), tuple(dict.fromkeys(roles))
    if not given:
        raise Refused("A person has at least one role.", code="role_missing", hint="Choose what they are here for.")
    _require_alone(by, given)
    admitting.check(email=email, name=name)
    secret = secrets.token_urlsafe(32)
    with database.transaction() as connection:
        admitting.lock(connection, email)
        admitting.check_unknown(email)
        if store.invited(email) is not None:
            raise Conflict(
                "This address is invited already.", code="invitation_exists", hint="Make a new link for it instead."
            )
        made = store.insert_invitation(
            email=email,
            name=name.strip(),
            roles=given,
            digest=_digest(secret),
            made_by=by,
            expires_at=clock.now() + LIFETIME,
        )
        after = {
            "email": made.email,
            "name": made.name,
            "roles": [role.value for role in given],
            "expires_at": made.expires_at,
        }
        _record(connection, made, Action.INVITATION_MADE, by=by, after=after)
    return NewInvitation(invitation=made, secret=secret)


def renew_invitation(*, invitation_id: int, by: Actor) -> NewInvitation:
    """Make a new link for somebody who was invited; the one before ends at once."""
    operators.require(by, Permission.PEOPLE_MANAGE)
    secret = secrets.token_urlsafe(32)
    with database.transaction() as connection:
        found = _open(invitation_id)
        _require_alone(by, found.roles)
        made = store.renew(invitation_id, digest=_digest(secret), made_by=by, expires_at=clock.now() + LIFETIME)
        _record(connection, made, Action.INVITATION_RENEWED, by=by, after={"expires_at": made.expires_at})
    return NewInvitation(invitation=made, secret=secret)


def withdraw_invitation(*, invitation_id: int, by: Actor) -> Invitation:
    """Take an invitation back; its link ends at once."""
    operators.require(by, Permission.PEOPLE_MANAGE)
    with database.transaction() as connection:
        found = _open(invitation_id)
        store.withdraw(invitation_id, now=clock.now())
        _record(connection, found, Action.INVITATION_WITHDRAWN, by=by)
    return found


def invitations() -> list[Invitation]:
    """Everybody who was invited and has not come yet, newest first; those whose link ran out too."""
    return store.open_invitations()


def invitation(secret: str) -> Invitation:
    """The invitation that a link leads to; ``NotFound`` for a link that is used up, withdrawn, too old or mistyped."""
    return _good(secret)


def accept_invitation(*, secret: str, password: str, name: str) -> Person:
    """Make the invited person, who chose a password, and use the link up.

    Whoever invited them has to be somebody who still may give these roles: a link of somebody who was shut out since
    lets nobody in.
    """
    with database.transaction() as connection:
        found = _good(secret, lock=True)
        operators.require(found.made_by, Permission.PEOPLE_MANAGE)
        _require_alone(found.made_by, found.roles)
        admitting.lock(connection, found.email)
        admitting.check_unknown(found.email)
        shown = name.strip() or found.name
        admitting.check(email=found.email, name=shown)
        person = admitting.insert(email=found.email, name=shown, password=password, roles=found.roles)
        audit.record(
            connection,
            by=Actor(kind=ActorKind.OPERATOR, id=str(person.id)),
            action=Action.OPERATOR_CREATED,
            object_type="operator",
            object_id=str(person.id),
            after={
                "email": person.email,
                "name": person.name,
                "is_active": True,
                "roles": [role.value for role in person.roles],
                "invitation": found.id,
                "invited_by": f"{found.made_by.kind.value}:{found.made_by.id}",
            },
        )
        store.accept(found.id, operator_id=person.id, now=clock.now())
    return person


def give_roles(*, operator_id: int, roles: Iterable[Role], why: str = "", by: Actor) -> RolesChanged:
    """Give a person these roles and no others, or ask for it where another owner has to agree.

    Somebody who manages people and is no owner may ask for an owner or admin as well. ``why`` is needed where somebody
    has to be asked.
    """
    operators.require(by, Permission.PEOPLE_MANAGE)
    new = tuple(dict.fromkeys(roles))
    person = member(operator_id)
    added = set(new) - set(person.roles)
    if not ranks.needs_another(by, added):
        return RolesChanged(person=operators.set_roles(operator_id=operator_id, roles=new, by=by), approval=None)
    asked = approvals.ask(
        kind=ROLES.name,
        object_type="operator",
        object_id=str(operator_id),
        change={"before": [role.value for role in person.roles], "after": [role.value for role in new]},
        why=why,
        by=by,
    )
    return RolesChanged(person=person, approval=asked)


def _give(approval: Approval, by: Actor) -> None:
    """Do what was asked for with ``give_roles``, unless the person's roles are others by now."""
    person = member(int(approval.object_id))
    if [role.value for role in person.roles] != approval.change["before"]:
        raise Conflict(
            "This person's roles were changed since this was asked for.",
            code="approval_outdated",
            hint="Refuse it; it can be asked for again.",
        )
    operators.set_roles(operator_id=person.id, roles=map(Role, approval.change["after"]), by=by, approval=approval.id)


ROLES: Final = register(
    Kind(
        name="operators.roles",
        asking=Permission.PEOPLE_MANAGE,
        approving=Permission.PEOPLE_APPROVE,
        perform=_give,
    )
)


def member(operator_id: int) -> Person:
    """One person; ``NotFound`` where there is none."""
    found = people.find_by_id(operator_id)
    if found is None:
        raise NotFound(f"There is no operator {operator_id}.", code="operator_unknown")
    return found


def deactivate(*, operator_id: int, by: Actor) -> Person:
    """Shut a person out: their sessions and the tokens that they made end at once. Nobody shuts out themselves."""
    operators.require(by, Permission.PEOPLE_MANAGE)
    with database.transaction() as connection:
        ranks.lock(connection)
        person = member(operator_id)
        if by.kind is ActorKind.OPERATOR and by.id == str(operator_id):
            raise Conflict("Somebody else has to do that.", code="operator_self", hint="Ask another owner or admin.")
        ranks.require(by, person.roles)
        if not person.is_active:
            return person
        store.update_person(operator_id, is_active=False)
        if not people.owners():
            raise Conflict("Somebody has to be owner.", code="owner_missing", hint="Make another person owner first.")
        people.end_sessions(operator_id, why=End.DEACTIVATED.value, now=clock.now())
        ended = people.revoke_tokens_of(operator_id, now=clock.now())
        audit.record(
            connection,
            by=by,
            action=Action.OPERATOR_DEACTIVATED,
            object_type="operator",
            object_id=str(operator_id),
            before={"is_active": True},
            after={"is_active": False, "tokens": [token.id for token in ended]},
        )
    return member(operator_id)


def activate(*, operator_id: int, by: Actor) -> Person:
    """Let a person in again, with the roles and the password they had; their tokens stay revoked."""
    operators.require(by, Permission.PEOPLE_MANAGE)
    with database.transaction() as connection:
        ranks.lock(connection)
        person = member(operator_id)
        ranks.require(by, person.roles)
        if person.is_active:
            return person
        ranks.require_alone(by, person.roles)
        store.update_person(operator_id, is_active=True)
        audit.record(
            connection,
            by=by,
            action=Action.OPERATOR_ACTIVATED,
            object_type="operator",
            object_id=str(operator_id),
            before={"is_active": False},
            after={"is_active": True},
        )
    return member(operator_id)


def limit_access(*, operator_id: int, since: datetime | None, until: datetime | None, by: Actor) -> Person:
    """Let a person do anything only within ``[since, until)``, as an auditor's visit; None is no bound."""
    operators.require(by, Permission.PEOPLE_MANAGE)
    if since is not None and until is not None and since >= until:
        raise Refused("Access has to begin before it ends.", code="access_span_invalid")
    with database.transaction() as connection:
        ranks.lock(connection)
        person = member(operator_id)
        ranks.require(by, person.roles)
        ranks.require_alone(by, person.roles)
        store.update_person(operator_id, access_from=since, access_until=until)
        if not people.owners():
            raise Conflict("Somebody has to be owner.", code="owner_missing", hint="Make another person owner first.")
        audit.record(
            connection,
            by=by,
            action=Action.OPERATOR_ACCESS_LIMITED,
            object_type="operator",
            object_id=str(operator_id),
            before={"access_from": person.access_from, "access_until": person.access_until},
            after={"access_from": since, "access_until": until},
        )
    return member(operator_id)


def set_preferences(*, language: str, zone: str, by: Actor) -> Person:
    """Choose one's own language and time zone; empty means what the browser says."""
    if by.kind is not ActorKind.OPERATOR:
        raise Forbidden("Only a person reads pages.", code="preferences_need_person")
    if zone and zone not in available_timezones():
        raise Refused("There is no such time zone.", code="zone_unknown", hint="For instance: Europe/Berlin")
    with database.transaction() as connection:
        person = member(int(by.id))
        store.update_person(person.id, language=language, zone=zone)
        audit.record(
            connection,
            by=by,
            action=Action.OPERATOR_PREFERENCES_SET,
            object_type="operator",
            object_id=by.id,
            before={"language": person.language, "zone": person.zone},
            after={"language": language, "zone": zone},
        )
    return member(person.id)


def _require_alone(by: Actor, roles: Iterable[Role]) -> None:
    """Whether one may give these roles by oneself."""
    ranks.require(by, roles)
    ranks.require_alone(by, roles)


def _digest(secret: str) -> bytes:
    # A link has 256 bits of randomness, so a plain digest cannot be reversed by guessing and needs no salt.
    return hashlib.sha256(secret.encode()).digest()


def _good(secret: str, *, lock: bool = False) -> Invitation:
    found = store.by_digest(_digest(secret), now=clock.now(), lock=lock)
    if found is None:
        raise NotFound(
            "This link lets nobody in any more.",
            code="invitation_unknown",
            hint="It was used, taken back, or is older than seven days. Ask whoever sent it for a new one.",
        )
    return found


def _open(invitation_id: int) -> Invitation:
    found = store.open_invitation(invitation_id)
    if found is None:
        raise NotFound(f"There is no open invitation {invitation_id}.", code="invitation_unknown")
    return found


def _record(
    connection: Any, made: Invitation, action: Action, *, by: Actor, after: dict[str, Any] | None = None
) -> None:
    # What tells of whoever is invited is not the inviter's to keep: it is erased with ``invitation:3``, which the entry
    # of the person that came of it names.
    audit.record(
        connection,
        by=by,
        action=action,
        object_type="invitation",
        object_id=str(made.id),
        after=after,
        subject=f"invitation:{made.id}",
    )
