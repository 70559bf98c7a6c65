"""Queries on sessions; ORM objects stay here."""

from __future__ import annotations

from datetime import datetime

from trueup.operators.models import Session as Row
from trueup.operators.sessions import rules
from trueup.operators.sessions.types import End, Session
from trueup.operators.types import Role


def to_session(row: Row) -> Session:
    """A session with its two ends, by the roles its person has now."""
    limit = rules.limits(map(Role, row.operator.roles))
    last = row.opened_at + limit.absolute
    last = last if row.until is None else min(last, row.until)
    return Session(
        id=row.pk,
        operator_id=row.operator_id,
        client=row.client,
        device=row.device,
        opened_at=row.opened_at,
        used_at=row.used_at,
        ends_at=min(row.used_at + limit.idle, last),
        last_at=last,
    )


def insert(operator_id: int, *, client: str, device: str, now: datetime, until: datetime | None) -> Session:
    """A new session."""
    row = Row(operator_id=operator_id, client=client, device=device, opened_at=now, used_at=now, until=until)
    row.save(force_insert=True)
    return to_session(row)


def find(session_id: int, *, operator_id: int) -> tuple[Session, End | None] | None:
    """A session of this person and why it ended, if it did; None where there is no such."""
    row = Row.objects.select_related("operator").filter(pk=session_id, operator_id=operator_id).first()
    return None if row is None else (to_session(row), End(row.end) if row.end else None)


def note_use(session_id: int, *, client: str, now: datetime) -> None:
    """Move its last use to ``now``, unless that was less than a minute ago."""
    Row.objects.filter(pk=session_id, ended_at=None, used_at__lte=now - rules.NOTED).update(used_at=now, client=client)


def end(session_id: int, *, why: End, now: datetime) -> bool:
    """End one; False where it has ended already."""
    return bool(Row.objects.filter(pk=session_id, ended_at=None).update(ended_at=now, end=why.value))


def live(operator_id: int) -> list[Session]:
    """Those of a person that have not been ended, the last used first; some may be over by now."""
    rows = Row.objects.select_related("operator").filter(operator_id=operator_id, ended_at=None)
    return [to_session(row) for row in rows.order_by("-used_at", "-pk")]


def forget_before(moment: datetime) -> int:
    """Drop sessions that were opened before, however they ended; returns how many."""
    return int(Row.objects.filter(opened_at__lt=moment).delete()[0])
