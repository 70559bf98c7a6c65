"""``fold(objects, at) -> CustomerState``: what follows from the current objects of one customer at a moment.

Pure and total: the same answer for every order of the objects and any number of duplicates, and an answer whatever the
objects hold. There is no clock here: the moment is an argument, and two moments between which nothing begins or ends
give the same answer. A change of a rule raises ``FOLD_VERSION``, and every state made by an older one is made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from trueup.customer.rules.known import ENDED, STAGES, Known, Subscription, ref_of
from trueup.customer.rules.method import attached, details
from trueup.customer.rules.mrr.tally import Turn
from trueup.customer.rules.paid import last_failure, payments
from trueup.customer.rules.revenue import Revenue, revenue
from trueup.customer.rules.scheduled import changes
from trueup.customer.types import CustomerState, PaymentMethod, Plan, Stage, Why
from trueup.mirror.types import FactRef, MirrorObject
from trueup.mirror.upcast.shape import currency_of, decimal_of, id_of, listed, mapping, moment, text, whole

FOLD_VERSION: Final = 9

_MOST_TAGS: Final = 50
_MOST_TURNS: Final = 100
"""Stripe gives a subscription at most twenty discounts; whoever tells of more waits no longer for the reason."""


def fold(
    stripe_customer_id: str, objects: Iterable[MirrorObject], *, also: Iterable[str] = (), at: int = 0
) -> CustomerState:
    """The state of a customer, from the current versions of its objects in the newest shape, or their essences.

    ``at`` is what time it is for the customer, in unix seconds of Stripe's time; before the newest fact it is that
    fact's. Time alone moves only what payloads say of it beforehand: whether a discount counts, and whether a pause
    lasts. What Stripe has a word for (a status, a plan, an end) is as it last said, however late the next word is.

    A customer may be several Stripe customers (``also``); the leading one gives name, email and what else there is but
    one of. ``objects`` are the customers, their subscriptions, schedules, payment methods, cards, sources, charges,
    payments and invoices, and the products and prices that their subscriptions name, in any order; whatever else is
    among them only counts for ``last_event_at``. Of two versions of one object the newer counts. Objects that name
    another customer are left out.

    *Stage*, the first that holds: ``deleted`` when the customer is; ``past_due`` with a subscription that is past_due
    or unpaid, for a debt asks for somebody's attention even beside a healthy subscription; ``active``; ``trialing``;
    ``paused`` by status, or active while ``pause_collection`` lasts (what is owed from before stays ``past_due``);
    ``churned`` when a subscription was canceled, a lapsed trial too; else ``lead``, so also for somebody whose first
    payment is still open (incomplete) or never came (incomplete_expired).

    *The leading subscription* decides the stage; among equals the one created last. ``billing_status`` is its status.

    *Plans* are the items of the live subscriptions (trialing, active, past_due, unpaid, paused); without one, those of
    the leading subscription, so that it can be seen what a churned customer had; each carries its status.

    *MRR* counts licensed recurring prices of subscriptions that are active or past_due and not paused, less recurring
    discounts and the tax in prices, as ``rules.revenue`` says. What payloads do not tell, such as the tiers of a price
    or a coupon that is only named, is not guessed.

    *Trial end*: the earliest of the running trials, else when the leading subscription's trial ended.
    *Period end*: the earliest over the items of live subscriptions that bill. *Subscribed since*: the earliest start of
    the live subscriptions, else that of the leading one when it was canceled.
    *Cancel at period end*: when it is set for every live subscription, so that the customer leaves.

    *Payment method*: the default of the leading live subscription, then of the others, the customer's default for
    invoices, the default source, then the newest that is attached. One that is known to be detached or deleted is
    passed over. One whose id alone is known is on file without details. When the customer is known and none is found,
    ``payment_method_on_file`` is false.

    *Payments*: ``rules.paid`` says which objects tell the last payment, the last failure and what was paid in all.
    *Balance*: the sum over the Stripe customers that are not deleted, where their currencies agree.
    """
    ids = tuple(dict.fromkeys((stripe_customer_id, *also)))
    known = Known(ids, objects, at)
    data, leading, own = known.data, known.leading, known.own
    plans, revenues = _plans(known), _revenue(known)
    on_file, method = _method(known)
    last_payment, lifetime_paid = payments(known)
    metadata = {key: value for key, value in mapping(data.get("metadata")).items() if type(value) is str}
    delinquent = [one.data.get("delinquent") for one in known.customers]
    stage = _stage(known)
    cancels = bool(known.live) and all(one.data.get("cancel_at_period_end") is True for one in known.live)
    of_live = _of_live(known)
    known.why["cancel_at_period_end"] = (
        Why(rule="subscriptions.leaving", facts=of_live) if of_live else known.why["stage"]
    )
    last, newest = known.last, None
    if last is not None:
        newest = known.noted("last_event_at", moment(last.created), "newest_fact", (ref_of(last),))
    return CustomerState(
        stripe_customer_id=stripe_customer_id,
        stripe_customer_ids=ids,
        name=_name(known),
        email=known.noted("email", text(data.get("email")), "customer", own),
        country=_country(known),
        currency=_currency(known),
        locale=known.noted("locale", _locale(data), "customer", own),
        stage=stage,
        billing_status=known.noted("billing_status", leading.status, "leading", (leading.ref,)) if leading else None,
        plans=plans,
        mrr=revenues.mrr,
        mrr_changes_at=_noted_change(known, revenues),
        mrr_unknown=known.noted("mrr_unknown", revenues.unknown or None, "subscriptions.mrr", _of_live(known)) or (),
        trial_end=_trial_end(known),
        subscribed_since=_subscribed_since(known),
        current_period_end=_period_end(known),
        cancel_at_period_end=cancels,
        scheduled_changes=changes(known),
        payment_method_on_file=on_file,
        payment_method=method,
        delinquent=known.noted(
            "delinquent",
            any(delinquent) if delinquent and all(type(one) is bool for one in delinquent) else None,
            "customer",
            tuple(map(ref_of, known.customers)),
        ),
        balance=_balance(known),
        last_payment=last_payment,
        last_failure=last_failure(known),
        lifetime_paid=lifetime_paid,
        metadata=known.noted("metadata", metadata or None, "customer", own) or {},
        tags=known.noted("tags", _tags(metadata) or None, "metadata.tags", own) or (),
        last_event_at=newest,
        as_of=_as_of(known, newest, revenues),
        deleted=known.deleted,
        why=known.why,
    )


def _stage(known: Known) -> Stage:
    """The stage, and whether the customer was deleted, noted."""
    rule = "customer" if known.own else "nothing_known"
    if known.deleted and len(known.customers) > 1:
        rule = "customers.all_deleted"
    known.why["deleted"] = Why(rule=rule, facts=tuple(map(ref_of, known.customers)))
    if known.deleted:
        known.why["stage"] = Why(rule="customer.deleted", facts=known.why["deleted"].facts)
        return Stage.DELETED
    if known.leading is None:
        known.why["stage"] = Why(rule="no_subscription", facts=known.own)
        return Stage.LEAD
    stage = STAGES[known.leading.rank]
    resumed = known.leading.resumed if stage is Stage.ACTIVE else 0
    rule = "leading.resumed" if resumed else f"leading.{stage.value}"
    since = moment(resumed) if resumed else None
    known.why["stage"] = Why(rule=rule, facts=(known.leading.ref,), since=since)
    return stage


def _name(known: Known) -> str | None:
    """Since 2025-09-30.clover a customer may have a name as a business and as an individual instead."""
    for field, rule in (
        ("name", "customer"),
        ("business_name", "customer.business_name"),
        ("individual_name", "customer.individual_name"),
    ):
        found = text(known.data.get(field))
        if found is not None:
            return known.noted("name", found, rule, known.own)
    return None


def _country(known: Known) -> str | None:
    country = text(mapping(known.data.get("address")).get("country"))
    if country is not None:
        return known.noted("country", country, "customer", known.own)
    shipping = mapping(mapping(known.data.get("shipping")).get("address"))
    return known.noted("country", text(shipping.get("country")), "customer.shipping", known.own)


def _locale(data: dict[str, Any]) -> str | None:
    preferred = listed(data.get("preferred_locales"))
    return text(preferred[0]) if preferred else None


def _currency(known: Known) -> str | None:
    """The customer's own, which Stripe sets with the first invoice; before that the leading subscription's."""
    own = known.noted("currency", currency_of(known.data.get("currency")), "customer", known.own)
    if own is not None or known.leading is None:
        return own
    currency = currency_of(known.leading.data.get("currency"))
    return known.noted("currency", currency, "leading", (known.leading.ref,))


def _balance(known: Known) -> int | None:
    """Minor units; the balances of several Stripe customers add up only where they are in one currency."""
    holders = [one for one in known.customers if not one.deleted] or known.customers
    balances = [(whole(one.data.get("balance")), currency_of(one.data.get("currency"))) for one in holders]
    if len(balances) == 1:
        return known.noted("balance", balances[0][0], "customer", known.own)
    amounts = [amount for amount, _currency in balances if amount is not None]
    currencies = {currency for amount, currency in balances if amount}
    if not amounts or len(currencies) > 1:
        return None
    return known.noted("balance", sum(amounts), "customers.sum", tuple(map(ref_of, holders)))


def _tags(metadata: dict[str, str]) -> tuple[str, ...]:
    words = {word.strip() for word in metadata.get("tags", "").split(",")} - {""}
    return tuple(sorted(words)[:_MOST_TAGS])


def _plans(known: Known) -> tuple[Plan, ...]:
    plans: list[Plan] = []
    refs: list[FactRef] = []
    for one in known.shown:
        refs.append(one.ref)
        for item in one.items:
            price = known.price(item)
            product = price.get("product")
            product_id = id_of(product)
            found = known.catalog.get(product_id) if product_id is not None else None
            if found is not None:
                refs.append(ref_of(found))
            named = found.data if found is not None else mapping(product)
            recurring = mapping(price.get("recurring"))
            plans.append(
                Plan(
                    subscription_id=one.told.object_id,
                    item_id=text(item.get("id")),
                    price_id=id_of(item.get("price")),
                    product_id=product_id,
                    product_name=text(named.get("name")),
                    nickname=text(price.get("nickname")),
                    quantity=whole(item.get("quantity")),
                    interval=text(recurring.get("interval")),
                    interval_count=whole(recurring.get("interval_count")),
                    unit_amount=whole(price.get("unit_amount")),
                    unit_amount_decimal=decimal_of(price.get("unit_amount_decimal")),
                    currency=_price_currency(price, one),
                    status=one.status,
                )
            )
    if plans:
        rule = "subscriptions.live" if known.live else "subscriptions.ended"
        known.why["plans"] = Why(rule=rule, facts=tuple(dict.fromkeys(refs)))
    return tuple(plans)


def _revenue(known: Known) -> Revenue:
    """MRR at the moment asked for, noted with what changed it since the facts that it comes from."""
    found = _revenue_at(known, known.at)
    if known.live:
        turn = _turned(known, found)
        rule = "subscriptions.mrr" if turn is None else f"subscriptions.{turn.cause}"
        known.why["mrr"] = Why(rule=rule, facts=_of_live(known), since=None if turn is None else moment(turn.at))
    return found


def _revenue_at(known: Known, at: int) -> Revenue:
    return revenue([one.data for one in known.live], customer=known.data, find=known.find, at=at)


def _turned(known: Known, found: Revenue) -> Turn | None:
    """The last moment since the facts of live subscriptions at which time alone changed the MRR, and how.

    A discount that ends beneath another one, say, changes nothing: then the moment before is looked at.
    """
    turn = found.changed
    for _ in range(_MOST_TURNS):
        if turn is None or turn.at <= max(one.told.created for one in known.live):
            return None
        before = _revenue_at(known, turn.at - 1)
        if before.mrr != found.mrr:
            return turn
        turn = before.changed
    return None


def _as_of(known: Known, newest: datetime | None, revenues: Revenue) -> datetime | None:
    """The newest fact, or where that is later the last moment at which time alone changed something."""
    if known.last is None or newest is None:
        return None
    turn = 0 if revenues.changed is None else revenues.changed.at
    for one in known.live:
        turn = max(turn, one.resumed)
    if turn <= known.last.created:
        known.why["as_of"] = known.why["last_event_at"]
        return newest
    since = moment(turn)
    return known.noted("as_of", since, "time", _of_live(known), since)


def _noted_change(known: Known, found: Revenue) -> datetime | None:
    return known.noted("mrr_changes_at", moment(found.changes_at), "subscriptions.mrr", _of_live(known))


def _of_live(known: Known) -> tuple[FactRef, ...]:
    return tuple(one.ref for one in known.live)


def _price_currency(price: dict[str, Any], one: Subscription) -> str | None:
    return currency_of(price.get("currency")) or currency_of(one.data.get("currency"))


def _trial_end(known: Known) -> datetime | None:
    running = [one for one in known.live if one.status == "trialing"]
    rule = "subscriptions.trial" if running else "subscription.trial"
    told = running or ([known.leading] if known.leading else [])
    return _earliest(known, "trial_end", rule, [(moment(one.data.get("trial_end")), one.ref) for one in told])


def _subscribed_since(known: Known) -> datetime | None:
    started = [one for one in known.shown if one.rank <= ENDED]
    starts = [(moment(one.data.get("start_date")), one.ref) for one in started]
    return _earliest(known, "subscribed_since", "subscriptions.start", starts)


def _period_end(known: Known) -> datetime | None:
    billing = [one for one in known.live if one.status != "paused"]
    ends = [(moment(item.get("current_period_end")), one.ref) for one in billing for item in one.items]
    return _earliest(known, "current_period_end", "subscriptions.period", ends)


def _earliest(known: Known, field: str, rule: str, moments: list[tuple[datetime | None, FactRef]]) -> datetime | None:
    """The earliest moment, its fact noted; among equal ones the first, which is the weightiest subscription's."""
    earliest: datetime | None = None
    for at, ref in moments:
        if at is not None and (earliest is None or at < earliest):
            earliest = known.noted(field, at, rule, (ref,))
    return earliest


