"""Commands that read events of the log again."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from trueup.customer import service as customers
from trueup.kernel.time import parse
from trueup.mirror.replay import errand
from trueup.mirror.replay import service as replays
from trueup.mirror.replay.types import Preview, Replay, Selection
from trueup.mirror.replay.types import Progress as Told
from trueup.ops import output, schema
from trueup.ops.actors import command_line
from trueup.ops.groups import StartsByItself
from trueup.runtime import clock

LOOK_SECONDS: Final = 0.3
LONELY_SECONDS: Final = 20.0
"""So long nothing may happen before whoever follows is told that no worker seems to run."""
OURS: Final = "tc_"

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, the same as the API.")]
Follow = Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for the end, and show how far it is.")]


replay_app = typer.Typer(
    cls=StartsByItself,
    no_args_is_help=True,
    help="Read events of the log again: trueup replay --object ID --dry-run. It mends what is wrong, and what is right "
    "stays as it is. See also: list, status, cancel.",
)


@replay_app.command("start")
def start(
    event: Annotated[list[str] | None, typer.Option("--event", help="An event's id; several times.")] = None,
    objects: Annotated[list[str] | None, typer.Option("--object", help="All events about this object.")] = None,
    customer: Annotated[
        list[str] | None, typer.Option("--customer", help="All events about what is or was this customer's.")
    ] = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--type", help="An event type, such as invoice.paid or invoice.*")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option("--from", parser=parse, metavar="TIME", help="Created from this moment on (UTC).")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", parser=parse, metavar="TIME", help="Created before this moment (UTC).")
    ] = None,
    received_from: Annotated[
        datetime | None, typer.Option(parser=parse, metavar="TIME", help="Received from this moment on (UTC).")
    ] = None,
    received_to: Annotated[
        datetime | None, typer.Option(parser=parse, metavar="TIME", help="Received before (UTC).")
    ] = None,
    cause: Annotated[str, typer.Option(help="Events set aside for this cause; see dead-letters.")] = "",
    account: Annotated[str, typer.Option(help="Only of this account, by its slug.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="The whole log.")] = False,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the record.")] = "",
    rate: Annotated[
        int, typer.Option(min=1, max=replays.FASTEST, help="Events a second, at most.")
    ] = replays.USUAL_RATE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count, and say what would be.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    here: Annotated[bool, typer.Option("--here", help="Read in this process, where no worker runs.")] = False,
    follow: Follow = True,
    as_json: AsJson = False,
) -> None:
    """Count the events that all of this fits, and read them again; the word start may be left out."""
    schema.prepare()
    which = Selection(
        events=tuple(event or ()),
        objects=tuple(objects or ()),
        customers=_customers(customer or ()),
        types=tuple(kinds or ()),
        created_from=since,
        created_until=until,
        received_from=received_from,
        received_until=received_to,
        cause=cause,
        account=account,
        everything=everything,
    )
    replays.require_known(which)
    if dry_run or not yes:
        shown = replays.preview(which, rate=rate)
        if as_json:
            output.emit(shown)
            return
        _show(shown)
        if dry_run or not shown.events:
            return
        if not sys.stdin.isatty():
            output.say("Nothing was started; add --yes and --reason to do it.")
            return
        if not typer.confirm("Read them again?"):
            return
        reason = reason or typer.prompt("Why")
    begun = replays.start(which, why=reason, by=command_line(), rate=rate)
    _watch(begun, follow=follow and (here or sys.stderr.isatty()), here=here, as_json=as_json)


@replay_app.command("list")
def list_replays(
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    after: Annotated[str | None, typer.Option(help="The next page's cursor.")] = None,
    as_json: AsJson = False,
) -> None:
    """List replays, newest first."""
    schema.prepare()
    page = replays.replays(limit=limit, after=after)
    if as_json:
        output.emit(page)
        return
    rows = (
        (one.id, one.progress.value, f"{one.done}/{one.total}", output.when(one.started_at), one.by, one.why)
        for one in page.data
    )
    output.table(["Id", "State", "Done", "Started", "By", "Why"], rows, empty="Nothing was ever replayed.")
    if page.next:
        output.err.print(f"Next page: --after {page.next}", markup=False, soft_wrap=True)


@replay_app.command("status")
def status(
    replay_id: int,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for the end, and show how far it is.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how far a replay is."""
    schema.prepare()
    _watch(replays.get(replay_id), follow=follow, here=False, as_json=as_json)


