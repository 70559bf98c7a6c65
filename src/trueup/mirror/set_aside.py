"""What follows when a reader sets a row aside: an object is behind, and a fold that succeeded since is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import psycopg

from trueup.inbox import service as inbox
from trueup.mirror import fetching, rules
from trueup.mirror.types import ObjectKey
from trueup.runtime import arrays, database
from trueup.runtime.dead_letters import Shelf, register
from trueup.runtime.queues import Claimed

register(
    Shelf(
        name="fetch",
        queue=fetching.FETCH,
        topic=fetching.TOPIC,
        since="since",
        kind="object_type",
        named="object_id",
    )
)

_FORGET: Final = b"""
delete from mirror_changed c
using unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[])
     as k (account_id, livemode, object_type, object_id)
cross join lateral (
    select id from mirror_changed
    where (account_id, livemode, object_type, object_id) = (k.account_id, k.livemode, k.object_type, k.object_id)
      and set_aside_at is not null
    offset 0
) aside
where c.id = aside.id and c.set_aside_at is not null
"""
"""By an index of rows that were set aside alone, which is empty nearly always."""


def forget(keys: Sequence[ObjectKey]) -> int:
    """Delete the rows of these customers and products that were set aside; returns how many."""
    return psycopg.Cursor(database.connection()).execute(_FORGET, _keys(keys), binary=True).rowcount


def want(keys: Sequence[tuple[int, bool, str, datetime]]) -> None:
    """As ``want_read``, for events by their keys."""
    want_read([Claimed(id=0, attempts=0, values=key) for key in keys])


def want_read(rows: Sequence[Claimed]) -> None:
    """Ask Stripe for the objects of events that the mirror's reader sets aside now: those are behind without them.

    What was itself read from Stripe is not asked for again, since it would come back as it is.
    """
    named = inbox.named_in(rows)
    fetching.want(
        (
            ObjectKey(account_id=one.account_id, livemode=one.livemode, object_type=one.object_type, object_id=one.id)
            for one in named
            if one.type != rules.READ
        ),
        reason=fetching.Reason.SET_ASIDE,
    )


def _keys(keys: Sequence[ObjectKey]) -> dict[str, Any]:
    return {
        "account_id": arrays.int8s([key.account_id for key in keys]),
        "livemode": arrays.bools([key.livemode for key in keys]),
        "object_type": arrays.texts([key.object_type for key in keys]),
        "object_id": arrays.texts([key.object_id for key in keys]),
    }
