"""``fold(objects) -> CustomerState``: what follows from the current objects of one Stripe customer.

Pure and total: the same answer for every order of the objects and any number of duplicates, and an answer whatever the
objects hold. A change of a rule raises ``FOLD_VERSION``, and every state made by an older one is made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, TypeVar

from trueup.customer.rules.method import METHOD_TYPES, attached, details
from trueup.customer.rules.revenue import revenue
from trueup.customer.types import CustomerState, Mrr, PaymentMethod, Plan, Stage
from trueup.mirror.types import FactRef, MirrorObject
from trueup.mirror.upcast.shape import currency_of, decimal_of, id_of, listed, mapping, moment, text, whole

FOLD_VERSION: Final = 2

_PRECEDENCE: Final = (
    ("unpaid", Stage.PAST_DUE),
    ("past_due", Stage.PAST_DUE),
    ("active", Stage.ACTIVE),
    ("trialing", Stage.TRIALING),
    ("paused", Stage.PAUSED),
    ("canceled", Stage.CHURNED),
    ("incomplete", Stage.LEAD),
    ("incomplete_expired", Stage.LEAD),
)
_RANK: Final = {status: rank for rank, (status, _) in enumerate(_PRECEDENCE)}
_UNKNOWN: Final = len(_PRECEDENCE)
_STAGES: Final = (*(stage for _, stage in _PRECEDENCE), Stage.LEAD)

_CATALOG_TYPES: Final = frozenset({"product", "price", "plan"})

_T = TypeVar("_T")


def fold(stripe_customer_id: str, objects: Iterable[MirrorObject]) -> CustomerState:
    """The state of a Stripe customer, from the current versions of its objects in the newest shape.

    ``objects`` are the customer, its subscriptions, payment methods, cards and sources, and the products and prices
    that its subscriptions name, in any order; whatever else is among them only counts for ``last_event_at``. Of two
    versions of one object the newer counts. Objects that name another customer are left out.

    *Stage*, the first that holds: ``deleted`` when the customer is; ``past_due`` with a subscription that is past_due
    or unpaid, for a debt asks for somebody's attention even beside a healthy subscription; ``active``; ``trialing``;
    ``paused`` by status, or active while ``pause_collection`` is set (what is owed from before stays ``past_due``);
    ``churned`` when a subscription was canceled, a lapsed trial too; else ``lead``, so also for somebody whose first
    payment is still open (incomplete) or never came (incomplete_expired).

    *The leading subscription* decides the stage; among equals the one created last. ``billing_status`` is its status.

    *Plans* are the items of the live subscriptions (trialing, active, past_due, unpaid, paused); without one, those of
    the leading subscription, so that it can be seen what a churned customer had; each carries its status.

    *MRR* counts licensed recurring prices of subscriptions that are active or past_due and not paused, less recurring
    discounts and the tax in prices, as ``rules.revenue`` says. There is no clock here: it is the MRR at the newest
    fact, so a discount that has ended since then still counts until another fact comes. What payloads do not tell, such
    as the tiers of a price or a coupon that is only named, is not guessed.

    *Trial end*: the earliest of the running trials, else when the leading subscription's trial ended.
    *Period end*: the earliest over the items of live subscriptions that bill. *Subscribed since*: the earliest start of
    the live subscriptions, else that of the leading one when it was canceled.
    *Cancel at period end*: when it is set for every live subscription, so that the customer leaves.

    *Payment method*: the default of the leading live subscription, then of the others, the customer's default for
    invoices, the default source, then the newest that is attached. One that is known to be detached or deleted is
    passed over. One whose id alone is known is on file without details. When the customer is known and none is found,
    ``payment_method_on_file`` is false.
    """
    known = _Known(stripe_customer_id, objects)
    data, leading = known.data, known.leading
    plans, mrr = _plans(known), _mrr(known)
    on_file, method = _method(known)
    metadata = {key: value for key, value in mapping(data.get("metadata")).items() if type(value) is str}
    if metadata:
        known.why["metadata"] = known.own
    known.why["deleted"] = known.own
    known.why["stage"] = known.own if known.deleted or leading is None else (leading.ref,)
    known.why["cancel_at_period_end"] = tuple(one.ref for one in known.live) or known.why["stage"]
    if known.last is not None:
        known.why["last_event_at"] = (_ref(known.last),)
    stage = _STAGES[leading.rank] if leading is not None else Stage.LEAD
    delinquent = data.get("delinquent")
    return CustomerState(
        stripe_customer_id=stripe_customer_id,
        name=known.noted("name", _name(data), known.own),
        email=known.noted("email", text(data.get("email")), known.own),
        country=known.noted("country", _country(data), known.own),
        currency=_currency(known),
        stage=Stage.DELETED if known.deleted else stage,
        billing_status=known.noted("billing_status", leading.status, (leading.ref,)) if leading is not None else None,
        plans=plans,
        mrr=mrr,
        trial_end=_trial_end(known),
        subscribed_since=_subscribed_since(known),
        current_period_end=_period_end(known),
        cancel_at_period_end=bool(known.live)
        and all(one.data.get("cancel_at_period_end") is True for one in known.live),
        payment_method_on_file=on_file,
        payment_method=method,
        delinquent=known.noted("delinquent", delinquent if type(delinquent) is bool else None, known.own),
        balance=known.noted("balance", whole(data.get("balance")), known.own),
        metadata=metadata,
        last_event_at=moment(known.last.created) if known.last is not None else None,
        deleted=known.deleted,
        why=known.why,
    )


class _Subscription:
    """A subscription with what the rules ask of it again and again; a lower ``rank`` weighs more for the stage."""

    __slots__ = ("data", "items", "paused", "rank", "ref", "status", "told")

    def __init__(self, told: MirrorObject) -> None:
        data = told.data
        self.told = told
        self.data = data
        self.ref = _ref(told)
        self.status = text(data.get("status"))
        self.paused = type(data.get("pause_collection")) is dict
        self.rank = _UNKNOWN if self.status is None else _RANK.get(self.status, _UNKNOWN)
        if self.paused and self.status == "active":
            self.rank = _RANK["paused"]
        self.items = [item for item in listed(data.get("items")) if type(item) is dict]

    @property
    def weight(self) -> tuple[int, int, str]:
        """The leading subscription has the least."""
        return self.rank, -(whole(self.data.get("created")) or 0), self.told.object_id


class _Known:
    """The objects of a customer, sorted out, and the facts noted for each field so far."""

    __slots__ = (
        "catalog",
        "customer",
        "data",
        "deleted",
        "last",
        "leading",
        "live",
        "methods",
        "own",
        "shown",
        "stripe_customer_id",
        "why",
    )

    def __init__(self, stripe_customer_id: str, objects: Iterable[MirrorObject]) -> None:
        self.stripe_customer_id = stripe_customer_id
        self.why: dict[str, tuple[FactRef, ...]] = {}
        self.catalog: dict[str, MirrorObject] = {}
        self.methods: dict[str, MirrorObject] = {}
        self.customer: MirrorObject | None = None
        self.last: MirrorObject | None = None
        subscriptions: list[_Subscription] = []
        for told in _newest(objects):
            kind = told.object_type
            if self.last is None or (told.created, told.event_id) > (self.last.created, self.last.event_id):
                self.last = told
            if kind == "subscription":
                if not told.deleted and id_of(told.data.get("customer")) in {None, stripe_customer_id}:
                    subscriptions.append(_Subscription(told))
            elif kind in METHOD_TYPES:
                self.methods[told.object_id] = told
            elif kind in _CATALOG_TYPES:
                self.catalog[told.object_id] = told
            elif kind == "customer" and told.object_id == stripe_customer_id:
                self.customer = told
        subscriptions.sort(key=lambda one: one.weight)
        self.leading = subscriptions[0] if subscriptions else None
        self.deleted = self.customer is not None and self.customer.deleted
        # Stripe cancels what a deleted customer had; its events may come later than the deletion.
        ended = _RANK["canceled"]
        self.live = [] if self.deleted else [one for one in subscriptions if one.rank < ended]
        self.shown = self.live or subscriptions[:1]
        self.data: dict[str, Any] = self.customer.data if self.customer is not None else {}
        self.own = (_ref(self.customer),) if self.customer is not None else ()

    def noted(self, field: str, value: _T | None, refs: tuple[FactRef, ...]) -> _T | None:
        """The value itself; where there is one, the facts that set it are noted."""
        if value is not None:
            self.why[field] = refs
        return value

    def price(self, item: dict[str, Any]) -> dict[str, Any]:
        """The price of an item; one that is only named is looked up among those known, and may be empty."""
        price = item.get("price")
        if type(price) is dict:
            return price
        return (self.find(price) if type(price) is str else None) or {}

    def find(self, object_id: str) -> dict[str, Any] | None:
        """The data of an object of the catalogue, where it is known."""
        found = self.catalog.get(object_id)
        return found.data if found is not None else None


def _newest(objects: Iterable[MirrorObject]) -> list[MirrorObject]:
    """One version of each object, the newest, in an order that does not depend on how they came."""
    newest: dict[tuple[str, str], MirrorObject] = {}
    for told in objects:
        key = (told.object_type, told.object_id)
        held = newest.get(key)
        if held is None or _newer(told, held):
            newest[key] = told
    return [newest[key] for key in sorted(newest)]


def _newer(told: MirrorObject, held: MirrorObject) -> bool:
    """Whether one version replaces another; where both claim to be the same fact, content decides, not arrival."""
    if (told.created, told.event_id) != (held.created, held.event_id):
        return (told.created, told.event_id) > (held.created, held.event_id)
    return told != held and repr(told) > repr(held)


def _name(data: dict[str, Any]) -> str | None:
    """Since 2025-09-30.clover a customer may have a name as a business and as an individual instead."""
    return text(data.get("name")) or text(data.get("business_name")) or text(data.get("individual_name"))


def _country(data: dict[str, Any]) -> str | None:
    shipping = mapping(mapping(data.get("shipping")).get("address"))
    return text(mapping(data.get("address")).get("country")) or text(shipping.get("country"))


def _currency(known: _Known) -> str | None:
    """The customer's own, which Stripe sets with the first invoice; before that the leading subscription's."""
    own = known.noted("currency", currency_of(known.data.get("currency")), known.own)
    if own is not None or known.leading is None:
        return own
    return known.noted("currency", currency_of(known.leading.data.get("currency")), (known.leading.ref,))


def _plans(known: _Known) -> tuple[Plan, ...]:
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
                refs.append(_ref(found))
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
        known.why["plans"] = tuple(dict.fromkeys(refs))
    return tuple(plans)


def _mrr(known: _Known) -> tuple[Mrr, ...]:
    if known.live:
        known.why["mrr"] = tuple(one.ref for one in known.live)
    at = known.last.created if known.last is not None else 0
    return revenue([one.data for one in known.live], customer=known.data, find=known.find, at=at).mrr


def _price_currency(price: dict[str, Any], one: _Subscription) -> str | None:
    return currency_of(price.get("currency")) or currency_of(one.data.get("currency"))


def _trial_end(known: _Known) -> datetime | None:
    running = [one for one in known.live if one.status == "trialing"] or ([known.leading] if known.leading else [])
    return _earliest(known, "trial_end", [(moment(one.data.get("trial_end")), one.ref) for one in running])


def _subscribed_since(known: _Known) -> datetime | None:
    started = [one for one in known.shown if one.rank <= _RANK["canceled"]]
    return _earliest(known, "subscribed_since", [(moment(one.data.get("start_date")), one.ref) for one in started])


def _period_end(known: _Known) -> datetime | None:
    billing = [one for one in known.live if one.status != "paused"]
    ends = [(moment(item.get("current_period_end")), one.ref) for one in billing for item in one.items]
    return _earliest(known, "current_period_end", ends)


def _earliest(known: _Known, field: str, moments: list[tuple[datetime | None, FactRef]]) -> datetime | None:
    """The earliest moment, its fact noted; among equal ones the first, which is the weightiest subscription's."""
    earliest: datetime | None = None
    for at, ref in moments:
        if at is not None and (earliest is None or at < earliest):
            earliest = known.noted(field, at, (ref,))
    return earliest


