"""Commands on the team: inviting people, shutting them out, rotating tokens, and answering what takes two."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from trueup.kernel.errors import NotFound
from trueup.kernel.time import parse
from trueup.operators import service as operators
from trueup.operators.approvals import service as approvals
from trueup.operators.approvals.types import Approval
from trueup.operators.team import service as team
from trueup.operators.team.types import NewInvitation
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Person, Role
from trueup.ops import output, schema
from trueup.ops.actors import command_line
from trueup.ops.commands.operators import operator_app, token_app
from trueup.runtime import configuration

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Email = Annotated[str, typer.Argument(help="The person's address.")]
invitation_app = typer.Typer(no_args_is_help=True, help="People who were asked in and have a link.")
approval_app = typer.Typer(no_args_is_help=True, help="What one person asked for and another has to allow.")


@invitation_app.command("create")
def invite(
    email: Email,
    role: Annotated[list[Role], typer.Option(help="What they are here for. Repeatable.")],
    name: str = "",
    as_json: AsJson = False,
) -> None:
    """Make a link with which somebody chooses a password and comes in; it is shown once, and works for seven days."""
    schema.prepare()
    _told(team.invite(email=email, name=name, roles=role, by=command_line()), as_json=as_json)


@invitation_app.command("renew")
def renew(invitation_id: int, as_json: AsJson = False) -> None:
    """Make a new link; the one before ends at once."""
    schema.prepare()
    _told(team.renew_invitation(invitation_id=invitation_id, by=command_line()), as_json=as_json)


def _told(made: NewInvitation, *, as_json: bool) -> None:
    link = f"{configuration.current().base_url}/invitation/{made.secret}"
    if as_json:
        output.emit({"invitation": made.invitation, "url": link})
        return
    output.say(link)
    output.err.print("Send it to nobody else: whoever opens it first chooses the password. It is not shown again.")


@invitation_app.command("list")
def list_invitations(as_json: AsJson = False) -> None:
    """List who was asked in and has not come yet."""
    schema.prepare()
    found = team.invitations()
    if as_json:
        output.emit(found)
        return
    rows = ((one.id, one.email, one.name, " ".join(one.roles), output.when(one.expires_at)) for one in found)
    output.table(["Id", "Email", "Name", "Roles", "Link ends"], rows, empty="Nobody is invited.")


@invitation_app.command("withdraw")
def withdraw(invitation_id: int) -> None:
    """Take an invitation back; its link ends at once."""
    schema.prepare()
    gone = team.withdraw_invitation(invitation_id=invitation_id, by=command_line())
    output.done(f"The invitation of {gone.email} is taken back.")


@operator_app.command("deactivate")
def deactivate(email: Email) -> None:
    """Shut a person out: their sessions and the tokens that they made end at once."""
    schema.prepare()
    person = team.deactivate(operator_id=_person(email).id, by=command_line())
    output.done(f"{person.email} may sign in no more.")


@operator_app.command("activate")
def activate(email: Email) -> None:
    """Let a person in again, with the roles and the password they had."""
    schema.prepare()
    person = team.activate(operator_id=_person(email).id, by=command_line())
    output.done(f"{person.email} may sign in.")


@operator_app.command("access")
def access(
    email: Email,
    since: Annotated[
        datetime | None, typer.Option("--from", parser=parse, metavar="TIME", help="From this moment on (UTC).")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(parser=parse, metavar="TIME", help="Before this moment (UTC).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let a person do anything only within a span, such as an auditor; without options there is no bound."""
    schema.prepare()
    person = team.limit_access(operator_id=_person(email).id, since=since, until=until, by=command_line())
    if as_json:
        output.emit(person)
        return
    output.done(f"{person.email}: from {output.when(person.access_from)} until {output.when(person.access_until)}.")


def _person(email: str) -> Person:
    person = operators.find_operator(email)
    if person is None:
        raise NotFound("There is no operator with this address.", code="operator_unknown")
    return person


@token_app.command("rotate")
def rotate_token(
    token_id: int,
    hours: Annotated[int, typer.Option(min=0, max=168, help="Hours for which the old secret stays good.")] = 24,
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Days until it expires; unchanged when left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give a token a new secret; it is shown once, and the old one stays good for a while."""
    schema.prepare()
    lifetime = None if days is None else timedelta(days=days)
    made = tokens.rotate_token(token_id=token_id, overlap=timedelta(hours=hours), lifetime=lifetime, by=command_line())
    if as_json:
        output.emit(made)
        return
    output.say(made.token)
    output.err.print("Keep it now: it cannot be shown again.")
    output.err.print(f"The old one is good until {output.when(made.former_until)}.")


@approval_app.command("list")
def list_approvals(as_json: AsJson = False) -> None:
    """List the newest requests, however they stand."""
    schema.prepare()
    found = approvals.newest()
    if as_json:
        output.emit(found)
        return
    rows = (
        (
            one.id,
            one.standing.value,
            one.kind,
            f"{one.object_type}:{one.object_id}",
            f"{one.asked_by.kind.value}:{one.asked_by.id}",
            output.when(one.expires_at),
        )
        for one in found
    )
    output.table(["Id", "Standing", "Kind", "Object", "Asked by", "Expires"], rows, empty="Nobody asked for anything.")


@approval_app.command("show")
def show_approval(approval_id: int, as_json: AsJson = False) -> None:
    """Show what a request would do, and why."""
    schema.prepare()
    one = approvals.get(approval_id)
    if as_json:
        output.emit(one)
        return
    output.say(f"{one.kind} on {one.object_type}:{one.object_id}: {one.standing.value}")
    for side, value in one.change.items():
        output.say(f"  {side}: {value}")
    output.say(f"  why: {one.why}")
    if one.answer:
        output.say(f"  answer: {one.answer}")


@approval_app.command("approve")
def approve(approval_id: int, answer: Annotated[str, typer.Option(help="What to say to it.")] = "") -> None:
    """Allow what was asked for, which does it."""
    schema.prepare()
    _settled(approvals.approve(approval_id=approval_id, answer=answer, by=command_line()))


@approval_app.command("reject")
def reject(approval_id: int, answer: Annotated[str, typer.Option(help="Why not.")]) -> None:
    """Refuse what was asked for."""
    schema.prepare()
    _settled(approvals.reject(approval_id=approval_id, answer=answer, by=command_line()))


def _settled(one: Approval) -> None:
    output.done(f"{one.kind} on {one.object_type}:{one.object_id} is {one.standing.value}.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(invitation_app, name="invitation")
    app.add_typer(approval_app, name="approval")
