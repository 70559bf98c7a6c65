"""Commands that read all of an account's objects from Stripe's lists."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.kernel.errors import Refused
from trueup.kernel.time import from_unix, parse
from trueup.mirror.backfill import lists
from trueup.mirror.backfill import service as backfill
from trueup.mirror.backfill.errand import THREADS
from trueup.mirror.backfill.types import Progress as Told
from trueup.mirror.backfill.types import Status, TypeStatus
from trueup.ops import output, schema
from trueup.ops.actors import command_line
from trueup.ops.groups import StartsByItself
from trueup.runtime import clock, database
from trueup.runtime.pages import Page

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Follow = Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for the end, and show how far it is.")]
Here = Annotated[bool, typer.Option("--here", help="Read in this process, where no worker runs.")]
Threads = Annotated[int, typer.Option(min=1, max=32, help="Readers of this process, with --here.")]
Slug = Annotated[str, typer.Argument(help="An account's slug; all that have a key where it is left out.")]

LOOK_SECONDS: Final = 0.5
LONELY_SECONDS: Final = 20.0
"""So long nobody may read before whoever follows is told that no worker seems to run."""


backfill_app = typer.Typer(
    cls=StartsByItself,
    help="Read all of an account's objects from Stripe's lists: trueup backfill [ACCOUNT]. Resumable; joins one that "
    "runs. See also: status, cancel, resume, types.",
)


@backfill_app.command("start")
def start(
    account: Slug = "",
    kind: Annotated[
        list[str] | None, typer.Option("--type", help="Only this type of object, such as invoice; several times.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=parse, metavar="TIME", help="Only what was created from then on (UTC).")
    ] = None,
    follow: Follow = True,
    here: Here = False,
    threads: Threads = THREADS,
    as_json: AsJson = False,
) -> None:
    """Start a backfill, or join the one that runs; the word start may be left out."""
    schema.prepare()
    second = None if since is None else int(since.timestamp())
    found = _chosen(account)
    for one in found:
        run = backfill.start(account=one, types=kind or [], since=second, by=command_line())
        if not backfill.reads(run, types=kind or [], since=second):
            output.err.print(
                f"{one.slug}: another backfill runs, which reads less than this; it is joined. Start this one when it "
                f"is over, or after: trueup backfill cancel {one.slug}",
                markup=False,
                soft_wrap=True,
            )
    _watch(found, follow=follow, here=here, threads=threads, single=bool(account), as_json=as_json)


@backfill_app.command("resume")
def resume(
    account: Slug = "",
    follow: Follow = True,
    here: Here = False,
    threads: Threads = THREADS,
    as_json: AsJson = False,
) -> None:
    """Go on with what was cancelled, or with the lists that failed; no page is read twice."""
    schema.prepare()
    found = _chosen(account)
    for one in found:
        backfill.resume(account=one, by=command_line())
    _watch(found, follow=follow, here=here, threads=threads, single=bool(account), as_json=as_json)


@backfill_app.command("cancel")
def cancel(account: Annotated[str, typer.Argument(help="An account's slug.")], as_json: AsJson = False) -> None:
    """End a backfill that runs; what was read stays."""
    schema.prepare()
    found = backfill.account_of(account)
    backfill.cancel(account=found, by=command_line())
    if as_json:
        output.emit(backfill.progress(found))
        return
    output.done(f"The backfill of {found.slug} is cancelled. Go on with: trueup backfill resume {found.slug}")


@backfill_app.command("status")
def status(account: Slug = "", as_json: AsJson = False) -> None:
    """Show how far the newest backfill of each account is that reads everything, and a newer one that reads less.

    With an account and --json: the newest, whichever it is.
    """
    schema.prepare()
    if account:
        one = backfill.account_of(account)
        found = (backfill.progress(one),) if as_json else backfill.latest(one)
        _print(Page(data=found, next=None, total=len(found)), single=True, as_json=as_json)
        return
    page = backfill.all_progress()
    if not page.data and not as_json:
        output.say("No account was ever backfilled. Start with: trueup backfill")
    _print(page, single=False, as_json=as_json)


@backfill_app.command("types")
def types(as_json: AsJson = False) -> None:
    """List the types of objects that --type takes, by Stripe's names, and which are read without it."""
    found = backfill.types()
    if as_json:
        output.emit({"data": found})
        return
    rows = ((one.object_type, "always" if one.usual else "with --type") for one in found)
    output.table(["Type", "Read"], rows, empty="")


def _chosen(slug: str) -> list[Account]:
    """The account of this slug, or all that can be read."""
    if slug:
        return [backfill.account_of(slug)]
    readable = accounts.readable()
    found = [one for one in accounts.accounts() if one.id in readable]
    if not found:
        raise Refused(
            "No account has an API key to read with.",
            code="backfill_no_account",
            hint="Connect one: trueup connect --name NAME --api-key KEY",
        )
    return found


