"""How long somebody stays signed in, by what they are here for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from trueup.kernel.records import Record
from trueup.operators.sessions.types import End
from trueup.operators.types import Role


class Limits(Record, frozen=True):
    """How long a session lives unused, and how long at all."""

    idle: timedelta
    absolute: timedelta


_SHORT: Final = Limits(idle=timedelta(minutes=30), absolute=timedelta(hours=8))
_DAY: Final = Limits(idle=timedelta(hours=2), absolute=timedelta(hours=12))

TABLE: Final[Mapping[Role, Limits]] = {
    Role.OWNER: _SHORT,
    Role.ADMIN: _SHORT,
    Role.SALES: _DAY,
    Role.SUPPORT: _DAY,
    Role.FINANCE: _SHORT,
    Role.COMPLIANCE: _SHORT,
    Role.OPS: _DAY,
    Role.AUDITOR: _DAY,
    Role.DEVELOPER: _DAY,
}
"""Who moves money, sees everything or decides who may is asked again sooner. Of several roles the shortest counts."""

NOTED: Final = timedelta(minutes=1)
"""Use is noted no more often than this, so that reading does not write."""


def limits(roles: Iterable[Role]) -> Limits:
    """What holds for somebody with these roles; the shortest for somebody with none."""
    of = [TABLE[role] for role in roles] or [_SHORT]
    return Limits(idle=min(one.idle for one in of), absolute=min(one.absolute for one in of))


def over(*, ends_at: datetime, last_at: datetime, now: datetime) -> End | None:
    """Why a session is over by now; None while it is not. It is over at the very moment, not after it."""
    if now >= last_at:
        return End.ABSOLUTE
    return End.IDLE if now >= ends_at else None
