"""Rows of the log's queues whose event is not in the log."""

from __future__ import annotations

from typing import Final

from trueup.runtime.orphans import Orphan

GONE: Final = """not exists (
    select from inbox_event e
    where (e.account_id, e.livemode, e.event_id, e.created) = (t.account_id, t.livemode, t.event_id, t.created)
)"""

ORPHANS: Final = tuple(
    Orphan(table=table, what=f"{what}, whose event is not in the log", key="t.event_id", condition=GONE)
    for table, what in (
        ("inbox_pending", "an event to be read"),
        ("inbox_awaitingfetch", "a thin event to be fetched"),
    )
)
