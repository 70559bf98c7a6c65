"""Waking drains: a notification that is delivered when the caller's transaction commits and dropped when it does not.

A notification is a hint, never the only carrier: rows say what is due, and the sweep finds rows that nobody announced.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg

CHANNEL: Final = "trueup_wake"


def wake(connection: psycopg.Connection[tuple[Any, ...]], topic: str) -> None:
    """Announce, inside the caller's transaction, that rows for ``topic`` wait.

    The same topic twice in one transaction is one wake.
    """
    connection.execute("select pg_notify(%s, %s)", (CHANNEL, topic))
