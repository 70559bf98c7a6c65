"""``trueup simulate``: random lives at a sandbox, all that can go wrong on the way to Trueup, and the comparison."""

from __future__ import annotations

import os
import re
import signal
import sys
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from trueup.kernel.errors import Refused
from trueup.ops import output
from trueup.ops.simulation import running
from trueup.ops.simulation.types import Outcome

_RANGE: Final = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
_MOST: Final = 1_000_000
_LATEST: Final = 60
"""Lines of a history that are shown beside its beginning."""


def simulate(
    seeds: Annotated[str, typer.Option("--seeds", help="A seed, or a range: 1-100.")] = "1-50",
    jobs: Annotated[int, typer.Option("--jobs", min=0, max=64, help="Processes; 0 is one a core.")] = 0,
    shrink: Annotated[
        float, typer.Option("--shrink", min=0, help="Seconds to look for what matters in a seed that diverges.")
    ] = running.SHRINK_SECONDS,
    kills: Annotated[
        bool, typer.Option("--kills", help="With real processes and a database that are killed meanwhile.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Prove that the state equals Stripe's whatever the network does, and say what was tried.

    It needs no installation: server, database and sandbox are its own and gone afterwards. Ends with 1 where a seed
    diverges.
    """
    chosen = _chosen(seeds)
    # Whoever ends it wants server and folder gone, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _progress() as progress:
        task = progress.add_task("Playing", total=len(chosen))

        def ended(outcome: Outcome) -> None:
            progress.advance(task)
            if outcome.diverged:
                progress.update(task, description="[red]Diverged[/]")
                if not as_json:
                    _tell(outcome)

        number = jobs or os.cpu_count() or 1
        if kills:
            outcomes = running.simulate_with_kills(chosen, jobs=number, on_outcome=ended)
        else:
            outcomes = running.simulate(chosen, jobs=number, on_outcome=ended, shrink_seconds=shrink)
    told = summary(outcomes)
    if as_json:
        output.emit(told)
    else:
        _show(told)
    if told["diverged"]:
        raise typer.Exit(1)


def _chosen(seeds: str) -> range:
    found = _RANGE.fullmatch(seeds)
    if found is None:
        raise Refused(f"{seeds} is no range of seeds.", code="seeds", hint="Such as --seeds 1-100, or --seeds 7.")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 0 <= last - first < _MOST:
        raise Refused(f"{seeds} is no range of seeds.", code="seeds", hint="The first one first, a million at most.")
    return range(first, last + 1)


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """What all seeds came to: how many, how long, what was tried, and those that diverged."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        for name, number in outcome.counts.items():
            counts[name] = counts.get(name, 0) + number
    diverged = [msgspec.to_builtins(outcome) for outcome in outcomes if outcome.diverged]
    return {
        "seeds": len(outcomes),
        "diverged": [one["seed"] for one in diverged],
        "seconds": round(sum(outcome.seconds for outcome in outcomes), 1),
        "tried": dict(sorted(counts.items())),
        "divergences": diverged,
    }


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=output.err,
        # Without a terminal its end would be an empty line.
        disable=not sys.stderr.isatty(),
        transient=True,
    )


def _show(told: dict[str, Any]) -> None:
    table = Table("What was tried", "Times", show_edge=False)
    for name, number in told["tried"].items():
        if number:
            table.add_row(name.replace("_", " "), f"{number:,}")
    output.out.print(table)
    if told["diverged"]:
        output.out.print(f"[red]✗ {escape(verdict(told))}[/]", soft_wrap=True)
    else:
        output.done(verdict(told))


def verdict(told: dict[str, Any]) -> str:
    """What a summary came to, in one sentence: which seeds diverged, or that none did."""
    number, diverged = told["seeds"], told["diverged"]
    seeds = output.counted(number, "seed")
    if not diverged:
        none = f"None of {seeds}" if number > 1 else "The seed has not"
        return f"{none} diverged, in {told['seconds']} s of playing: Trueup was as Stripe is."
    named = f"seed{'s' if len(diverged) > 1 else ''} {', '.join(map(str, diverged))}"
    return f"Diverged: {named}, of {seeds} in {told['seconds']} s of playing."


def _tell(outcome: Outcome) -> None:
    """The minimal history of a seed that diverged."""
    print_ = output.err.print
    print_(f"\n[red bold]Seed {outcome.seed} diverges.[/] {outcome.steps} of {outcome.shrunk_from} steps matter.")
    if outcome.problem:
        print_(escape(outcome.problem), soft_wrap=True)
    for line in outcome.history:
        print_(escape(line), style="dim", soft_wrap=True)
    for one in outcome.differences:
        print_(f"  {one.object_type} {one.object_id} [bold]{escape(one.field)}[/]", soft_wrap=True)
        print_(escape(f"    ours   {one.ours}\n    theirs {one.theirs}"), soft_wrap=True)
    for line in outcome.facts:
        print_(escape(line), soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(simulate)
