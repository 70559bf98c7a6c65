"""Who is in the team: invitations, roles by two, shutting out, a window of time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate

from tests.operators.conftest import BY, PASSWORD
from trueup.audit import service as audit
from trueup.audit.retention import erasing
from trueup.audit.types import Action, AuditEntry
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Conflict, Forbidden, NotFound, Refused, Unauthenticated
from trueup.operators import permissions
from trueup.operators import service as operators
from trueup.operators.approvals import service as approvals
from trueup.operators.models import Invitation
from trueup.operators.sessions import service as sessions
from trueup.operators.sessions.types import End
from trueup.operators.team import service as team
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Person, Role, Scope
from trueup.runtime import clock, configuration, database

Entries = Callable[[], list[AuditEntry]]


def acting(person: Person) -> Actor:
    return Actor(kind=ActorKind.OPERATOR, id=str(person.id))


def somebody(*roles: Role, name: str = "joe") -> Person:
    return operators.create_operator(email=f"{name}@acme.example", password=PASSWORD, roles=roles, by=BY)


@pytest.fixture
def owner(person: Person) -> Actor:
    return acting(person)


def test_whoever_opens_the_link_chooses_a_password_and_has_the_roles(owner: Actor, entries: Entries) -> None:
    made = team.invite(email=" new@acme.example ", name="New One", roles=[Role.SALES, Role.SUPPORT], by=owner)
    assert team.invitation(made.secret).email == "new@acme.example"
    assert [one.email for one in team.invitations()] == ["new@acme.example"]

    person = team.accept_invitation(secret=made.secret, password=PASSWORD, name="")

    assert (person.email, person.name, person.roles) == ("new@acme.example", "New One", (Role.SALES, Role.SUPPORT))
    assert authenticate(username="NEW@acme.example", password=PASSWORD) is not None
    assert team.invitations() == []
    asked, came = entries()[-2:]
    assert (asked.action, asked.actor_id, asked.after["roles"]) == (
        "operators.invitation.made",
        owner.id,
        ["sales", "support"],
    )
    assert (came.action, came.actor_id, came.object_id) == (
        "operators.operator.created",
        str(person.id),
        str(person.id),
    )
    assert came.after["invited_by"] == f"operator:{owner.id}"
    assert "new@acme" not in repr(entries())
    assert made.secret not in repr([entries(), Invitation.objects.values()])


def test_the_log_says_who_was_invited_and_came_until_both_are_erased(owner: Actor) -> None:
    made = team.invite(email="new@acme.example", name="New One", roles=[Role.SALES], by=owner)
    person = team.accept_invitation(secret=made.secret, password=PASSWORD, name="Newer")
    subjects = {f"invitation:{made.invitation.id}": 2, f"operator:{person.id}": 2}

    def told() -> list[list[str]]:
        found = audit.entries(database.connection(), opened=True, limit=1000)[::-1]
        return [
            [entry.after.get("email"), entry.after.get("name")]
            for entry in found
            if entry.action in {Action.INVITATION_MADE, Action.OPERATOR_CREATED} and "sales" in entry.after["roles"]
        ]

    assert told() == [["new@acme.example", "New One"], ["new@acme.example", "Newer"]]
    found = erasing.erase(subjects=list(subjects), why="Article 17.", by=owner, dry_run=True)
    assert {one.subject: one.values for one in found.subjects} == subjects
    erasing.erase(subjects=[next(iter(subjects))], why="Article 17.", by=owner)
    assert told() == [[None, None], ["new@acme.example", "Newer"]]
    erasing.erase(subjects=list(subjects), why="Article 17.", by=owner)
    assert told() == [[None, None], [None, None]]


def test_a_link_is_good_once_for_seven_days_and_until_it_is_taken_back(owner: Actor) -> None:
    used, old, gone, renewed = (
        team.invite(email=f"{name}@acme.example", roles=[Role.SALES], by=owner) for name in ("a", "b", "c", "d")
    )
    team.accept_invitation(secret=used.secret, password=PASSWORD, name="A")
    assert old.invitation.expires_at - clock.now() <= timedelta(days=7)
    Invitation.objects.filter(pk=old.invitation.id).update(expires_at=clock.now())
    team.withdraw_invitation(invitation_id=gone.invitation.id, by=owner)
    again = team.renew_invitation(invitation_id=renewed.invitation.id, by=owner)

    for made in (used, old, gone, renewed):
        with pytest.raises(NotFound, match="lets nobody in"):
            team.accept_invitation(secret=made.secret, password=PASSWORD, name="X")
        with pytest.raises(NotFound):
            team.invitation(made.secret)
    assert operators.operator_count() == 2
    assert team.accept_invitation(secret=again.secret, password=PASSWORD, name="D").name == "D"
    for closed in (used, gone):
        with pytest.raises(NotFound):
            team.renew_invitation(invitation_id=closed.invitation.id, by=owner)


def test_a_short_password_leaves_the_link_good(owner: Actor) -> None:
    made = team.invite(email="new@acme.example", roles=[Role.SALES], by=owner)

    with pytest.raises(Refused, match="at least 10"):
        team.accept_invitation(secret=made.secret, password="short", name="")

    assert team.invitation(made.secret).id == made.invitation.id


def test_an_address_is_invited_once_and_nobody_who_is_here(owner: Actor, person: Person) -> None:
    team.invite(email="new@acme.example", roles=[Role.SALES], by=owner)
    for email, code in (("NEW@acme.example", "invitation_exists"), (person.email, "operator_exists")):
        with pytest.raises(Conflict) as refused:
            team.invite(email=email, roles=[Role.SALES], by=owner)
        assert refused.value.code == code
    with pytest.raises(Refused):
        team.invite(email="other@acme.example", roles=[], by=owner)
    with pytest.raises(Refused, match="not an email"):
        team.invite(email="other", roles=[Role.SALES], by=owner)


def test_a_link_of_somebody_who_was_shut_out_since_lets_nobody_in(owner: Actor) -> None:
    admin = somebody(Role.ADMIN)
    made = team.invite(email="new@acme.example", roles=[Role.SALES], by=acting(admin))

    team.deactivate(operator_id=admin.id, by=owner)

    with pytest.raises(Forbidden):
        team.accept_invitation(secret=made.secret, password=PASSWORD, name="")


def test_an_admin_invites_no_admin_and_one_of_two_owners_neither(owner: Actor) -> None:
    admin = somebody(Role.ADMIN)
    with pytest.raises(Forbidden, match="Only an owner"):
        team.invite(email="new@acme.example", roles=[Role.ADMIN], by=acting(admin))
    assert team.invite(email="first@acme.example", roles=[Role.OWNER], by=owner).invitation.roles == (Role.OWNER,)
    somebody(Role.OWNER, name="second")
    with pytest.raises(Conflict, match="Another owner"):
        team.invite(email="new@acme.example", roles=[Role.ADMIN], by=owner)


def test_the_only_owner_gives_every_role_alone_and_one_of_two_asks_the_other(owner: Actor, entries: Entries) -> None:
    joe = somebody(Role.SALES)
    assert team.give_roles(operator_id=joe.id, roles=[Role.OWNER], by=owner).approval is None
    ada = somebody(Role.SALES, name="ada")
    with pytest.raises(Conflict, match="Another owner"):
        operators.set_roles(operator_id=ada.id, roles=[Role.ADMIN], by=owner)

    asked = team.give_roles(operator_id=ada.id, roles=[Role.ADMIN], why="She runs it.", by=owner)

    assert asked.approval is not None
    assert operators.permissions_of(acting(ada)) == permissions.TABLE[Role.SALES]
    with pytest.raises(Forbidden, match="Somebody else"):
        approvals.approve(approval_id=asked.approval.id, by=owner)
    approvals.approve(approval_id=asked.approval.id, answer="Yes.", by=acting(joe))
    assert operators.permissions_of(acting(ada)) == permissions.TABLE[Role.ADMIN]
    given, done = entries()[-2:]
    assert (given.action, given.actor_id, given.after["asked_by"]) == (
        "operators.approval.given",
        str(joe.id),
        f"operator:{owner.id}",
    )
    assert (done.action, done.after["approval"]) == ("operators.operator.roles_set", asked.approval.id)


def test_with_four_eyes_off_an_owner_asks_nobody(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody(Role.OWNER, name="second")
    joe = somebody(Role.SALES)
    monkeypatch.setenv("TRUEUP_FOUR_EYES", "false")
    configuration.current.cache_clear()

    try:
        assert team.give_roles(operator_id=joe.id, roles=[Role.ADMIN], by=owner).approval is None
    finally:
        monkeypatch.undo()
        configuration.current.cache_clear()


def test_an_admin_may_ask_for_an_admin_and_an_owner_answers(owner: Actor) -> None:
    admin, joe = somebody(Role.ADMIN), somebody(Role.SALES, name="ada")
    asked = team.give_roles(operator_id=joe.id, roles=[Role.ADMIN], why="We need two.", by=acting(admin)).approval
    assert asked is not None
    assert [one.id for one in approvals.waiting_for(owner)] == [asked.id]
    assert approvals.waiting_for(acting(admin)) == []

    operators.set_roles(operator_id=joe.id, roles=[Role.FINANCE], by=owner)
    with pytest.raises(Conflict, match="changed since"):
        approvals.approve(approval_id=asked.id, by=owner)

    assert approvals.get(asked.id).standing == "waiting"
    assert operators.permissions_of(acting(joe)) == permissions.TABLE[Role.FINANCE]


def test_a_person_who_is_shut_out_may_nothing_and_neither_do_their_tokens(owner: Actor, entries: Entries) -> None:
    joe = somebody(Role.OPS)
    token = tokens.create_token(name="ci", scopes=[Scope.READ], by=acting(joe))
    session = sessions.open_session(joe.id, client="192.0.2.1", device="Firefox")

    team.deactivate(operator_id=joe.id, by=owner)

    assert authenticate(username=joe.email, password=PASSWORD) is None
    assert operators.permissions_of(acting(joe)) == frozenset()
    assert sessions.use(session.id, operator_id=joe.id, client="192.0.2.1") is End.DEACTIVATED
    with pytest.raises(Unauthenticated):
        tokens.authenticate(token.token)
    assert entries()[-1].after == {"is_active": False, "tokens": [token.id]}
    assert team.deactivate(operator_id=joe.id, by=owner).is_active is False
    team.activate(operator_id=joe.id, by=owner)
    assert team.activate(operator_id=joe.id, by=owner).is_active
    assert operators.permissions_of(acting(joe)) == permissions.TABLE[Role.OPS]
    with pytest.raises(Unauthenticated):
        tokens.authenticate(token.token)
    assert [entry.action for entry in entries()[-2:]] == [
        "operators.operator.deactivated",
        "operators.operator.activated",
    ]


def test_nobody_shuts_out_themselves_the_last_owner_or_somebody_above(owner: Actor) -> None:
    admin = somebody(Role.ADMIN)
    with pytest.raises(Conflict, match="Somebody else"):
        team.deactivate(operator_id=int(owner.id), by=owner)
    with pytest.raises(Conflict, match="has to be owner"):
        team.deactivate(operator_id=int(owner.id), by=BY)
    with pytest.raises(Forbidden, match="Only an owner"):
        team.deactivate(operator_id=int(owner.id), by=acting(admin))
    with pytest.raises(Forbidden, match="Only an owner"):
        operators.set_password(email="elena@acme.example", password=PASSWORD, by=acting(admin))
    with pytest.raises(NotFound):
        team.deactivate(operator_id=10**9, by=owner)


def test_one_of_two_owners_brings_no_owner_back_alone(owner: Actor) -> None:
    somebody(Role.OWNER, name="second")
    third = somebody(Role.OWNER, name="third")
    team.deactivate(operator_id=third.id, by=owner)

    with pytest.raises(Conflict, match="Another owner"):
        team.activate(operator_id=third.id, by=owner)
    with pytest.raises(Conflict, match="Another owner"):
        team.limit_access(operator_id=third.id, since=None, until=None, by=owner)


def test_an_auditor_may_read_within_their_window_only(owner: Actor, entries: Entries) -> None:
    auditor, now = somebody(Role.AUDITOR), clock.now()
    team.limit_access(operator_id=auditor.id, since=now, until=now + timedelta(days=14), by=owner)
    assert operators.permissions_of(acting(auditor)) == permissions.TABLE[Role.AUDITOR]

    team.limit_access(operator_id=auditor.id, since=None, until=now, by=owner)

    assert operators.permissions_of(acting(auditor)) == frozenset()
    assert entries()[-1].action == "operators.operator.access_limited"
    with pytest.raises(Refused, match="before it ends"):
        team.limit_access(operator_id=auditor.id, since=now, until=now, by=owner)
    with pytest.raises(Conflict, match="has to be owner"):
        team.limit_access(operator_id=int(owner.id), since=None, until=now + timedelta(days=1), by=owner)


def test_people_choose_their_language_and_zone_for_themselves(owner: Actor) -> None:
    person = team.set_preferences(language="de", zone="Europe/Berlin", by=owner)

    assert (person.language, person.zone) == ("de", "Europe/Berlin")
    assert team.set_preferences(language="", zone="", by=owner).zone == ""
    with pytest.raises(Refused, match="no such time zone"):
        team.set_preferences(language="", zone="Mars/Base", by=owner)
    with pytest.raises(Forbidden):
        team.set_preferences(language="", zone="", by=BY)


def test_managing_people_takes_the_permission(owner: Actor) -> None:
    sales = acting(somebody(Role.SALES))
    for attempt in (
        lambda: team.invite(email="x@acme.example", roles=[Role.SALES], by=sales),
        lambda: team.renew_invitation(invitation_id=1, by=sales),
        lambda: team.withdraw_invitation(invitation_id=1, by=sales),
        lambda: team.give_roles(operator_id=int(owner.id), roles=[Role.SALES], by=sales),
        lambda: team.deactivate(operator_id=int(owner.id), by=sales),
        lambda: team.activate(operator_id=int(owner.id), by=sales),
        lambda: team.limit_access(operator_id=int(owner.id), since=None, until=None, by=sales),
    ):
        with pytest.raises(Forbidden, match=r"people\.manage"):
            attempt()
