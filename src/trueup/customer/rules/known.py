"""The objects of a customer, sorted out for the fold, and the notes of which facts set which field. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from trueup.customer.rules.method import METHOD_TYPES
from trueup.customer.rules.mrr.policy import collected_from
from trueup.customer.types import Stage, Why
from trueup.mirror.types import FactRef, MirrorObject
from trueup.mirror.upcast.shape import LATEST_SECOND, id_of, listed, text, whole

PRECEDENCE: Final = (
    ("unpaid", Stage.PAST_DUE),
    ("past_due", Stage.PAST_DUE),
    ("active", Stage.ACTIVE),
    ("trialing", Stage.TRIALING),
    ("paused", Stage.PAUSED),
    ("canceled", Stage.CHURNED),
    ("incomplete", Stage.LEAD),
    ("incomplete_expired", Stage.LEAD),
)
"""Statuses of subscriptions by their weight for the stage, the heaviest first."""
RANK: Final = {status: rank for rank, (status, _) in enumerate(PRECEDENCE)}
ENDED: Final = RANK["canceled"]
STAGES: Final = (*(stage for _, stage in PRECEDENCE), Stage.LEAD)
"""The stage of each rank; the last is that of a status of tomorrow."""

_UNKNOWN: Final = len(PRECEDENCE)
_CATALOG_TYPES: Final = frozenset({"product", "price", "plan", "coupon", "discount"})
_PAYING_TYPES: Final = frozenset({"charge", "payment_intent", "invoice"})

_T = TypeVar("_T")


class Subscription:
    """A subscription with what the rules ask of it again and again; a lower ``rank`` weighs more for the stage.

    ``resumed`` is when a pause ended by itself, which the payload shows as running still; 0 where none did.
    """

    __slots__ = ("data", "items", "paused", "rank", "ref", "resumed", "status", "told")

    def __init__(self, told: MirrorObject, at: int) -> None:
        data = told.data
        self.told = told
        self.data = data
        self.ref = ref_of(told)
        self.status = text(data.get("status"))
        collected = 0 if data.get("pause_collection") is None else collected_from(data)
        self.paused = collected is None or at < collected
        self.resumed = 0 if self.paused else collected or 0
        self.rank = _UNKNOWN if self.status is None else RANK.get(self.status, _UNKNOWN)
        if self.paused and self.status == "active":
            self.rank = RANK["paused"]
        self.items = [item for item in listed(data.get("items")) if type(item) is dict]

    @property
    def weight(self) -> tuple[int, int, str]:
        """The leading subscription has the least."""
        return self.rank, -(whole(self.data.get("created")) or 0), self.told.object_id


class Known:
    """What is known of one customer, who may be several Stripe customers, the leading one first.

    ``at`` is the moment that it is looked at, in unix seconds: the one given, and never before the newest fact.
    """

    __slots__ = (
        "at",
        "catalog",
        "customer",
        "customers",
        "data",
        "deleted",
        "ids",
        "last",
        "leading",
        "live",
        "methods",
        "own",
        "paying",
        "schedules",
        "shown",
        "why",
    )

    def __init__(self, ids: Sequence[str], objects: Iterable[MirrorObject], at: int) -> None:
        self.ids = tuple(ids)
        self.why: dict[str, Why] = {}
        self.catalog: dict[str, MirrorObject] = {}
        self.methods: dict[str, MirrorObject] = {}
        self.last: MirrorObject | None = None
        self.paying: list[MirrorObject] = []
        self.schedules: list[MirrorObject] = []
        subscribed: list[MirrorObject] = []
        named: dict[str, MirrorObject] = {}
        for told in newest(objects):
            kind = told.object_type
            # What was read from the API is no event: it happened before, nobody knows when.
            if self.last is None or _heard(told) > _heard(self.last):
                self.last = told
            if kind == "subscription":
                if not told.deleted and self.owns(told):
                    subscribed.append(told)
            elif kind in METHOD_TYPES:
                self.methods[told.object_id] = told
            elif kind in _CATALOG_TYPES:
                self.catalog[told.object_id] = told
            elif kind == "customer" and told.object_id in self.ids:
                named[told.object_id] = told
            elif kind in _PAYING_TYPES:
                if self.owns(told):
                    self.paying.append(told)
            elif kind == "subscription_schedule" and not told.deleted and self.owns(told):
                self.schedules.append(told)
        self.at = min(max(at, 0 if self.last is None else self.last.created), LATEST_SECOND)
        subscriptions = [Subscription(told, self.at) for told in subscribed]
        subscriptions.sort(key=lambda one: one.weight)
        self.customers = [named[one] for one in self.ids if one in named]
        # A Stripe customer that was deleted leads nobody while another one that is the same customer lives.
        alive = [one for one in self.customers if not one.deleted]
        self.customer = next(iter(alive or self.customers), None)
        self.leading = subscriptions[0] if subscriptions else None
        self.deleted = bool(self.customers) and not alive
        # Stripe cancels what a deleted customer had; its events may come later than the deletion.
        self.live = [] if self.deleted else [one for one in subscriptions if one.rank < ENDED]
        self.shown = self.live or subscriptions[:1]
        self.data: dict[str, Any] = self.customer.data if self.customer is not None else {}
        self.own = (ref_of(self.customer),) if self.customer is not None else ()

    def owns(self, told: MirrorObject) -> bool:
        """Whether an object belongs to this customer, or names nobody and came with its objects."""
        return id_of(told.data.get("customer")) in {None, *self.ids}

    def noted(
        self, field: str, value: _T | None, rule: str, refs: tuple[FactRef, ...], since: datetime | None = None
    ) -> _T | None:
        """The value itself; where there is one, the rule and the facts that set it are noted.

        ``since`` is when time alone made it so.
        """
        if value is not None:
            self.why[field] = Why(rule=rule, facts=refs, since=since)
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


def newest(objects: Iterable[MirrorObject]) -> list[MirrorObject]:
    """One version of each object, the newest, in an order that does not depend on how they came."""
    found: dict[tuple[str, str], MirrorObject] = {}
    for told in objects:
        key = (told.object_type, told.object_id)
        held = found.get(key)
        if held is None or _newer(told, held):
            found[key] = told
    return [found[key] for key in sorted(found)]


def _newer(told: MirrorObject, held: MirrorObject) -> bool:
    """Whether one version replaces another; where both claim to be the same fact, content decides, not arrival."""
    if (told.created, told.event_id) != (held.created, held.event_id):
        return (told.created, told.event_id) > (held.created, held.event_id)
    return told != held and repr(told) > repr(held)


def ref_of(told: MirrorObject) -> FactRef:
    """The fact that told an object's newest version."""
    return FactRef(object_type=told.object_type, object_id=told.object_id, event_id=told.event_id, created=told.created)


def _heard(told: MirrorObject) -> tuple[bool, int, str]:
    """Events by their time, after all that was read."""
    return (told.event_type != "", told.created, told.event_id)
