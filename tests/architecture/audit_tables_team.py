"""The same tables for the team, approvals, seeing as a role, and branding. ``audit_tables`` takes them in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trueup.kernel.actor import Actor, ActorKind, system
from trueup.operators import models
from trueup.operators import service as operators
from trueup.operators.approvals import service as approvals
from trueup.operators.branding import service as branding
from trueup.operators.team import service as team
from trueup.operators.types import Person, Role
from trueup.operators.viewing import service as viewing
from trueup.runtime import clock

BY = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
PASSWORD = "correct horse battery"
Scenario = Callable[[Any], object]


def acting(person: Person) -> Actor:
    return Actor(kind=ActorKind.OPERATOR, id=str(person.id))


def invited() -> Any:
    return team.invite(email="new@acme.example", roles=[Role.SALES], by=BY)


def joe(*roles: Role) -> Person:
    return operators.create_operator(email="joe@acme.example", password=PASSWORD, roles=roles or [Role.SALES], by=BY)


def asked(stage: Any) -> Any:
    """A request of an admin that the stage's owner may answer."""
    admin = acting(joe(Role.ADMIN))
    change = {"before": ["owner"], "after": ["owner", "admin"]}
    return approvals.ask(
        kind=team.ROLES.name, object_type="operator", object_id=str(stage.person.id), change=change, why="So.", by=admin
    )


def run_out(stage: Any) -> object:
    asked(stage)
    return models.Approval.objects.update(expires_at=clock.now())


INVITED, MADE, ASKED = "operators.invitation.made", "operators.operator.created", "operators.approval.asked"
STARTED, OUT = "operators.viewing.started", "operators.operator.deactivated"

CHANGES: dict[str, tuple[Scenario, list[str]]] = {
    "operators.team.invite": (lambda _: invited(), [INVITED]),
    "operators.team.renew_invitation": (
        lambda _: team.renew_invitation(invitation_id=invited().invitation.id, by=BY),
        [INVITED, "operators.invitation.renewed"],
    ),
    "operators.team.withdraw_invitation": (
        lambda _: team.withdraw_invitation(invitation_id=invited().invitation.id, by=BY),
        [INVITED, "operators.invitation.withdrawn"],
    ),
    "operators.team.accept_invitation": (
        lambda _: team.accept_invitation(secret=invited().secret, password=PASSWORD, name="New"),
        [INVITED, MADE],
    ),
    "operators.team.give_roles": (
        lambda stage: [
            joe(Role.OWNER),
            team.give_roles(operator_id=stage.person.id, roles=[Role.OWNER, Role.OPS], by=acting(stage.person)),
            team.give_roles(
                operator_id=stage.person.id, roles=[Role.OWNER, Role.ADMIN], why="So.", by=acting(stage.person)
            ),
        ],
        [MADE, "operators.operator.roles_set", ASKED],
    ),
    "operators.team.deactivate": (lambda _: team.deactivate(operator_id=joe().id, by=BY), [MADE, OUT]),
    "operators.team.activate": (
        lambda _: team.activate(operator_id=team.deactivate(operator_id=joe().id, by=BY).id, by=BY),
        [MADE, OUT, "operators.operator.activated"],
    ),
    "operators.team.limit_access": (
        lambda _: team.limit_access(operator_id=joe().id, since=None, until=clock.now(), by=BY),
        [MADE, "operators.operator.access_limited"],
    ),
    "operators.team.set_preferences": (
        lambda stage: team.set_preferences(language="", zone="Europe/Berlin", by=acting(stage.person)),
        ["operators.operator.preferences_set"],
    ),
    "operators.approvals.ask": (asked, [MADE, ASKED]),
    "operators.approvals.approve": (
        lambda stage: approvals.approve(approval_id=asked(stage).id, by=acting(stage.person)),
        [MADE, ASKED, "operators.approval.given", "operators.operator.roles_set"],
    ),
    "operators.approvals.reject": (
        lambda stage: approvals.reject(approval_id=asked(stage).id, answer="No.", by=acting(stage.person)),
        [MADE, ASKED, "operators.approval.refused"],
    ),
    "operators.approvals.cancel": (
        lambda stage: approvals.cancel(approval_id=(found := asked(stage)).id, by=found.asked_by),
        [MADE, ASKED, "operators.approval.canceled"],
    ),
    "operators.approvals.expire": (
        lambda stage: [run_out(stage), approvals.expire()],
        [MADE, ASKED, "operators.approval.expired"],
    ),
    "operators.viewing.start": (
        lambda stage: viewing.start(role=Role.SALES, why="To see.", by=acting(stage.person)),
        [STARTED],
    ),
    "operators.viewing.end": (
        lambda stage: viewing.end(
            viewing_id=viewing.start(role=Role.SALES, why="To see.", by=acting(stage.person)).id,
            by=acting(stage.person),
        ),
        [STARTED, "operators.viewing.ended"],
    ),
    "operators.branding.set_accent": (
        lambda _: branding.set_accent(accent="#2450b8", by=BY),
        ["operators.branding.changed"],
    ),
    "operators.branding.set_logo": (
        lambda _: branding.set_logo(content=b"\xff\xd8\xff", by=BY),
        ["operators.branding.changed"],
    ),
}

