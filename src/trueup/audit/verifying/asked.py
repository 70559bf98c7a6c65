"""A check of the log that somebody asked for: the worker does it, and says how far it is."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any, Final

import psycopg

from trueup.audit.verifying import service
from trueup.kernel.errors import Unavailable
from trueup.kernel.records import Record
from trueup.runtime import clock, database, logs
from trueup.runtime.wake import wake

log = logs.get(__name__)

TOPIC: Final = "audit"
SILENCE: Final = 30
"""Seconds without a word after which whoever checks is taken for dead, and another begins anew."""
TELL_SECONDS: Final = 0.5

ASK: Final = "insert into audit_check (livemode, asked_at) values (%(livemode)s, %(at)s) on conflict do nothing"
CLAIM: Final = """
update audit_check set started_at = now(), seen_at = now(), done = 0, total = 0
where livemode = (select livemode from audit_check
                  where seen_at is null or seen_at < now() - make_interval(secs => %(silence)s)
                  order by asked_at limit 1 for update skip locked)
returning livemode
"""
SEEN: Final = (
    b"update audit_check set done = %(done)s, total = %(total)s, seen_at = now() where livemode = %(livemode)s"
)
END: Final = "delete from audit_check where livemode = %(livemode)s"
STANDS: Final = "select livemode, asked_at, started_at, done, total from audit_check where livemode = %(livemode)s"


class Check(Record, frozen=True):
    """A check that was asked for and has not ended."""

    livemode: bool
    asked_at: datetime
    started_at: datetime | None
    """None while it waits for a worker."""
    done: int
    total: int
    """Entries that were checked, and of how many; 0 while that is not known."""


class Stopped(Unavailable):
    """The worker ends; the check is begun anew by the next one."""

    code = "audit_check_stopped"


def ask(*, livemode: bool) -> None:
    """Have a worker check the log of a mode; one that is asked for already is joined."""
    with database.transaction() as connection:
        database.execute(ASK, {"livemode": livemode, "at": clock.now()})
        wake(connection, TOPIC)


def standing(*, livemode: bool) -> Check | None:
    """The check of a mode that waits or goes on; None where none does."""
    row = database.execute(STANDS, {"livemode": livemode}).fetchone()
    return None if row is None else Check(**dict(zip(Check.__struct_fields__, row, strict=True)))


def run(stop: threading.Event) -> int:
    """Do one check that was asked for; answers how many were done. For a thread of its own: it may take minutes."""
    row = database.execute(CLAIM, {"silence": SILENCE}).fetchone()
    if row is None:
        return 0
    livemode = bool(row[0])
    # A connection of its own, because that of the check has statements under way.
    with database.beside() as beside:
        finding = service.verify_database(
            database.connection(), livemode=livemode, progress=_Telling(beside, stop, livemode=livemode)
        )
    database.execute(END, {"livemode": livemode})
    log.info("audit.checked", livemode=livemode, size=finding.size, problems=finding.problems)
    return 1


class _Telling:
    """Writes down how far a check is, now and then, and ends it where the worker has to."""

    def __init__(self, connection: psycopg.Connection[Any], stop: threading.Event, *, livemode: bool) -> None:
        self._connection, self._stop, self._livemode = connection, stop, livemode
        self._told_at = 0.0

    def __call__(self, done: int, total: int) -> None:
        if self._stop.is_set():
            raise Stopped("The worker ends.")
        if clock.monotonic() - self._told_at < TELL_SECONDS:
            return
        self._told_at = clock.monotonic()
        self._connection.execute(SEEN, {"done": done, "total": total, "livemode": self._livemode})
