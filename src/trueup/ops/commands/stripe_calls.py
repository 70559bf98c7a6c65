"""Commands on calls to Stripe: what is left of them."""

from __future__ import annotations

from typing import Annotated

import typer

from trueup.accounts import calls
from trueup.accounts.calls import Lane
from trueup.ops import output, schema

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def limits(
    account: Annotated[str, typer.Argument(help="Only this account.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show how many calls to Stripe may be made now, by whom, and what slows them down."""
    schema.prepare()
    found = calls.limits(account)
    if as_json:
        output.emit(found)
        return
    rows = (
        (
            one.account,
            one.endpoint or "all",
            f"{one.now:g} of {one.per_second:g}",
            *(one.left[lane] for lane in Lane),
            sum(one.calls.values()),
            one.throttled or "",
            f"{one.throttled_until:%H:%M:%S}" if one.throttled_until else "",
            one.cause,
        )
        for one in found.data
    )
    output.table(
        [
            "Account",
            "Endpoint",
            "Per second",
            *(f"Left for {lane.value}" for lane in Lane),
            "Calls",
            "429",
            "Until",
            "Because",
        ],
        rows,
        empty="No account has an API key. Add one: trueup connect --api-key",
    )


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(limits)
