"""Commands that compare what we have with Stripe, and repair what differs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.customer import reconcile as customers
from trueup.customer import service as known_customers
from trueup.kernel.errors import NotFound, Refused
from trueup.kernel.records import Record
from trueup.mirror.reconcile import service
from trueup.mirror.reconcile.types import Difference, Drift, Kind, Run, Status
from trueup.ops import differences, output, schema
from trueup.ops.actors import command_line

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DRIFTED: Final = 3
"""The exit status where something differs, also after a repair that left some of it."""
UNSEEN: Final = 1
"""The exit status where not everything could be seen."""
SHOWN: Final = 50
LOOK_SECONDS: Final = 0.3


class Compared(Record, frozen=True):
    """What a comparison came to: the run, what it repaired, and what differs at its end (at most 200 of each)."""

    run: Run
    repaired: tuple[Difference, ...]
    differences: tuple[Difference, ...]


def reconcile(
    account: Annotated[str, typer.Argument(help="An account's slug; all that have a key where it is left out.")] = "",
    kind: Annotated[
        list[str] | None,
        typer.Option("--type", help="Only this type of object, such as invoice, and no states; several times."),
    ] = None,
    customer: Annotated[
        list[str] | None,
        typer.Option("--customer", help="Only this customer (our id or Stripe's) and all of theirs; several times."),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Only so many customers and all of theirs, chosen at random.")
    ] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Bring what differs here to what Stripe has.")] = False,
    grace: Annotated[
        int, typer.Option(min=0, help="Seconds that an event may take to arrive before its absence counts.")
    ] = service.GRACE,
    patience: Annotated[
        int, typer.Option(min=0, help="Seconds that what arrived may wait in a queue before that counts.")
    ] = service.PATIENCE,
    threads: Annotated[int, typer.Option(min=1, max=32, help="Readers of Stripe's lists, in this process.")] = 4,
    as_json: AsJson = False,
) -> None:
    """Compare objects and customers' states with Stripe, field by field; tell what differs, since when and why.

    One of --type, --customer and --sample narrows it. Stripe itself is never changed.

    What --repair mended is told at the end, and again by: trueup drift --closed --run ID

    Ends with 0 where all was compared and nothing differs, 3 where something does (with --repair: still),

    1 where not all could be compared or it broke off, 2 where what is asked for is refused.
    """
    schema.prepare()
    told = []
    within = _chosen(account)
    # Both at once is refused below.
    theirs = customers.named(within, customer) if customer and not kind else {one.id: customer for one in within}
    for one in within:
        if one.id not in theirs:
            continue
        run = service.start(
            account=one,
            types=kind or [],
            customers=theirs[one.id] or None,
            sample=sample,
            repair=repair,
            grace=grace,
            patience=patience,
            by=command_line(),
        )
        _follow(one, run, threads=threads)
        ended = service.run(run.id)
        repaired = service.repaired_by(run.id) if repair else ()
        told.append(Compared(run=ended, repaired=repaired, differences=service.of_run(run.id)))
        if not as_json:
            _tell(told[-1])
    if as_json:
        output.emit({"data": told})
    status = _status([one.run for one in told])
    if status:
        raise typer.Exit(status)


def _status(runs: Sequence[Run]) -> int:
    if any(run.status is not Status.COMPLETE for run in runs):
        return UNSEEN
    return DRIFTED if any(run.left for run in runs) else 0


def _chosen(slug: str) -> list[Account]:
    if slug:
        return [service.account_of(slug)]
    readable = accounts.readable()
    found = [one for one in accounts.accounts() if one.id in readable]
    if not found:
        raise Refused(
            "No account has an API key to read with.",
            code="reconcile_no_account",
            hint="Connect one: trueup connect --name NAME --api-key KEY",
        )
    return found


def _follow(account: Account, run: Run, *, threads: int) -> None:
    """Work on a run here, and show how far it is."""
    stop, failed = threading.Event(), list[BaseException]()

    def work() -> None:
        try:
            customers.run_here(run.id, stop=stop, threads=threads)
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            failed.append(error)
        finally:
            customers.let_go()

    worker = threading.Thread(target=work, name="reconcile")
    told = TextColumn("{task.fields[told]}")
    columns = (TextColumn("{task.description:<12}"), BarColumn(), told, TimeElapsedColumn())
    worker.start()
    try:
        with Progress(*columns, console=output.err, disable=not sys.stderr.isatty(), transient=True) as bars:
            task = bars.add_task(account.slug, total=None, told="")
            while worker.is_alive():
                known, expected = service.run(run.id), service.expected(run.id)
                bars.update(task, total=expected, completed=known.counts.objects, told=_pace(known, expected))
                worker.join(LOOK_SECONDS)
    finally:
        stop.set()
        worker.join()
    if failed:
        raise failed[0]


def _pace(run: Run, expected: int | None) -> str:
    about = "" if expected is None else f" of about {expected:,}"
    counts = run.counts
    return (
        f"{run.phase.value}: {counts.objects:,}{about} objects, {counts.states:,} states, "
        f"{sum(counts.found.values()):,} differ"
    )


def _tell(told: Compared) -> None:
    run = told.run
    counts = run.counts
    scope = "" if run.customers is None else f" of {len(run.customers)} customers"
    found = ", ".join(f"{number} {kind}" for kind, number in sorted(counts.found.items())) or "nothing differed"
    sentence = (
        f"{run.account_slug}: {counts.objects:,} listed objects{scope} and {counts.states:,} states compared in "
        f"{run.seconds:.1f} s and {counts.calls:,} calls, {counts.singly:,} of them for one object; {found}."
    )
    (output.done if run.status is Status.COMPLETE and not run.left else output.say)(sentence)
    if run.repair and counts.found:
        output.say(f"  {counts.repaired} repaired, {run.left} left.")
    differences.table(told.repaired[:SHOWN])
    if counts.repaired > SHOWN:
        output.say(f"  {counts.repaired - SHOWN} more: trueup drift --closed --run {run.id}")
    if told.repaired and told.differences:
        output.say("  Left:")
    differences.table(told.differences[:SHOWN])
    if run.left > len(told.differences[:SHOWN]):
        output.say(f"  {run.left - len(told.differences[:SHOWN])} more: trueup drift --account {run.account_slug}")
    for trouble in run.troubles:
        output.say(f"  Not compared: {trouble.type}. {trouble.told} ({trouble.code})")
    if counts.silent:
        taken = "taken in" if run.repair else "taken in by --repair"
        output.say(f"  {counts.silent} objects differ in what Stripe tells no event of, which is no drift; {taken}.")
    if counts.moving:
        output.say(f"  {counts.moving} objects changed whenever they were looked at; compare them again.")


def drift(
    account: Annotated[str, typer.Option(help="Only this account, by its slug.")] = "",
    kind: Annotated[Kind | None, typer.Option(help="Only what differs in this way.")] = None,
    type: Annotated[str, typer.Option(help="Only this type of object; `state` for customers' states.")] = "",  # noqa: A002
    customer: Annotated[str, typer.Option(help="Only this customer (our id or Stripe's) and what is theirs.")] = "",
    closed: Annotated[bool, typer.Option("--closed", help="What differed in the last 90 days and is over.")] = False,
    run: Annotated[
        int | None, typer.Option(min=1, help="Only what this run saw last; with --closed what it ended.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 50,
    after: Annotated[str | None, typer.Option(help="The next page's cursor.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what differs from Stripe, as the comparisons so far found it. Nothing is asked of Stripe.

    With --closed what differed and is over: which fields, how it ended, and by which run. Values are forgotten.

    Ends with 0 whether anything differs or not, and with 2 where what is asked for is refused.

    To compare now, and end with 3 where something differs: trueup reconcile
    """
    schema.prepare()
    listed = service.closed if closed else partial(service.differences, objects_first=True)
    page = listed(
        account=account,
        kind=kind,
        type=service.type_of(type),
        customer=_customer(customer),
        run_id=run,
        limit=limit,
        after=after,
    )
    if customer and not page.data:
        # A mistyped id is never taken for a customer without differences.
        known_customers.get(customer)
    if run is not None and not page.data:
        _require_run(run)
    if as_json:
        output.emit({"accounts": service.drift(), "data": page.data, "next": page.next, "total": page.total})
        return
    for known in service.drift():
        if account in {"", known.account_slug}:
            output.say(_sum(known))
    differences.table(page.data, accounts=len(accounts.accounts()) > 1 and not account)
    if closed and not page.data:
        output.say("Nothing is known to have differed.")
    if page.next:
        output.err.print(f"Next page: --after {page.next}", markup=False, soft_wrap=True)


