"""What others may ask of the mirror."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import psycopg

from trueup.accounts import service as accounts
from trueup.accounts.errors import AccountUnknown
from trueup.accounts.types import Account
from trueup.inbox import service as inbox
from trueup.kernel.errors import NotFound, Refused
from trueup.kernel.time import from_unix
from trueup.mirror import about, fetching, lookup, reading, rules, set_aside, store
from trueup.mirror.lookup import Pointer
from trueup.mirror.order.types import Verdict
from trueup.mirror.reading import parse
from trueup.mirror.types import Comparison, Fact, MirrorObject, ObjectDetail, ObjectKey, ObjectRow, ObjectVersion
from trueup.mirror.upcast.shape import LATEST_SECOND
from trueup.mirror.upcast.text import unstorable
from trueup.runtime import database, dead_letters, queues
from trueup.runtime.dead_letters import Shelf
from trueup.runtime.pages import Number, Page, decode_cursor, encode_cursor, invalid_cursor
from trueup.runtime.queues import Queue

TOPIC: Final = "mirror.changed"
"""Woken when customers or products wait to be folded."""
CHANGED: Final = Queue(table="mirror_changed", columns=("account_id", "livemode", "object_type", "object_id"))
"""Customers and products whose objects moved."""
dead_letters.register(
    Shelf(name="customer", queue=CHANGED, topic=TOPIC, since="since", kind="object_type", named="object_id")
)

LARGEST_PAGE: Final = 200
_TWINS: Final = 2

CustomerKey = tuple[int, bool, str]
"""Account, mode, and Stripe's customer id."""


def objects_of(customers: Sequence[CustomerKey], types: Sequence[str]) -> dict[CustomerKey, list[MirrorObject]]:
    """The current objects of these customers, of the given types; ``data`` is their essence."""
    return store.of_customers(customers, types)


def objects(keys: Sequence[ObjectKey]) -> dict[tuple[int, bool, str], list[MirrorObject]]:
    """The current versions of these objects, by account, mode and object id; ``data`` is their essence.

    Unknown ones are left out.
    """
    return store.by_key(keys) if keys else {}


def objects_at(
    *,
    customers: Sequence[CustomerKey] = (),
    keys: Sequence[ObjectKey] = (),
    types: Collection[str],
    at: int,
    known_at: datetime | None = None,
) -> dict[ObjectKey, MirrorObject]:
    """How the objects of these customers, and those of these keys, were at a moment (Unix seconds, in Stripe's time).

    The events of that very second count. With ``known_at``, only what had arrived by then counts. ``data`` is the whole
    object in the newest shape. Objects that were not there yet are left out.
    """
    return reading.objects_at(customers=customers, keys=keys, types=types, at=at, known_at=known_at)


def last_events(customers: Sequence[CustomerKey]) -> dict[CustomerKey, int]:
    """When the newest event about each customer happened, in Unix seconds."""
    return store.last_events(customers)


def last_event_then(customers: Sequence[CustomerKey], *, at: int, known_at: datetime | None) -> int | None:
    """When the newest event about any of these customers, of one account and mode, happened up to a moment.

    Unix seconds; the arguments are as for ``objects_at``. ``None`` when there was none.
    """
    return about.last_event_then(customers, at=at, known_at=known_at)


def history(customer: CustomerKey, *, before: tuple[int, str], only: Iterable[str], limit: int) -> list[Fact]:
    """What events of the types ``only`` told of a customer's objects before a point (created, event id), newest first.

    Events that were erased are left out.
    """
    rows = store.history(customer, before=before, only=list(only), limit=limit)
    account_id, livemode, _ = customer
    found = inbox.bodies([(account_id, livemode, row.event_id, from_unix(row.created)) for row in rows])
    bodies = {event.event_id: event.body for event in found}
    facts = (rules.facts_of(parse(bodies[row.event_id])) for row in rows if row.event_id in bodies)
    return [fact for fact in facts if fact is not None]


