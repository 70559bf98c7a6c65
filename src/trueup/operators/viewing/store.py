"""Queries on leaves to see the console as a role; ORM objects stay here."""

from __future__ import annotations

from datetime import datetime

from trueup.operators import models
from trueup.operators.types import Role
from trueup.operators.viewing.types import Viewing


def _record(row: models.Viewing) -> Viewing:
    return Viewing(
        id=row.pk,
        operator_id=row.operator_id,
        role=Role(row.role),
        why=row.why,
        started_at=row.started_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )


def insert(operator_id: int, *, role: Role, why: str, started_at: datetime, expires_at: datetime) -> Viewing:
    """A new leave."""
    row = models.Viewing(
        operator_id=operator_id, role=role.value, why=why, started_at=started_at, expires_at=expires_at
    )
    row.save(force_insert=True)
    return _record(row)


def live(viewing_id: int, operator_id: int, *, now: datetime) -> Viewing | None:
    """The leave with this id, if it is this person's and not over."""
    row = models.Viewing.objects.filter(
        pk=viewing_id, operator_id=operator_id, ended_at=None, expires_at__gt=now
    ).first()
    return None if row is None else _record(row)


def end(viewing_id: int, *, now: datetime) -> None:
    """End a leave."""
    models.Viewing.objects.filter(pk=viewing_id, ended_at=None).update(ended_at=now)
