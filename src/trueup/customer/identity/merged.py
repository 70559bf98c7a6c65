"""Which Stripe customers are one customer of ours: statements on the merges that people decided on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import psycopg

from trueup.customer import store
from trueup.kernel.actor import Actor
from trueup.kernel.errors import NotFound, Refused
from trueup.kernel.records import Record
from trueup.mirror.service import CustomerKey
from trueup.runtime import arrays, database

UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
"""What no text column holds, so that nothing can be found by it."""

ANY: Final = b"select exists (select from customer_merged)"

GROUPS: Final = b"""
with asked as (
    select distinct k.account_id, k.livemode, coalesce(m.leader, k.customer) as leader
    from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(customer)b::text[])
         as k (account_id, livemode, customer)
    left join lateral (
        select leader from customer_merged
        where (account_id, livemode, stripe_customer_id) = (k.account_id, k.livemode, k.customer) offset 0
    ) m on true
)
select m.account_id, m.livemode, m.leader, m.stripe_customer_id, m.customer_id, m.merged_into, m.since
from asked a cross join lateral (
    select * from customer_merged
    where (account_id, livemode, leader) = (a.account_id, a.livemode, a.leader) offset 0
) m
order by m.since, m.stripe_customer_id
"""

RESOLVE: Final = b"""
select account_id, livemode, stripe_customer_id, stripe_customer_id from customer_customer
where id = %(id)s or stripe_customer_id = %(id)s
union all
select account_id, livemode, stripe_customer_id, leader from customer_merged
where customer_id = %(id)s or stripe_customer_id = %(id)s
"""

ADD: Final = b"""
insert into customer_merged (
    account_id, livemode, stripe_customer_id, customer_id, merged_into, leader, leader_id, actor_kind, actor_id
) values (
    %(account_id)s, %(livemode)s, %(customer)s, %(customer_id)s, %(leader)s, %(leader)s, %(leader_id)s,
    %(actor_kind)s, %(actor_id)s
)
"""

LEAD: Final = b"""
update customer_merged set leader = %(leader)s, leader_id = %(leader_id)s
where account_id = %(account_id)s and livemode = %(livemode)s and stripe_customer_id = any(%(customers)s)
"""

REMOVE: Final = b"""
delete from customer_merged
where account_id = %(account_id)s and livemode = %(livemode)s and stripe_customer_id = any(%(customers)s)
"""


class Member(Record, frozen=True):
    """A Stripe customer that was merged: our id for it, what it was merged into, and when."""

    stripe_customer_id: str
    customer_id: str
    merged_into: str
    since: datetime


class Group(Record, frozen=True):
    """Several Stripe customers that are one, without the leading one; the one merged first comes first."""

    leader: CustomerKey
    members: tuple[Member, ...]

    @property
    def keys(self) -> tuple[CustomerKey, ...]:
        """Every Stripe customer of the group, the leading one first."""
        account_id, livemode, _ = self.leader
        return (self.leader, *((account_id, livemode, member.stripe_customer_id) for member in self.members))

    def below(self, customer: str) -> tuple[str, ...]:
        """The customer and all that came with it when it was merged."""
        found = [customer]
        for upper in found:
            found += [member.stripe_customer_id for member in self.members if member.merged_into == upper]
        return tuple(found)


class Resolved(Record, frozen=True):
    """A Stripe customer that an id names, and the one whose state holds it, which may be itself."""

    key: CustomerKey
    leader: CustomerKey


def groups(customers: Sequence[CustomerKey]) -> dict[CustomerKey, Group]:
    """The groups that these Stripe customers are of, by each of their keys; empty where nothing was ever merged."""
    cursor = psycopg.Cursor(database.connection())
    if not customers or cursor.execute(ANY).fetchone() == (False,):
        return {}
    values: dict[str, Any] = {
        "account_id": arrays.int8s([key[0] for key in customers]),
        "livemode": arrays.bools([key[1] for key in customers]),
        "customer": arrays.texts([key[2] for key in customers]),
    }
    found: dict[CustomerKey, list[Member]] = {}
    for row in cursor.execute(GROUPS, values).fetchall():
        member = Member(stripe_customer_id=row[3], customer_id=row[4], merged_into=row[5], since=row[6])
        found.setdefault((row[0], row[1], row[2]), []).append(member)
    made = [Group(leader=leader, members=tuple(members)) for leader, members in found.items()]
    return {key: group for group in made for key in group.keys}


def resolve(identifier: str) -> list[Resolved]:
    """What an id of ours or Stripe's names; several where accounts or modes know the same Stripe id."""
    if UNSTORABLE.search(identifier) is not None:
        return []
    rows = psycopg.Cursor(database.connection()).execute(RESOLVE, {"id": identifier}).fetchall()
    return [Resolved(key=(row[0], row[1], row[2]), leader=(row[0], row[1], row[3])) for row in rows]