READS: dict[str, Scenario] = {
    "operators.team.invitations": lambda _: team.invitations(),
    "operators.team.member": lambda stage: team.member(stage.person.id),
    "operators.approvals.asked_by": lambda stage: approvals.asked_by(acting(stage.person)),
    "operators.approvals.newest": lambda _: approvals.newest(),
    "operators.approvals.waiting_about": lambda _: approvals.waiting_about(
        kind=team.ROLES.name, object_type="operator", object_id="1"
    ),
    "operators.approvals.waiting_for": lambda stage: approvals.waiting_for(acting(stage.person)),
    "operators.viewing.active": lambda stage: viewing.active(1, by=acting(stage.person)),
    "operators.branding.branding": lambda _: branding.branding(),
    "operators.branding.logo": lambda _: branding.logo(),
    "operators.branding.tones": lambda _: branding.tones(),
}

UNRECORDED: dict[str, str] = {
    "operators.approvals.concerns": "Looks at one request, which the walk's stage has none of.",
    "operators.approvals.get": "Reads one request, which the walk's stage has none of.",
    "operators.team.invitation": "Reads one invitation by its secret, which the walk's stage has none of.",
}

COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "invitation create": (["invitation", "create", "new@acme.example", "--role", "sales"], [INVITED]),
    "invitation list": (["invitation", "list"], []),
    "invitation renew": (["invitation", "renew", "{invitation}"], ["operators.invitation.renewed"]),
    "invitation withdraw": (["invitation", "withdraw", "{invitation}"], ["operators.invitation.withdrawn"]),
    "operator access": (
        ["operator", "access", "guest@acme.example", "--until", "2030-01-01"],
        ["operators.operator.access_limited"],
    ),
    "operator deactivate": (["operator", "deactivate", "guest@acme.example"], [OUT]),
    "operator activate": (["operator", "activate", "guest@acme.example"], []),
    "token rotate": (["token", "rotate", "{token}"], ["operators.token.rotated"]),
    "approval list": (["approval", "list"], []),
    "approval show": (["approval", "show", "{approval}"], []),
    "approval approve": (
        ["approval", "approve", "{approval}"],
        ["operators.approval.given", "operators.operator.roles_set"],
    ),
    "approval reject": (["approval", "reject", "{approval}", "--answer", "No."], ["operators.approval.refused"]),
}


def names() -> dict[str, str]:
    """Somebody invited, a guest, and a request: what the commands name by id."""
    by = system("walk")
    made = team.invite(email="asked@acme.example", roles=[Role.SALES], by=by).invitation
    guest = operators.create_operator(email="guest@acme.example", password=PASSWORD, roles=[Role.AUDITOR], by=by)
    change = {"before": ["auditor"], "after": ["auditor", "admin"]}
    approval = approvals.ask(
        kind=team.ROLES.name, object_type="operator", object_id=str(guest.id), change=change, why="So.", by=by
    )
    return {"{invitation}": str(made.id), "{approval}": str(approval.id)}
