"""From customers whose standing changed to messages that are due: look, compare with the last look, plan.

All of it is one transaction with the queue's rows, so that a crash leaves either the rows or the messages. Nothing is
sent here: that is ``sending``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from trueup.customer import service as customers
from trueup.customer.listing import service as listing
from trueup.customer.listing.types import Filters
from trueup.customer.owners import service as owners
from trueup.customer.types import Customer, Stage
from trueup.inbox.types import READING
from trueup.kernel.errors import NotFound
from trueup.kernel.money import Money
from trueup.mirror import service as mirror
from trueup.mirror.types import MirrorObject
from trueup.notices import rules, store
from trueup.notices.rules import Failure, Found, Look, Subscription
from trueup.notices.types import Kind
from trueup.runtime import clock, database
from trueup.runtime.drains import Drain
from trueup.runtime.queues import Claimed
from trueup.runtime.wake import wake

TOPIC: Final = "notices.due"
"""Woken when messages were planned."""


def apply(rows: Sequence[Claimed]) -> None:
    """Look at a batch of customers; running it again finds nothing new."""
    ids = sorted({row.values[0] for row in rows})
    _lock(ids)
    known = store.looks(ids)
    for customer_id in ids:
        try:
            customer = customers.get(customer_id)
        except NotFound:
            # It is being made anew, and is queued again when it is there; or it is gone.
            continue
        if customer.id == customer_id:
            look_at(customer, known.get(customer_id))


def _lock(ids: Sequence[str]) -> None:
    """Let two workers that look at one customer follow each other; in ascending order, so that nobody deadlocks."""
    database.execute(
        "select pg_advisory_xact_lock(k) from (select distinct hashtextextended('notices ' || c, 0) as k"
        " from unnest(%s::text[]) as c order by 1) as keys",
        (list(ids),),
    )


def look_at(customer: Customer, before: Look | None) -> tuple[Found, ...]:
    """Compare a customer with the last look, keep this one, and plan messages for what changed; returns that."""
    now = clock.unix()
    after, failure = seen(customer)
    heard = int(customer.last_event_at.timestamp())
    look, found = rules.moved(
        before, after, customer=customer.stripe_customer_id, failure=failure, heard=heard, now=now
    )
    if look != before:
        store.keep(customer.id, look)
    new = [(one, _written(one, customer)) for one in found]
    _plan(customer, [(one, number) for one, number in new if number is not None])
    return tuple(one for one, number in new if number is not None)


def seen(customer: Customer) -> tuple[Look, Failure | None]:
    """What is to be seen of a customer now."""
    state = customer.state
    members = [(customer.account_id, customer.livemode, one) for one in state.stripe_customer_ids]
    objects = [one for found in mirror.objects_of(members, ("subscription",)).values() for one in found]
    subscriptions = {one.object_id: _subscription(one) for one in objects}
    largest = max(state.mrr, key=lambda one: rules.major(one.money), default=None)
    failed = state.last_failure
    failure = None
    if failed is not None:
        why = state.why.get("last_failure")
        fact = max((ref.event_id for ref in why.facts), default="") if why is not None else ""
        failure = Failure(
            subject=failed.object_id,
            at=int(failed.at.timestamp()),
            fact=fact,
            amount=failed.amount,
            reason=failed.code or failed.reason,
            read=fact.startswith(READING),
        )
    look = Look(
        stage=state.stage.value,
        subscriptions=subscriptions,
        mrr=None if largest is None else (largest.minor, largest.currency),
        failure=None if failure is None else (failure.subject, failure.at),
        newest=max((one.told for one in subscriptions.values()), default=0),
    )
    return look, failure


def _subscription(one: MirrorObject) -> Subscription:
    data = one.data
    status = "canceled" if one.deleted else str(data.get("status") or "")
    ends = data.get("cancel_at")
    if type(ends) is not int:
        ends = _period_end(one) if data.get("cancel_at_period_end") is True else 0
    created = data.get("created")
    return Subscription(
        status=status,
        ends=ends,
        created=created if type(created) is int else 0,
        told=one.created,
        event=one.event_id,
        read=one.event_id.startswith(READING),
    )


def _period_end(one: MirrorObject) -> int:
    """When the period ends, of the item whose is the last; 1 where no item says, so that it is known to end."""
    items = one.data.get("items")
    given = items.get("data") if type(items) is dict else None
    ends = [item.get("current_period_end") for item in given or () if type(item) is dict]
    return max((end for end in ends if type(end) is int), default=1)


def _written(one: Found, customer: Customer) -> int | None:
    return store.add(one, customer_id=customer.id, account_id=customer.account_id, livemode=customer.livemode)


def _plan(customer: Customer, found: Sequence[tuple[Found, int]]) -> None:
    if not found:
        return
    wanted = store.rules(everybody=True)
    owner = owners.of([customer.id]).get(customer.id) if any(one.only_mine for one in wanted) else None
    now, planned = clock.now(), False
    for one, number in found:
        for rule in wanted:
            if rules.concerns(
                rule,
                kind=one.kind,
                account_id=customer.account_id,
                amount=one.amount,
                owner=None if owner is None else owner.operator_id,
            ):
                at = rules.due(rule, now=now)
                store.plan(rule.id, number, window=rules.window(rule, change=number, at=at), due_at=at)
                planned = True
    if planned:
        wake(database.connection(), TOPIC)


def trials_ending(*, now: datetime | None = None) -> int:
    """Find trials that end within ``rules.TRIAL_ENDING`` and plan their messages; returns how many are new.

    Run by the sweep. A trial whose end moves is told of again.
    """
    if not any(Kind.TRIAL_ENDING in one.kinds for one in store.rules(everybody=True)):
        return 0
    now = clock.now() if now is None else now
    filters = Filters(stage=Stage.TRIALING, trial_ends_before=now + rules.TRIAL_ENDING)
    number, after = 0, None
    while True:
        rows, after = listing.rows(filters, sort="-trial_end", limit=listing.LARGEST_PAGE, after=after)
        ends = {row.id: row.trial_end for row in rows if row.trial_end is not None and row.trial_end > now}
        known = store.trials_told(sorted(ends))
        number += sum(_trial(one, end) for one, end in ends.items() if (one, str(int(end.timestamp()))) not in known)
        # The latest come first, so that a page with one that is over is the last that matters.
        if after is None or len(ends) < len(rows):
            return number


def _trial(customer_id: str, end: datetime) -> int:
    with database.transaction():
        customer = customers.get(customer_id)
        mrr = customer.mrr[0].money if customer.mrr else None
        one = Found(
            kind=Kind.TRIAL_ENDING,
            subject=customer.stripe_customer_id,
            before="",
            after=str(int(end.timestamp())),
            at=clock.unix(),
            fact="",
            amount=_planned(customer) if mrr is None else mrr,
        )
        number = _written(one, customer)
        if number is None:
            return 0
        _plan(customer, [(one, number)])
    return 1


def _planned(customer: Customer) -> Money | None:
    """What the plan on trial costs a period, where the trial itself brings nothing yet."""
    plan = next((one for one in customer.state.plans if one.unit_amount is not None and one.currency), None)
    if plan is None or plan.unit_amount is None or plan.currency is None:
        return None
    return Money(minor=plan.unit_amount * (plan.quantity or 1), currency=plan.currency)


DRAIN: Final = Drain(
    name="notices",
    topic=customers.MOVED_TOPIC,
    queue=customers.MOVED,
    since="moved_at",
    apply=apply,
    batch=100,
    rebuildable=False,
)
