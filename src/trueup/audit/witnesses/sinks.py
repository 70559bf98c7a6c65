"""How each place that remembers checkpoints stands, and when it is asked again; all workers share this."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import psycopg

from trueup.kernel.errors import TrueupError
from trueup.kernel.records import Record
from trueup.runtime import database

WENT_BACK: Final = "audit_went_back"
"""A place knows more of the log than the database does, or another log: the signer stops."""
ACCEPTED: Final = "audit_rollback_accepted"
"""An operator has accepted that; the place may still know what was."""
AHEAD: Final = "audit_witness_ahead"
"""A place still knows what was before a rollback that was accepted, and does not follow."""
LONGEST_PAUSE: Final = 3600
"""Seconds between tries of a place that fails again and again."""
_LONGEST_ERROR: Final = 500

CLAIM: Final = """
insert into audit_sink as s (livemode, name, kind, tried_at)
values (%(livemode)s, %(name)s, %(kind)s, now())
on conflict (livemode, name) do update set tried_at = now(), kind = excluded.kind
where s.tried_at is null
   or s.tried_at < now() - make_interval(secs => least(%(longest)s, %(pause)s * 2 ^ least(s.failures, 20)))
  and (
      s.failures > 0
      or s.reached_at is null
      or s.reached_at < now() - make_interval(secs => %(unchanged_seconds)s)
      or s.size is distinct from %(size)s
         and (s.reached_at < now() - make_interval(secs => %(changed_seconds)s) or s.size < %(size)s - %(entries)s)
  )
returning s.size, s.last_error
"""
REACHED: Final = """
update audit_sink set size = %(size)s, reached_at = now(), failures = 0, last_error = null
where livemode = %(livemode)s and name = %(name)s
"""
FAILED: Final = """
update audit_sink set failures = failures + 1, last_error = %(error)s, size = coalesce(%(size)s, size)
where livemode = %(livemode)s and name = %(name)s
"""
ALL: Final = """
select name, kind, size, reached_at, tried_at, failures, last_error from audit_sink where livemode = %s order by name
"""


class Rhythm(Record, frozen=True):
    """When a place is asked. A failure doubles the pause each time, up to ``LONGEST_PAUSE``."""

    pause: float
    """Seconds between two tries at the least: nobody else tries meanwhile."""
    changed_seconds: float
    """Seconds after which a checkpoint that it has not is taken there."""
    unchanged_seconds: float
    """Seconds after which it is asked although it has the newest."""
    entries: int = 2**62
    """How many entries it may be behind before it is asked earlier than that."""


class Claimed(Record, frozen=True):
    """A place that is ours to ask now."""

    size: int | None
    """The checkpoint that it has, as far as we know."""
    code: str
    """Of what went wrong last, empty where nothing did."""


class Sink(Record, frozen=True):
    """How a place stands."""

    name: str
    kind: str
    size: int | None
    reached_at: datetime | None
    tried_at: datetime | None
    failures: int
    error: str
    """``code: sentence``; empty where nothing went wrong last."""

    @property
    def code(self) -> str:
        """What went wrong last."""
        return self.error.partition(":")[0]


def claim(*, livemode: bool, name: str, kind: str, rhythm: Rhythm, size: int) -> Claimed | None:
    """Take the place as ours to ask about a checkpoint of this size; None while it is not due, or another worker's."""
    values = {name: getattr(rhythm, name) for name in rhythm.__struct_fields__}
    values |= {"livemode": livemode, "name": name, "kind": kind, "size": size, "longest": LONGEST_PAUSE}
    row = database.execute(CLAIM, values).fetchone()
    return None if row is None else Claimed(size=row[0], code=(row[1] or "").partition(":")[0])


def reached(*, livemode: bool, name: str, size: int) -> None:
    """Note that a place has this checkpoint."""
    database.execute(REACHED, {"livemode": livemode, "name": name, "size": size})


def failed(error: TrueupError, *, livemode: bool, name: str, size: int | None = None) -> None:
    """Note what went wrong, and what size the place turned out to know."""
    told = f"{error.code}: {error.message}"[:_LONGEST_ERROR].replace("\x00", "\ufffd")
    database.execute(FAILED, {"livemode": livemode, "name": name, "size": size, "error": told})


def sinks(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> list[Sink]:
    """How all places stand that were ever asked about the log of this mode, by name."""
    rows = psycopg.Cursor(connection).execute(ALL.encode(), (livemode,)).fetchall()
    return [Sink(**dict(zip(Sink.__struct_fields__, (*row[:6], row[6] or ""), strict=True))) for row in rows]
