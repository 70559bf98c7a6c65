"""The mirror's statements."""

from __future__ import annotations

from typing import Final

# Every look-up by a list of keys goes through a lateral subquery with ``offset 0``: it reads the index row by row,
# whatever the planner's statistics, which lag behind a fast load, would make of a join.

LOCK: Final = b"""
select k.account_id, k.livemode, k.object_type, k.object_id, o.customer, o.created, o.event_id, o.event_type, o.deleted,
       o.verdict, o.head
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[])
     as k (account_id, livemode, object_type, object_id)
cross join lateral (
    select customer, created, event_id, event_type, deleted, verdict, head from mirror_object
    where (account_id, livemode, object_type, object_id) = (k.account_id, k.livemode, k.object_type, k.object_id)
    offset 0 for update
) o
"""

CURRENT: Final = LOCK.replace(b" for update", b"")
"""As ``LOCK``, for a look."""

FACTS_BEFORE: Final = b"""
select k.account_id, k.livemode, k.object_type, k.object_id, v.created, v.event_id, v.gone
from unnest(
    %(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[], %(since)b::int8[]
) as k (account_id, livemode, object_type, object_id, since)
cross join lateral (
    select created, event_id, deleted and (read or coalesce(created = made, false)) as gone from mirror_version
    where (account_id, livemode, object_type, object_id) = (k.account_id, k.livemode, k.object_type, k.object_id)
      and created >= k.since
    offset 0
) v
where exists (
    select from inbox_event e
    where (e.account_id, e.livemode, e.event_id, e.created) =
          (k.account_id, k.livemode, v.event_id collate "default", to_timestamp(v.created))
      and e.received_at < %(begun)b
)
order by k.object_type, k.object_id
"""

SAVE: Final = """
insert into mirror_object as o (
    account_id, livemode, object_type, object_id, customer, deleted, created, event_id, event_type, verdict, head,
    shape_version, essence, data, status, currency, amount, made, due, reason, number
)
select account_id, livemode, object_type, object_id, nullif(customer, ''), deleted, created, event_id, event_type,
       verdict, head, %(shape_version)b, essence, nullif(data, '')::jsonb, case when made >= 0 then status end,
       nullif(currency, ''), nullif(amount, %(unknown)b), nullif(made, -1), nullif(due, -1), nullif(reason, ''),
       nullif(number, '')
from unnest(
    %(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[],
    %(customer)b::text[], %(deleted)b::bool[], %(created)b::int8[], %(event_id)b::text[], %(event_type)b::text[],
    %(verdict)b::int8[], %(head)b::text[], %(essence)b::text[], %(data)b::text[], %(status)b::text[],
    %(currency)b::text[], %(amount)b::int8[], %(made)b::int8[], %(due)b::int8[], %(reason)b::text[],
    %(number)b::text[]
) as row (
    account_id, livemode, object_type, object_id, customer, deleted, created, event_id, event_type, verdict, head,
    essence, data, status, currency, amount, made, due, reason, number
)
on conflict (account_id, livemode, object_type, object_id) do """

REPLACE: Final = f"""{SAVE} update set
    customer = excluded.customer, deleted = excluded.deleted, created = excluded.created, event_id = excluded.event_id,
    event_type = excluded.event_type, verdict = excluded.verdict, head = excluded.head,
    shape_version = excluded.shape_version, essence = excluded.essence, data = excluded.data,
    status = excluded.status, currency = excluded.currency, amount = excluded.amount, made = excluded.made,
    due = excluded.due, reason = excluded.reason, number = excluded.number
""".encode()
"""Only under the lock: whoever holds the row knows its order."""

ADD: Final = f"{SAVE} nothing".encode()

