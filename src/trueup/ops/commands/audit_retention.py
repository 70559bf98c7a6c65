"""Commands that erase from the audit log what may be erased, and that forbid it: erasures, legal holds, old months."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from trueup.audit.retention import dropping, erasing, holds
from trueup.audit.retention.dropping import Dropped
from trueup.audit.retention.erasing import Erased
from trueup.audit.retention.holds import Hold
from trueup.ops import output, schema
from trueup.ops.actors import command_line

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Why = Annotated[str, typer.Option("--why", help="Why; it is kept with the record.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be.")]
WORD: Final = "erase"
"""What somebody types who means it."""


def erase(
    subjects: Annotated[list[str], typer.Argument(help="Whom the values speak of: customer:cus_1, operator:7.")],
    why: Why = "",
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase the personal values that speak of somebody from all entries, for good; no backup brings them back.

    The entries, their digests and every proof stay as they are.
    """
    schema.prepare()
    if dry_run or not yes:
        # A look needs no reason yet.
        shown = erasing.erase(subjects=subjects, why=why or WORD, by=command_line(), dry_run=True)
        if as_json:
            output.emit(shown)
            return
        _show(shown)
        if dry_run:
            return
        if not sys.stdin.isatty():
            output.say("Nothing was erased; add --yes and --why to do it.")
            return
        why = why or typer.prompt("Why")
        if typer.prompt(f"This cannot be undone. Type {WORD} to go on", default="", show_default=False) != WORD:
            output.say("Nothing was erased.")
            return
    erased = erasing.erase(subjects=subjects, why=why, by=command_line())
    if as_json:
        output.emit(erased)
        return
    output.done(
        f"Erased: {output.counted(erased.values, 'value')} of {output.counted(len(erased.subjects), 'subject')}."
    )


def _show(shown: Erased) -> None:
    rows = ((one.subject, one.values, "erased before" if one.before else "would be erased") for one in shown.subjects)
    output.table(["Subject", "Values", ""], rows, empty="")


def drop_months(
    why: Why = "",
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Drop whole months that are older than TRUEUP_AUDIT_KEEP_YEARS; a worker does it by itself.

    Their hashes stay, so the proofs of all that is kept stay what they were.
    """
    schema.prepare()
    if dry_run or not yes:
        shown = dropping.drop(by=command_line(), dry_run=True)
        if as_json:
            output.emit(shown)
            return
        _show_months(shown)
        if dry_run or not shown.entries:
            return
        if not sys.stdin.isatty():
            output.say("Nothing was dropped; add --yes to do it.")
            return
        if not typer.confirm("Drop them for good?"):
            return
    dropped = dropping.drop(by=command_line(), why=why)
    if as_json:
        output.emit(dropped)
        return
    _show_months(dropped)


def _show_months(shown: Dropped) -> None:
    names = ", ".join(shown.months)
    if not shown.entries:
        output.say(f"No month is old enough: each ended after {shown.cutoff:%Y-%m-%d}, or is kept for what follows.")
    elif shown.dry_run:
        output.say(f"Would be dropped: {shown.entries:,} entries of {names}.")
    else:
        output.done(f"Dropped: {shown.entries:,} entries of {names}, and {output.counted(shown.values, 'value')}.")
    for one in shown.kept:
        output.say(f"  {one.month} is kept: {one.why}")


holds_app = typer.Typer(
    no_args_is_help=True, help="Legal holds: while one stands, nothing that it keeps is erased or dropped."
)


@holds_app.command("list")
def list_holds(
    every: Annotated[bool, typer.Option("--all", help="Those that ended, too.")] = False, as_json: AsJson = False
) -> None:
    """List the holds that stand."""
    schema.prepare()
    found = holds.all_holds() if every else holds.standing()
    if as_json:
        output.emit({"data": found})
        return
    rows = (
        (one.id, one.name, one.keeps, output.when(one.placed_at), output.when(one.released_at), one.why)
        for one in found
    )
    output.table(["Id", "Name", "Keeps", "Placed", "Released", "Why"], rows, empty="No legal hold stands.")


@holds_app.command("place")
def place(
    name: Annotated[str, typer.Argument(help="What the case is called.")],
    why: Why,
    subject: Annotated[
        str, typer.Option(help="Only what speaks of this subject, such as customer:cus_1; else the whole log.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Forbid erasing and dropping."""
    schema.prepare()
    _told(holds.place(name=name, why=why, subject=subject, by=command_line()), as_json=as_json)


@holds_app.command("release")
def release(
    hold: Annotated[int, typer.Argument(help="Its id.")],
    why: Why,
    as_json: AsJson = False,
) -> None:
    """End a hold."""
    schema.prepare()
    _told(holds.release(hold, why=why, by=command_line()), as_json=as_json)


def _told(hold: Hold, *, as_json: bool) -> None:
    if as_json:
        output.emit(hold)
        return
    what = "keeps" if hold.released_at is None else "no longer keeps"
    output.done(f"The legal hold {hold.id} ({hold.name}) {what} {hold.keeps}.")


def register(app: typer.Typer) -> None:
    """Add these commands to those of the audit log."""
    app.command("erase")(erase)
    app.command("drop-months")(drop_months)
    app.add_typer(holds_app, name="holds")