def event_types(versions: Sequence[tuple[ObjectKey, int, str]]) -> dict[str, str]:
    """The types of the events that told these versions (key, created in Unix seconds, event id), by event id.

    Versions that the mirror does not know are left out; those that were read have the type of their envelope.
    """
    found = store.event_types(versions) if versions else {}
    return {event_id: told or rules.READ for event_id, told in found.items()}


def mark_changed(keys: Iterable[ObjectKey], *, unless_queued: bool = False) -> int:
    """Queue customers, products or coupons to be folded again, wake ``TOPIC``, and return how many.

    ``unless_queued`` leaves out those with a row already, due or set aside. It is for a caller that comes again, as the
    sweep does, and not for one that changed something: the row may be in the hands of a reader that looked before.
    """
    return store.mark_changed(list(keys), topic=TOPIC, unless_queued=unless_queued)


def note_folded(keys: Iterable[ObjectKey]) -> int:
    """Forget that these were set aside before: they have been folded since. Returns how many rows that were.

    In the transaction of the fold, by whoever folded.
    """
    return set_aside.forget(list(keys))


def rebuild() -> int:
    """Empty the mirror and let it read the whole log again; returns how many events are queued.

    What is gone from the log is gone from the mirror. Waits for the drains that are at work, and they for it.
    """
    with database.transaction():
        store.clear()
        return inbox.read_again()


def completed(keys: Sequence[ObjectKey]) -> frozenset[ObjectKey]:
    """Those of these objects, of which a part is known, whose rest is being read from Stripe.

    The rest is asked for where nobody has; left out are those that Stripe refuses or that cannot be read.
    """
    return fetching.complete(keys)


def fetches() -> dict[str, int]:
    """How many objects wait to be read from Stripe, by the reason (see ``fetching.Reason``)."""
    return fetching.counts()


def depth(connection: psycopg.Connection[tuple[Any, ...]]) -> queues.Depth:
    """How the queue of customers to fold stands."""
    return queues.depth(connection, CHANGED, "since")


def get(
    id: str,  # noqa: A002 - the field's name
    *,
    type: str = "",  # noqa: A002 - the field's name
    account: str = "",
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    told: bool = False,
) -> ObjectDetail:
    """An object by Stripe's id, as it is or as it was at a moment in Stripe's time (that second included).

    ``known_at`` asks for what Trueup knew at a moment of ours: only what had arrived by then counts. ``told`` adds the
    object as sent. Where several objects have the id, ``type`` or ``account`` (a slug) says which (a price before its
    plan): without them it is ``Refused`` with the code ``object_ambiguous``. ``NotFound`` for an object that is not
    known, or was not then.
    """
    pointer, slug = _one(id, type, account)
    if as_of is None and known_at is None:
        return reading.detail_of(pointer, slug, with_told=told)
    at = LATEST_SECOND if as_of is None else math.floor(as_of.timestamp())
    then = reading.pointer_at(pointer.key, at=at, known_at=known_at)
    if then is None:
        raise NotFound(
            f"Nothing was known about the object {id} then.",
            code="object_unknown_then",
            hint="Ask for a later moment.",
        )
    return reading.detail_of(then, slug, with_told=told)


def owners_of(object_id: str) -> list[CustomerKey]:
    """The Stripe customers whose object this is; several where accounts share an id, none where nobody's is."""
    if unstorable({"": [object_id]}):
        return []
    found = lookup.find(object_id, object_type="", accounts=[(one.id, one.livemode) for one in accounts.accounts()])
    return [(one.key.account_id, one.key.livemode, one.customer) for one in found if one.customer]


def versions(
    id: str,  # noqa: A002 - the field's name
    *,
    type: str = "",  # noqa: A002 - the field's name
    account: str = "",
    limit: int = 50,
    after: str | None = None,
) -> Page[ObjectVersion]:
    """Every version known of an object, newest first in the order of causes (``mirror.order``), and what each changed.

    A version that arrives between two pages takes its place; none is shown twice for it. Which object: as in ``get``.
    """
    key = _one(id, type, account)[0].key
    limit = max(1, min(limit, LARGEST_PAGE))
    order = reading.order_of(key)
    start = 0
    if after:
        last = decode_cursor(after, tuple[Number, str])
        places = [(trace.second, trace.fact_id) for trace in reversed(order.versions)]
        if last not in places:
            raise invalid_cursor()
        start = places.index(last) + 1
    stop = start + limit
    total = len(order.versions)
    oldest = order.versions[total - stop] if stop < total else None
    return Page(
        data=tuple(reading.versions_of(key, order, start, stop)),
        next=encode_cursor(oldest.second, oldest.fact_id) if oldest is not None else None,
        total=total,
    )


