"""Commands that keep a copy of an installation, and bring it back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from trueup.audit.retention import copies
from trueup.kernel.actor import Actor, system
from trueup.kernel.errors import Refused
from trueup.ops import output
from trueup.ops.actors import command_line
from trueup.ops.backups import databases, folder, keys, manifest, restoring, taking
from trueup.ops.backups.manifest import Manifest, Newest, Tell
from trueup.ops.backups.restoring import Plan, Restored
from trueup.runtime import clock

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Folder = Annotated[
    Path | None, typer.Option("--to", help="Folder for backups; TRUEUP_BACKUP_DIR, or `backups` in the home.")
]
UNITS = ("bytes", "kB", "MB", "GB", "TB")


def backup(
    to: Folder = None,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Then delete all but so many of the backups in that folder.")
    ] = None,
    scheduled: Annotated[bool, typer.Option("--scheduled", hidden=True)] = False,
    as_json: AsJson = False,
) -> None:
    """Back the database up while everything runs. The key is not in it."""
    by: Actor = system("backup") if scheduled else command_line()
    target = (to or folder.default()).expanduser().absolute()
    with _progress() as tell:
        made = taking.take(url=os.environ["DATABASE_URL"], folder=target, keep=keep, by=by, tell=tell)
    if as_json:
        output.emit(made)
        return
    output.done(f"{made.path}  ({_size(made.bytes)}, {made.events} events, {made.seconds:.1f} s)")
    output.say(f"  Point of recovery: {made.taken_at:%Y-%m-%d %H:%M:%S} UTC; newest: {_until(made.newest_event)}")
    for name in made.deleted:
        output.say(f"  Deleted: {name}")
    output.say(
        f"  The key is not in it: keep {keys.place()} elsewhere. Without it the stored Stripe keys cannot be read."
    )
    output.say("  People's data is in it, readable: keep it where you would keep the database itself.")


def backups(
    to: Annotated[Path | None, typer.Option("--in", help="The folder to look in.")] = None, as_json: AsJson = False
) -> None:
    """List backups, newest first. Looks at files only, so it works without a database."""
    place = (to or folder.default()).expanduser().absolute()
    found = [taking.listed(path, manifest.read(path)) for path in folder.whole(place)]
    if as_json:
        output.emit({"data": found})
        return
    now = clock.now()
    rows = (
        (one.name, f"{(now - one.taken_at).total_seconds() / 3600:.1f} h", one.events, _size(one.bytes), one.trueup)
        for one in found
    )
    output.table(["Backup", "Age", "Events", "Size", "Trueup"], rows, empty=f"There is no backup in {place}.")


def restore(
    backup: Annotated[str, typer.Argument(help="Its folder, its name as `trueup backups` lists it, or `latest`.")] = "",
    into: Annotated[
        str, typer.Option(help="Another database (postgresql://...) or another home than this installation's.")
    ] = "",
    place: Annotated[
        Path | None, typer.Option("--from", help="The folder to look for backups in, instead of this installation's.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="The database is not empty: put it aside under another name.")
    ] = False,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Without a backup: delete what earlier restores put aside.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Verify, and only say what would be; Trueup may run.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back: verified, beside what is there, and put in its place in one step."""
    del into  # Adopted into the configuration before this module was imported.
    url = os.environ["DATABASE_URL"]
    if drop_old and not backup:
        _drop_old(url, dry_run=dry_run, yes=yes, as_json=as_json)
        return
    if not backup or drop_old:
        raise Refused(
            "Name one backup, or give --drop-old without one.",
            code="usage",
            hint="`trueup backups` lists them; `trueup restore latest` takes the newest.",
        )
    path = folder.named(backup, (place or folder.default()).expanduser().absolute())
    with _progress() as tell:
        shown, said, target = restoring.plan(backup=path, url=url, replace=replace, dry_run=dry_run, tell=tell)
    if not as_json:
        _show(shown, said)
    if dry_run or not (yes or _agreed("Restore it?", as_json=as_json)):
        _unchanged(shown, as_json=as_json)
        return
    with _progress() as tell:
        restored = restoring.restore(backup=path, said=said, target=target, url=url, by=command_line(), tell=tell)
    if as_json:
        output.emit(restored)
        return
    _tell_restored(restored)