MEND: Final = f"""{SAVE} update set
    customer = case when o.object_type = any(%(about)s::text[]) then o.customer else excluded.customer end,
    deleted = excluded.deleted, created = excluded.created, event_id = excluded.event_id,
    event_type = excluded.event_type, verdict = excluded.verdict, head = excluded.head,
    shape_version = excluded.shape_version, essence = excluded.essence, data = excluded.data,
    status = excluded.status, currency = excluded.currency, amount = excluded.amount, made = excluded.made,
    due = excluded.due, reason = excluded.reason, number = excluded.number
where (case when o.object_type <> all(%(about)s::text[]) then o.customer end, o.deleted, o.created, o.event_id,
       o.event_type, o.verdict, o.head, o.shape_version, o.essence, o.data, o.status, o.currency, o.amount, o.made,
       o.due, o.reason, o.number)
    is distinct from
      (case when o.object_type <> all(%(about)s::text[]) then excluded.customer end, excluded.deleted, excluded.created,
       excluded.event_id, excluded.event_type, excluded.verdict, excluded.head, excluded.shape_version,
       excluded.essence, excluded.data, excluded.status, excluded.currency, excluded.amount, excluded.made,
       excluded.due, excluded.reason, excluded.number)
returning o.account_id, o.livemode, o.object_type, o.object_id
""".encode()
"""Only under the lock. Rows that are as they should be are not written."""

REORDER: Final = b"""
update mirror_object o set verdict = k.verdict, head = k.head
from unnest(
    %(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[], %(verdict)b::int8[],
    %(head)b::text[]
) as k (account_id, livemode, object_type, object_id, verdict, head)
where (o.account_id, o.livemode, o.object_type, o.object_id) =
      (k.account_id, k.livemode, k.object_type, k.object_id)
"""

VERSIONS_INTO: Final = """
insert into mirror_version as v (
    account_id, livemode, object_type, object_id, created, event_id, event_type, customer, state, before, made,
    api_version, stage, deleted, read, after
)
select account_id, livemode, object_type, object_id, created, event_id, event_type, nullif(customer, ''), state,
       nullif(before, %(unknown)b), nullif(made, -1), nullif(api_version, ''), nullif(stage, -1), deleted, read,
       nullif(after, '')
from unnest(
    %(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[],
    %(created)b::int8[], %(event_id)b::text[], %(event_type)b::text[], %(customer)b::text[], %(state)b::int8[],
    %(before)b::int8[], %(made)b::int8[], %(api_version)b::text[], %(stage)b::int8[], %(deleted)b::bool[],
    %(read)b::bool[], %(after)b::text[]
) as row (
    account_id, livemode, object_type, object_id, created, event_id, event_type, customer, state, before, made,
    api_version, stage, deleted, read, after
)
"""

VERSIONS: Final = f"{VERSIONS_INTO} on conflict do nothing".encode()

VERSIONS_AGAIN: Final = f"""{VERSIONS_INTO}
on conflict (account_id, livemode, object_type, object_id, created, event_id) do update set
    event_type = excluded.event_type, state = excluded.state, before = excluded.before, made = excluded.made,
    api_version = excluded.api_version, stage = excluded.stage, deleted = excluded.deleted, read = excluded.read,
    after = excluded.after,
    customer = case when v.object_type = any(%(about)s::text[]) then v.customer else excluded.customer end
where (v.event_type, v.state, v.before, v.made, v.api_version, v.stage, v.deleted, v.read, v.after,
       case when v.object_type <> all(%(about)s::text[]) then v.customer end)
    is distinct from
      (excluded.event_type, excluded.state, excluded.before, excluded.made, excluded.api_version, excluded.stage,
       excluded.deleted, excluded.read, excluded.after,
       case when v.object_type <> all(%(about)s::text[]) then excluded.customer end)
returning v.account_id, v.livemode, v.object_type, v.object_id
""".encode()
"""Mends versions that say something else than their events; those that are as they should be are not written. Whose the
objects about payments are is told by ``mirror.about``."""

TRACES: Final = b"""
select k.account_id, k.livemode, k.object_type, k.object_id, v.created, v.event_id, v.event_type, v.state, v.before,
       v.made, v.api_version, v.stage, v.deleted, v.read, v.after
from unnest(
    %(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[], %(since)b::int8[]
) as k (account_id, livemode, object_type, object_id, since)
cross join lateral (
    select * from mirror_version
    where (account_id, livemode, object_type, object_id) = (k.account_id, k.livemode, k.object_type, k.object_id)
      and created >= k.since
    offset 0
) v
"""

OUTDATED: Final = b"""
select account_id, livemode, object_type, object_id, customer, created, event_id, event_type, deleted, verdict, head,
       essence
from mirror_object where shape_version < %(shape_version)s or shape_version > %(shape_version)s
limit %(limit)s for update skip locked
"""
"""Two ranges of an index that are empty nearly always; an inequality would read the table."""

