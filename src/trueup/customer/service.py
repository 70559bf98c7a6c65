"""What others may ask about customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from trueup.accounts import service as accounts
from trueup.accounts.errors import AccountUnknown
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.customer import past, store
from trueup.customer.identity import links
from trueup.customer.listing import service as listing
from trueup.customer.listing.types import Filters
from trueup.customer.rules import billed as billing
from trueup.customer.rules import declines
from trueup.customer.rules.billed import BILLED_TYPES, Billed
from trueup.customer.rules.contact import contact_details, contact_fields
from trueup.customer.rules.method import details
from trueup.customer.rules.mrr import cases
from trueup.customer.rules.reasons import sentence
from trueup.customer.types import (
    Contact,
    Customer,
    CustomerRow,
    CustomerState,
    ExplainedFact,
    Explanation,
    Failure,
    Mrr,
    PaymentMethod,
    Stage,
)
from trueup.kernel.actor import Actor
from trueup.kernel.errors import NotFound
from trueup.kernel.time import from_unix
from trueup.mirror import service as mirror
from trueup.mirror.service import CustomerKey
from trueup.mirror.types import ObjectKey
from trueup.mirror.upcast.shape import id_of, text
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import clock, database, queues
from trueup.runtime.pages import Page

LARGEST_PAGE: Final = listing.LARGEST_PAGE
NO_FILTERS: Final = Filters()
MOVED: Final = queues.Queue(table="customer_moved", columns=("customer_id",))
"""Customers (our ids) whose standing changed, for one drain above; see ``rules.standing``."""
MOVED_TOPIC: Final = store.MOVED_TOPIC


def _slugs() -> dict[int, str]:
    return {account.id: account.slug for account in accounts.accounts()}


def _account_of(slug: str) -> int:
    found = [account_id for account_id, known in _slugs().items() if known == slug]
    if not found:
        raise AccountUnknown(f"There is no account {slug}.", hint="List them with: trueup accounts")
    return found[0]


def search(
    *,
    q: str = "",
    stage: Stage | None = None,
    account_id: int | None = None,
    account: str = "",
    among: Filters = NO_FILTERS,
    sort: str = "-last_event_at",
    limit: int = 50,
    after: str | None = None,
) -> Page[CustomerRow]:
    """Customers by the beginning of words of their name, email or ids; of one stage or account if given.

    ``account`` is the slug of the one that ``account_id`` names; ``AccountUnknown`` where there is none of it. A
    leading hyphen in ``sort`` means descending. ``among`` narrows further; ``total`` is None where more match than
    are counted.
    """
    if account:
        account_id = _account_of(account)
    filters = msgspec.structs.replace(among, q=q, stage=stage, account_id=account_id)
    return listing.search(filters, sort=sort, limit=limit, after=after)


def counts(*, account_id: int | None = None, q: str = "") -> dict[Stage, int]:
    """How many customers are in each stage, zeros included."""
    return listing.counts(account_id=account_id, q=q)


def get(id: str) -> Customer:  # noqa: A002 - the field's name
    """A customer by our id or Stripe's."""
    customer = store.find(id, _slugs())
    if customer is None:
        raise NotFound(
            f"There is no customer {id}.",
            code="customer_unknown",
            hint="A new customer appears a moment after its first event.",
        )
    return customer


def get_at(id: str, *, at: datetime, known_at: datetime | None = None) -> Customer:  # noqa: A002 - the field's name
    """A customer as it was at a moment in Stripe's time: what had happened by then, by today's rules.

    ``known_at`` asks for what Trueup knew at a moment of ours: only what had arrived by then counts. Products are those
    of then too; which Stripe customers are one is as it is now. ``NotFound`` when nothing was known then.
    """
    customer = get(id)
    members = [(customer.account_id, customer.livemode, one) for one in customer.state.stripe_customer_ids]
    state = past.state_at(members, at=int(at.timestamp()), known_at=known_at)
    if state is None:
        raise NotFound(
            f"Nothing was known about the customer {id} then.",
            code="customer_unknown_then",
            hint="Ask for a later moment.",
        )
    return store.customer_of(
        state,
        id=customer.id,
        key=(customer.account_id, customer.livemode),
        slug=customer.account_slug,
        last_event_at=state.last_event_at or at,
        folded_at=clock.now(),
    )