def _show(shown: Plan, said: Manifest) -> None:
    output.say(
        f"{shown.backup}  of {output.when(shown.taken_at)}, Trueup {shown.trueup}, {_size(said.bytes)}: verified"
    )
    output.say(f"  Holds      {shown.events} events; newest: {_until(shown.newest_event)}")
    brought = f", brought up to date by {shown.migrations} migrations" if shown.migrations else ""
    output.say(f"  Becomes    the database {shown.database}{brought}")
    if shown.replaces:
        lost = f" (its newest event is of {output.when(shown.replaced_until)})" if shown.replaced_until else ""
        output.say(f"  Puts aside what is there now{lost}")
    if shown.in_use_by:
        output.say(f"  In use     {databases.connected(shown.in_use_by)}: stop Trueup everywhere before you restore")
    if said.left_out:
        output.say("  Everybody signs in anew: sessions are in no backup")


def _tell_restored(restored: Restored) -> None:
    output.done(f"{restored.database} is {restored.backup} again: {restored.rows} rows in {restored.seconds:.1f} s.")
    output.say(
        f"  Point of recovery: {restored.point_of_recovery:%Y-%m-%d %H:%M:%S} UTC, "
        f"{restored.gap_seconds / 3600:.1f} h ago; newest: {_until(restored.newest_event)}"
    )
    if restored.kept_aside:
        output.say(
            f"  The former database is kept as {restored.kept_aside}; `trueup restore --drop-old --yes` deletes it."
        )
    if restored.readers_missing:
        output.say(f"  Roles that could read the views and do not exist here: {', '.join(restored.readers_missing)}")
    output.say("  Next: start `trueup up`. It asks Stripe for every event since, and does what was due.")
    output.say("  The audit log went back, too; it is signed again once `trueup audit accept-rollback` is told why.")
    if restored.beyond_events:
        output.say(
            "  The backup is older than Stripe lists events for: then run `trueup backfill` and `trueup reconcile`."
        )
    if restored.subjects_erased:
        output.say(
            f"  Erased again: {restored.subjects_erased} who were erased since the backup, "
            f"{restored.values_erased} values of the audit log."
        )
    if restored.keys_missing:
        output.say(
            f"  What the audit log tells of {restored.keys_missing} subjects cannot be opened any more: their keys are "
            f"not in {copies.folder() / copies.KEYS}. Entries and proofs are whole."
        )


def _unchanged(shown: Plan, *, as_json: bool) -> None:
    if as_json:
        output.emit(shown)
        return
    output.say("Nothing was changed.")


def _agreed(ask: str, *, as_json: bool) -> bool:
    """Whether a person says yes; programs, which cannot be asked, confirm by ``--yes``."""
    if as_json:
        return False
    if not sys.stdin.isatty():
        output.say("Add --yes to do it.")
        return False
    return typer.confirm(ask)


def _drop_old(url: str, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    found = databases.aside(url)
    if not as_json:
        output.table(
            ["Put aside", "Size"], ((one.name, _size(one.bytes)) for one in found), empty="Nothing is put aside."
        )
    done = bool(found) and not dry_run and (yes or _agreed("Delete them for good?", as_json=as_json))
    if done:
        restoring.drop_old(url=url, names=[one.name for one in found], by=command_line())
    if as_json:
        output.emit({"data": found, "deleted": done})
    elif done:
        output.done("Deleted.")


@contextmanager
def _progress() -> Iterator[Tell]:
    columns = (TextColumn("{task.description:<22}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(
        *columns, TimeElapsedColumn(), console=output.err, disable=not sys.stderr.isatty(), transient=True
    ) as progress:
        task = progress.add_task("Looking", total=None)

        def tell(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total or None)

        yield tell


def _until(newest: Newest | None) -> str:
    if newest is None:
        return "no event yet"
    return f"event {newest.event_id}, received {newest.received_at:%Y-%m-%d %H:%M:%S} UTC"


def _size(number: int) -> str:
    size, unit = float(number), 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {UNITS[unit]}" if unit == 0 else f"{size:.1f} {UNITS[unit]}"


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (backup, backups, restore):
        app.command()(command)
