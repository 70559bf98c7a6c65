"""Commands on the log."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from trueup.customer import service as customers
from trueup.inbox import service as inbox
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import StandingAlarm
from trueup.inbox.sweep import service as sweeps
from trueup.inbox.sweep.types import SweepRow
from trueup.inbox.types import InboxStats, Kind
from trueup.kernel.records import Record
from trueup.ops import output, schema
from trueup.ops.commands.sweep import tell_alarms
from trueup.ops.groups import ShowsByItself
from trueup.runtime.queues import Depth

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, the same as the API.")]


def list_events(
    q: Annotated[str, typer.Argument(help="An event, object or customer id of Stripe's.")] = "",
    type_: Annotated[str, typer.Option("--type", help="Only this event type.")] = "",
    state: Annotated[str, typer.Option(help="folded, waiting, awaiting_fetch, set_aside or discarded.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    after: Annotated[str | None, typer.Option(help="The next page's cursor.")] = None,
    as_json: AsJson = False,
) -> None:
    """List events, newest first."""
    schema.prepare()
    page = inbox.events(q=q, type=type_, state=state, limit=limit, after=after)
    if as_json:
        output.emit(page)
        return
    heads = ["Received", "Source", "Event", "Type", "Object", "State", "Error"]
    # Beside ids of Stripe's length a line has no room for a column in which nothing stands.
    shown = len(heads) if any(row.error for row in page.data) else len(heads) - 1
    rows = (
        (
            output.when(row.received_at),
            row.source.value,
            row.event_id,
            row.type,
            row.object_id,
            row.state.value,
            row.error,
        )[:shown]
        for row in page.data
    )
    output.table(heads[:shown], rows, empty="No event matches.", gap=1)


event_app = typer.Typer(cls=ShowsByItself, no_args_is_help=True, help="One event, by its id.")


@event_app.command("show")
def show_event(
    event_id: str,
    raw: Annotated[bool, typer.Option("--raw", help="Write the body's bytes exactly as received.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one event."""
    schema.prepare()
    detail = inbox.event(event_id)
    if raw:
        sys.stdout.buffer.write(detail.body)
        sys.stdout.buffer.flush()
    elif as_json:
        output.emit(detail)
    else:
        output.say(
            f"{detail.event_id}  {detail.type}  {detail.state.value}  received {output.when(detail.received_at)}"
        )
        output.say(detail.body.decode(errors="replace"))


class Status(Record, frozen=True):
    """How the way of the data stands: the inbox, the customers that wait to be folded, and what stands wrong."""

    inbox: InboxStats
    folding: Depth
    sweeps: tuple[SweepRow, ...]
    alarms: tuple[StandingAlarm, ...]


def status(as_json: AsJson = False) -> None:
    """How the inbox, the sweep of events and the folding of customers stand, and what stands wrong."""
    schema.prepare()
    found = Status(inbox=inbox.stats(), folding=customers.folding(), sweeps=sweeps.sweeps(), alarms=alarms.standing())
    if as_json:
        output.emit(found)
        return
    stats, folding = found.inbox, found.folding
    output.say(
        f"Log        {output.counted(stats.events_24h, 'event')} and {output.counted(stats.readings_24h, 'reading')} "
        f"of Stripe's API in 24 h, the last {output.when(stats.last_received_at) or 'never'}"
    )
    output.say(
        f"Inbox      {stats.waiting} waiting, {stats.awaiting_fetch} awaiting fetch, {stats.set_aside} set aside, "
        f"{stats.quarantined} quarantined"
    )
    output.say(f"Customers  {folding.waiting} waiting to be folded, {folding.set_aside} set aside")
    for row in found.sweeps:
        if row.kind is Kind.SNAPSHOT:
            last = f"last {output.when(row.swept_at) or 'never'}"
            now = f"{row.progress or 0:.0%} of a sweep done" if row.under_way else last
            reach = f"all events up to {output.when(row.cursor)} UTC" if row.cursor else "no event read yet"
            output.say(f"Sweep      {row.account_slug}: {reach}, {row.missed_total} missed by webhooks; {now}")
    tell_alarms(found.alarms)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("events")(list_events)
    app.add_typer(event_app, name="event")
    app.command()(status)
