"""``trueup sandbox seed | scenarios | settings``: lives for a sandbox, and how its account is set."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from trueup.kernel.errors import Refused
from trueup.ops import output
from trueup.ops.commands.sandbox import HERE, AsJson, Url, ask, shown, with_progress

_MONTH: Final = 30 * 86_400


def seed(
    customers: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 20,
    months: Annotated[int, typer.Option(min=1, max=120, help="How long they live.")] = 6,
    scenario: Annotated[list[str] | None, typer.Option(help="Only this life; may be given again.")] = None,
    chance: Annotated[str, typer.Option("--seed", help="Another seed, other lives.")] = "lives",
    file: Annotated[
        Path | None, typer.Option("--output", help="Write all their events to this file (gzip) and touch no sandbox.")
    ] = None,
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """Let customers live in the sandbox for some months from its present, or write their events into a file."""
    names = scenario or []
    if file is not None:
        _write(file, customers=customers, months=months, names=names, chance=chance, as_json=as_json)
        return
    now = ask(url, "GET", "state")["now"]
    body = {"customers": customers, "months": months, "scenarios": names, "seed": chance}
    found = with_progress(url, "", now, now + months * _MONTH, lambda: ask(url, "POST", "seed", body), label="Living")
    if as_json:
        output.emit(found)
    else:
        output.done(f"{found['lives']} customers lived until {shown(found['now'])}.")
    _say_broken(found["broken"])


def _write(file: Path, *, customers: int, months: int, names: list[str], chance: str, as_json: bool) -> None:
    from trueup.sandbox.server.populating import write_load  # noqa: PLC0415 - a quarter of a second others do not need

    columns = (TextColumn("Living"), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=output.err, disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("", total=None)
        begun: list[int] = []

        def on_progress(at: int) -> None:
            if not begun:
                begun.append(at)
            progress.update(task, completed=at - begun[0], total=months * _MONTH, description=shown(at))

        found = write_load(file, customers=customers, months=months, seed=chance, names=names, on_progress=on_progress)
    if as_json:
        output.emit(found)
    else:
        size = found.bytes / 1e6
        output.done(f"{found.events:,} events of {customers:,} customers in {found.path} ({size:,.1f} MB)")
    _say_broken(list(found.broken))


def _say_broken(broken: list[str]) -> None:
    for line in broken[:5]:
        output.err.print(f"  did not go on: {line}", markup=False)
    if broken:
        raise Refused(
            f"{len(broken)} lives were refused to go on.",
            code="lives_broken",
            hint="A fault or a setting of the sandbox may be why; everything else was lived.",
        )


def scenarios(as_json: AsJson = False) -> None:
    """The catalogue of lives."""
    from trueup.sandbox.scenarios.lives import SCENARIOS  # noqa: PLC0415 - see above

    found = {name: scenario.about for name, scenario in SCENARIOS.items()}
    if as_json:
        output.emit({"scenarios": found})
    else:
        output.table(("Scenario", "What happens"), found.items(), empty="There are none.")


def settings(
    retry_policy: Annotated[str, typer.Option(help="Days after a failed renewal, such as 1,3,5,7.")] = "",
    dunning_end: Annotated[str, typer.Option(help="cancel, mark_unpaid, leave_past_due or pause.")] = "",
    pause_on_first_failure: Annotated[
        bool | None, typer.Option("--pause-on-first-failure/--no-pause-on-first-failure", help="Pause at once.")
    ] = None,
    upcoming_days: Annotated[int | None, typer.Option(help="Days before a renewal for invoice.upcoming.")] = None,
    search_lag: Annotated[int | None, typer.Option(help="Seconds until search finds a change.")] = None,
    url: Url = HERE,
    as_json: AsJson = False,
) -> None:
    """Show how the account is set, or set it."""
    change: dict[str, Any] = {"upcoming_days": upcoming_days, "search_lag": search_lag}
    change |= {"dunning_end": dunning_end or None, "pause_on_first_failure": pause_on_first_failure}
    if retry_policy:
        change["retry_policy"] = _days(retry_policy)
    given = {name: value for name, value in change.items() if value is not None}
    found = ask(url, "POST", "settings", given) if given else ask(url, "GET", "settings")
    if as_json:
        output.emit(found)
    else:
        output.table(("Setting", "Value"), ((name, str(value)) for name, value in found.items()), empty="")


def _days(text: str) -> list[int]:
    try:
        return [int(day) for day in text.split(",")]
    except ValueError:
        raise Refused(f"{text} is no list of days.", code="bad_days", hint="Such as 1,3,5,7.") from None


def register(sandbox_app: typer.Typer) -> None:
    """Add these commands to ``trueup sandbox``."""
    sandbox_app.command()(seed)
    sandbox_app.command()(scenarios)
    sandbox_app.command()(settings)