def compare(
    id: str,  # noqa: A002 - the field's name
    *,
    before: str,
    after: str,
    type: str = "",  # noqa: A002 - the field's name
    account: str = "",
) -> Comparison:
    """What differs between the versions of an object that two events told. Which object: as in ``get``.

    ``NotFound`` for an event that told no version of it.
    """
    key = _one(id, type, account)[0].key
    order = reading.order_of(key)
    for event_id in (before, after):
        if event_id not in {trace.fact_id for trace in order.versions}:
            raise NotFound(
                f"The event {event_id} told no version of {id}.",
                code="version_unknown",
                hint="Choose two of the versions that are listed.",
            )
    return reading.compared(key, order, before, after)


def search(
    *,
    type: str = "",  # noqa: A002 - the field's name
    customer: str = "",
    verdict: Verdict | None = None,
    account: str = "",
    limit: int = 50,
    after: str | None = None,
) -> Page[ObjectRow]:
    """Current objects by account, type and id; of one type, Stripe customer, verdict or account (a slug) if given.

    A type that no event named gives an empty page. Objects are not counted.
    """
    limit = max(1, min(limit, LARGEST_PAGE))
    known = {(one.id, one.livemode): one.slug for one in _accounts(account)}
    begin = decode_cursor(after, tuple[Number, bool, str, str]) if after else (-1, False, "", "")
    places = [(*mine, *(begin[2:] if mine == begin[:2] else ("", ""))) for mine in sorted(known) if mine >= begin[:2]]
    rows: list[Pointer] = []
    if not unstorable({"": [type, customer, *begin[2:]]}):
        rows = lookup.search(places, object_type=type, customer=customer, verdict=verdict, limit=limit + 1)
    key = rows[limit - 1].key if len(rows) > limit else None
    return Page(
        data=tuple(reading.row_of(row, known[row.key.account_id, row.key.livemode]) for row in rows[:limit]),
        next=encode_cursor(key.account_id, key.livemode, key.object_type, key.object_id) if key is not None else None,
        total=None,
    )


def _accounts(slug: str) -> Sequence[Account]:
    """All accounts, or the one of this slug."""
    known = accounts.accounts()
    if not slug:
        return known
    found = [account for account in known if account.slug == slug]
    if not found:
        raise AccountUnknown(f"There is no account {slug}.", hint="See: trueup accounts")
    return found


def _one(object_id: str, object_type: str, slug: str) -> tuple[Pointer, str]:
    """The one object that is meant, and the slug of its account."""
    slugs = {(account.id, account.livemode): account.slug for account in _accounts(slug)}
    found: list[Pointer] = []
    if not unstorable({"": [object_id, object_type]}):
        found = lookup.find(object_id, object_type=object_type, accounts=list(slugs))
    if not found:
        raise NotFound(
            f"There is no {object_type or 'object'} {object_id}.",
            code="object_unknown",
            hint="An object appears a moment after its first event; what no event told is not known.",
        )
    if len(found) == _TWINS and {one.key.object_type for one in found} == {"price", "plan"}:
        # A plan is its price's older name; whoever means it says so by the type.
        found = [one for one in found if one.key.object_type == "price"]
    if len(found) > 1:
        named = ", ".join(
            f"{one.key.object_type} in {slugs[one.key.account_id, one.key.livemode]}" for one in found[:10]
        )
        raise Refused(
            f"{len(found)} objects have the id {object_id}.",
            code="object_ambiguous",
            hint=f"Say which, by type or account: {named}.",
        )
    return found[0], slugs[found[0].key.account_id, found[0].key.livemode]
