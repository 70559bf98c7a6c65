"""Making tables again from the log, and looking whether they are as the log says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from trueup.kernel.errors import Refused
from trueup.ops import output, schema
from trueup.ops.actors import command_line
from trueup.ops.rebuilding import building, checking, running
from trueup.ops.rebuilding import orphans as removing
from trueup.ops.rebuilding.types import Rebuilt, TableDiff, Target

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def rebuild(
    target: Annotated[Target, typer.Argument(help="What to make again.")] = Target.ALL,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Put it in place without asking.")] = False,
    pace: Annotated[float, typer.Option(min=0.05, max=1.0, help="Share of the time that it works.")] = 0.7,
    examples: Annotated[int, typer.Option(min=0, max=100, help="Examples of each difference.")] = 3,
    check: Annotated[bool, typer.Option("--check", help="Only look whether all is as the log says.")] = False,
    sample: Annotated[int, typer.Option(min=1, help="With --check: how many events, objects and customers.")] = 1000,
    every: Annotated[bool, typer.Option("--all", help="With --check: look at everything.")] = False,
    orphans: Annotated[bool, typer.Option("--orphans", help="Remove rows that nothing in the log supports.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make tables again from the log beside the live ones, show what differs and why, and put them in place.

    Everything runs on meanwhile. Without --yes it asks on a terminal, and only shows the difference elsewhere.
    """
    if check and orphans:
        raise Refused("Either --check or --orphans.", code="rebuild_options", hint="Check first; it names orphans too.")
    schema.prepare()
    if check:
        _check(None if every else sample, as_json=as_json)
        return
    if orphans:
        _orphans(yes=yes, as_json=as_json)
        return

    def agreed(found: Rebuilt) -> bool:
        if not as_json:
            _show(found)
        if yes:
            return True
        if as_json or found.same or not _on_terminal():
            return False
        return typer.confirm("Put it in place?")

    with _shown() as progress:
        found = running.rebuild(
            target, by=command_line(), agreed=agreed, pace=pace, examples=examples, progress=progress
        )
    if as_json:
        output.emit(found)
    elif found.swapped:
        output.done(f"In place; writers waited for {found.locked_seconds:.2f} s.")
    elif not found.same:
        output.err.print("Nothing was changed. To put it in place: --yes", markup=False, soft_wrap=True)


def _check(sample: int | None, *, as_json: bool) -> None:
    with _shown() as progress:
        found = checking.check(sample=sample, progress=progress)
    if as_json:
        output.emit(found)
    else:
        rows = ((one.table, one.key, one.what, one.remedy) for one in found.findings)
        if found.findings:
            output.table(["Table", "Key", "What", "Remedy"], rows, empty="")
        seen = f"{found.bodies} bodies, {found.objects} objects and {found.customers} customers looked at"
        if found.found:
            output.err.print(f"{seen}: {found.found} findings.", markup=False, soft_wrap=True)
        else:
            output.done(f"{seen}: all is as the log says.")
    if found.found:
        raise typer.Exit(1)


def _orphans(*, yes: bool, as_json: bool) -> None:
    with _shown() as progress:
        listed = removing.preview(progress=progress)
    if not as_json:
        rows = ((one.table, one.rows, one.what, ", ".join(one.examples)) for one in listed)
        output.table(["Table", "Rows", "What", "Such as"], rows, empty="There are none.")
    if listed and not yes and not as_json and _on_terminal():
        yes = typer.confirm("Remove them?")
    removed: dict[str, int] = {}
    if listed and yes:
        with _shown() as progress:
            removed = removing.clean(by=command_line(), progress=progress)
    if as_json:
        output.emit({"orphans": listed, "removed": removed})
    elif removed:
        output.done(f"Removed: {', '.join(f'{number} of {table}' for table, number in removed.items())}.")
    elif listed:
        output.err.print("Nothing was changed. To remove them: --yes", markup=False, soft_wrap=True)


def _on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _show(found: Rebuilt) -> None:
    output.say(
        f"{found.events} events read and {found.customers} customers folded in {found.seconds:.1f} s "
        f"({found.rows_per_second:.0f} rows/s)."
    )
    rows = ((one.table, one.rows, one.rebuilt, one.added, one.removed, one.changed) for one in found.tables)
    if found.tables:
        output.table(["Table", "Rows", "Rebuilt", "Added", "Removed", "Changed"], rows, empty="")
    for table in found.tables:
        _show_table(table)
    for line in found.views:
        output.say(line)
    for failure in found.failures:
        output.say(f"The rules fail on {failure.key} ({failure.queue}): {failure.error}")
    if found.same:
        output.done("All is as the log says.")


def _show_table(table: TableDiff) -> None:
    for cause in table.causes:
        named = ", ".join(cause.examples)
        output.say(
            f"{table.table}: {cause.rows} {cause.change}. {cause.told}"
            f"{f' ({cause.detail})' if cause.detail else ''}{f' Such as {named}.' if named else ''}"
        )
    for field in table.fields:
        output.say(f"  {field.field}: {field.rows} rows")
        for example in field.examples:
            output.say(f"    {example.key}: {_told(example.before)} → {_told(example.after)}")


def _told(value: Any) -> str:
    return "—" if value is None else str(value)


@contextmanager
def _shown() -> Iterator[building.Progress]:
    """A bar with an estimate on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield building.silent
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=output.err,
        transient=True,
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                for task in tasks.values():
                    bars.update(task, visible=False)
                tasks[what] = bars.add_task(what)
            bars.update(tasks[what], completed=done, total=total or None, visible=True)

        yield progress


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(rebuild)
