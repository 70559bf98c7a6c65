"""Queries on approvals; ORM objects stay here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from trueup.kernel.actor import Actor
from trueup.operators import models
from trueup.operators.approvals.types import Approval, Standing


def _actor(value: Any) -> Actor:
    return msgspec.convert(value, Actor)


def _record(row: models.Approval) -> Approval:
    return Approval(
        id=row.pk,
        kind=row.kind,
        object_type=row.object_type,
        object_id=row.object_id,
        change=row.change,
        why=row.why,
        standing=Standing(row.standing),
        asked_by=_actor(row.asked_by),
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        decided_by=None if row.decided_by is None else _actor(row.decided_by),
        decided_at=row.decided_at,
        answer=row.answer,
    )


def insert(
    *,
    kind: str,
    object_type: str,
    object_id: str,
    change: Mapping[str, Any],
    why: str,
    asked_by: Actor,
    asked_at: datetime,
    expires_at: datetime,
) -> Approval:
    """A new request that waits."""
    row = models.Approval(
        kind=kind,
        object_type=object_type,
        object_id=object_id,
        change=dict(change),
        why=why,
        standing=Standing.WAITING.value,
        asked_by=msgspec.to_builtins(asked_by),
        asked_at=asked_at,
        expires_at=expires_at,
        answer="",
    )
    row.save(force_insert=True)
    return _record(row)


def find(approval_id: int, *, lock: bool = False) -> Approval | None:
    """The request with this id; locked until the transaction ends where asked for."""
    rows = models.Approval.objects.filter(pk=approval_id)
    row = (rows.select_for_update() if lock else rows).first()
    return None if row is None else _record(row)


def waiting_about(*, kind: str, object_type: str, object_id: str, lock: bool = False) -> Approval | None:
    """The request that waits about an object."""
    rows = models.Approval.objects.filter(
        kind=kind, object_type=object_type, object_id=object_id, standing=Standing.WAITING.value
    )
    row = (rows.select_for_update() if lock else rows).first()
    return None if row is None else _record(row)


def waiting(*, now: datetime) -> list[Approval]:
    """All requests that wait and whose time has not run out, the oldest first."""
    rows = models.Approval.objects.filter(standing=Standing.WAITING.value, expires_at__gt=now).order_by("pk")
    return [_record(row) for row in rows]


def newest(*, limit: int) -> list[Approval]:
    """The newest requests, however they stand."""
    return [_record(row) for row in models.Approval.objects.order_by("-pk")[:limit]]


def run_out(*, now: datetime) -> list[Approval]:
    """Requests that wait and whose time has run out, locked; those that somebody decides right now are left out."""
    rows = models.Approval.objects.select_for_update(skip_locked=True)
    return [_record(row) for row in rows.filter(standing=Standing.WAITING.value, expires_at__lte=now).order_by("pk")]


def decide(approval_id: int, standing: Standing, *, by: Actor | None, at: datetime, answer: str) -> Approval:
    """Note what came of a request."""
    row = models.Approval.objects.get(pk=approval_id)
    row.standing, row.decided_at, row.answer = standing.value, at, answer
    row.decided_by = None if by is None else msgspec.to_builtins(by)
    row.save(update_fields=["standing", "decided_by", "decided_at", "answer"])
    return _record(row)