def why(id: str, field: str, *, at: datetime | None = None) -> Explanation:  # noqa: A002 - the field's name
    """Why a field of a customer's state has its value, or had it at a moment in Stripe's time.

    ``NotFound`` for a field that there is not, and for one that nothing has told yet.
    """
    customer = get(id) if at is None else get_at(id, at=at)
    found = customer.state.why.get(field)
    if found is None:
        known = field in CustomerState.__struct_fields__
        raise NotFound(
            f"Nothing is known about {field} of this customer."
            if known
            else f"A customer's state has no field {field}.",
            code="field_unknown",
            hint=f"There is an answer for: {', '.join(sorted(customer.state.why))}.",
        )
    types = mirror.event_types(
        [
            (
                ObjectKey(
                    account_id=customer.account_id,
                    livemode=customer.livemode,
                    object_type=fact.object_type,
                    object_id=fact.object_id,
                ),
                fact.created,
                fact.event_id,
            )
            for fact in found.facts
        ]
    )
    facts = [
        ExplainedFact(
            object_type=fact.object_type,
            object_id=fact.object_id,
            event_id=fact.event_id,
            event_type=types.get(fact.event_id),
            at=from_unix(fact.created),
        )
        for fact in sorted(found.facts, key=lambda fact: (fact.created, fact.event_id), reverse=True)
    ]
    return Explanation(
        customer_id=customer.id,
        field=field,
        value=getattr(customer.state, field, None),
        rule=found.rule,
        reason=sentence(found.rule, found.since) + _meant(customer.state, field),
        facts=tuple(facts),
        since=found.since,
    )


def _meant(state: CustomerState, field: str) -> str:
    """What a failure means beyond its rule; nothing for other fields."""
    if field != "last_failure" or state.last_failure is None:
        return ""
    told = failure_told(state.last_failure)
    return f" {told.plain} {told.retry}"


def contact(id: str) -> Contact:  # noqa: A002 - the field's name
    """The fields that other systems keep about a customer, with what they leave out; dates are days in UTC."""
    return contact_of(get(id).state)


def contact_of(state: CustomerState) -> Contact:
    """The same of a state that is at hand."""
    return Contact(fields=contact_fields(state), details=contact_details(state))


def billed(customer: Customer, *, at: datetime | None = None) -> Billed:
    """A customer's invoices, every attempt to collect, and the methods on file, the newest first.

    With ``at`` as they were at that moment in Stripe's time; the customer is then one of ``get_at``.
    """
    members = [(customer.account_id, customer.livemode, one) for one in customer.state.stripe_customer_ids]
    if at is None:
        objects = [one for found in mirror.objects_of(members, BILLED_TYPES).values() for one in found]
    else:
        objects = list(mirror.objects_at(customers=members, types=BILLED_TYPES, at=int(at.timestamp())).values())
    method = customer.state.payment_method
    return billing.billed(objects, of=customer.state.stripe_customer_ids, default=None if method is None else method.id)


def revenue_then(customer: Customer, moments: Sequence[datetime]) -> tuple[tuple[Mrr, ...] | None, ...]:
    """The MRR of a customer at each of these moments in Stripe's time, by today's rules, from the versions of then.

    ``None`` where nothing was known of it by then. Each moment is folded for itself, so they should be few.
    """
    members = [(customer.account_id, customer.livemode, one) for one in customer.state.stripe_customer_ids]
    states = [past.state_at(members, at=int(one.timestamp()), known_at=None) for one in moments]
    return tuple(None if state is None else state.mrr for state in states)


def failure_told(failure: Failure) -> declines.Explanation:
    """What a failed payment means to whoever supports the customer, and whether trying it again can help."""
    return declines.advised(declines.explain(failure.code, None), failure.advice_code)


def reason_told(code: str | None) -> declines.Explanation:
    """What Stripe's code for a reason means, where it is told alone, without the payment that failed."""
    return declines.explain(code, None)


def charged_method(charge: Mapping[str, Any]) -> PaymentMethod | None:
    """What a charge was made to, from its essence; ``None`` where that is not told."""
    told = charge.get("payment_method_details")
    return details("", told) if isinstance(told, dict) and told.get("type") else None


