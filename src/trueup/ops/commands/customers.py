"""Commands on customers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final

import msgspec
import typer

from trueup.customer import service as customers
from trueup.customer import timeline
from trueup.customer.types import ChangeKind, Customer, CustomerState, Failure, Kind, Payment, Stage
from trueup.kernel.money import Money
from trueup.kernel.time import parse
from trueup.ops import output, schema
from trueup.ops.actors import command_line
from trueup.runtime import clock

Moment = Annotated[
    datetime | None, typer.Option(parser=parse, metavar="TIME", help="As it was at this moment (UTC) in Stripe's time.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, the same as the API.")]
YES_NO: Final = {True: "yes", False: "no", None: None}
CHANGES: Final = {ChangeKind.CANCEL: "cancels", ChangeKind.PLANS: "changes", ChangeKind.RESUME: "collecting resumes"}
customer_app = typer.Typer(no_args_is_help=True, help="One customer.")


def list_customers(
    q: Annotated[str, typer.Argument(help="Beginnings of words of name, email or ids.")] = "",
    stage: Annotated[Stage | None, typer.Option(help="Only this stage.")] = None,
    account: Annotated[str, typer.Option(help="Only this account, by its slug.")] = "",
    sort: Annotated[
        str, typer.Option(help="name, mrr or last_event_at; a leading hyphen means descending.")
    ] = "-last_event_at",
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    after: Annotated[str | None, typer.Option(help="The next page's cursor.")] = None,
    as_json: AsJson = False,
) -> None:
    """List customers."""
    schema.prepare()
    page = customers.search(q=q, stage=stage, account=account, sort=sort, limit=limit, after=after)
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
    as_of: Moment = None,
    known_at: Annotated[
        datetime | None,
        typer.Option(parser=parse, metavar="TIME", help="Only by what had arrived by this moment (UTC)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a customer's state by our id or Stripe's."""
    schema.prepare()
    if as_of is None and known_at is None:
        customer = customers.get(customer_id)
    else:
        customer = customers.get_at(
            customer_id,
            at=as_of or clock.now(),
            known_at=known_at,
        )
    if not why:
        customer = msgspec.structs.replace(customer, state=msgspec.structs.replace(customer.state, why={}))
    if as_json:
        output.emit(customer)
        return
    for label, field, value in _told(customer):
        found = customer.state.why.get(field)
        sources = ", ".join(sorted({fact.event_id for fact in found.facts})) if found is not None else ""
        output.say(f"{label:<15} {value or '—'}{f'   ← {sources}' if sources else ''}")


def _told(customer: Customer) -> list[tuple[str, str, str | None]]:
    """A customer's values for people: what they are called, the state's field they come from, and the value."""
    state = customer.state
    method = state.payment_method
    return [
        ("Id", "", customer.id),
        ("Stripe", "", ", ".join(state.stripe_customer_ids)),
        ("Name", "name", state.name),
        ("Email", "email", state.email),
        ("Country", "country", state.country),
        ("Language", "locale", state.locale),
        ("Currency", "currency", (state.currency or "").upper()),
        ("Stage", "stage", state.stage.value),
        ("Billing status", "billing_status", state.billing_status),
        ("Plan", "plans", customer.plan_label),
        ("MRR", "mrr", _amounts(mrr.money for mrr in state.mrr)),
        ("MRR changes", "mrr_changes_at", output.when(state.mrr_changes_at)),
        ("Not known", "mrr_unknown", "; ".join(state.mrr_unknown)),
        ("Trial ends", "trial_end", output.when(state.trial_end)),
        ("Since", "subscribed_since", output.when(state.subscribed_since)),
        ("Period ends", "current_period_end", output.when(state.current_period_end)),
        ("Scheduled", "scheduled_changes", "; ".join(_change(customer))),
        ("Method on file", "payment_method_on_file", YES_NO[state.payment_method_on_file]),
        ("Payment method", "payment_method", _joined(method.brand or method.type, method.last4) if method else None),
        ("Delinquent", "delinquent", YES_NO[state.delinquent]),
        ("Balance", "balance", _balance(state)),
        ("Last payment", "last_payment", _payment(state.last_payment)),
        ("Last failure", "last_failure", _failure(state.last_failure)),
        ("Paid in all", "lifetime_paid", _amounts(state.lifetime_paid)),
        ("Tags", "tags", ", ".join(state.tags)),
        ("Last event", "last_event_at", output.when(customer.last_event_at)),
        ("As of", "as_of", output.when(state.as_of)),
    ]


def _change(customer: Customer) -> list[str]:
    names = customers.price_names(customer)
    told = []
    for change in customer.state.scheduled_changes:
        items = [
            _joined(names.get(item.price_id or "") or item.price_id, f"x {item.quantity}" if item.quantity else None)
            for item in change.items
        ]
        told.append(f"{CHANGES[change.kind]}{' to ' + ', '.join(items) if items else ''} on {output.when(change.at)}")
    return told


def _payment(payment: Payment | None) -> str | None:
    return _joined(_money(payment.amount), "on", output.when(payment.at)) if payment is not None else None


def _failure(failure: Failure | None) -> str | None:
    if failure is None:
        return None
    amount = _money(failure.amount) if failure.amount is not None else None
    told = customers.failure_told(failure)
    return _joined(amount, "on", output.when(failure.at)) + f": {told.plain} {told.retry}"


def _balance(state: CustomerState) -> str | None:
    if state.balance is None or state.currency is None:
        return None
    return _money(Money(minor=state.balance, currency=state.currency))


def _amounts(amounts: Iterable[Money]) -> str:
    return " + ".join(map(_money, amounts))


def _joined(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)


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


@customer_app.command("contact")
def contact(customer_id: str, as_json: AsJson = False) -> None:
    """The fields that other systems keep about a contact, by their exact names."""
    schema.prepare()
    found = customers.contact(customer_id)
    if as_json:
        output.emit(found)
        return
    for name, value in (found.fields | found.details).items():
        shown = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        output.say(f"{name:<24} {shown if value is not None else '—'}")


@customer_app.command("history")
def history(
    customer_id: str,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 25,
    after: Annotated[str | None, typer.Option(help="The next page's cursor.")] = None,
    kind: Annotated[list[Kind] | None, typer.Option(help="Only this kind; may be given several times.")] = None,
    as_of: Annotated[
        datetime | None, typer.Option(parser=parse, metavar="TIME", help="Up to this moment (UTC) in Stripe's time.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What happened to a customer and who did it, newest first."""
    schema.prepare()
    page = timeline.history(customer_id, limit=limit, after=after, kinds=frozenset(kind or ()), as_of=as_of)
    if as_json:
        output.emit(page)
        return
    rows = (
        (
            output.when(entry.at),
            entry.title,
            entry.detail,
            entry.actor.told if entry.actor is not None else "",
            f"{entry.source} {entry.event_id}",
        )
        for entry in page.data
    )
    empty = "Nothing of this kind." if kind else "Nothing yet."
    output.table(["When", "What", "Detail", "Who", "Told by"], rows, empty=empty)
    if page.next:
        output.err.print(f"Next page: --after {page.next}", markup=False, soft_wrap=True)


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
