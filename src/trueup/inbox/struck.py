"""Whom what was set aside concerns, by cause: the customers whose state is as old as what could not be read."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from trueup.runtime import database
from trueup.runtime.dead_letters import CAUSE, Shelf, shelves

MOST: Final = 2_000
"""Customers that are told of one queue; more are nobody's to look at one by one."""

_EVENTS: Final = "'event'"


def customers(cause: str = "") -> dict[str, set[tuple[int, bool, str]]]:
    """The Stripe customers behind all that was set aside, by cause; of one cause alone, where that is given.

    An event's is the customer that it names; what names none counts for nobody.
    """
    found: dict[str, set[tuple[int, bool, str]]] = defaultdict(set)
    for shelf in shelves():
        rows = database.execute(_statement(shelf), {"cause": cause or None, "limit": MOST}).fetchall()
        for row in rows:
            found[row[0]].add((row[1], row[2], row[3]))
    return dict(found)


def _statement(shelf: Shelf) -> str:
    where = f"set_aside_at is not null and (%(cause)s::text is null or {CAUSE} = %(cause)s)"
    if shelf.kind != _EVENTS:
        return f"""
            select distinct {CAUSE}, account_id, livemode, {shelf.named} from {shelf.queue.table}
            where {where} and {shelf.kind} = 'customer' limit %(limit)s
        """  # noqa: S608 - names from our own constants
    return f"""
        with aside as (
            select {CAUSE} as cause, account_id, livemode, event_id, created from {shelf.queue.table} where {where}
        )
        select distinct a.cause, a.account_id, a.livemode, e.customer from aside a
        cross join lateral (
            select customer from inbox_event
            where (account_id, livemode, event_id, created) = (a.account_id, a.livemode, a.event_id, a.created) offset 0
        ) e
        where e.customer is not null limit %(limit)s
    """  # noqa: S608 - names from our own constants
