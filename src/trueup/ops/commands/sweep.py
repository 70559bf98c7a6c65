"""Commands that read Stripe's own list of events, and tell what stands wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn

from trueup.accounts import service as accounts
from trueup.accounts.errors import ApiKeyMissing
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import StandingAlarm
from trueup.inbox.sweep import service as sweeps
from trueup.inbox.sweep.service import OnPage
from trueup.inbox.sweep.types import Sweep, Swept
from trueup.inbox.types import Kind
from trueup.kernel.errors import TrueupError
from trueup.kernel.records import Record
from trueup.kernel.time import parse
from trueup.ops import output, schema

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
KINDS: Final = {Kind.SNAPSHOT: "events", Kind.THIN: "thin events"}


class Failure(Record, frozen=True):
    """Why the events of an account could not be read."""

    account_slug: str
    kind: Kind
    code: str
    message: str
    hint: str


class Outcome(Record, frozen=True):
    """What the sweeps came to, and what stands wrong after them."""

    swept: tuple[Swept, ...]
    failed: tuple[Failure, ...]
    alarms: tuple[StandingAlarm, ...]


def sweep(
    account: Annotated[str, typer.Argument(help="An account's slug; all that have a key where it is left out.")] = "",
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=parse, metavar="TIME", help="Go back to this moment (UTC); Stripe keeps events for 30 days."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read Stripe's list of events now, and keep what no webhook told; safe to repeat and to interrupt.

    The worker does it every five minutes, for thin events every 15. Ends with 1 where an account could not be read, or
    events are lost for good.
    """
    schema.prepare()
    swept: list[Swept] = []
    failed: list[Failure] = []
    chosen = _chosen(account)
    if since is not None:
        sweeps.require_past(chosen, since)
    for slug in chosen:
        for kind in KINDS:
            try:
                with _shown(f"{slug}: {KINDS[kind]}") as on_page:
                    swept.append(sweeps.sweep(slug, kind=kind, since=since, on_page=on_page))
                _note(swept[-1])
            except TrueupError as error:
                failed.append(
                    Failure(account_slug=slug, kind=kind, code=error.code, message=error.message, hint=error.hint)
                )
    outcome = Outcome(swept=tuple(swept), failed=tuple(failed), alarms=alarms.standing())
    if as_json:
        output.emit(outcome)
    else:
        _tell(outcome)
    if failed or any(one.lost_since for one in swept):
        raise typer.Exit(1)


def _chosen(slug: str) -> list[str]:
    if slug:
        # A name that there is not is a mistake in the command, and no outcome of a sweep.
        return [sweeps.named(slug).slug]
    readable = sweeps.readable()
    if not readable:
        raise ApiKeyMissing(
            "No account has an API key to read with.",
            hint="Add one: trueup connect --api-key" if accounts.accounts() else "Connect one: trueup connect",
        )
    return [one.slug for one in readable]


@contextmanager
def _shown(words: str) -> Iterator[OnPage]:
    """A bar for one sweep, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    count = TextColumn("{task.fields[read]} read, {task.fields[found]} new, {task.fields[at]}")
    # Without a terminal its end would be an empty line.
    bar = Progress(*columns, count, console=output.err, disable=not sys.stderr.isatty(), transient=True)
    with bar as bars:
        task = bars.add_task(output.plain(words), total=1.0, read=0, found=0, at="")

        def told(sweep: Sweep, done: float) -> None:
            at = output.when(sweep.since or sweep.cursor)
            bars.update(task, completed=done, read=sweep.read, found=sweep.found, at=at)

        yield told


def _note(swept: Swept) -> None:
    """Say on standard error, also beside JSON, that Stripe keeps nothing from as far back as was asked."""
    if swept.cut_short and swept.kind is Kind.SNAPSHOT:
        note = (
            f"{swept.account_slug}: Stripe keeps events for 30 days, so they are read from {output.when(swept.since)} "
            f"UTC on, and not from {output.when(swept.since_asked)}. How objects from before are now: "
            f"trueup backfill {swept.account_slug}"
        )
        output.err.print(output.plain(note), markup=False, soft_wrap=True)


def _tell(outcome: Outcome) -> None:
    for one in outcome.swept:
        output.done(
            f"{one.account_slug}: {one.read} {KINDS[one.kind]} read, {one.found} new"
            + (f"; {output.when(one.since)} to {output.when(one.until)} UTC." if one.since else ".")
        )
        if one.lost_since:
            output.say(
                f"  Events from {output.when(one.lost_since)} to {output.when(one.lost_until)} UTC are lost for good, "
                f"because Stripe keeps them for 30 days. What they said is read anew by a backfill; to see to it: "
                f"trueup backfill {one.account_slug}"
            )
    for failure in outcome.failed:
        output.say(f"✗ {failure.account_slug}: {KINDS[failure.kind]}: {failure.message}  ({failure.code})")
        if failure.hint:
            output.say(f"  {failure.hint}")
    tell_alarms(outcome.alarms)


def tell_alarms(standing: tuple[StandingAlarm, ...]) -> None:
    """Print what stands wrong, and what to do."""
    for alarm in standing:
        output.say(f"! {alarm.message}  ({alarm.code}, since {output.when(alarm.since)})")
        output.say(f"  {alarm.remedy}")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(sweep)
