"""Commands on Stripe's objects and their versions."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from trueup.kernel.modes import mode_name
from trueup.kernel.time import parse
from trueup.mirror import service as mirror
from trueup.mirror.order.types import Verdict
from trueup.mirror.types import Body, FieldChange, ObjectVersion
from trueup.ops import output, schema
from trueup.ops.commands.customers import Moment

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, the same as the API.")]
Limit = Annotated[int, typer.Option(min=1, max=200)]
After = Annotated[str | None, typer.Option(help="The next page's cursor.")]
Type = Annotated[str, typer.Option("--type", help="Stripe's name of a type, such as subscription.")]
AccountSlug = Annotated[str, typer.Option("--account", help="Only this account, by its slug.")]
BODIES: Final = {
    Body.WHOLE: "",
    Body.REDACTED: "An erasure took fields out of its body.",
    Body.GONE: "Its body is gone from the log.",
}
object_app = typer.Typer(no_args_is_help=True, help="One of Stripe's objects.")


def list_objects(
    type_: Type = "",
    customer: Annotated[str, typer.Option(help="A customer id of Stripe's.")] = "",
    verdict: Annotated[Verdict | None, typer.Option(help="How far the newest version can be trusted.")] = None,
    account: AccountSlug = "",
    limit: Limit = 50,
    after: After = None,
    as_json: AsJson = False,
) -> None:
    """List Stripe's objects by account, type and id."""
    schema.prepare()
    page = mirror.search(type=type_, customer=customer, verdict=verdict, account=account, limit=limit, after=after)
    if as_json:
        output.emit(page)
        return
    rows = (
        (row.account_slug, row.type, row.id, row.customer, _standing(row.verdict, deleted=row.deleted), row.event_id)
        for row in page.data
    )
    output.table(["Account", "Type", "Object", "Customer", "Verdict", "Told by"], rows, empty="No object matches.")
    _point_on(page.next)


@object_app.command("show")
def show(
    object_id: str,
    type_: Type = "",
    account: AccountSlug = "",
    as_of: Moment = None,
    known_at: Annotated[
        datetime | None,
        typer.Option(parser=parse, metavar="TIME", help="Only by what had arrived by this moment (UTC)."),
    ] = None,
    told: Annotated[bool, typer.Option("--told", help="As it was sent, not in the newest shape.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show an object by Stripe's id, as it is or as it was."""
    schema.prepare()
    found = mirror.get(
        object_id,
        type=type_,
        account=account,
        as_of=as_of,
        known_at=known_at,
        told=told,
    )
    if as_json:
        output.emit(found)
        return
    mode = mode_name(found.livemode)
    for label, value in (
        ("Object", f"{found.type} {found.id}{' (deleted)' if found.deleted else ''}"),
        ("Account", f"{found.account_slug} ({mode} mode)"),
        ("Customer", found.customer or "—"),
        ("Told by", f"{found.event_id}  {found.event_type}  {output.when(found.at)}"),
        ("Arrived", output.when(found.received_at) or "—"),
        ("Verdict", f"{found.verdict}: {found.verdict_told}"),
    ):
        output.say(f"{label:<9} {value}")
    if found.body is not Body.WHOLE:
        output.say(f"{'Body':<9} {BODIES[found.body]}")
    contents = found.told if told else found.shape
    if contents is not None:
        output.say(json.dumps(contents, indent=2, ensure_ascii=False))


@object_app.command("versions")
def versions(
    object_id: str,
    type_: Type = "",
    account: AccountSlug = "",
    limit: Limit = 25,
    after: After = None,
    as_json: AsJson = False,
) -> None:
    """Show what each version of an object changed, newest first."""
    schema.prepare()
    page = mirror.versions(object_id, type=type_, account=account, limit=limit, after=after)
    if as_json:
        output.emit(page)
        return
    for version in page.data:
        _print(version)
    _point_on(page.next)


def _print(version: ObjectVersion) -> None:
    standing = "  (current)" if version.current else ""
    title = f"{output.when(version.at)}  {version.event_type}  {version.event_id}{standing}"
    output.out.print(Text(output.plain(title), style="bold"), soft_wrap=True)
    for doubt in version.doubts:
        output.out.print(Text(f"  ! {output.plain(doubt.told)}", style="yellow"), soft_wrap=True)
    if version.body is not Body.WHOLE:
        output.say(f"  {BODIES[version.body]}")
    for change in version.changes or ():
        _print_change(change)
    if version.changes_left_out:
        output.say(f"  and {version.changes_left_out} more")
    if version.compared_to is None:
        output.say("  the first version known")
    elif version.changes is None:
        output.say("  what changed is not known: the body of one of the two is gone")
    elif not version.changes:
        output.say("  nothing changed")


def _print_change(change: FieldChange) -> None:
    output.say(f"  {change.path}")
    for sign, style, value in (("-", "red", change.before), ("+", "green", change.after)):
        if value is not None:
            output.out.print(Text(f"    {sign} {output.plain(_written(value))}", style=style), soft_wrap=True)


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _standing(verdict: str, *, deleted: bool) -> str:
    return f"{verdict}, deleted" if deleted else verdict


def _point_on(cursor: str | None) -> None:
    if cursor:
        output.err.print(f"Next page: --after {cursor}", markup=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("objects")(list_objects)
    app.add_typer(object_app, name="object")
