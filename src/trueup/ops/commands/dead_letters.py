"""Commands on what was set aside: its causes, another try, and giving up."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Annotated, Final

import typer

from trueup.inbox import dead_letters
from trueup.inbox.types import DeadGroup, Moved, Reason
from trueup.kernel.errors import Refused
from trueup.ops import output, schema
from trueup.ops.actors import command_line

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, the same as the API.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be.")]
COLUMNS: Final = ["What stopped it", "Rows", "Queue", "First", "Last", "Examples", "Cause"]
QUEUES: Final = {
    "mirror": "events",
    "thin": "thin events",
    "fetch": "objects to be read from Stripe",
    "customer": "customers' states",
    dead_letters.QUARANTINE: "bodies that are no events",
}
"""What the rows of a queue are."""
REASONS: Final = {
    Reason.NOT_JSON: "The body is no JSON",
    Reason.NO_ID: "The body has no id",
    Reason.WRONG_MODE: "The event is of the other mode, live or test",
    Reason.UNREADABLE: "A field of the body cannot be read",
    Reason.REFUSED_BY_DATABASE: "The database cannot hold the body",
}
OURS: Final = re.compile(r"[a-z][a-z0-9_]*")
"""A code of ours; other errors are told with the name of their class."""

dead_letters_app = typer.Typer(
    invoke_without_command=True, help="What was set aside, by its cause; tried again, or given up."
)


@dead_letters_app.callback()
def list_groups(context: typer.Context, as_json: AsJson = False) -> None:
    """List what was set aside, in all queues, by its cause."""
    if context.invoked_subcommand is not None:
        return
    schema.prepare()
    found = dead_letters.groups()
    if as_json:
        output.emit({"data": found})
        return
    output.table(COLUMNS, map(_row, found), empty="Nothing is set aside.")


def _row(group: DeadGroup) -> tuple[str, ...]:
    return (
        words(group.error),
        str(group.rows),
        _queue(group.queue),
        output.when(group.first_at),
        output.when(group.last_at),
        ", ".join(group.examples),
        group.cause,
    )


def words(error: str) -> str:
    """What an error says, without the code that its cause begins with; a mistake of ours is called one."""
    code, _colon, told = (part.strip() for part in error.partition(":"))
    if code in set(Reason):
        return f"{REASONS[Reason(code)]}: {told}" if told else f"{REASONS[Reason(code)]}."
    if not error:
        return "Not known."
    return told if OURS.fullmatch(code) and told else f"Trueup did not expect this: {error}"


def _queue(name: str) -> str:
    return f"{name} ({QUEUES[name]})" if name in QUEUES else name


@dead_letters_app.command("show")
def show(
    cause: str,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    after: Annotated[str | None, typer.Option(help="The next page's cursor.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the rows that a cause stopped, the newest first."""
    schema.prepare()
    page = dead_letters.letters(cause, limit=limit, after=after)
    if as_json:
        output.emit(page)
        return
    rows = (
        (
            _queue(one.queue),
            one.account_slug,
            f"{one.kind} {one.id}",
            one.attempts,
            output.when(one.set_aside_at),
            words(one.error),
        )
        for one in page.data
    )
    output.table(["Queue", "Account", "What", "Attempts", "Set aside", "What stopped it"], rows, empty="Nothing more.")
    if page.next:
        output.err.print(f"Next page: --after {page.next}", markup=False, soft_wrap=True)


@dead_letters_app.command("retry")
def retry(
    cause: Annotated[str, typer.Argument(help="As in the list.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Whatever the cause.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give what a cause stopped, or all of it, another round of attempts."""
    if bool(cause) is every:
        raise Refused("Name a cause, or say --all.", code="cause_missing", hint="See: trueup dead-letters")
    schema.prepare()
    moved = dead_letters.retry(cause=cause or None, by=command_line(), dry_run=dry_run)
    if as_json:
        output.emit(moved)
        return
    if not moved.rows:
        output.say("Nothing is set aside.")
    elif moved.done:
        output.done(f"Queued again: {_told(moved)}.")
        if moved.refused:
            output.say(f"{moved.refused} bodies of the quarantine still cannot be used.")
    else:
        output.say(f"Would be queued again: {_told(moved)}.")


@dead_letters_app.command("discard")
def discard(
    cause: Annotated[str, typer.Argument(help="As in the list.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the record.")] = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give up what a cause stopped. Events stay in the log, and a replay reads them. Shows first, and asks."""
    schema.prepare()
    by = command_line()

    def do(preview: bool) -> Moved:
        return dead_letters.discard(cause=cause, why=reason, by=by, dry_run=preview)

    _decide(do, yes=yes and not dry_run, only_show=dry_run, as_json=as_json)


def _decide(do: Callable[[bool], Moved], *, yes: bool, only_show: bool, as_json: bool) -> None:
    """Show what would be and do it once confirmed; programs, which cannot be asked, confirm by ``--yes``."""
    moved = do(not yes)
    if as_json:
        output.emit(moved)
        return
    if moved.done:
        output.done(f"Given up: {_told(moved)}.")
        return
    output.say(f"Would be given up: {_told(moved)}.")
    if only_show:
        return
    if not sys.stdin.isatty():
        output.say("Nothing was changed; add --yes to do it.")
    elif typer.confirm("Give them up?"):
        output.done(f"Given up: {_told(do(False))}.")


def _told(moved: Moved) -> str:
    return ", ".join(f"{count} of {_queue(queue)}" for queue, count in moved.rows.items())


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(dead_letters_app, name="dead-letters")
