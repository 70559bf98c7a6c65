"""Statements on the log and its readers' queues."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import psycopg

from trueup.inbox.types import (
    READING,
    AwaitingRow,
    EventDetail,
    EventRow,
    InboxStats,
    Kind,
    PendingEvent,
    QuarantinedRow,
    Source,
    State,
    Subject,
    TypesSince,
)
from trueup.runtime import database

CLOCKS_APART: Final = timedelta(minutes=5)
"""By how much our clock may be ahead of Stripe's."""
BODIES: Final = """
select k.account_id, k.livemode, k.event_id, e.body
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(event_id)b::text[], %(created)b::timestamptz[])
     as k (account_id, livemode, event_id, created)
cross join lateral (
    select body from inbox_event
    where (account_id, livemode, event_id, created) = (k.account_id, k.livemode, k.event_id, k.created) offset 0
) e
"""
"""Looks rows up one by one in the partition each belongs to.

``offset 0`` forbids the planner, whose statistics lag behind a fast load, to read the whole log instead.
"""

SUBJECTS: Final = """
select k.account_id, k.livemode, e.type, e.object_type, e.object_id
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(event_id)b::text[], %(created)b::timestamptz[])
     as k (account_id, livemode, event_id, created)
cross join lateral (
    select type, object_type, object_id from inbox_event
    where (account_id, livemode, event_id, created) = (k.account_id, k.livemode, k.event_id, k.created) offset 0
) e
where e.object_type is not null and e.object_id is not null
"""

ROW_COLUMNS: Final = """
    e.account_id, e.livemode, e.event_id, e.type, e.created, e.received_at, e.object_type, e.object_id, e.customer,
    e.api_version, e.source, e.kind,
    case when p.id is null and f.id is null then case when d.event_id is null then 'folded' else 'discarded' end
         when p.set_aside_at is not null or f.set_aside_at is not null then 'set_aside'
         when f.id is not null then 'awaiting_fetch' else 'waiting' end,
    coalesce(p.last_error, f.last_error, d.error)
"""

JOINS: Final = """
    left join inbox_pending p
        on p.event_id = e.event_id and p.account_id = e.account_id and p.livemode = e.livemode and p.created = e.created
    left join inbox_awaitingfetch f
        on f.event_id = e.event_id and f.account_id = e.account_id and f.livemode = e.livemode and f.created = e.created
    left join inbox_discarded d
        on d.event_id = e.event_id and d.account_id = e.account_id and d.livemode = e.livemode and d.created = e.created
"""

STATES: Final = {
    State.FOLDED: "p.id is null and f.id is null and d.event_id is null",
    State.WAITING: "p.id is not null and p.set_aside_at is null",
    State.AWAITING_FETCH: "f.id is not null and f.set_aside_at is null",
    State.SET_ASIDE: "(p.set_aside_at is not null or f.set_aside_at is not null)",
    State.DISCARDED: "p.id is null and f.id is null and d.event_id is not null",
}

STATS: Final = """
select (select count(*) from inbox_pending where set_aside_at is null),
       (select count(*) from inbox_awaitingfetch where set_aside_at is null),
       (select count(*) from inbox_pending where set_aside_at is not null)
           + (select count(*) from inbox_awaitingfetch where set_aside_at is not null),
       (select count(*) from inbox_quarantined where discarded_at is null),
       (select max(received_at) from inbox_event)
"""

LATELY: Final = """
-- By their ids, which the index on received_at holds: the table would be read for their kind.
select count(*) - count(*) filter (where starts_with(event_id, %(reading)s)),
       count(*) filter (where starts_with(event_id, %(reading)s))
from inbox_event where received_at > now() - interval '24 hours'
"""

BY_EVENT_ID: Final = "(e.account_id = any(%(accounts)s) and e.livemode = any('{t,f}') and e.event_id = %(event_id)s)"
"""The primary key begins with account and mode; naming all of them lets it serve."""

READ_AGAIN: Final = """
insert into inbox_pending (account_id, livemode, event_id, created)
select account_id, livemode, event_id, created from inbox_event e
where kind <> 'thin' and not exists (
    select from inbox_pending p
    where p.event_id = e.event_id and p.account_id = e.account_id and p.livemode = e.livemode and p.created = e.created
)
order by created, event_id, account_id, livemode
"""

