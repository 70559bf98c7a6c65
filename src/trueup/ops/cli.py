"""Every command of ``trueup``."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated, Final

import psycopg
import typer
from django.db import InterfaceError, OperationalError
from typer.main import get_command

from trueup.audit.service import ORIGIN, REQUEST_ID
from trueup.kernel.errors import TrueupError, Unavailable
from trueup.ops import main, output
from trueup.ops.commands import (
    accounts,
    audit,
    audit_witness,
    backfill,
    backup,
    customers,
    dead_letters,
    demo,
    events,
    identity,
    metrics,
    notices,
    objects,
    operators,
    processes,
    rebuild,
    reconcile,
    replay,
    sandbox,
    sandbox_lives,
    simulate,
    stripe_calls,
    sweep,
    team,
    views,
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - the shape that typer calls
    if wanted:
        output.say(f"trueup {metadata.version('trueup')}")
        raise typer.Exit


app: Final = typer.Typer(
    name="trueup",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
processes.register(app)
accounts.register(app)
operators.register(app)
team.register(app)
customers.register(app)
identity.register(app)
objects.register(app)
events.register(app)
backfill.register(app)
sweep.register(app)
dead_letters.register(app)
replay.register(app)
metrics.register(app)
notices.register(app)
demo.register(app)
views.register(app)
stripe_calls.register(app)
rebuild.register(app)
reconcile.register(app)
backup.register(app)
audit.register(app)
audit_witness.register(audit.audit_app)
sandbox.register(app)
simulate.register(app)
sandbox_lives.register(sandbox.sandbox_app)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; with ``--json`` a refusal is JSON on standard output as well."""
    as_json = "--json" in arguments
    token = REQUEST_ID.set("cli")
    origin = ORIGIN.set(socket.gethostname())
    try:
        result = get_command(app).main(args=list(arguments), prog_name="trueup", standalone_mode=False)
    except typer.Exit as ended:
        return int(ended.exit_code)
    except typer.Abort:
        return 130
    except TrueupError as error:
        return main.complain(error, as_json=as_json)
    except (OperationalError, InterfaceError, psycopg.OperationalError):
        away = Unavailable(
            "The database does not answer.",
            code="database_unavailable",
            hint="What was not confirmed was not done; try again.",
        )
        return main.complain(away, as_json=as_json)
    except Exception as error:
        # Typer's own usage errors know how to show themselves.
        show = getattr(error, "show", None)
        if show is None:
            raise
        if as_json:
            message = str(getattr(error, "message", error))
            output.emit({"error": {"code": "usage", "message": message, "hint": "See: trueup --help"}})
        show(file=sys.stderr)
        return int(getattr(error, "exit_code", main.USAGE_ERROR))
    finally:
        ORIGIN.reset(origin)
        REQUEST_ID.reset(token)
    return int(result or 0)


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Keeps every system that knows a Stripe customer true to Stripe, and can prove it."""
    del version
