"""Who comes in with what a provider said: whom it means, whether they may, and what they are here for from now on."""

from __future__ import annotations

from typing import Final

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.kernel.errors import Refused
from trueup.kernel.records import Record
from trueup.operators import admitting, ranks
from trueup.operators import service as operators
from trueup.operators import store as people
from trueup.operators.permissions import Permission
from trueup.operators.sso import rules, store
from trueup.operators.sso.errors import SsoRefused
from trueup.operators.sso.types import Connection, Outcome, Pending, Purpose, Reason, Said
from trueup.operators.team import store as invitations
from trueup.operators.team.types import Invitation
from trueup.operators.types import Person, Role
from trueup.runtime import clock, database

_BY: Final = system("sso")


class _Found(Record, frozen=True):
    """Whom an answer means."""

    person: Person | None
    """None for somebody who is to be made."""
    is_linked: bool
    invitation: Invitation | None
    roles: tuple[Role, ...]
    """After this sign-in."""
    comes_in: bool


def enter(pending: Pending, connection: Connection, said: Said) -> Outcome:
    """What comes of an answer; ``SsoRefused`` where nobody comes in, except for a test, which only tells."""
    two = rules.has_two_factors(said.contexts, connection)
    if pending.purpose is Purpose.TEST:
        return _tried(pending, connection, said, two=two)
    if pending.purpose is Purpose.CONFIRM:
        same = _confirmed(pending, connection, said)
        return _outcome(pending, connection, said, same, same.roles, two=two)
    with database.transaction() as opened:
        admitting.lock(opened, said.email)
        ranks.lock(opened)
        found = _whom(connection, said)
        person = _kept(found, connection, said) if found.person or found.comes_in else None
    # Outside, so that who lost their group is refused and has lost the role as well.
    if person is None or not found.comes_in:
        raise SsoRefused(Reason.NO_GROUP, operator_id=None if person is None else person.id)
    return _outcome(pending, connection, said, person, person.roles, two=two)


def _outcome(
    pending: Pending,
    connection: Connection,
    said: Said,
    person: Person | None,
    roles: tuple[Role, ...],
    *,
    two: bool,
    refused: Reason | None = None,
) -> Outcome:
    return Outcome(
        pending=pending,
        connection=connection,
        said=said,
        person=person,
        roles=roles,
        two_factors=two,
        refused=refused,
    )


def _tried(pending: Pending, connection: Connection, said: Said, *, two: bool) -> Outcome:
    try:
        found = _whom(connection, said)
    except SsoRefused as refused:
        roles = rules.given_by(said.groups, connection)
        return _outcome(pending, connection, said, None, roles, two=two, refused=refused.reason)
    reason = None if found.comes_in else Reason.NO_GROUP
    return _outcome(pending, connection, said, found.person, found.roles, two=two, refused=reason)


def _confirmed(pending: Pending, connection: Connection, said: Said) -> Person:
    """Somebody who is in and showed anew who they are: nobody else, and nobody who was not linked before."""
    known = store.linked(connection.id, said.subject)
    if known is None or known != pending.operator_id:
        raise SsoRefused(Reason.OTHER_PERSON, operator_id=pending.operator_id)
    return people.operator(known)


def _whom(connection: Connection, said: Said) -> _Found:
    """Whom an answer means. An address alone is believed only of the provider's own domains, and only once."""
    if not said.email:
        raise SsoRefused(Reason.EMAIL_MISSING)
    if not said.email_verified:
        raise SsoRefused(Reason.EMAIL_UNVERIFIED)
    if not rules.is_of(said.email, connection):
        raise SsoRefused(Reason.DOMAIN)
    linked = store.linked(connection.id, said.subject)
    person = people.find_operator(said.email) if linked is None else people.operator(linked)
    if person is None:
        return _newcomer(connection, said)
    if not person.is_active:
        raise SsoRefused(Reason.DEACTIVATED, operator_id=person.id)
    if linked is None and store.subject_of(connection.id, person.id) is not None:
        raise SsoRefused(Reason.SUBJECT_CHANGED, operator_id=person.id)
    return _found(connection, said, person.roles, person=person, is_linked=linked is not None)


def _newcomer(connection: Connection, said: Said) -> _Found:
    invitation = _invitation(said.email)
    if invitation is None and not connection.makes_people:
        raise SsoRefused(Reason.NOT_INVITED)
    return _found(connection, said, () if invitation is None else invitation.roles, invitation=invitation)


def _found(
    connection: Connection,
    said: Said,
    roles: tuple[Role, ...],
    *,
    person: Person | None = None,
    is_linked: bool = False,
    invitation: Invitation | None = None,
) -> _Found:
    after = rules.roles_after(roles, said.groups, connection)
    return _Found(
        person=person,
        is_linked=is_linked,
        invitation=invitation,
        roles=after,
        comes_in=rules.lets_in(after, said.groups, connection),
    )


def _invitation(email: str) -> Invitation | None:
    """The open invitation of an address, if whoever made it still may."""
    found = invitations.invited(email)
    if found is None or found.expires_at <= clock.now():
        return None
    try:
        operators.require(found.made_by, Permission.PEOPLE_MANAGE)
        ranks.require(found.made_by, found.roles)
        ranks.require_alone(found.made_by, found.roles)
    except Refused:
        return None
    return found


def _kept(found: _Found, connection: Connection, said: Said) -> Person:
    """Make the person or their roles what they are from now on, and note whom the provider means."""
    person = _made(found, connection, said) if found.person is None else found.person
    now = clock.now()
    if found.is_linked:
        store.note_use(connection.id, said.subject, now=now)
    elif found.comes_in:
        store.link(connection.id, person.id, said.subject, now=now)
        audit.record(
            database.connection(),
            by=_BY,
            action=Action.SSO_LINKED,
            object_type="operator",
            object_id=str(person.id),
            after={"connection": connection.id},
        )
    if set(person.roles) != set(found.roles):
        people.update_roles(person.id, found.roles)
        audit.record(
            database.connection(),
            by=_BY,
            action=Action.OPERATOR_ROLES_SET,
            object_type="operator",
            object_id=str(person.id),
            before={"roles": [role.value for role in person.roles]},
            after={"roles": [role.value for role in found.roles], "connection": connection.id},
        )
    return people.operator(person.id)


def _made(found: _Found, connection: Connection, said: Said) -> Person:
    """A new person without a password, as invited or as the provider says."""
    invitation = found.invitation
    name = said.name[: admitting.LONGEST_NAME] or ("" if invitation is None else invitation.name)
    admitting.check(email=said.email, name=name)
    person = people.insert_operator(email=said.email, name=name, password=None, roles=found.roles)
    after: dict[str, object] = {
        "email": person.email,
        "name": person.name,
        "is_active": True,
        "roles": [role.value for role in found.roles],
        "connection": connection.id,
    }
    if invitation is not None:
        invitations.accept(invitation.id, operator_id=person.id, now=clock.now())
        who = invitation.made_by
        after |= {"invitation": invitation.id, "invited_by": f"{who.kind.value}:{who.id}"}
    audit.record(
        database.connection(),
        by=Actor(kind=ActorKind.OPERATOR, id=str(person.id)),
        action=Action.OPERATOR_CREATED,
        object_type="operator",
        object_id=str(person.id),
        after=after,
    )
    return person