def _require_run(number: int) -> None:
    """Refuse a run that there is not. What a run saw may outlast it, so one that has differences is never asked for."""
    try:
        service.run(number)
    except NotFound as error:
        raise NotFound(
            error.message, code="run_unknown", hint="It is at the end of what trueup reconcile says, and in its JSON."
        ) from error


def _customer(named: str) -> str:
    """Stripe's id of a customer that is named by our id or by Stripe's; one that we do not know stays as it is."""
    if not named:
        return ""
    try:
        known = known_customers.get(named)
    except NotFound:
        return named
    if named in known.state.stripe_customer_ids:
        return named
    if len(known.state.stripe_customer_ids) > 1:
        raise Refused(
            f"{named} is several of Stripe's customers: {', '.join(known.state.stripe_customer_ids)}.",
            code="customer_several",
            hint="Name one of them.",
        )
    return known.stripe_customer_id


def _sum(known: Drift) -> str:
    none = "nothing is known to differ" if known.compared_at is None else "nothing differs"
    kinds = ", ".join(f"{number} {kind}" for kind, number in known.kinds.items()) or none
    at = "never compared whole" if known.compared_at is None else f"last compared {output.when(known.compared_at)}"
    return f"{known.account_slug}: {kinds}; {at}."


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(reconcile)
    app.command()(drift)
