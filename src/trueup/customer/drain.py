"""From the mirror to the customer: fold the present objects of every customer that changed, and write the state."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from trueup.customer import store
from trueup.customer.fold import FOLD_VERSION, fold
from trueup.kernel.time import from_unix
from trueup.mirror import service as mirror
from trueup.mirror.service import CustomerKey
from trueup.mirror.types import MirrorObject, ObjectKey
from trueup.runtime import database
from trueup.runtime.drains import Drain
from trueup.runtime.queues import Claimed
from trueup.runtime.wake import wake

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
)
"""The objects of a customer that its state is folded from."""


def apply(rows: Sequence[Claimed]) -> None:
    """Fold a batch of customers; running it again writes the same states.

    A product may stand in more customers' plans than one transaction should touch, so its customers are queued instead
    and folded in batches of their own.
    """
    customers = {(row.values[0], row.values[1], row.values[3]) for row in rows if row.values[2] == "customer"}
    products = {(row.values[0], row.values[1], row.values[3]) for row in rows if row.values[2] == "product"}
    fold_customers(sorted(customers), changed_products=products)
    if products:
        # Whoever folds with an older version of these products has finished by now or waits for us.
        others = set(store.by_products(sorted(products))) - customers
        if others:
            mirror.mark_changed(
                ObjectKey(account_id=key[0], livemode=key[1], object_type="customer", object_id=key[2])
                for key in sorted(others)
            )
            wake(database.connection(), mirror.TOPIC)


def product_ids(objects: Sequence[MirrorObject]) -> tuple[str, ...]:
    """The products that the subscriptions among these objects name, sorted."""
    found = set()
    for told in objects:
        if told.object_type == "subscription":
            found.update(products_in(told.data))
    return tuple(sorted(found))


def products_in(data: Mapping[str, Any]) -> list[str]:
    """The product ids in a subscription's items, whatever shape the data has."""
    items = data.get("items")
    listed = items.get("data") if isinstance(items, dict) else None
    found = []
    for item in listed if isinstance(listed, list) else ():
        price = (item.get("price") or item.get("plan")) if isinstance(item, dict) else None
        product = price.get("product") if isinstance(price, dict) else None
        if isinstance(product, dict):
            product = product.get("id")
        if isinstance(product, str) and product:
            found.append(product)
    return found


def fold_customers(customers: Sequence[CustomerKey], *, changed_products: Collection[CustomerKey] = ()) -> int:
    """Fold these customers from the mirror as it stands now; those without any object are passed over.

    ``changed_products`` are held alone until the transaction ends. Returns how many customers were written.
    """
    # The locks come before the reads: a worker that waited here reads what the one before it could not see yet.
    store.lock(customers)
    objects = mirror.objects_of(customers, FOLDED_TYPES)
    last = mirror.last_events(customers)
    wanted = {(key[0], key[1], product) for key in customers for product in product_ids(objects.get(key, []))}
    store.lock_products(read=wanted, changed=changed_products)
    products = mirror.objects(
        [
            ObjectKey(account_id=key[0], livemode=key[1], object_type="product", object_id=key[2])
            for key in sorted(wanted)
        ]
    )
    folded = []
    for key in customers:
        own = objects.get(key, [])
        if not own and key not in last:
            continue
        own_products = product_ids(own)
        last_event = last.get(key, 0)
        catalog: list[MirrorObject] = [
            item for product in own_products for item in products.get((key[0], key[1], product), [])
        ]
        state = fold(key[2], [*own, *catalog])
        if state.last_event_at is not None and state.last_event_at.timestamp() < last_event:
            # The fold is given what moves the state; payments and invoices of the customer happened all the same.
            state = msgspec.structs.replace(state, last_event_at=from_unix(last_event))
        folded.append(
            store.Folded(
                id=store.own_id(key),
                account_id=key[0],
                livemode=key[1],
                state=state,
                last_event=last_event,
                product_ids=own_products,
            )
        )
    if folded:
        store.save(folded, fold_version=FOLD_VERSION)
        wake(database.connection(), TOPIC)
    return len(folded)


DRAIN: Final = Drain(name="customer", topic=mirror.TOPIC, queue=mirror.CHANGED, since="since", apply=apply, batch=5000)