def _method(known: _Known) -> tuple[bool | None, PaymentMethod | None]:
    """Whether a payment method is on file, and its details where they are known."""
    if known.deleted:
        return known.noted("payment_method_on_file", value=False, refs=known.own), None
    embedded = {
        one["id"]: one
        for one in listed(known.data.get("sources"))
        if type(one) is dict and text(one.get("id")) is not None
    }
    for value, namer in _defaults(known):
        method_id = id_of(value)
        told = known.methods.get(method_id) if method_id is not None else None
        if method_id is None or (told is not None and not attached(told, known.stripe_customer_id)):
            continue
        if told is not None:
            return _on_file(known, method_id, told.data, (namer, _ref(told)))
        return _on_file(known, method_id, value if type(value) is dict else embedded.get(method_id), (namer,))
    usable = [told for told in known.methods.values() if attached(told, known.stripe_customer_id)]
    if usable:
        newest = max(usable, key=lambda told: (whole(told.data.get("created")) or 0, told.created, told.object_id))
        return _on_file(known, newest.object_id, newest.data, (_ref(newest),))
    others = sorted(embedded.keys() - known.methods.keys())
    if others:
        return _on_file(known, others[0], embedded[others[0]], known.own)
    return known.noted("payment_method_on_file", False if known.customer is not None else None, known.own), None


def _defaults(known: _Known) -> Iterator[tuple[object, FactRef]]:
    """The payment methods that are named as a default, the one that is charged first comes first."""
    for one in known.live:
        yield one.data.get("default_payment_method"), one.ref
        yield one.data.get("default_source"), one.ref
    for ref in known.own:
        yield mapping(known.data.get("invoice_settings")).get("default_payment_method"), ref
        yield known.data.get("default_source"), ref


def _on_file(
    known: _Known, method_id: str, data: dict[str, Any] | None, refs: tuple[FactRef, ...]
) -> tuple[bool, PaymentMethod | None]:
    known.why["payment_method_on_file"] = refs
    return True, known.noted("payment_method", details(method_id, data) if data is not None else None, refs)


def _ref(told: MirrorObject) -> FactRef:
    return FactRef(object_type=told.object_type, object_id=told.object_id, event_id=told.event_id, created=told.created)
