"""Whose the objects are that name a payment and no customer: disputes, early fraud warnings, refunds and reviews.

Such an object belongs to the customer of its charge, else to that of its payment intent. Who comes last, the object or
the payment, writes it. Two transactions at once may each miss what the other writes, so every change of what an object
names is looked at again by the sweep, once both are over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from trueup.kernel.records import Record
from trueup.mirror import rules
from trueup.mirror.types import Fact, ObjectKey
from trueup.runtime import arrays, database

SETTLED_AFTER: Final = timedelta(minutes=1)
"""No transaction of a drain lasts so long."""


class Moved(Record, frozen=True):
    """An object that has another customer now than before."""

    account_id: int
    livemode: bool
    before: str | None
    customer: str | None


_NOTE: Final = b"""
insert into mirror_about as a (account_id, livemode, object_type, object_id, customer, charge, payment_intent)
select account_id, livemode, object_type, object_id, nullif(customer, ''), nullif(charge, ''), nullif(intent, '')
from unnest(
    %(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[], %(customer)b::text[],
    %(charge)b::text[], %(intent)b::text[]
) as row (account_id, livemode, object_type, object_id, customer, charge, intent)
on conflict (account_id, livemode, object_type, object_id) do update set
    customer = excluded.customer, charge = excluded.charge, payment_intent = excluded.payment_intent,
    since = now(), settled = false
"""

# Look-ups go through lateral subqueries with ``offset 0``, as in ``mirror.statements``.
_ATTRIBUTE: Final = b"""
with named as (
    select a.* from unnest(
        %(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[]
    ) as k (account_id, livemode, object_type, object_id)
    cross join lateral (
        select * from mirror_about
        where (account_id, livemode, object_type, object_id) = (k.account_id, k.livemode, k.object_type, k.object_id)
        offset 0
    ) a
    union
    select a.* from unnest(%(charge_account_id)b::int8[], %(charge_livemode)b::bool[], %(charge)b::text[])
        as k (account_id, livemode, charge)
    cross join lateral (
        select * from mirror_about where (account_id, livemode, charge) = (k.account_id, k.livemode, k.charge) offset 0
    ) a
    union
    select a.* from unnest(%(intent_account_id)b::int8[], %(intent_livemode)b::bool[], %(intent)b::text[])
        as k (account_id, livemode, intent)
    cross join lateral (
        select * from mirror_about
        where (account_id, livemode, payment_intent) = (k.account_id, k.livemode, k.intent)
        offset 0
    ) a
), found as (
    select n.account_id, n.livemode, n.object_type, n.object_id, o.customer as before, coalesce(
        n.customer,
        (select customer from mirror_object where (account_id, livemode, object_type, object_id)
            = (n.account_id, n.livemode, 'charge', n.charge)),
        (select customer from mirror_object where (account_id, livemode, object_type, object_id)
            = (n.account_id, n.livemode, 'payment_intent', n.payment_intent))
    ) as customer
    from named n
    cross join lateral (
        select customer from mirror_object
        where (account_id, livemode, object_type, object_id) = (n.account_id, n.livemode, n.object_type, n.object_id)
        offset 0
    ) o
    order by n.account_id, n.livemode, n.object_type, n.object_id
), stale as (
    select f.account_id, f.livemode, f.object_type, f.object_id, f.customer, v.created, v.event_id
    from found f
    cross join lateral (
        select created, event_id from mirror_version
        where (account_id, livemode, object_type, object_id) = (f.account_id, f.livemode, f.object_type, f.object_id)
          and customer is distinct from f.customer
        offset 0
    ) v
), told as (
    update mirror_version v set customer = s.customer from stale s
    where (v.account_id, v.livemode, v.object_type, v.object_id, v.created, v.event_id) =
          (s.account_id, s.livemode, s.object_type, s.object_id, s.created, s.event_id)
    returning v.account_id, v.livemode, s.customer
), moved as (
    update mirror_object o set customer = f.customer from found f
    where (o.account_id, o.livemode, o.object_type, o.object_id) =
          (f.account_id, f.livemode, f.object_type, f.object_id) and o.customer is distinct from f.customer
    returning o.account_id, o.livemode, f.before, f.customer
)
select * from moved union select account_id, livemode, null, customer from told
"""

_UNSETTLED: Final = b"""
with old as (
    select account_id, livemode, object_type, object_id from mirror_about
    where not settled and since < now() - %(after)s
    order by since, account_id, livemode, object_type, object_id limit %(limit)s for update skip locked
)
update mirror_about a set settled = true from old
where (a.account_id, a.livemode, a.object_type, a.object_id) =
      (old.account_id, old.livemode, old.object_type, old.object_id)
returning a.account_id, a.livemode, a.object_type, a.object_id
"""

_TOUCH: Final = b"""
update mirror_about a set since = now(), settled = false
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[])
     as k (account_id, livemode, object_type, object_id)
where (a.account_id, a.livemode, a.object_type, a.object_id) =
      (k.account_id, k.livemode, k.object_type, k.object_id)
"""

_ARRIVED: Final = """
(%(known_at)s::timestamptz is null or exists (
    select from inbox_event e
    where (e.account_id, e.livemode, e.event_id, e.created) =
          ({0}.account_id, {0}.livemode, {0}.event_id collate "default", to_timestamp({0}.created))
      and e.received_at <= %(known_at)s
))
"""

_OWNER: Final = """
select coalesce(a.customer, (
    select p.customer from mirror_version p
    where (p.account_id, p.livemode) = (a.account_id, a.livemode) and p.customer is not null
      and ((p.object_type = 'charge' and p.object_id = a.charge)
           or (p.object_type = 'payment_intent' and p.object_id = a.payment_intent))
      and p.created <= %(at)s and {arrived}
    order by p.object_type, p.created desc, p.event_id desc limit 1
)) as customer
from mirror_about a where (a.account_id, a.livemode, a.object_type, a.object_id) =
"""
"""Whose an object was; the charge comes before the payment intent, as now."""

_OWNER_THEN: Final = _OWNER.format(arrived=_ARRIVED.format("p"))
_CUSTOMER_THEN: Final = (_OWNER_THEN + "(%(account_id)s, %(livemode)s, %(type)s, %(id)s)").encode()

_LAST: Final = """
select coalesce(max(v.created) filter (where not v.read), max(v.created))
from unnest(%(customer)s::text[]) as k (customer)
cross join lateral (
    select * from mirror_version
    where (account_id, livemode, customer) = (%(account_id)s, %(livemode)s, k.customer) and created <= %(at)s
    offset 0
) v
where {arrived} and (
    v.object_type <> all(%(about)s)
    or ({owner} (v.account_id, v.livemode, v.object_type, v.object_id)) = k.customer
)
"""
_LAST_THEN: Final = _LAST.format(arrived=_ARRIVED.format("v"), owner=_OWNER_THEN).encode()


def note(facts: Sequence[tuple[ObjectKey, Fact]]) -> None:
    """Write down which payments these objects are about, by the facts that are current now."""
    payments = [rules.payment_of(fact) for _key, fact in facts]
    values = _keys([key for key, _fact in facts]) | {
        "customer": arrays.texts([fact.customer or "" for _key, fact in facts]),
        "charge": arrays.texts([charge or "" for charge, _intent in payments]),
        "intent": arrays.texts([intent or "" for _charge, intent in payments]),
    }
    psycopg.Cursor(database.connection()).execute(_NOTE, values)


def touch(keys: Sequence[ObjectKey]) -> None:
    """Have these objects looked at again, because a version of them arrived that is not current."""
    psycopg.Cursor(database.connection()).execute(_TOUCH, _keys(keys))


def attribute(*, objects: Sequence[ObjectKey], payments: Sequence[ObjectKey] = ()) -> list[Moved]:
    """Give these objects, and those about these payments, with all their versions, to whom they belong.

    What was noted of them counts; others are left alone. Repeating it changes nothing.
    """
    charges = [key for key in payments if key.object_type == "charge"]
    intents = [key for key in payments if key.object_type == "payment_intent"]
    values = _keys(objects)
    for name, keys in (("charge", charges), ("intent", intents)):
        values |= {
            f"{name}_account_id": arrays.int8s([key.account_id for key in keys]),
            f"{name}_livemode": arrays.bools([key.livemode for key in keys]),
            name: arrays.texts([key.object_id for key in keys]),
        }
    rows = psycopg.Cursor(database.connection()).execute(_ATTRIBUTE, values, binary=True).fetchall()
    return [Moved(account_id=row[0], livemode=row[1], before=row[2], customer=row[3]) for row in rows]


def unsettled(*, limit: int, after: timedelta) -> list[ObjectKey]:
    """Take objects that were noted longer than ``after`` ago and not looked at again since; each is given once."""
    values = {"limit": limit, "after": after}
    rows = psycopg.Cursor(database.connection()).execute(_UNSETTLED, values).fetchall()
    return [ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3]) for row in rows]


def customer_then(key: ObjectKey, *, at: int, known_at: datetime | None) -> str | None:
    """Whose an object was at a moment (Unix seconds), by what had arrived by ``known_at``; ``None`` if unknown then."""
    values = {
        "account_id": key.account_id,
        "livemode": key.livemode,
        "type": key.object_type,
        "id": key.object_id,
        "at": at,
        "known_at": known_at,
    }
    row = psycopg.Cursor(database.connection()).execute(_CUSTOMER_THEN, values).fetchone()
    return row[0] if row is not None else None


def last_event_then(customers: Sequence[tuple[int, bool, str]], *, at: int, known_at: datetime | None) -> int | None:
    """When the newest event up to a moment about these customers of one account and mode happened, in Unix seconds."""
    values = {
        "account_id": customers[0][0],
        "livemode": customers[0][1],
        "customer": [key[2] for key in customers],
        "at": at,
        "known_at": known_at,
        "about": sorted(rules.ABOUT_PAYMENTS),
    }
    row = psycopg.Cursor(database.connection()).execute(_LAST_THEN, values).fetchone()
    return row[0] if row is not None else None


def _keys(keys: Sequence[ObjectKey]) -> dict[str, Any]:
    return {
        "account_id": arrays.int8s([key.account_id for key in keys]),
        "livemode": arrays.bools([key.livemode for key in keys]),
        "object_type": arrays.texts([key.object_type for key in keys]),
        "object_id": arrays.texts([key.object_id for key in keys]),
    }