LEASE_AWAITING: Final = """
with leased as (
    update inbox_awaitingfetch set due_at = clock_timestamp() + make_interval(secs => %(seconds)s)
    where id in (
        select id from inbox_awaitingfetch
        where set_aside_at is null and (due_at is null or due_at <= now())
        order by id limit %(limit)s for update skip locked
    )
    returning id, account_id, livemode, event_id, created, attempts
)
select l.id, l.account_id, l.livemode, l.event_id, l.created, e.type, e.object_type, e.object_id, l.attempts, e.body
from leased l
cross join lateral (
    select type, object_type, object_id, body from inbox_event
    where (account_id, livemode, event_id, created) = (l.account_id, l.livemode, l.event_id, l.created) offset 0
) e
order by l.id
"""
"""A lease is a due time ahead: whoever dies with it lets others take the rows when it is over."""


def bodies(rows: list[tuple[int, bool, str, datetime]]) -> list[PendingEvent]:
    """The stored bodies of these keys."""
    values = {
        "account_id": [row[0] for row in rows],
        "livemode": [row[1] for row in rows],
        "event_id": [row[2] for row in rows],
        "created": [row[3] for row in rows],
    }
    cursor = psycopg.Cursor(database.connection())
    cursor.execute(BODIES.encode(), values, binary=True)
    return [PendingEvent(account_id=row[0], livemode=row[1], event_id=row[2], body=row[3]) for row in cursor.fetchall()]


def subjects(rows: list[tuple[int, bool, str, datetime]]) -> list[Subject]:
    """The objects that the events of these keys name."""
    values = {
        "account_id": [row[0] for row in rows],
        "livemode": [row[1] for row in rows],
        "event_id": [row[2] for row in rows],
        "created": [row[3] for row in rows],
    }
    found = database.execute(SUBJECTS, values).fetchall()
    return [Subject(**dict(zip(Subject.__struct_fields__, row, strict=True))) for row in found]


def lease_awaiting(*, limit: int, seconds: float) -> list[AwaitingRow]:
    """Thin events that are due, oldest first, taken out of others' reach for a while."""
    rows = database.execute(LEASE_AWAITING, {"limit": limit, "seconds": seconds}).fetchall()
    names = AwaitingRow.__struct_fields__
    return [AwaitingRow(**dict(zip(names, row, strict=True)) | {"body": bytes(row[-1])}) for row in rows]


def awaiting_attempts(row_id: int) -> int | None:
    """How often a thin event failed, locked until the transaction ends; None when it is gone or set aside."""
    sql = "select attempts from inbox_awaitingfetch where id = %(id)s and set_aside_at is null for update"
    row = database.execute(sql, {"id": row_id}).fetchone()
    return None if row is None else int(row[0])


def read_again() -> int:
    """Queue every snapshot event that has no row in the mirror's queue, oldest first; returns how many."""
    return database.execute(READ_AGAIN).rowcount


def to_row(row: tuple[Any, ...], slugs: Mapping[int, str]) -> dict[str, Any]:
    """The fields of an ``EventRow`` from ``ROW_COLUMNS``."""
    names = [name for name in EventRow.__struct_fields__ if name != "account_slug"]
    fields = dict(zip(names, row, strict=True))
    fields["account_slug"] = slugs.get(fields["account_id"], "")
    return fields | {"source": Source(fields["source"]), "kind": Kind(fields["kind"]), "state": State(fields["state"])}


def event_rows(
    *,
    q: str,
    type_: str,
    state: State | None,
    account_id: int | None,
    limit: int,
    after: tuple[datetime, str] | None,
    slugs: Mapping[int, str],
) -> list[EventRow]:
    """Events, newest first."""
    where, values = _filters(q=q, type_=type_, state=state, account_id=account_id, slugs=slugs)
    if after is not None:
        where.append("(e.received_at, e.event_id) < (%(after_received_at)s, %(after_event_id)s)")
        values |= {"after_received_at": after[0], "after_event_id": after[1]}
    values["limit"] = limit
    sql = (
        f"select {ROW_COLUMNS} from inbox_event e {JOINS} where {' and '.join(where)} "  # noqa: S608 - all parts are constants of this file
        "order by e.received_at desc, e.event_id desc limit %(limit)s"
    )
    return [EventRow(**to_row(row, slugs)) for row in database.execute(sql, values).fetchall()]


