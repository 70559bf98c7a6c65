"""Exporting the audit log, and how it stands."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from trueup.audit.anchors import health
from trueup.audit.anchors.health import Health, Light
from trueup.audit.exporting import directory, files
from trueup.audit.exporting.files import Tell
from trueup.audit.exporting.values import Chosen
from trueup.audit.listing.types import Mode
from trueup.audit.retention.naming import require_subject
from trueup.audit.signing import keys
from trueup.kernel.errors import Refused
from trueup.kernel.records import Record
from trueup.kernel.time import parse
from trueup.ops import output, schema
from trueup.ops.actors import command_line
from trueup.runtime import database

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ALL: Final = "all"
"""The values of everybody."""
UNWELL: Final = 1
"""The exit status where a log is red."""


class Stands(Record, frozen=True):
    """How both logs stand."""

    data: tuple[Health, ...]


def export(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")],
    mode: Annotated[
        Mode, typer.Option("--mode", help="Which log: live, which also holds people and tokens, or test.")
    ] = Mode.LIVE,
    since: Annotated[
        datetime | None, typer.Option(parser=parse, metavar="TIME", help="From this moment on (UTC).")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(parser=parse, metavar="TIME", help="Before this moment (UTC).")
    ] = None,
    disclose: Annotated[
        list[str] | None,
        typer.Option(help="With the personal values of this subject (customer:cus_1), or all; again for each."),
    ] = None,
    field: Annotated[
        list[str] | None, typer.Option(help="Of these only this field, such as why or after.name; again for each.")
    ] = None,
    zipped: Annotated[bool, typer.Option("--zip", help="Pack it into FOLDER.zip too.")] = False,
    why: Annotated[str, typer.Option("--why", help="Why; it is kept with the record.")] = "",
    as_json: AsJson = False,
) -> None:
    """Export the log for somebody who trusts neither us nor this program: it brings its verifier, and a page to read.

    Personal values are left out unless they are named. That the export is made is recorded first.
    """
    schema.prepare()
    chosen = _chosen(disclose or [], field or [])
    with _progress() as tell:
        done = directory.export(
            folder.expanduser().absolute(),
            livemode=mode.livemode,
            by=command_line(),
            why=why,
            since=since,
            until=until,
            chosen=chosen,
            tell=tell,
        )
        packed = files.archive(Path(done.folder), tell) if zipped else None
    if as_json:
        output.emit(msgspec.to_builtins(done) | ({"archive": str(packed)} if packed else {}))
        return
    output.done(f"{done.entries:,} entries of the {mode.value} log are in {done.folder}, {done.bytes / 1e6:,.1f} MB.")
    told = f"{output.counted(done.values, 'personal value')}"
    output.say(f"  It discloses {told}." if done.values else "  It discloses no personal value.")
    if done.values_lost:
        output.say(f"  {output.counted(done.values_lost, 'value')} of those chosen cannot be opened any more.")
    if packed is not None:
        output.say(f"  Packed into {packed}")
    output.say(f"  Check it: python3 {Path(done.folder) / 'verify.py'}; what it proves: README.html there.")


def _chosen(whose: list[str], fields: list[str]) -> Chosen:
    """What is disclosed: nothing that was not asked for by name, or by the word for everybody."""
    everybody = ALL in whose
    named = () if everybody else tuple(whose)
    for one in named:
        require_subject(one)
    if fields and not whose:
        raise Refused(
            "Whose values of these fields?",
            code="usage",
            hint="Name them: --disclose customer:cus_1, or --disclose all.",
        )
    return Chosen(everything=everybody and not fields, subjects=named, fields=tuple(fields))


@contextmanager
def _progress() -> Iterator[Tell]:
    columns = (TextColumn("{task.description:<8}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(
        *columns, TimeElapsedColumn(), console=output.err, disable=not sys.stderr.isatty(), transient=True
    ) as progress:
        task = progress.add_task("Looking", total=None)

        def tell(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total or None)

        yield tell


def status(as_json: AsJson = False) -> None:
    """Show how both logs stand: signed, verified, remembered outside. Ends with 1 where one is red."""
    schema.prepare()
    found = tuple(health.health(database.connection(), livemode=mode.livemode) for mode in Mode)
    if as_json:
        output.emit(Stands(data=found))
    else:
        for mode, one in zip(Mode, found, strict=True):
            _show(mode, one)
    if any(one.light is Light.RED for one in found):
        raise typer.Exit(UNWELL)


def _show(mode: Mode, one: Health) -> None:
    output.say(f"The {mode.value} log: {one.light.value}")
    for problem in one.problems:
        output.say(f"  ! {problem.message}")
        output.say(f"    {problem.remedy}")
    signed = f"{one.size:,} entries, signed {output.when(one.signed_at)}" if one.signed_at else "no checkpoint yet"
    output.say(f"  Checkpoint  {signed}; {one.waiting:,} wait for a place")
    known = keys.announced(database.connection(), livemode=mode.livemode)
    output.say(f"  Key         {f'number {known[-1].number}, {known[-1].key}' if known else 'none yet'}")
    output.say(f"  Verified    {_verified(one)}")
    for place in one.outside:
        reached = (
            f"has {place.size:,} entries, {output.when(place.reached_at)}" if place.size else "was not reached yet"
        )
        failed = f"; failed {place.failures} times since: {place.error}" if place.failures else ""
        output.say(f"  Outside     {place.kind} {place.name}: {reached}{failed}")


def _verified(one: Health) -> str:
    if one.verified_at is None:
        return "not yet"
    return f"{output.when(one.verified_at)}, {'all is well' if one.verified else 'it is not what it was'}"


def register(app: typer.Typer) -> None:
    """Add these commands to those of the audit log."""
    app.command("export")(export)
    app.command("status")(status)
