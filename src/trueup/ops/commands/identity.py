"""Commands on who a customer is: links, people, duplicates, merges, splits, and broken metadata rules."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Final

import typer

from trueup.customer import merging
from trueup.customer.identity import service as identity
from trueup.customer.identity.types import Joined, Summary
from trueup.customer.types import LinkKind
from trueup.ops import output, schema
from trueup.ops.actors import command_line
from trueup.ops.commands.customers import customer_app

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, the same as the API.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be.")]
Limit = Annotated[int, typer.Option(min=1, max=200)]
After = Annotated[str | None, typer.Option(help="The next page's cursor.")]
System = Annotated[str, typer.Option(help="Which CRM, for that kind, such as salesforce or hubspot.")]
LINK_COLUMNS: Final = ["Kind", "Value", "Source", "Told by", "Since", "Person"]


@customer_app.command("links")
def links(customer_id: str, as_json: AsJson = False) -> None:
    """List what a customer is elsewhere: your users and organizations, CRM records, and addresses."""
    schema.prepare()
    found = identity.links(customer_id)
    if as_json:
        output.emit({"data": found})
        return
    rows = (
        (
            f"{one.kind}:{one.system}" if one.system else one.kind.value,
            one.value,
            one.source.value,
            one.by or one.rule,
            output.when(one.since),
            one.person_id,
        )
        for one in found
    )
    output.table(LINK_COLUMNS, rows, empty="Nothing links this customer to anything else.")


@customer_app.command("link")
def link(
    customer_id: str,
    kind: LinkKind,
    value: str,
    system: System = "",
    person: Annotated[str | None, typer.Option(help="The person that the user id or address belongs to.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say that a customer is the same as something elsewhere."""
    schema.prepare()
    made = identity.link(id=customer_id, kind=kind, value=value, system=system, person_id=person, by=command_line())
    if as_json:
        output.emit(made)
        return
    output.done(f"{customer_id} is linked to {made.kind} {made.value}.")


@customer_app.command("unlink")
def unlink(customer_id: str, kind: LinkKind, value: str, system: System = "", as_json: AsJson = False) -> None:
    """Take back a link that was made by hand."""
    schema.prepare()
    identity.unlink(id=customer_id, kind=kind, value=value, system=system, by=command_line())
    if as_json:
        output.emit({"data": identity.links(customer_id)})
        return
    output.done(f"{customer_id} is not linked to {kind} {value} any more.")


