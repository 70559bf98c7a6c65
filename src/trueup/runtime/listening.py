"""Hears what ``wake`` announces and passes it to the drains of this process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final

import psycopg

from trueup.runtime import logs
from trueup.runtime.wake import CHANNEL

log = logs.get(__name__)

LULL_SECONDS: Final = 0.002

KEEPALIVE: Final[Mapping[str, Any]] = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""For connections that wait long: a database host that vanished without a word is noticed within half a minute."""


def listen(conninfo: str, wakes: Mapping[str, Iterable[threading.Event]], stop: threading.Event) -> None:
    """Set the events of each topic that is announced, until ``stop``.

    After every (re)connection all are set, for what was missed.
    """
    while not stop.is_set():
        try:
            with contextlib.closing(
                psycopg.connect(conninfo, autocommit=True, connect_timeout=5, **KEEPALIVE)
            ) as connection:
                connection.execute(f"listen {CHANNEL}".encode())
                for events in wakes.values():
                    _set(events)
                while not stop.is_set():
                    # One packet at a time, then a breath: under load hundreds of wakes a second say the same.
                    for notification in connection.notifies(timeout=1.0, stop_after=1):
                        _set(wakes.get(notification.payload, ()))
                    stop.wait(LULL_SECONDS)
        except (psycopg.Error, OSError) as error:
            log.warning("listen.database_away", error=type(error).__name__)
            stop.wait(0.5)


def _set(events: Iterable[threading.Event]) -> None:
    for event in events:
        event.set()