def one(identifier: str) -> Resolved:
    """The Stripe customer that an id names; ``NotFound`` for an unknown one, ``Refused`` where there are several."""
    found = resolve(identifier)
    if not found:
        raise unknown(identifier)
    if len(found) > 1:
        raise Refused(
            f"Several accounts or modes know {identifier}.",
            code="customer_ambiguous",
            hint="Name it by Trueup's own id, which begins with tc_.",
        )
    return found[0]


def unknown(identifier: str) -> NotFound:
    """What to say of an id that names nobody."""
    return NotFound(
        f"There is no customer {identifier}.",
        code="customer_unknown",
        hint="A new customer appears a moment after its first event.",
    )


def add(leader: CustomerKey, customers: Iterable[CustomerKey], *, by: Actor) -> None:
    """Write that these customers, which led themselves so far, and all merged into them belong to the leader."""
    leads = {"leader": leader[2], "leader_id": store.own_id(leader)}
    for key in customers:
        known = groups([key])
        values = _of(key, [] if key not in known else [one.stripe_customer_id for one in known[key].members])
        cursor = psycopg.Cursor(database.connection())
        cursor.execute(LEAD, values | leads)
        own = {"customer": key[2], "customer_id": store.own_id(key)}
        cursor.execute(ADD, values | leads | own | {"actor_kind": by.kind.value, "actor_id": by.id})
    store.forget([store.own_id(key) for key in customers])


def remove(group: Group, customers: Iterable[str]) -> list[CustomerKey]:
    """Write that these customers stand for themselves again, each with what came with it; returns their keys."""
    account_id, livemode, _ = group.leader
    gone = list(customers)
    cursor = psycopg.Cursor(database.connection())
    cursor.execute(REMOVE, _of(group.leader, gone))
    # What was merged into one of them, and is taken out by itself, must not go back under the other's lead.
    for one in gone:
        below = [customer for customer in _rest(group, one, gone) if customer != one]
        own_id = store.own_id((account_id, livemode, one))
        cursor.execute(LEAD, _of(group.leader, below) | {"leader": one, "leader_id": own_id})
    return [(account_id, livemode, one) for one in gone]


def parts(group: Group, customers: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """The customers that there will be when these are taken out: each leading one with those that are it."""
    gone = list(customers)
    found = {one: _rest(group, one, gone) for one in gone}
    left = _rest(group, group.leader[2], gone)
    return {group.leader[2]: left, **found}


def _rest(group: Group, customer: str, gone: Sequence[str]) -> tuple[str, ...]:
    """The customer and what is below it, without those below that are taken out and what is below them."""
    away = {lower for one in gone if one != customer and one in group.below(customer) for lower in group.below(one)}
    kept = set(group.below(customer)) - away
    order = [one for one in (group.leader[2], *(member.stripe_customer_id for member in group.members)) if one in kept]
    return (customer, *(one for one in order if one != customer))


def _of(key: CustomerKey, customers: Sequence[str]) -> dict[str, Any]:
    return {"account_id": key[0], "livemode": key[1], "customers": list(customers)}