def _watch(found: Sequence[Account], *, follow: bool, here: bool, threads: int, single: bool, as_json: bool) -> None:
    """Read or wait as asked, print what it came to, and end with 1 where any is over and not complete."""
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="here") as pool:
        reading = pool.submit(_read, found, threads, stop) if here else None
        try:
            if follow or here:
                _follow(found, reading)
        finally:
            stop.set()
    told = tuple(backfill.progress(one) for one in found)
    _print(Page(data=told, next=None, total=len(told)), single=single, as_json=as_json)
    if any(one.run.status in {Status.INCOMPLETE, Status.CANCELLED} for one in told):
        raise typer.Exit(1)


def _print(found: Page[Told], *, single: bool, as_json: bool) -> None:
    """As the API answers: one record where one account was named, else a page of them."""
    if as_json:
        output.emit(found.data[0] if single else found)
        return
    for one in found.data:
        _tell(one)


def _read(found: Sequence[Account], threads: int, stop: threading.Event) -> None:
    try:
        for one in found:
            run = backfill.last(one)
            if run is not None:
                backfill.read_here(run.id, threads=threads, stop=stop)
    finally:
        database.close()


def _follow(found: Sequence[Account], reading: Future[None] | None) -> None:
    """Show how far they are until all are over; whatever ends the readers of this process is raised here."""
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        TextColumn("{task.fields[objects]:,} objects  {task.fields[pages]:,} pages  {task.fields[pace]}"),
    )
    pause, moved = threading.Event(), clock.monotonic()
    warned = False
    with Progress(*columns, console=output.err, disable=not sys.stderr.isatty(), transient=True) as bars:
        tasks: dict[int, TaskID] = {
            one.id: bars.add_task(one.slug, total=None, objects=0, pages=0, pace="") for one in found
        }
        while True:
            told = {one.id: backfill.progress(one) for one in found}
            for account_id, one in told.items():
                bars.update(
                    tasks[account_id],
                    total=one.expected,
                    completed=one.objects,
                    objects=one.objects,
                    pages=one.pages,
                    pace=_pace(one),
                )
            if all(one.run.status is not Status.RUNNING for one in told.values()):
                return
            if reading is not None and reading.done():
                reading.result()
            if any(one.readers for one in told.values()):
                moved = clock.monotonic()
            elif clock.monotonic() - moved > LONELY_SECONDS and not warned:
                warned = True
                output.err.print("Nobody reads. Start a worker (trueup up), or run this again with --here.")
            pause.wait(LOOK_SECONDS)


def _pace(told: Told) -> str:
    if told.trouble:
        return f"waiting: {output.plain(told.trouble)}"
    left = "time left unknown" if told.seconds_left is None else f"about {_duration(told.seconds_left)} left"
    return f"{told.pages_per_second:.1f} pages/s  {left}"


def _duration(seconds: int) -> str:
    hours, minutes = seconds // 3_600, seconds // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def _tell(told: Told) -> None:
    run = told.run
    words = {
        Status.RUNNING: "runs",
        Status.COMPLETE: "is complete",
        Status.INCOMPLETE: "is over and incomplete",
        Status.CANCELLED: "was cancelled",
    }
    sentence = (
        f"The backfill of {told.account}{_scope(told)} {words[run.status]}: {told.objects:,} objects in "
        f"{told.pages:,} pages, {told.new:,} new, {told.changed:,} changed, {told.known:,} known."
    )
    (output.done if run.status is Status.COMPLETE else output.say)(sentence)
    if run.status is Status.RUNNING:
        output.say(f"  {_pace(told)}")
    asked = {one.object_type for one in told.types} if told.whole else set(lists.scope(run.types))
    rows = [
        (
            one.object_type if one.object_type in asked else f"{one.object_type} (comes along)",
            one.status.value,
            one.listed,
            one.new,
            one.changed,
            one.known,
            _about(one.expected),
            one.error,
        )
        for one in told.types
    ]
    output.table(["Type", "State", "Listed", "New", "Changed", "Known", "Expected", "Why"], rows, empty="")
    if told.changed:
        output.say(
            "  Changed: known before, but not for certain just so, because a field differs, an event was of another "
            "API version, or two were of one second. It does not say that webhooks failed; trueup status does."
        )
    failed = [one.object_type for one in told.types if one.status is TypeStatus.FAILED]
    if failed:
        output.say(f"  Not read: {', '.join(failed)}. When that is mended: trueup backfill resume {told.account}")
    output.say("  What no backfill can read is said by --json, under “unreached”, and in docs/backfill.md.")


def _scope(told: Told) -> str:
    """What a backfill is of that reads less than everything, between commas."""
    if told.whole:
        return ""
    since = "" if told.run.since is None else f" created since {output.when(from_unix(told.run.since))} UTC"
    types = "everything" if backfill.reads(told.run, since=told.run.since) else _named(lists.scope(told.run.types))
    return f", {types}{since or ' alone'},"


def _named(types: Sequence[str]) -> str:
    *others, last = types
    return f"{', '.join(others)} and {last}" if others else last


def _about(expected: int | None) -> Any:
    return "unknown" if expected is None else f"{expected:,}"


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(backfill_app, name="backfill")
