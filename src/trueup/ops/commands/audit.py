"""Commands on the audit log: what is in it, and what it looks like from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
import typer

from trueup.audit.listing import service as listing
from trueup.audit.listing.service import Filters
from trueup.audit.listing.types import ListedEntry, Mode
from trueup.kernel.time import parse
from trueup.ops import output, schema
from trueup.ops.actors import command_line
from trueup.ops.commands import audit_exports, audit_keys, audit_proofs, audit_retention

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, the same as the API.")]
Which = Annotated[Mode, typer.Option("--mode", help="Which log: live, which also holds people and tokens, or test.")]
Why = Annotated[str, typer.Option("--why", help="Why; it is kept with the record.")]
Open = Annotated[
    bool, typer.Option("--open", help="With the personal values that are left. That you looked is recorded first.")
]

audit_app = typer.Typer(
    no_args_is_help=True,
    help="Who changed what, when and why, and the proof that nobody altered the record.",
)


@audit_app.command("list")
def list_entries(
    action: Annotated[str, typer.Option(help="Only this action, or those that begin so: customer.*")] = "",
    actor: Annotated[str, typer.Option(help="Only this kind of actor (token), or this one (operator:7).")] = "",
    object_: Annotated[
        str, typer.Option("--object", help="Only this type (account), or this object (customer:cus_1).")
    ] = "",
    request: Annotated[str, typer.Option(help="Only what this request did, by its X-Request-Id.")] = "",
    mode: Annotated[Mode | None, typer.Option(help="Only this log; both where it is left out.")] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=parse, metavar="TIME", help="From this moment on (UTC).")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(parser=parse, metavar="TIME", help="Before this moment (UTC).")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    after: Annotated[str | None, typer.Option(help="The next page's cursor.")] = None,
    opened: Open = False,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """List entries, newest first."""
    schema.prepare()
    which = Filters(action=action, actor=actor, object=object_, request_id=request, mode=mode, since=since, until=until)
    if opened:
        page = listing.open_entries(which, limit=limit, after=after, why=why, by=command_line())
    else:
        page = listing.entries(which, limit=limit, after=after)
    if as_json:
        output.emit(page)
        return
    heads = ["Id", "When", "Who", "Action", "Object", "Place"]
    # Where nothing was opened, no reason is known.
    shown = [*heads, "Why"] if opened else heads
    rows = (
        (one.id, output.when(one.at), _who(one), _action(one), one.object, _place(one), one.why)[: len(shown)]
        for one in page.data
    )
    output.table(shown, rows, empty="No entry matches.")
    if page.next:
        output.err.print(f"Next page: --after {page.next}", markup=False, soft_wrap=True)


@audit_app.command("show")
def show(
    entry: Annotated[str, typer.Argument(help="Its id, or its place in the tree, such as live/1234.")],
    opened: Open = False,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Show one entry: who, what, on which object, and how it was before and after."""
    schema.prepare()
    found = listing.open_entry(entry, why=why, by=command_line()) if opened else listing.entry(entry)
    if as_json:
        output.emit(found)
        return
    _show(found)


@audit_app.command("checkpoint")
def checkpoint(
    mode: Which = Mode.LIVE,
    size: Annotated[int | None, typer.Option(min=1, help="The one of this size, instead of the newest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the newest signed checkpoint: what to keep elsewhere, to find out later whether the log was altered."""
    schema.prepare()
    note = listing.checkpoint(mode, size=size)
    if as_json:
        output.emit({"mode": mode, "note": note})
        return
    typer.echo(note, nl=False)


def _place(entry: ListedEntry) -> str:
    return f"{entry.place or 'waits'}{' altered!' if entry.altered else ''}"


def _who(entry: ListedEntry) -> str:
    return f"{entry.actor} ({entry.behind})" if entry.behind else entry.actor


def _action(entry: ListedEntry) -> str:
    return entry.action if entry.phase == "done" else f"{entry.action} ({entry.phase})"


def _show(entry: ListedEntry) -> None:
    output.say(f"{_action(entry)}: {entry.meaning}" if entry.meaning else _action(entry))
    lines = {
        "When": f"{entry.at:%Y-%m-%d %H:%M:%S.%f} UTC",
        "Who": entry.actor,
        "Behind": entry.behind,
        "Object": entry.object,
        "Why": entry.why,
        "From": entry.origin,
        "Request": entry.request_id,
        "Caused by": ", ".join(entry.facts),
        "Announced": "" if entry.intent is None else f"by entry {entry.intent}",
        "Entry": f"{entry.id}, {entry.place or 'which waits for its place in the tree'}",
    }
    for name, told in lines.items():
        if told:
            output.say(f"  {name:<10} {told}")
    if entry.altered:
        output.say("  ! It was altered: its bytes are not those that its place in the tree was given to.")
        output.say("    See docs/runbooks/audit.md; change nothing before you have copied the database.")
    changes = list(_changes(entry))
    if changes:
        output.table(["Field", "Before", "After"], changes, empty="")
    if entry.hidden:
        output.say(f"Not shown: {', '.join(entry.hidden)}. With --open they are, and that is recorded.")
    if entry.erased:
        output.say(f"Erased: {', '.join(entry.erased)}. The entry keeps their digests, so its proof stays valid.")


def _changes(entry: ListedEntry) -> list[tuple[str, str, str]]:
    """Field, value before, value after; of what is not shown the side says so."""
    sides: list[dict[str, str]] = []
    for name, values in (("before", entry.before), ("after", entry.after)):
        told = {field: _value(value) for field, value in (values or {}).items()}
        for places, word in ((entry.hidden, "(not shown)"), (entry.erased, "(erased)")):
            told |= {place.removeprefix(f"{name}."): word for place in places if place.startswith(f"{name}.")}
        sides.append(told)
    before, after = sides
    return [(field, before.get(field, ""), after.get(field, "")) for field in dict.fromkeys([*before, *after])]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def register(app: typer.Typer) -> None:
    """Add these commands, and those of the files beside this one."""
    audit_exports.register(audit_app)
    audit_proofs.register(audit_app)
    audit_keys.register(audit_app)
    audit_retention.register(audit_app)
    app.add_typer(audit_app, name="audit")