SHAPED: Final = b"""
update mirror_object o set shape_version = %(shape_version)b
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[])
     as k (account_id, livemode, object_type, object_id)
where (o.account_id, o.livemode, o.object_type, o.object_id) =
      (k.account_id, k.livemode, k.object_type, k.object_id)
"""

TRACES_UNTIL: Final = b"""
with asked as (
    select distinct v.account_id, v.livemode, v.object_type, v.object_id
    from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(customer)b::text[])
         as k (account_id, livemode, customer)
    cross join lateral (
        select account_id, livemode, object_type, object_id from mirror_version
        where (account_id, livemode, customer) = (k.account_id, k.livemode, k.customer) and created <= %(at)b
        offset 0
    ) v
    union
    select * from unnest(%(key_account_id)b::int8[], %(key_livemode)b::bool[], %(key_object_type)b::text[],
                         %(key_object_id)b::text[])
)
select asked.account_id, asked.livemode, asked.object_type, asked.object_id, v.created, v.event_id, v.event_type,
       v.state, v.before, v.made, v.api_version, v.stage, v.deleted, v.read, v.after
from asked
cross join lateral (
    select * from mirror_version
    where (account_id, livemode, object_type, object_id) =
          (asked.account_id, asked.livemode, asked.object_type, asked.object_id) and created <= %(at)b
    offset 0
) v
where %(known_at)b::timestamptz is null or exists (
    select from inbox_event e
    where (e.account_id, e.livemode, e.event_id, e.created) =
          (v.account_id, v.livemode, v.event_id collate "default", to_timestamp(v.created))
      and e.received_at <= %(known_at)b
)
"""

CHANGED: Final = b"""
with marked as (
    insert into mirror_changed (account_id, livemode, object_type, object_id)
    select * from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[])
    returning 1
)
select n, (select pg_notify(%(channel)b, %(topic)b) where n > 0) from (select count(*) as n from marked) counted
"""
"""Marks and wakes in one statement."""

CHANGED_UNLESS_QUEUED: Final = b"""
with marked as (
    insert into mirror_changed (account_id, livemode, object_type, object_id)
    select k.* from unnest(
        %(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[]
    ) as k (account_id, livemode, object_type, object_id)
    where not exists (
        select from mirror_changed c
        where (c.account_id, c.livemode, c.object_type, c.object_id)
            = (k.account_id, k.livemode, k.object_type, k.object_id)
    )
    returning 1
)
select n, (select pg_notify(%(channel)b, %(topic)b) where n > 0) from (select count(*) as n from marked) counted
"""

OF_CUSTOMERS: Final = b"""
select k.account_id, k.livemode, k.customer, o.object_type, o.object_id, o.essence, o.deleted, o.created,
       o.event_id, o.event_type
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(customer)b::text[]) as k (account_id, livemode, customer)
cross join unnest(%(types)b::text[]) as t (object_type)
cross join lateral (
    select * from mirror_object
    where (account_id, livemode, customer, object_type) = (k.account_id, k.livemode, k.customer, t.object_type)
    offset 0
) o
"""
"""One look-up for every type: with all four columns given, no plan can prefer the primary key, which begins alike and
would read every object of the type."""

BY_KEY: Final = b"""
select k.account_id, k.livemode, k.object_id, o.object_type, o.object_id, o.essence, o.deleted, o.created,
       o.event_id, o.event_type
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[])
     as k (account_id, livemode, object_type, object_id)
cross join lateral (
    select * from mirror_object
    where (account_id, livemode, object_type, object_id) = (k.account_id, k.livemode, k.object_type, k.object_id)
    offset 0
) o
"""

LAST_EVENTS: Final = b"""
select k.account_id, k.livemode, k.customer,
       coalesce(
           (select max(v.created) from mirror_version v
            where (v.account_id, v.livemode, v.customer) = (k.account_id, k.livemode, k.customer) and not v.read),
           (select max(v.created) from mirror_version v
            where (v.account_id, v.livemode, v.customer) = (k.account_id, k.livemode, k.customer))
       )
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(customer)b::text[]) as k (account_id, livemode, customer)
"""

EVENT_TYPES: Final = b"""
select k.event_id, v.event_type
from unnest(
    %(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[], %(created)b::int8[],
    %(event_id)b::text[]
) as k (account_id, livemode, object_type, object_id, created, event_id)
cross join lateral (
    select event_type from mirror_version
    where (account_id, livemode, object_type, object_id, created) =
          (k.account_id, k.livemode, k.object_type, k.object_id, k.created) and event_id = k.event_id collate "C"
    offset 0
) v
"""

