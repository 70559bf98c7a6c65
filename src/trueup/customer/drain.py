"""From the mirror to the customer: fold the present objects of every customer that changed, and write the state."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

import msgspec
import psycopg

from trueup.customer import store
from trueup.customer.fold import fold
from trueup.customer.identity import links, merged
from trueup.customer.rules.clock import TEST_CLOCK, clock_of, clock_time
from trueup.customer.rules.identity import derive
from trueup.customer.rules.mrr.prices import lacking
from trueup.customer.rules.scheduled import next_turn
from trueup.customer.rules.standing import standing
from trueup.kernel.time import from_unix
from trueup.mirror import service as mirror
from trueup.mirror.service import CustomerKey
from trueup.mirror.types import MirrorObject, ObjectKey
from trueup.mirror.upcast.shape import LATEST_SECOND, currency_of, id_of, listed, mapping
from trueup.runtime import clock, database
from trueup.runtime.drains import Drain
from trueup.runtime.queues import Claimed

TOPIC: Final = "customer.state"
"""Woken when states were written."""


FOLDED_TYPES: Final = (
    "customer",
    "subscription",
    "subscription_schedule",
    "payment_method",
    "card",
    "source",
    "bank_account",
    "charge",
    "payment_intent",
    "invoice",
    "discount",
)
"""The objects of a customer that its state is folded from."""


def apply(rows: Sequence[Claimed]) -> None:
    """Fold a batch of customers; running it again writes the same states.

    A product or coupon may stand in more customers' plans than one transaction should touch, so its customers are
    queued instead and folded in batches of their own.
    """
    customers = {(row.values[0], row.values[1], row.values[3]) for row in rows if row.values[2] == "customer"}
    products = {(row.values[0], row.values[1], row.values[3]) for row in rows if row.values[2] != "customer"}
    fold_customers(sorted(customers), changed_products=products)
    # A fold that was set aside says nothing any more once another one of the same has succeeded.
    mirror.note_folded(
        ObjectKey(account_id=key[0], livemode=key[1], object_type=key[2], object_id=key[3])
        for key in sorted({row.values for row in rows})
    )
    if products:
        # Whoever folds with an older version of these products has finished by now or waits for us.
        others = set(store.by_products(sorted(products))) - customers
        if others:
            mirror.mark_changed(
                ObjectKey(account_id=key[0], livemode=key[1], object_type="customer", object_id=key[2])
                for key in sorted(others)
            )


def catalog_ids(objects: Sequence[MirrorObject]) -> tuple[tuple[str, str], ...]:
    """The types and ids of the products, coupons and test clocks that these objects only name, sorted."""
    found: set[tuple[str, str]] = set()
    for told in objects:
        lived_by = clock_of(told)
        if lived_by is not None:
            found.add((TEST_CLOCK, lived_by))
        if told.object_type == "subscription":
            items = [item for item in listed(told.data.get("items")) if type(item) is dict]
            for item in items:
                price = item.get("price") or item.get("plan")
                product = id_of(price.get("product")) if type(price) is dict else None
                if product is not None:
                    found.add(("product", product))
                if type(price) is dict and lacking(price, currency_of(told.data.get("currency"))):
                    own = id_of(price)
                    if own is not None:
                        found.add(("price", own))
            discounts = [told.data.get("discounts"), *(item.get("discounts") for item in items)]
            found.update(_coupons(one for given in discounts for one in listed(given)))
        elif told.object_type == "customer":
            found.update(_coupons([told.data.get("discount")]))
        elif told.object_type == "discount":
            found.update(_coupons([told.data]))
    return tuple(sorted(found))


def _coupons(discounts: Iterable[object]) -> Iterator[tuple[str, str]]:
    for discount in discounts:
        if type(discount) is dict:
            named = mapping(discount.get("source")).get("coupon") or discount.get("coupon")
            if type(named) is str:
                yield "coupon", named


def fold_customers(customers: Sequence[CustomerKey], *, changed_products: Collection[CustomerKey] = ()) -> int:
    """Fold these customers from the mirror as it stands now; those without any object are passed over.

    ``changed_products`` are held alone until the transaction ends. Returns how many customers were written.
    """
    # The locks come before the reads: a worker that waited here reads what the one before it could not see yet.
    units = held(customers)
    folded = folded_as(units, held_products=changed_products)
    if folded:
        links.save(store.save(folded, fold_version=links.version(), topic=TOPIC))
    return len(folded)


def folded_as(
    units: Sequence[Sequence[CustomerKey]],
    *,
    held_products: Collection[CustomerKey] | None = None,
    now: int | None = None,
) -> list[store.Folded]:
    """The states that Stripe customers have when those of each unit are one, the leading one first; nothing is written.

    Units without any object are passed over. Unless ``held_products`` is ``None``, the products that are read are held
    until the transaction ends, and those it names alone. ``now``, in unix seconds, is what time it is for whoever
    lives by no test clock: the present where it is ``None``.
    """
    now = clock.unix() if now is None else now
    keys = [key for members in units for key in members]
    objects = mirror.objects_of(keys, FOLDED_TYPES)
    last = mirror.last_events(keys)
    named = {key: catalog_ids(objects.get(key, [])) for key in keys}
    wanted = {(key[0], key[1], *one) for key, ids in named.items() for one in ids}
    if held_products is not None and (wanted or held_products):
        store.lock_products(read={(row[0], row[1], row[3]) for row in wanted}, changed=held_products)
    products = mirror.objects(
        [ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3]) for row in sorted(wanted)]
    )
    told = links.configured()
    folded = []
    for members in units:
        key = members[0]
        own = objects.get(key, []) if len(members) == 1 else [one for of in members for one in objects.get(of, [])]
        if not own and not any(member in last for member in members):
            continue
        if held_products is not None and _is_being_completed(key, own):
            # Whoever completes it queues the customer again; what was published stays until then.
            continue
        ids = dict.fromkeys(object_id for member in members for _type, object_id in named[member])
        catalog = [item for object_id in ids for item in products.get((key[0], key[1], object_id), [])]
        last_event = max(last.get(member, 0) for member in members)
        row = folded_of(members, own, catalog, named=tuple(ids), last_event=last_event, now=now)
        traits = [
            (store.own_id(member), derive(objects.get(member, []), told, livemode=member[1])) for member in members
        ]
        folded.append(msgspec.structs.replace(row, traits=tuple(traits)))
    return folded


def _is_being_completed(key: CustomerKey, own: Sequence[MirrorObject]) -> bool:
    """Whether a subscription shows the beginning of its items alone, and the rest is being read or mirrored."""
    short = [
        ObjectKey(account_id=key[0], livemode=key[1], object_type=one.object_type, object_id=one.object_id)
        for one in own
        if one.object_type == "subscription"
        and not one.deleted
        and mapping(one.data.get("items")).get("has_more") is True
    ]
    return bool(short) and bool(mirror.completed(short))


def folded_of(
    members: Sequence[CustomerKey],
    own: list[MirrorObject],
    catalog: list[MirrorObject],
    *,
    named: tuple[str, ...],
    last_event: int,
    now: int,
    until: int = LATEST_SECOND,
) -> store.Folded:
    """The state of Stripe customers that are one, the leading one first, from their objects.

    ``named`` are the ids in the catalogue that they name. ``now`` is the moment that has come for who lives by no test
    clock, and ``until`` the latest one that is asked for, whatever a clock shows; both in unix seconds.
    """
    key = members[0]
    objects = [*own, *catalog]
    shown = clock_time(objects)
    at = max(last_event, now if shown is None else min(shown, until))
    if shown is not None:
        # Advancing a clock is nothing that happened to its customers.
        objects = [one for one in objects if one.object_type != TEST_CLOCK]
    state = fold(key[2], objects, also=[member[2] for member in members[1:]], at=at)
    turns = next_turn(state) if shown is None else None
    heard = from_unix(last_event)
    if state.last_event_at is not None and (state.last_event_at < heard or not any(one.event_type for one in objects)):
        # The fold is given what moves the state; payments and invoices of the customer happened all the same.
        state = msgspec.structs.replace(state, last_event_at=heard)
    return store.Folded(
        id=store.own_id(key),
        account_id=key[0],
        livemode=key[1],
        state=state,
        last_event=last_event,
        standing=standing(state, own),
        product_ids=named,
        turns_at=None if turns is None else int(turns.timestamp()),
    )


def mark_turned(*, limit: int = 5000) -> int:
    """Queue customers whose state time alone has changed since it was written, as the end of a discount does.

    Returns how many, 0 when all of them wait already. Run by the sweep, so whoever was missed while no worker ran is
    found by the next. Those on a test clock are queued by what tells of the clock instead.
    """
    with database.transaction():
        keys = [
            ObjectKey(account_id=account_id, livemode=livemode, object_type="customer", object_id=customer)
            for account_id, livemode, customer in store.turned(until=clock.now(), limit=limit)
        ]
        # One that was set aside stays so, as for ``service.mark_outdated``.
        return mirror.mark_changed(keys, unless_queued=True) if keys else 0


def held(customers: Sequence[CustomerKey]) -> list[tuple[CustomerKey, ...]]:
    """Lock these customers with all that are one with them; returns who is to be folded as one, the leader first."""
    store.lock(customers)
    # Whoever merges or splits holds everybody concerned, so what is read under the locks stays so.
    groups = merged.groups(customers)
    others = {key for group in groups.values() for key in group.keys} - set(customers)
    if others:
        store.lock(sorted(others))
        if merged.groups(customers) != groups:
            # Somebody merged or split while we waited for these locks, and others have to be held now: start over.
            message = "customers were merged or split meanwhile"
            raise psycopg.errors.SerializationFailure(message)
    if not groups:
        return [(key,) for key in customers]
    return list(dict.fromkeys(groups[key].keys if key in groups else (key,) for key in customers))


DRAIN: Final = Drain(
    name="customer",
    topic=mirror.TOPIC,
    queue=mirror.CHANGED,
    since="since",
    apply=apply,
    batch=20_000,
    units=2_500,
)
