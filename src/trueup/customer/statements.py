"""Statements on customers."""

from __future__ import annotations

from typing import Final

LOCK_PRODUCTS: Final = b"""
select case when alone then pg_advisory_xact_lock(k) else pg_advisory_xact_lock_shared(k) end
from unnest(%(keys)b::int8[], %(alone)b::bool[]) as row (k, alone)
"""

UPSERT: Final = b"""
with before as materialized (
    select k.id, c.standing from unnest(%(id)b::text[]) as k (id)
    cross join lateral (select standing from customer_customer where id = k.id offset 0) c
), saved as (
insert into customer_customer as c (
    id, account_id, livemode, stripe_customer_id, name, email, sort_name, stage, mrr_sort, billing_status, trial_end,
    last_event_at, fold_version, folded_at, state, standing
)
select id, account_id, livemode, stripe_customer_id, nullif(name, ''), nullif(email, ''), sort_name, stage,
       mrr_sort::numeric, nullif(billing_status, ''), nullif(trial_end, 'epoch'), last_event_at, %(fold_version)b,
       clock_timestamp(), state, standing
from unnest(
    %(id)b::text[], %(account_id)b::int8[], %(livemode)b::bool[], %(stripe_customer_id)b::text[],
    %(name)b::text[], %(email)b::text[], %(sort_name)b::text[], %(stage)b::text[], %(mrr_sort)b::text[],
    %(billing_status)b::text[], %(trial_end)b::timestamptz[], %(last_event_at)b::timestamptz[], %(state)b::text[],
    %(standing)b::int8[]
) as row (
    id, account_id, livemode, stripe_customer_id, name, email, sort_name, stage, mrr_sort, billing_status, trial_end,
    last_event_at, state, standing
)
on conflict (id) do update set
    name = excluded.name, email = excluded.email, sort_name = excluded.sort_name, stage = excluded.stage,
    mrr_sort = excluded.mrr_sort, billing_status = excluded.billing_status, trial_end = excluded.trial_end,
    last_event_at = excluded.last_event_at, fold_version = excluded.fold_version, folded_at = excluded.folded_at,
    state = excluded.state, standing = excluded.standing
returning id, standing
), moved as (
    insert into customer_moved (customer_id)
    select s.id from saved s left join before b on b.id = s.id where b.standing is distinct from s.standing
    returning 1
), turning as (
    insert into customer_turn as t (customer_id, account_id, livemode, stripe_customer_id, at)
    select * from unnest(
        %(turn_id)b::text[], %(turn_account_id)b::int8[], %(turn_livemode)b::bool[],
        %(turn_stripe_customer_id)b::text[], %(turn_at)b::timestamptz[]
    )
    on conflict (customer_id) do update set at = excluded.at where t.at <> excluded.at
), settled as (
    delete from customer_turn t using (
        select d.customer_id from unnest(%(settled)b::text[]) as k (customer_id)
        cross join lateral (select customer_id from customer_turn where customer_id = k.customer_id offset 0) d
    ) d
    where t.customer_id = d.customer_id
)
select pg_notify(%(channel)b, %(topic)b) where exists (select from saved)
union all select pg_notify(%(channel)b, %(moved_topic)b) where exists (select from moved)
"""

LOOKED_UP: Final = b"""
select k.customer_id, l.digest from unnest(%(id)b::text[]) as k (customer_id)
cross join lateral (select digest from customer_lookup where customer_id = k.customer_id offset 0) l
"""

LOOK_UP: Final = b"""
insert into customer_lookup (customer_id, account_id, livemode, stripe_customer_id, digest, product_ids, search)
select customer_id, account_id, livemode, stripe_customer_id, digest,
       coalesce(string_to_array(nullif(product_ids, ''), ' '), '{}'), array_to_tsvector(string_to_array(search, ' '))
from unnest(
    %(id)b::text[], %(account_id)b::int8[], %(livemode)b::bool[], %(stripe_customer_id)b::text[], %(digest)b::int8[],
    %(product_ids)b::text[], %(search)b::text[]
) as row (customer_id, account_id, livemode, stripe_customer_id, digest, product_ids, search)
on conflict (customer_id) do update set
    digest = excluded.digest, product_ids = excluded.product_ids, search = excluded.search
"""

BY_PRODUCTS: Final = b"""
select distinct l.account_id, l.livemode, l.stripe_customer_id
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(product_id)b::text[])
     as k (account_id, livemode, product_id)
join customer_lookup l on l.product_ids @> array[k.product_id] and l.account_id = k.account_id
    and l.livemode = k.livemode
"""

OUTDATED: Final = b"""
select account_id, livemode, stripe_customer_id from customer_customer
    where fold_version < %(fold_version)s or fold_version > %(fold_version)s limit %(limit)s
"""
"""Two ranges of an index that are empty nearly always; an inequality would read the table."""

TURNED: Final = b"""
select account_id, livemode, stripe_customer_id from customer_turn where at <= %(until)s order by at limit %(limit)s
"""

FOUND: Final = b"select customer_id from customer_lookup where search @@ %(query)s::tsquery limit %(limit)s"

NAMES: Final = b"""
select k.account_id, k.livemode, k.customer, coalesce(c.name, c.email, k.customer)
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(customer)b::text[]) as k (account_id, livemode, customer)
left join customer_merged m
    on (m.account_id, m.livemode, m.stripe_customer_id) = (k.account_id, k.livemode, k.customer)
join customer_customer c
    on (c.account_id, c.livemode, c.stripe_customer_id) = (k.account_id, k.livemode, coalesce(m.leader, k.customer))
where c.id is not null
"""

FORGET: Final = b"""
with looked_up as (delete from customer_lookup where customer_id = any(%(ids)s)),
turning as (delete from customer_turn where customer_id = any(%(ids)s))
delete from customer_customer where id = any(%(ids)s)
"""

UNTIE: Final = b"delete from customer_trait where source in ('stripe', 'metadata') and customer_id = any(%(ids)s)"

CLEAR: Final = b"""
with derived as (delete from customer_trait where source in ('stripe', 'metadata')),
looked_up as (delete from customer_lookup), turning as (delete from customer_turn)
delete from customer_customer
"""
"""What people and programs said stays: nothing tells it again."""

MERGED_INTO: Final = b"""
select c.id from customer_merged m join customer_customer c
    on (c.account_id, c.livemode, c.stripe_customer_id) = (m.account_id, m.livemode, m.leader)
where m.customer_id = %(id)s or m.stripe_customer_id = %(id)s
order by c.last_event_at desc limit 1
"""
