"""Commands on calls to Stripe: what is left of them, and whether all that is needed can be read."""

from __future__ import annotations

from typing import Annotated, Final

import typer
from rich.progress import Progress

from trueup.accounts import calls
from trueup.accounts.calls import Lane
from trueup.ops import access_check, output, schema
from trueup.ops.access_check import Verdict

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def limits(
    account: Annotated[str, typer.Argument(help="Only this account.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Show every endpoint, also those that are free.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how many calls to Stripe may be made now, by whom, and what slows them down.

    Of endpoints those that are busy or slowed down; with --json, which tells whether each is free, all of them.
    """
    schema.prepare()
    found = calls.limits(account)
    if as_json:
        output.emit(found)
        return
    shown = [one for one in found.data if every or not one.endpoint or not one.free]
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
        for one in shown
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
    hidden = [one for one in found.data if one not in shown]
    if hidden:
        throttled = sum(one.throttled for one in hidden)
        past = f", with {output.counted(throttled, 'answer')} of 429 before" if throttled else ""
        output.say(f"{output.counted(len(hidden), 'endpoint')} not shown: free{past}. All of them: trueup limits --all")


def check_access(account: str, as_json: AsJson = False) -> None:
    """Ask Stripe whether an account's key may read all that is needed, and how its webhook endpoint stands.

    Changes nothing. Ends with status 1 when something needed is missing.
    """
    schema.prepare()
    with Progress(console=output.err, transient=True, disable=as_json) as progress:
        task = progress.add_task("Asking Stripe", total=access_check.steps())
        found = access_check.check(
            account, on_step=lambda path: progress.update(task, advance=1, description=f"Asking Stripe: {path}")
        )
    if as_json:
        output.emit(found)
    else:
        rows = ((one.area, one.name, _WORDS[one.verdict], one.told, one.hint) for one in found.findings)
        output.table(["", "What", "", "Found", "What to do"], rows, empty="")
        if found.key_form:
            output.say(f"A key with what is missing, as far as its names are known: {found.key_form}")
    if not found.passed:
        raise typer.Exit(1)


_WORDS: Final = {
    Verdict.FINE: "fine",
    Verdict.DOUBTFUL: "look at it",
    Verdict.WRONG: "WRONG",
    Verdict.UNKNOWN: "not known",
}


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(limits)
    app.command("check-access")(check_access)
