"""The end of the log, for whoever watches it grow: what came since a moment, and how far some events are by now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from trueup.accounts import service as accounts
from trueup.inbox import store
from trueup.inbox.types import EventRow
from trueup.runtime import clock, database

LARGEST: Final = 200
"""Events of one look: more came than anybody can read as they come."""

_NEWER: Final = f"""
select {store.ROW_COLUMNS} from inbox_event e {store.JOINS}
where e.kind <> 'read' and e.received_at > %(since)s
order by e.received_at desc, e.event_id desc limit %(limit)s
"""  # noqa: S608 - all parts are constants of ours

_AGAIN: Final = f"""
select {store.ROW_COLUMNS}
from unnest(%(account_id)s::int8[], %(livemode)s::bool[], %(event_id)s::text[], %(created)s::timestamptz[])
     as k (account_id, livemode, event_id, created)
cross join lateral (
    select * from inbox_event
    where (account_id, livemode, event_id, created) = (k.account_id, k.livemode, k.event_id, k.created) offset 0
) e {store.JOINS}
"""  # noqa: S608 - all parts are constants of ours

_NEWEST: Final = 20_000
_LAST: Final = """
select account_id, max(received_at) from (
    select account_id, received_at from inbox_event where kind <> 'read'
    order by received_at desc, event_id desc limit %(newest)s
) newest group by account_id
"""


def present() -> datetime:
    """The moment by the clock that stamps what is received."""
    row = database.execute("select clock_timestamp()").fetchone() or (clock.now(),)
    moment: datetime = row[0]
    return moment


def newer(since: datetime, *, limit: int = LARGEST) -> list[EventRow]:
    """The newest events received after a moment of ours, the oldest of them first; what was read from lists is none."""
    limit = max(1, min(limit, LARGEST))
    rows = database.execute(_NEWER, {"since": since, "limit": limit}).fetchall()
    slugs = _slugs()
    return [EventRow(**store.to_row(row, slugs)) for row in reversed(rows)]


def again(events: Sequence[EventRow]) -> list[EventRow]:
    """These events as they stand now, in no order; those that are gone are left out."""
    if not events:
        return []
    values = {
        "account_id": [one.account_id for one in events],
        "livemode": [one.livemode for one in events],
        "event_id": [one.event_id for one in events],
        "created": [one.created for one in events],
    }
    slugs = _slugs()
    return [EventRow(**store.to_row(row, slugs)) for row in database.execute(_AGAIN, values).fetchall()]


def last_received() -> dict[int, datetime]:
    """When the newest event of each account came, by our clock; left out is one of which none is among the newest.

    The newest 20,000 are looked at, so that a quiet account beside a busy one costs nobody a walk through the log.
    """
    rows = database.execute(_LAST, {"newest": _NEWEST}).fetchall()
    return {row[0]: row[1] for row in rows}


def _slugs() -> dict[int, str]:
    return {account.id: account.slug for account in accounts.accounts()}