HISTORY: Final = b"""
select created, event_id, event_type, object_type, object_id from mirror_version
where account_id = %(account_id)s and livemode = %(livemode)s and customer = %(customer)s
  and (created, event_id collate "C") < (%(created)s, %(event_id)s) and event_type = any(%(only)s)
order by created desc, event_id collate "C" desc limit %(limit)s
"""

FIND: Final = b"""
with recursive kinds as (
    select k.account_id, k.livemode,
           (select o.object_type from mirror_object o
            where (o.account_id, o.livemode) = (k.account_id, k.livemode)
            order by o.object_type limit 1) as object_type
    from unnest(%(account_id)b::int8[], %(livemode)b::bool[]) as k (account_id, livemode)
    where %(type)s = ''
    union all
    select k.account_id, k.livemode,
           (select o.object_type from mirror_object o
            where (o.account_id, o.livemode) = (k.account_id, k.livemode) and o.object_type > k.object_type
            order by o.object_type limit 1)
    from kinds k where k.object_type is not null
), asked as (
    select * from kinds where object_type is not null
    union all
    select k.account_id, k.livemode, %(type)s
    from unnest(%(account_id)b::int8[], %(livemode)b::bool[]) as k (account_id, livemode)
    where %(type)s <> ''
)
select o.account_id, o.livemode, o.object_type, o.object_id, o.customer, o.deleted, o.created, o.event_id,
       o.event_type, o.verdict
from asked
cross join lateral (
    select * from mirror_object
    where (account_id, livemode, object_type, object_id) =
          (asked.account_id, asked.livemode, asked.object_type, %(id)s)
    offset 0
) o
order by o.account_id, o.livemode, o.object_type
"""
"""Without a type each type that an account has is tried: a skip along the primary key finds the types, and one look-up
for each finds the object. An index by id alone would be written with every new object, for a question of a person."""

TOLD: Final = b"""
with recursive kinds as (
    select k.account_id, k.livemode,
           (select v.object_type from mirror_version v
            where (v.account_id, v.livemode) = (k.account_id, k.livemode)
            order by v.object_type limit 1) as object_type
    from unnest(%(account_id)b::int8[], %(livemode)b::bool[]) as k (account_id, livemode)
    union all
    select k.account_id, k.livemode,
           (select v.object_type from mirror_version v
            where (v.account_id, v.livemode) = (k.account_id, k.livemode) and v.object_type > k.object_type
            order by v.object_type limit 1)
    from kinds k where k.object_type is not null
)
select account_id, livemode, object_type from kinds k
where object_type is not null and exists (
    select from mirror_version
    where (account_id, livemode, object_type, object_id) = (k.account_id, k.livemode, k.object_type, %(id)s)
)
"""
"""Of which types versions tell that have an id: found as ``FIND`` finds objects."""

SEARCH: Final = """
select o.account_id, o.livemode, o.object_type, o.object_id, o.customer, o.deleted, o.created, o.event_id,
       o.event_type, o.verdict
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(after_type)b::text[], %(after_id)b::text[])
     as k (account_id, livemode, after_type, after_id)
cross join lateral (
    select * from {source} one
    where (account_id, livemode) = (k.account_id, k.livemode)
      and (object_type, object_id) > (k.after_type, k.after_id) {only}
    order by object_type, object_id limit %(limit)s
) o
order by o.account_id, o.livemode, o.object_type, o.object_id limit %(limit)s
"""
"""A page by the primary key, account by account: with a type given, no object of another type is read."""

ONE_CUSTOMERS: Final = """(
    select * from mirror_object
    where (account_id, livemode, customer) = (k.account_id, k.livemode, %(customer)s) offset 0
)"""
"""What ``SEARCH`` reads of one customer: the few objects found by it, and not, where statistics lag, a whole type."""

LOGGED: Final = b"""
select k.account_id, k.livemode, k.event_id, k.created, e.received_at, e.redacted_at
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(event_id)b::text[], %(created)b::int8[])
     as k (account_id, livemode, event_id, created)
cross join lateral (
    select received_at, redacted_at from inbox_event
    where (account_id, livemode, event_id, created) =
          (k.account_id, k.livemode, k.event_id, to_timestamp(k.created))
    offset 0
) e
"""
