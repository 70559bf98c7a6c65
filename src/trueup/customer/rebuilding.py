"""What a rebuild of the customers needs: tables, who is queued, a step of the fold, and what a state says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import psycopg

from trueup.customer import store, stored
from trueup.customer.drain import DRAIN
from trueup.customer.identity import links, merged
from trueup.customer.service import MOVED
from trueup.mirror.service import CustomerKey
from trueup.runtime import arrays, database, drains
from trueup.runtime.drains import Step
from trueup.runtime.shadows import Derived

TABLES: Final = (
    Derived(table="customer_customer", key=("id",), work=("folded_at",)),
    Derived(table="customer_lookup", key=("customer_id",)),
    Derived(table="customer_turn", key=("customer_id",)),
    Derived(
        table="customer_trait",
        key=("customer_id", "kind", "system", "value", "source"),
        derived="source in ('stripe', 'metadata')",
    ),
)
QUEUES: Final = (DRAIN.queue.table, MOVED.table)
MERGED: Final = "customer_merged"
"""Who is one, as people said: no rebuild makes it, and every state depends on it."""

_FOLDER: Final = msgspec.structs.replace(DRAIN, max_attempts=1, batch=1_000, units=1_000)
"""Smaller batches than the live ones, so that a rebuild can be paced."""

_QUEUE_ALL: Final = b"""
insert into mirror_changed (account_id, livemode, object_type, object_id)
select account_id, livemode, 'customer', customer from (
    select distinct account_id, livemode, customer from mirror_version where customer is not null
) known order by account_id, livemode, customer
"""
_QUEUE: Final = b"""
insert into mirror_changed (account_id, livemode, object_type, object_id)
select k.account_id, k.livemode, 'customer', k.customer
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(customer)b::text[]) as k (account_id, livemode, customer)
"""
_FOLDED_SINCE: Final = """
select account_id, livemode, stripe_customer_id from {table} where folded_at >= %(since)s
"""
_SAMPLE: Final = """
with sizes as (select (select count(*) from {table}) as customers, (select count(*) from mirror_version) as versions),
folded as (
    select account_id, livemode, stripe_customer_id, id from {table}, sizes
    where random() < 2.0 * %(number)s / greatest(customers, 1) limit %(number)s
), heard as (
    select distinct account_id, livemode, customer, null from mirror_version, sizes
    where customer is not null and random() < 2.0 * %(number)s / greatest(versions, 1) limit %(number)s
)
select * from folded union select * from heard
"""
_OTHERWISE_MERGED: Final = """
select account_id, livemode, stripe_customer_id, leader from customer_merged
except select account_id, livemode, stripe_customer_id, leader from {then}
union
(select account_id, livemode, stripe_customer_id, leader from {then}
 except select account_id, livemode, stripe_customer_id, leader from customer_merged)
"""

_CARRY: Final = """
insert into {table} select l.* from {live} l where exists (
    select from mirror_changed q join {queue} w using (account_id, livemode, object_type, object_id)
    where q.set_aside_at is not null and w.set_aside_at is not null and q.object_type = 'customer'
      and (q.account_id, q.livemode, q.object_id) = (l.account_id, l.livemode, l.stripe_customer_id)
) on conflict do nothing
"""
_CARRY_TRAITS: Final = """
insert into customer_trait select l.* from {live} l join customer_customer o on o.id = l.customer_id
where l.source in ('stripe', 'metadata') and exists (
    select from mirror_changed q where q.set_aside_at is not null and q.object_type = 'customer'
      and (q.account_id, q.livemode, q.object_id) = (o.account_id, o.livemode, o.stripe_customer_id)
) on conflict do nothing
"""


def version() -> int:
    """Of the rules that fold, with the operator's settings."""
    return links.version()


def queue_all() -> int:
    """Queue every customer that the mirror has heard of; returns how many."""
    return psycopg.Cursor(database.connection()).execute(_QUEUE_ALL).rowcount


def queue(customers: Sequence[CustomerKey]) -> int:
    """Queue these customers; returns how many."""
    values = {
        "account_id": arrays.int8s([key[0] for key in customers]),
        "livemode": arrays.bools([key[1] for key in customers]),
        "customer": arrays.texts([key[2] for key in customers]),
    }
    return psycopg.Cursor(database.connection()).execute(_QUEUE, values).rowcount


def queue_sample(number: int, *, table: str) -> list[str]:
    """Queue about so many customers picked at random, of those in ``table`` and of those the mirror has heard of.

    Returns our ids of them and of all that are one with them.
    """
    rows = database.execute(_SAMPLE.format(table=table), {"number": number}).fetchall()
    picked = sorted({(row[0], row[1], row[2]) for row in rows})
    queue(picked)
    groups = merged.groups(picked)
    units = {group.keys if (group := groups.get(key)) is not None else (key,) for key in picked}
    # A row may stand under an id that is not its own.
    found = {row[3] for row in rows if row[3] is not None}
    return sorted(found | {store.own_id(member) for unit in units for member in unit})


def folded_since(since: datetime, *, table: str) -> list[CustomerKey]:
    """The customers that the live fold wrote from a moment on; reads the table ``table`` whole."""
    rows = database.execute(_FOLDED_SINCE.format(table=table), {"since": since}).fetchall()
    return [(row[0], row[1], row[2]) for row in rows]


def follow_merges(*, then: str) -> int:
    """Queue who was merged or split since the table ``then`` was copied, and forget their states; returns how many."""
    rows = database.execute(_OTHERWISE_MERGED.format(then=then)).fetchall()
    keys = sorted({(row[0], row[1], customer) for row in rows for customer in row[2:]})
    if keys:
        store.forget([store.own_id(key) for key in keys])
        queue(keys)
    return len(keys)


def carry(live: Callable[[str], str]) -> None:
    """Take over from the live tables those who are set aside there as here: their last state is better than none.

    ``live`` names a live table.
    """
    for derived in TABLES[:3]:
        names = {"table": derived.table, "live": live(derived.table), "queue": live(DRAIN.queue.table)}
        database.execute(_CARRY.format(**names))
    database.execute(_CARRY_TRAITS.format(live=live("customer_trait")))


def fold() -> Step:
    """Fold a batch of who is queued, as the drain does; who cannot be folded is set aside at once."""
    return drains.step(_FOLDER)


def fields(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """The fields of a row as people know them: its columns, and the state's fields in place of ``state``."""
    if table != "customer_customer":
        return row
    told = dict(row)
    try:
        state = msgspec.to_builtins(stored.decode(told.pop("state")))
    except (msgspec.MsgspecError, ValueError):
        return row
    return told | {f"state.{name}": value for name, value in state.items()}
