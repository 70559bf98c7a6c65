"""The intake's statements.

Arrays are passed binary: as text psycopg escapes them in Python, six to eight times slower.
"""

from __future__ import annotations

from typing import Final

STORE: Final = b"""
with given as (
    select * from unnest(
        %(account_id)b::int8[], %(livemode)b::bool[], %(event_id)b::text[], %(created)b::int8[], %(type)b::text[],
        %(kind)b::text[], %(object_type)b::text[], %(object_id)b::text[], %(customer)b::text[],
        %(api_version)b::text[], %(signature)b::text[], %(body_sha256)b::bytea[], %(body)b::bytea[]
    ) as row (
        account_id, livemode, event_id, created, type, kind, object_type, object_id, customer, api_version, signature,
        body_sha256, body
    )
), fresh as (
    insert into inbox_event (
        account_id, livemode, event_id, created, type, kind, object_type, object_id, customer, api_version, source,
        received_at, signature, body_sha256, body
    )
    select account_id, livemode, event_id, to_timestamp(created), type, kind, nullif(object_type, ''),
           nullif(object_id, ''), nullif(customer, ''), nullif(api_version, ''), %(source)b, clock_timestamp(),
           signature, body_sha256, body
    from given
    on conflict do nothing
    returning account_id, livemode, event_id, created, kind, received_at
), queued as (
    insert into inbox_pending (account_id, livemode, event_id, created, received_at)
    select account_id, livemode, event_id, created, received_at from fresh where kind <> 'thin'
), awaiting as (
    insert into inbox_awaitingfetch (account_id, livemode, event_id, created, received_at)
    select account_id, livemode, event_id, created, received_at from fresh where kind = 'thin'
), woken as (
    select pg_notify('trueup_wake', 'inbox') where exists (select 1 from fresh)
)
select fresh.account_id, fresh.livemode, fresh.event_id, extract(epoch from fresh.created)::int8
from fresh left join woken on true
"""
"""Stores events, queues them for their reader and wakes it, in one statement; answers the keys that were new."""

QUARANTINE: Final = b"""
insert into inbox_quarantined (account_id, reason, detail, received_at, signature, body_sha256, body)
values (%(account_id)b, %(reason)b, %(detail)b, clock_timestamp(), %(signature)b, %(body_sha256)b, %(body)b)
on conflict do nothing returning id
"""
"""Keeps a body that cannot be used; answers nothing when it is kept already."""