@customer_app.command("merge")
def merge(
    leader: Annotated[str, typer.Argument(help="The customer that leads: its id, name and email stay.")],
    others: Annotated[list[str], typer.Argument(help="Those that become part of it.")],
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make several customers one. Shows what would be, and asks; `split` undoes it."""
    schema.prepare()
    by = command_line()
    _decide(
        lambda preview: merging.merge(id=leader, others=others, by=by, preview=preview),
        yes=yes and not dry_run,
        ask="" if dry_run else "Merge them?",
        as_json=as_json,
    )


@customer_app.command("split")
def split(
    customer_id: str,
    take: Annotated[
        list[str] | None, typer.Argument(help="Those to take out; all that were merged into it unless named.")
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Undo merges: let customers stand for themselves again. Shows what would be, and asks."""
    schema.prepare()
    by = command_line()
    _decide(
        lambda preview: merging.split(id=customer_id, take=take or (), by=by, preview=preview),
        yes=yes and not dry_run,
        ask="" if dry_run else "Split them?",
        as_json=as_json,
    )


@customer_app.command("people")
def people(
    q: Annotated[str, typer.Argument(help="A whole user id or address.")] = "",
    customer: Annotated[str | None, typer.Option(help="Only people of this customer.")] = None,
    limit: Limit = 50,
    after: After = None,
    as_json: AsJson = False,
) -> None:
    """List people: who belongs to customers, with their addresses and user ids."""
    schema.prepare()
    page = identity.people(q=q, customer=customer, limit=limit, after=after)
    if as_json:
        output.emit(page)
        return
    rows = (
        (
            one.id,
            " ".join(one.emails),
            " ".join(one.user_ids),
            ", ".join(f"{of.name or of.stripe_customer_id} ({of.stage})" for of in one.customers),
        )
        for one in page.data
    )
    output.table(["Person", "Emails", "User ids", "Customers"], rows, empty="Nobody is known.")
    _next(page.next)


def person(person_id: str, as_json: AsJson = False) -> None:
    """Show one person: addresses, user ids and customers."""
    schema.prepare()
    found = identity.person(person_id)
    if as_json:
        output.emit(found)
        return
    for label, values in (
        ("Person", [found.id]),
        ("Emails", found.emails),
        ("User ids", found.user_ids),
        ("Customers", [f"{of.stripe_customer_id} {of.name or ''} ({of.stage})" for of in found.customers]),
    ):
        output.say(f"{label:<10} {', '.join(values) or '—'}")


@customer_app.command("duplicates")
def duplicates(limit: Limit = 50, after: After = None, as_json: AsJson = False) -> None:
    """List customers that may be one, with the reasons, the surest first. Nothing is merged by itself."""
    schema.prepare()
    page = identity.duplicates(limit=limit, after=after)
    if as_json:
        output.emit(page)
        return
    rows = (
        (
            one.score,
            f"{one.first.stripe_customer_id} {one.first.name or one.first.email or ''}",
            f"{one.second.stripe_customer_id} {one.second.name or one.second.email or ''}",
            " ".join(dict.fromkeys(reason.sentence for reason in one.reasons)),
        )
        for one in page.data
    )
    output.table(["Score", "One", "Other", "Why"], rows, empty="No two customers look like one.")
    _next(page.next)


@customer_app.command("dismiss")
def dismiss(
    first: str,
    second: str,
    undo: Annotated[bool, typer.Option("--undo", help="Let them be suggested again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say that two customers are two, so that they are not suggested as one again."""
    schema.prepare()
    judge = identity.restore_duplicate if undo else identity.dismiss_duplicate
    changed = judge(first=first, second=second, by=command_line())
    if as_json:
        output.emit({"changed": changed})
        return
    output.done(f"{first} and {second} {'may be suggested again' if undo else 'will not be suggested as one'}.")


@customer_app.command("violations")
def violations(limit: Limit = 50, after: After = None, as_json: AsJson = False) -> None:
    """List customers whose metadata breaks the rules of TRUEUP_METADATA_RULES."""
    schema.prepare()
    page = identity.violations(limit=limit, after=after)
    if as_json:
        output.emit(page)
        return
    rows = ((one.stripe_customer_id, one.name, one.key, one.value, one.sentence) for one in page.data)
    output.table(["Customer", "Name", "Key", "Value", "What"], rows, empty="No customer breaks a rule.")
    _next(page.next)


def _decide(do: Callable[[bool], Joined], *, yes: bool, ask: str, as_json: bool) -> None:
    """Show what would be and do it once confirmed; programs, which cannot be asked, confirm by ``--yes``."""
    joined = do(not yes)
    if as_json:
        output.emit(joined)
        return
    _show(joined)
    if not joined.changed:
        output.say("Everything is so already.")
    elif joined.done:
        output.done("Done.")
    elif not ask:
        output.say("Nothing was changed.")
    elif not sys.stdin.isatty():
        output.say("Nothing was changed; add --yes to do it.")
    elif typer.confirm(ask):
        do(False)
        output.done("Done.")


def _show(joined: Joined) -> None:
    for title, summaries in (("Before", joined.before), ("After", joined.after)):
        rows = (
            (
                " ".join(one.stripe_customer_ids),
                one.name or one.email,
                one.stage.value,
                " ".join(f"{mrr.money.major} {mrr.currency.upper()}" for mrr in one.mrr),
                _plans(one),
                ", ".join(f"{link.kind} {link.value}" for link in one.links),
            )
            for one in summaries
        )
        output.table([title, "Name", "Stage", "MRR", "Plans", "Links"], rows, empty="Nobody.")


def _plans(one: Summary) -> str:
    return ", ".join(plan.product_name or plan.nickname or plan.price_id or plan.subscription_id for plan in one.plans)


def _next(cursor: str | None) -> None:
    if cursor:
        output.err.print(f"Next page: --after {cursor}", markup=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add these commands; most stand below ``customer``, which is there already."""
    app.command("people")(people)
    app.command("person")(person)
    app.command("links")(links)