def _method(known: Known) -> tuple[bool | None, PaymentMethod | None]:
    """Whether a payment method is on file, and its details where they are known."""
    if known.deleted:
        return known.noted("payment_method_on_file", False, "customer.deleted", known.own), None  # noqa: FBT003 - a value
    embedded = {
        one["id"]: one
        for one in listed(known.data.get("sources"))
        if type(one) is dict and text(one.get("id")) is not None
    }
    for value, namer in _defaults(known):
        method_id = id_of(value)
        told = known.methods.get(method_id) if method_id is not None else None
        if method_id is None or (told is not None and not _attached(known, told)):
            continue
        if told is not None:
            return _on_file(known, method_id, told.data, "method.default", (namer, ref_of(told)))
        shown = value if type(value) is dict else embedded.get(method_id)
        return _on_file(known, method_id, shown, "method.default", (namer,))
    usable = [told for told in known.methods.values() if _attached(known, told)]
    if usable:
        last = max(usable, key=lambda told: (whole(told.data.get("created")) or 0, told.created, told.object_id))
        return _on_file(known, last.object_id, last.data, "method.newest", (ref_of(last),))
    others = sorted(embedded.keys() - known.methods.keys())
    if others:
        return _on_file(known, others[0], embedded[others[0]], "method.source", known.own)
    none = False if known.customer is not None else None
    return known.noted("payment_method_on_file", none, "customer.known", known.own), None


def _attached(known: Known, told: MirrorObject) -> bool:
    return any(attached(told, one) for one in known.ids)


def _defaults(known: Known) -> Iterator[tuple[object, FactRef]]:
    """The payment methods that are named as a default, the one that is charged first comes first."""
    for one in known.live:
        yield one.data.get("default_payment_method"), one.ref
        yield one.data.get("default_source"), one.ref
    for ref in known.own:
        yield mapping(known.data.get("invoice_settings")).get("default_payment_method"), ref
        yield known.data.get("default_source"), ref


def _on_file(
    known: Known, method_id: str, data: dict[str, Any] | None, rule: str, refs: tuple[FactRef, ...]
) -> tuple[bool, PaymentMethod | None]:
    known.why["payment_method_on_file"] = Why(rule=rule, facts=refs)
    method = details(method_id, data) if data is not None else None
    return True, known.noted("payment_method", method, rule, refs)