def price_names(customer: Customer) -> dict[str, str]:
    """What to call the prices of a customer's scheduled changes: the product's name, else the nickname, by price id.

    A price without either, and one that the mirror does not know, is left out.
    """
    wanted = {item.price_id for change in customer.state.scheduled_changes for item in change.items if item.price_id}
    found = {
        plan.price_id: name
        for plan in customer.state.plans
        if plan.price_id in wanted and (name := plan.product_name or plan.nickname) is not None
    }
    prices = _catalog(customer, "price", wanted - found.keys())
    product_of = {price: id_of(data.get("product")) for price, data in prices.items()}
    products = _catalog(customer, "product", {product for product in product_of.values() if product is not None})
    for price, data in prices.items():
        product = products.get(product_of[price] or "", {})
        name = text(product.get("name")) or text(data.get("nickname"))
        if name is not None:
            found[price] = name
    return found


def _catalog(customer: Customer, object_type: str, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What the mirror knows of these objects of the catalogue, by id."""
    keys = [
        ObjectKey(account_id=customer.account_id, livemode=customer.livemode, object_type=object_type, object_id=one)
        for one in sorted(ids)
    ]
    return {one.object_id: one.data for found in mirror.objects(keys).values() for one in found}


def names(keys: Sequence[CustomerKey]) -> dict[CustomerKey, str]:
    """What to call these customers: their name, else their email, else Stripe's id; those nobody knows are left out."""
    return store.names(sorted(set(keys)))


def mark_outdated(*, limit: int = 5000) -> int:
    """Queue customers that another version of the rules folded.

    Returns how many, 0 when all of them wait already. Run by the sweep, so a changed rule heals by itself.
    """
    queued = 0
    with database.transaction():
        keys = [
            ObjectKey(account_id=account_id, livemode=livemode, object_type="customer", object_id=customer)
            for account_id, livemode, customer in store.outdated(fold_version=links.version(), limit=limit)
        ]
        if keys:
            # One that was set aside stays so: queued at every sweep, it would fill the queue with its failures.
            queued = mirror.mark_changed(keys, unless_queued=True)
    return queued


def refold(*, ids: list[str], by: Actor) -> int:
    """Queue these customers (ours or Stripe's ids) to be folded again.

    An unknown id raises ``NotFound`` and nothing is queued.
    """
    operators.require(by, Permission.TRUTH_REPAIR)
    with database.transaction() as connection:
        keys = []
        for identifier in ids:
            customer = get(identifier)
            keys.append(
                ObjectKey(
                    account_id=customer.account_id,
                    livemode=customer.livemode,
                    object_type="customer",
                    object_id=customer.stripe_customer_id,
                )
            )
        mirror.mark_changed(keys)
        audit.record(
            connection,
            by=by,
            action=Action.CUSTOMERS_REFOLDED,
            object_type="customer",
            object_id=ids[0] if len(ids) == 1 else "several",
            after={"customers": len(ids)},
        )
    return len(keys)


def rebuild(*, by: Actor) -> int:
    """Drop all that is made from the log, of the mirror and of customers, and queue the log to be read again.

    Returns how many events are queued; the drains then make every row again, and until they have, customers are
    unknown. Merges, dismissals and links made by hand stay. For an installation whose workers rest: beside them it or
    they may be rolled back by a deadlock, and be tried again. Again, it does the same.
    """
    operators.require(by, Permission.TRUTH_REPAIR)
    with database.transaction() as connection:
        # The mirror first: it waits for folds that are under way, whose states would outlive the deletion otherwise.
        events = mirror.rebuild()
        store.clear()
        audit.record(
            connection,
            by=by,
            action=Action.STATES_REBUILT,
            object_type="customer",
            object_id="all",
            after={"events": events},
        )
    return events


def folding() -> queues.Depth:
    """How the queue of customers to fold stands."""
    with database.transaction() as connection:
        return mirror.depth(connection)


def metric_cases(raw: bytes, *, groups: Sequence[str] = ()) -> list[cases.Verdict]:
    """Answer the cases of a file of metric cases and compare, all of them or those of some groups; needs no database.

    ``Refused`` when the bytes are no such file, or when no case is in a group.
    """
    told = cases.read(raw)
    return [cases.judge(case, told.default_policy) for case in cases.selected(told, groups)]