@replay_app.command("cancel")
def cancel(replay_id: int, as_json: AsJson = False) -> None:
    """End a replay where it is; what it read stays read."""
    schema.prepare()
    ended = replays.cancel(replay_id, by=command_line())
    if as_json:
        output.emit(ended)
        return
    output.done(f"The replay {ended.id} has ended at {ended.done} of {output.counted(ended.total, 'event')}.")


def _customers(ids: Sequence[str]) -> tuple[str, ...]:
    """Stripe's ids; one of ours stands for all that are one."""
    found: list[str] = []
    for one in ids:
        found += customers.get(one).state.stripe_customer_ids if one.startswith(OURS) else [one]
    return tuple(found)


def _show(shown: Preview) -> None:
    empty = "No event of the log matches all of this; nothing would be read again."
    output.table(["Type", "Events"], ((one.type, one.events) for one in shown.types), empty=empty)
    if shown.passed_over:
        output.say(f"Left out: {output.counted(shown.passed_over, 'thin event')}, without an object to read again.")
    if not shown.events:
        return
    output.say(
        f"{output.counted(shown.events, 'event')} of {output.counted(shown.objects, 'object')} and "
        f"{output.counted(shown.customers, 'customer')}; {_long(shown)}."
    )
    if shown.set_aside or shown.discarded:
        output.say(f"{shown.set_aside} of them were set aside, and {shown.discarded} given up.")
    if shown.objects_changed is None:
        output.say(f"What would change is told of up to {replays.REHEARSED} events only.")
    else:
        output.say(f"{shown.objects_changed} objects would change, and {shown.would_fail} events cannot be read.")


def _long(shown: Preview) -> str:
    minutes, seconds = divmod(shown.seconds, 60)
    return f"about {minutes} min {seconds} s" if minutes else f"about {seconds} s"


def _watch(replay: Replay, *, follow: bool, here: bool, as_json: bool) -> None:
    """Read or wait as asked, print what it came to, and end with 1 where events could not be read."""
    stop = threading.Event()
    reader = threading.Thread(target=_read, args=(replay.id, stop), name="here")
    if here:
        reader.start()
    try:
        if follow or here:
            _follow(replay)
    finally:
        stop.set()
        if here:
            reader.join()
    told = replays.get(replay.id)
    if as_json:
        output.emit(told)
    elif told.progress is Told.RUNNING:
        output.say(
            f"Replay {told.id}: {told.done} of {output.counted(told.total, 'event')}. "
            f"See: trueup replay status {told.id}"
        )
    else:
        output.done(
            f"Replay {told.id} {told.progress}: {told.done} of {output.counted(told.total, 'event')}, "
            f"{output.counted(told.changed, 'object')} mended, "
            f"{told.failed} failed."
        )
        if told.gone:
            output.say(f"{output.counted(told.gone, 'event')} of them had nothing to read: gone, or about no object.")
        if told.last_error:
            output.say(f"Last error: {told.last_error}")
    if told.failed:
        raise typer.Exit(1)


def _read(replay_id: int, stop: threading.Event) -> None:
    while not stop.is_set() and replays.get(replay_id).progress is Told.RUNNING:
        errand.run(stop)


def _follow(replay: Replay) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    pause, moved, warned, done = threading.Event(), clock.monotonic(), False, replay.done
    with Progress(*columns, console=output.err, disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(f"Replay {replay.id}", total=replay.total, completed=replay.done)
        while (told := replays.get(replay.id)).progress is Told.RUNNING:
            bar.update(task, completed=told.done)
            if told.done != done:
                done, moved = told.done, clock.monotonic()
            elif clock.monotonic() - moved > LONELY_SECONDS and not warned:
                warned = True
                output.err.print("Nobody reads. Start a worker (trueup up), or start another one with --here.")
            pause.wait(LOOK_SECONDS)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(replay_app, name="replay")
