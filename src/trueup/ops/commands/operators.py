"""Commands on people and tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from trueup.kernel.errors import NotFound
from trueup.operators import service as operators
from trueup.operators.factors import service as factors
from trueup.operators.set_up import service as set_up
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Role, Scope
from trueup.ops import asking, output, schema
from trueup.ops.actors import command_line
from trueup.runtime import configuration

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Password = Annotated[str | None, typer.Option(help="When left out it is asked for, or read from a pipe.")]
token_app = typer.Typer(no_args_is_help=True, help="API tokens.")
operator_app = typer.Typer(no_args_is_help=True, help="People who sign in to the console.")


@token_app.command("create")
def create_token(
    name: Annotated[str, typer.Option(help="What it is for.")],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="read, write (which includes read), or audit (the audit log alone).")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Days until it expires; never when left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an API token; it is shown once."""
    schema.prepare()
    lifetime = None if days is None else timedelta(days=days)
    token = tokens.create_token(name=name, scopes=scope or [Scope.READ], lifetime=lifetime, by=command_line())
    if as_json:
        output.emit(token)
        return
    output.say(token.token)
    output.err.print("Keep it now: it cannot be shown again.")


@token_app.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """List tokens by their beginning."""
    schema.prepare()
    found = tokens.tokens()
    if as_json:
        output.emit(found)
        return
    rows = (
        (
            token.id,
            token.name,
            token.prefix + "…",
            " ".join(token.scopes),
            output.when(token.last_used_at),
            "revoked" if token.revoked_at else output.when(token.expires_at),
        )
        for token in found
    )
    output.table(
        ["Id", "Name", "Token", "Scopes", "Last used", "Ends"],
        rows,
        empty="No token yet. Make one with: trueup token create --name NAME",
    )


@token_app.command("revoke")
def revoke_token(token_id: int) -> None:
    """End a token at once."""
    schema.prepare()
    token = tokens.revoke_token(token_id=token_id, by=command_line())
    output.done(f"{token.name} is revoked.")


@operator_app.command("create")
def create_operator(
    email: str,
    password: Password = None,
    name: str = "",
    role: Annotated[
        list[Role] | None, typer.Option(help="What they are here for; the first person is owner. Repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let a person sign in."""
    given = _given(password)
    schema.prepare()
    person = operators.create_operator(email=email, password=given, name=name, roles=role or (), by=command_line())
    if as_json:
        output.emit(person)
        return
    output.done(f"{person.email} can sign in.")


@operator_app.command("list")
def list_operators(as_json: AsJson = False) -> None:
    """List everybody who may sign in, and what they are here for."""
    schema.prepare()
    found = operators.operators()
    if as_json:
        output.emit(found)
        return
    rows = ((one.id, one.email, one.name, " ".join(one.roles), "yes" if one.is_active else "no") for one in found)
    output.table(
        ["Id", "Email", "Name", "Roles", "Active"],
        rows,
        empty="Nobody yet. Make the owner with: trueup operator create EMAIL",
    )


@operator_app.command("roles")
def set_roles(email: str, role: Annotated[list[Role], typer.Argument(help="All of their roles.")]) -> None:
    """Set what a person is here for; the roles they had are replaced."""
    schema.prepare()
    person = operators.find_operator(email)
    if person is None:
        raise NotFound("There is no operator with this address.", code="operator_unknown")
    person = operators.set_roles(operator_id=person.id, roles=role, by=command_line())
    output.done(f"{person.email}: {', '.join(person.roles)}.")


@operator_app.command("password")
def set_password(email: str, password: Password = None) -> None:
    """Set a new password."""
    given = _given(password)
    schema.prepare()
    operators.set_password(email=email, password=given, by=command_line())
    output.done("The password is set.")


@operator_app.command("reset-factors")
def reset_factors(email: str) -> None:
    """Forget the second factors of somebody who lost theirs, and end their sessions; they set up another."""
    schema.prepare()
    person = operators.find_operator(email)
    if person is None:
        raise NotFound("There is no operator with this address.", code="operator_unknown")
    removed = factors.reset(operator_id=person.id, by=command_line())
    output.done(f"{removed} forgotten. {person.email} signs in with the password and sets up another.")


@operator_app.command("set-up-code")
def set_up_code(as_json: AsJson = False) -> None:
    """Print the code with which the first person makes themselves owner, at /set-up."""
    schema.prepare()
    address, code = f"{configuration.current().base_url}/set-up", set_up.code() if set_up.is_open() else None
    if as_json:
        output.emit({"url": address, "code": code})
    elif code is None:
        output.done("Trueup has an owner already, who invites everybody else.")
    else:
        output.say(code)
        output.err.print(f"Enter it at {address}", highlight=False)


def _given(password: str | None) -> str:
    return asking.secret("Password", option="--password", twice=True) if password is None else password


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(token_app, name="token")
    app.add_typer(operator_app, name="operator")
