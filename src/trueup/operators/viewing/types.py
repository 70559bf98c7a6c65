"""The public nouns of seeing the console as a role."""

from __future__ import annotations

from datetime import datetime

from trueup.kernel.records import Record
from trueup.operators.types import Role


class Viewing(Record, frozen=True):
    """A leave to see the console as a role, until it ends or its time is over."""

    id: int
    operator_id: int
    role: Role
    why: str
    started_at: datetime
    expires_at: datetime
    ended_at: datetime | None
