"""Commands on people and tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from trueup.operators import service as operators
from trueup.operators.types import Scope
from trueup.ops import asking, output, schema
from trueup.ops.actors import command_line

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Password = Annotated[str | None, typer.Option(help="When left out it is asked for, or read from a pipe.")]
token_app = typer.Typer(no_args_is_help=True, help="API tokens.")
operator_app = typer.Typer(no_args_is_help=True, help="People who sign in to the console.")


@token_app.command("create")
def create_token(
    name: Annotated[str, typer.Option(help="What it is for.")],
    scope: Annotated[list[Scope] | None, typer.Option(help="read, or write (which includes read).")] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Days until it expires; never when left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an API token; it is shown once."""
    schema.prepare()
    lifetime = None if days is None else timedelta(days=days)
    token = operators.create_token(name=name, scopes=scope or [Scope.READ], lifetime=lifetime, by=command_line())
    if as_json:
        output.emit(token)
        return
    output.say(token.token)
    output.err.print("Keep it now: it cannot be shown again.")


@token_app.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """List tokens by their beginning."""
    schema.prepare()
    found = operators.tokens()
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
    token = operators.revoke_token(token_id=token_id, by=command_line())
    output.done(f"{token.name} is revoked.")


@operator_app.command("create")
def create_operator(email: str, password: Password = None, name: str = "", as_json: AsJson = False) -> None:
    """Let a person sign in."""
    given = _given(password)
    schema.prepare()
    person = operators.create_operator(email=email, password=given, name=name, by=command_line())
    if as_json:
        output.emit(person)
        return
    output.done(f"{person.email} can sign in.")


@operator_app.command("password")
def set_password(email: str, password: Password = None) -> None:
    """Set a new password."""
    given = _given(password)
    schema.prepare()
    operators.set_password(email=email, password=given, by=command_line())
    output.done("The password is set.")


def _given(password: str | None) -> str:
    return asking.secret("Password", option="--password", twice=True) if password is None else password


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(token_app, name="token")
    app.add_typer(operator_app, name="operator")
