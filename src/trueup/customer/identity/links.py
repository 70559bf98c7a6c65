"""Statements on what ties customers to the outside: what the fold derives, and what people and programs say."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from trueup.customer.fold import FOLD_VERSION
from trueup.customer.identity.types import Link
from trueup.customer.rules import identity as rules
from trueup.customer.store import Folded
from trueup.customer.types import LinkKind, Source
from trueup.kernel.actor import Actor
from trueup.mirror.service import CustomerKey
from trueup.runtime import arrays, configuration, database

LINK_KINDS: Final = [kind.value for kind in LinkKind]
SPREAD: Final = 2_000_000

# Reading the rows by their customers in a lateral subquery keeps the planner from reading the whole table; what was
# said by hand is never touched. ``not in`` is always looked up in a hash, where ``not exists`` was sometimes planned to
# compare every row with every other: the planner takes the arrays of a prepared statement for ten elements.
REPLACE: Final = b"""
with told as (
    select * from unnest(
        %(customer_id)b::text[], %(account_id)b::int8[], %(livemode)b::bool[], %(kind)b::text[], %(system)b::text[],
        %(value)b::text[], %(source)b::text[], %(rule)b::text[], %(person_id)b::text[], %(since)b::timestamptz[]
    ) as row (customer_id, account_id, livemode, kind, system, value, source, rule, person_id, since)
), gone as (
    delete from customer_trait t using (
        select d.* from unnest(%(ids)b::text[]) as k (customer_id) cross join lateral (
            select customer_id, kind, system, value, source from customer_trait
            where customer_id = k.customer_id and source in ('stripe', 'metadata') offset 0
        ) d
        where (d.customer_id, d.kind, d.system, d.value, d.source) not in (
            select customer_id, kind, system, value, source from told
        )
    ) d
    where (t.customer_id, t.kind, t.system, t.value, t.source) = (d.customer_id, d.kind, d.system, d.value, d.source)
)
insert into customer_trait as t (
    customer_id, account_id, livemode, kind, system, value, source, rule, person_id, since
)
select customer_id, account_id, livemode, kind, system, value, source, rule, nullif(person_id, ''), since from told
on conflict (customer_id, kind, system, value, source) do update set
    rule = excluded.rule, person_id = excluded.person_id, since = excluded.since
where (t.rule, t.person_id, t.since) is distinct from (excluded.rule, excluded.person_id, excluded.since)
"""

OF: Final = b"""
select customer_id, kind, system, value, source, rule, person_id, since, actor_kind, actor_id from customer_trait
where customer_id = any(%(ids)s) and kind = any(%(kinds)s)
order by customer_id, array_position(%(kinds)s::text[], kind), system, value, source
"""

ADD: Final = b"""
insert into customer_trait (
    customer_id, account_id, livemode, kind, system, value, source, rule, person_id, since, actor_kind, actor_id
) values (
    %(customer_id)s, %(account_id)s, %(livemode)s, %(kind)s, %(system)s, %(value)s, %(source)s, '', %(person_id)s,
    clock_timestamp(), %(actor_kind)s, %(actor_id)s
) on conflict do nothing
"""

REMOVE: Final = b"""
delete from customer_trait
where customer_id = any(%(ids)s) and kind = %(kind)s and system = %(system)s and value = %(value)s
  and source in ('operator', 'api')
"""


def configured() -> rules.Settings:
    """What the operator set."""
    current = configuration.current()
    return rules.settings(current.identity_keys, current.metadata_rules)


def version() -> int:
    """The version of the fold with the settings; another number makes states dirty, and the sweep folds them again."""
    current = configuration.current()
    if not current.identity_keys and not current.metadata_rules:
        return FOLD_VERSION
    told = f"{current.identity_keys}\x00{current.metadata_rules}"
    return FOLD_VERSION + 1000 * (1 + zlib.crc32(told.encode()) % SPREAD)


def save(rows: Sequence[Folded]) -> None:
    """Write what the fold derived for these customers over what it derived before."""
    told = [(row, own_id, trait) for row in rows for own_id, traits in row.traits for trait in traits]
    ids = [own_id for row in rows for own_id, _traits in row.traits]
    if not ids:
        return
    values: dict[str, Any] = {
        "ids": arrays.texts(ids),
        "customer_id": arrays.texts([own_id for _row, own_id, _trait in told]),
        "account_id": arrays.int8s([row.account_id for row, _id, _trait in told]),
        "livemode": arrays.bools([row.livemode for row, _id, _trait in told]),
        "kind": arrays.texts([trait.kind for _row, _id, trait in told]),
        "system": arrays.texts([trait.system for _row, _id, trait in told]),
        "value": arrays.texts([trait.value for _row, _id, trait in told]),
        "source": arrays.texts([trait.source.value for _row, _id, trait in told]),
        "rule": arrays.texts([trait.rule for _row, _id, trait in told]),
        "person_id": arrays.texts([trait.person_id or "" for _row, _id, trait in told]),
        "since": arrays.unix_times([trait.since for _row, _id, trait in told]),
    }
    psycopg.Cursor(database.connection()).execute(REPLACE, values)


def of(ids: Sequence[str]) -> dict[str, tuple[Link, ...]]:
    """The links of Stripe customers by our ids of them; those without any are left out."""
    found: dict[str, list[Link]] = {}
    cursor = psycopg.Cursor(database.connection())
    for row in cursor.execute(OF, {"ids": list(ids), "kinds": LINK_KINDS}).fetchall():
        link = Link(
            customer_id=row[0],
            kind=LinkKind(row[1]),
            system=row[2] or None,
            value=row[3],
            source=Source(row[4]),
            rule=row[5] or None,
            person_id=row[6],
            since=row[7],
            by=f"{row[8]}:{row[9]}" if row[8] else None,
        )
        found.setdefault(row[0], []).append(link)
    return {own_id: tuple(links) for own_id, links in found.items()}


def add(
    customer_id: str,
    key: CustomerKey,
    *,
    kind: LinkKind,
    system: str,
    value: str,
    source: Source,
    person_id: str | None,
    by: Actor,
) -> bool:
    """Write a link made by hand; False where the same hand made it before."""
    values = {
        "customer_id": customer_id,
        "account_id": key[0],
        "livemode": key[1],
        "kind": kind.value,
        "system": system,
        "value": value,
        "source": source.value,
        "person_id": person_id,
        "actor_kind": by.kind.value,
        "actor_id": by.id,
    }
    return psycopg.Cursor(database.connection()).execute(ADD, values).rowcount == 1


def remove(ids: Sequence[str], *, kind: LinkKind, system: str, value: str) -> int:
    """Drop what was linked by hand, of any of these Stripe customers; returns how many rows."""
    values = {"ids": list(ids), "kind": kind.value, "system": system, "value": value}
    return psycopg.Cursor(database.connection()).execute(REMOVE, values).rowcount