def _filters(
    *, q: str, type_: str, state: State | None, account_id: int | None, slugs: Mapping[int, str]
) -> tuple[list[str], dict[str, Any]]:
    where, values = ["true"], dict[str, Any]()
    if q.startswith("evt_"):
        where.append(BY_EVENT_ID)
        values |= {"event_id": q, "accounts": list(slugs)}
    elif q:
        where.append("(e.event_id = %(q)s or e.object_id = %(q)s or e.customer = %(q)s)")
        values["q"] = q
    if type_:
        where.append("e.type = %(type)s")
        values["type"] = type_
    elif not q:
        # What was read from Stripe's lists is no event; whoever asks for an object or for that type sees it.
        where.append("e.kind <> 'read'")
    if state is not None:
        where.append(STATES[state])
    if account_id is not None:
        where.append("e.account_id = %(account_id)s")
        values["account_id"] = account_id
    return where, values


def event_total(*, q: str, type_: str, state: State | None, account_id: int | None, slugs: Mapping[int, str]) -> int:
    """How many events match."""
    where, values = _filters(q=q, type_=type_, state=state, account_id=account_id, slugs=slugs)
    joins = JOINS if state is not None else ""
    row = database.execute(f"select count(*) from inbox_event e {joins} where {' and '.join(where)}", values).fetchone()  # noqa: S608
    return int(row[0]) if row else 0


def event_detail(event_id: str, *, slugs: Mapping[int, str]) -> EventDetail | None:
    """An event with its body; the newest one where two accounts know the same id."""
    sql = (
        f"select {ROW_COLUMNS}, e.body, encode(e.body_sha256, 'hex'), e.signature, e.redacted_at "  # noqa: S608
        f"from inbox_event e {JOINS} "
        f"where {BY_EVENT_ID} order by e.received_at desc limit 1"
    )
    row = database.execute(sql, {"event_id": event_id, "accounts": list(slugs)}).fetchone()
    if row is None:
        return None
    width = len(EventRow.__struct_fields__) - 1
    body, digest, signature, redacted_at = row[width:]
    try:
        payload = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        payload = None
    return EventDetail(
        **to_row(row[:width], slugs),
        body=bytes(body),
        payload=payload,
        body_sha256=digest,
        signature=signature,
        redacted_at=redacted_at,
    )


def quarantined_rows(*, limit: int, before_id: int, slugs: Mapping[int, str]) -> list[QuarantinedRow]:
    """Bodies that cannot be used, newest first."""
    sql = """
        select id, account_id, reason, detail, received_at, octet_length(body), encode(body_sha256, 'hex')
        from inbox_quarantined where id < %(before_id)s order by id desc limit %(limit)s
    """
    rows = database.execute(sql, {"limit": limit, "before_id": before_id}).fetchall()
    return [
        QuarantinedRow(
            id=row[0],
            account_slug=slugs.get(row[1], ""),
            reason=row[2],
            detail=row[3],
            received_at=row[4],
            body_size=row[5],
            body_sha256=row[6],
        )
        for row in rows
    ]


def quarantined_body(quarantined_id: int) -> bytes | None:
    """A body in the quarantine, exactly as received."""
    row = database.execute("select body from inbox_quarantined where id = %(id)s", {"id": quarantined_id}).fetchone()
    return None if row is None else bytes(row[0])


def quarantined_total() -> int:
    """How many bodies are in the quarantine."""
    row = database.execute("select count(*) from inbox_quarantined").fetchone()
    return int(row[0]) if row else 0


def lately() -> tuple[int, int]:
    """How many events and how many readings came within 24 hours."""
    events, readings = database.execute(LATELY, {"reading": READING}).fetchone() or (0, 0)
    return events, readings


def stats(events: int, readings: int) -> InboxStats:
    """How the inbox stands, and what came lately, which was counted before."""
    row = database.execute(STATS, ()).fetchone() or (0, 0, 0, 0, None)
    waiting, awaiting_fetch, set_aside, quarantined, last_received_at = row
    return InboxStats(
        received_24h=events + readings,
        waiting=waiting,
        awaiting_fetch=awaiting_fetch,
        set_aside=set_aside,
        quarantined=quarantined,
        last_received_at=last_received_at,
        events_24h=events,
        readings_24h=readings,
    )


def types_since(moment: datetime, *, limit: int) -> TypesSince:
    """How many of each type that happened since a moment are among the newest events."""
    # What happened since then came since then, but for a clock of ours that is behind Stripe's.
    sql = """
        select type, count(*) filter (where created >= %s), count(*) from (
            select type, created from inbox_event where received_at >= %s
            order by received_at desc, event_id desc limit %s
        ) newest group by type
    """
    rows = database.execute(sql, (moment, moment - CLOCKS_APART, limit)).fetchall()
    return TypesSince(
        counts={type_: number for type_, number, _looked_at in rows if number},
        whole=sum(looked_at for _type, _number, looked_at in rows) < limit,
    )
