"""Reading the log again, piece by piece: for whoever makes anew what is made from it.

Every function queues for the reader of ``PENDING``; in a shadow (``runtime.shadows``) that is the shadow's queue.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from trueup.runtime import database

Place = tuple[datetime, str, int, bool, datetime]
"""Where an event stands in the order in which events came: received, event id, account, mode, created."""

TOLD: Final = """kind <> 'thin' and not exists (
    select from inbox_discarded d
    where (d.account_id, d.livemode, d.event_id, d.created) = (e.account_id, e.livemode, e.event_id, e.created)
)"""
"""Facts that carry their object, and that nobody gave up. From a thin event nothing follows until it was fetched."""

_PAGE: Final = f"""
with page as (
    select received_at, event_id, account_id, livemode, created from inbox_event e
    where {TOLD} and (%(received_at)s::timestamptz is null or (
        received_at >= %(received_at)s and (received_at, event_id, account_id, livemode, created)
            > (%(received_at)s, %(event_id)s, %(account_id)s, %(livemode)s, %(created)s)
    ))
    order by received_at, event_id, account_id, livemode, created limit %(limit)s
), queued as (
    insert into inbox_pending (account_id, livemode, event_id, created, received_at)
    select account_id, livemode, event_id, created, received_at from page order by created, event_id
)
select received_at, event_id, account_id, livemode, created, (select count(*) from page) from page
order by received_at desc, event_id desc, account_id desc, livemode desc, created desc limit 1
"""  # noqa: S608 - the condition is a constant

_LATER: Final = f"""
insert into inbox_pending (account_id, livemode, event_id, created, received_at)
select account_id, livemode, event_id, created, received_at from inbox_event e
where {TOLD} and received_at >= %(since)s
  and not exists (
      select from mirror_version v
      where (v.account_id, v.livemode, v.object_type, v.object_id, v.created, v.event_id) = (
          e.account_id, e.livemode, e.object_type, e.object_id, extract(epoch from e.created)::int8,
          e.event_id collate "C"
      )
  )
  and {{unless}}
order by created, event_id limit %(limit)s
"""  # noqa: S608 - the condition is a constant

_WAITING: Final = """not exists (
    select from {pending} p where p.event_id = e.event_id
    and (p.account_id, p.livemode, p.created) = (e.account_id, e.livemode, e.created) and p.set_aside_at is null
)"""

_SIZE: Final = """
select case when sum(greatest(reltuples, 0)) > 100000 then sum(greatest(reltuples, 0))::int8
            else (select count(*) from inbox_event) end
from pg_class where oid in (select inhrelid from pg_inherits where inhparent = to_regclass('inbox_event'))
"""


def queue_page(after: Place | None, *, limit: int) -> tuple[Place | None, int]:
    """Queue the next events in the order in which they came; answers the last one's place and how many they are.

    ``None`` as place begins, and answers that there are no more.
    """
    place = after or (None, None, None, None, None)
    values: dict[str, Any] = dict(
        zip(("received_at", "event_id", "account_id", "livemode", "created"), place, strict=True)
    )
    row = database.execute(_PAGE, values | {"limit": limit}).fetchone()
    return (None, 0) if row is None else (row[:5], row[5])


def queue_later(since: datetime, *, unless_in: str | None, limit: int) -> int:
    """Queue events received from a moment on that no version in the mirror (in a shadow: in its own) points at.

    Returns how many. With ``unless_in``, the live queue, those that wait there are left to its reader.
    """
    statement = _LATER.format(unless=_WAITING.format(pending=unless_in) if unless_in else "true")
    return database.execute(statement, {"since": since, "limit": limit}).rowcount


def size() -> int:
    """About how many events the log holds."""
    row = database.execute(_SIZE).fetchone()
    return int(row[0] or 0) if row is not None else 0
