"""Commands on customers."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from trueup.customer import service as customers
from trueup.customer.types import Stage
from trueup.kernel.money import Money
from trueup.ops import output, schema
from trueup.ops.actors import command_line

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, the same as the API.")]
customer_app = typer.Typer(no_args_is_help=True, help="One customer.")


def list_customers(
    q: Annotated[str, typer.Argument(help="Beginnings of words of name, email or ids.")] = "",
    stage: Annotated[Stage | None, typer.Option(help="Only this stage.")] = None,
    sort: Annotated[
        str, typer.Option(help="name, mrr or last_event_at; a leading hyphen means descending.")
    ] = "-last_event_at",
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    after: Annotated[str | None, typer.Option(help="The next page's cursor.")] = None,
    as_json: AsJson = False,
) -> None:
    """List customers."""
    schema.prepare()
    page = customers.search(q=q, stage=stage, sort=sort, limit=limit, after=after)
    if as_json:
        output.emit(page)
        return
    rows = (
        (
            row.stripe_customer_id,
            row.name or row.email,
            row.stage.value,
            row.plan_label,
            " ".join(_money(mrr.money) for mrr in row.mrr),
            output.when(row.last_event_at),
        )
        for row in page.data
    )
    output.table(["Customer", "Name", "Stage", "Plan", "MRR", "Last event"], rows, empty="No customer matches.")
    if page.next:
        output.err.print(f"{page.total} in all; next page: --after {page.next}", markup=False, soft_wrap=True)


@customer_app.command("show")
def show(
    customer_id: str,
    why: Annotated[bool, typer.Option("--why", help="With the facts behind each value.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a customer's state by our id or Stripe's."""
    schema.prepare()
    customer = customers.get(customer_id)
    if not why:
        customer = msgspec.structs.replace(customer, state=msgspec.structs.replace(customer.state, why={}))
    if as_json:
        output.emit(customer)
        return
    state = customer.state
    rows = [
        ("Id", customer.id),
        ("Stripe", customer.stripe_customer_id),
        ("Name", state.name),
        ("Email", state.email),
        ("Stage", state.stage.value),
        ("Billing status", state.billing_status),
        ("Plan", customer.plan_label),
        ("MRR", " ".join(_money(mrr.money) for mrr in state.mrr)),
        ("Trial ends", output.when(state.trial_end)),
        ("Period ends", output.when(state.current_period_end)),
        ("Last event", output.when(customer.last_event_at)),
    ]
    for label, value in rows:
        found = state.why.get(label.lower().replace(" ", "_"))
        sources = ", ".join(sorted({fact.event_id for fact in found.facts})) if found is not None else ""
        output.say(f"{label:<15} {value or '—'}{f'   ← {sources}' if sources else ''}")


@customer_app.command("why")
def why(customer_id: str, field: str, as_json: AsJson = False) -> None:
    """Why one field of a customer's state has its value: the rule, and the facts it used."""
    schema.prepare()
    found = customers.why(customer_id, field)
    if as_json:
        output.emit(found)
        return
    output.say(f"{found.field}: {msgspec.json.encode(found.value).decode()}")
    output.say(found.reason)
    rows = (
        (output.when(fact.at), fact.object_type, fact.object_id, fact.event_type, fact.event_id) for fact in found.facts
    )
    output.table(["When", "Object", "Id", "Told by", "Event"], rows, empty="No fact has told it yet.")


@customer_app.command("timeline")
def timeline(
    customer_id: str,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 25,
    after: Annotated[str | None, typer.Option()] = None,
    as_json: AsJson = False,
) -> None:
    """What happened to a customer, newest first."""
    schema.prepare()
    page = customers.timeline(customer_id, limit=limit, after=after)
    if as_json:
        output.emit(page)
        return
    rows = ((output.when(entry.at), entry.title, entry.detail, entry.event_id) for entry in page.data)
    output.table(["When", "What", "Detail", "Event"], rows, empty="Nothing yet.")


@customer_app.command("refold")
def refold(customer_ids: list[str], as_json: AsJson = False) -> None:
    """Fold customers again from the mirror; the worker does it at once."""
    schema.prepare()
    number = customers.refold(ids=customer_ids, by=command_line())
    if as_json:
        output.emit({"queued": number})
        return
    output.done(f"{number} queued.")


def _money(money: Money) -> str:
    return f"{money.major} {money.currency.upper()}"


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("customers")(list_customers)
    app.add_typer(customer_app, name="customer")
