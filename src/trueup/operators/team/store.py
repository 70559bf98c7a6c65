"""Queries on invitations and on what people chose; ORM objects stay here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from trueup.kernel.actor import Actor
from trueup.operators import models
from trueup.operators.team.types import Invitation
from trueup.operators.types import Role


def _record(row: models.Invitation) -> Invitation:
    return Invitation(
        id=row.pk,
        email=row.email,
        name=row.name,
        roles=tuple(map(Role, row.roles)),
        made_by=msgspec.convert(row.made_by, Actor),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def insert_invitation(
    *, email: str, name: str, roles: Iterable[Role], digest: bytes, made_by: Actor, expires_at: datetime
) -> Invitation:
    """A new invitation, known by the digest of its link's secret."""
    row = models.Invitation(
        email=email,
        name=name,
        roles=[role.value for role in roles],
        digest=digest,
        made_by=msgspec.to_builtins(made_by),
        expires_at=expires_at,
    )
    row.save(force_insert=True)
    row.refresh_from_db()
    return _record(row)


def open_invitations() -> list[Invitation]:
    """Invitations that were neither accepted nor withdrawn, newest first; those whose time ran out too."""
    rows = models.Invitation.objects.filter(accepted_at=None, withdrawn_at=None).order_by("-pk")
    return [_record(row) for row in rows]


def open_invitation(invitation_id: int) -> Invitation | None:
    """The open invitation with this id, locked."""
    rows = models.Invitation.objects.select_for_update().filter(accepted_at=None, withdrawn_at=None)
    row = rows.filter(pk=invitation_id).first()
    return None if row is None else _record(row)


def invited(email: str) -> Invitation | None:
    """The open invitation of this address, in any case."""
    row = models.Invitation.objects.filter(accepted_at=None, withdrawn_at=None, email__iexact=email).first()
    return None if row is None else _record(row)


def by_digest(digest: bytes, *, now: datetime, lock: bool = False) -> Invitation | None:
    """The open invitation whose link has this secret, while it is good."""
    rows = models.Invitation.objects.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=now, digest=digest)
    row = (rows.select_for_update() if lock else rows).first()
    return None if row is None else _record(row)


def renew(invitation_id: int, *, digest: bytes, made_by: Actor, expires_at: datetime) -> Invitation:
    """Give an invitation another secret and another end."""
    row = models.Invitation.objects.get(pk=invitation_id)
    row.digest, row.expires_at, row.made_by = digest, expires_at, msgspec.to_builtins(made_by)
    row.save(update_fields=["digest", "expires_at", "made_by"])
    return _record(row)


def withdraw(invitation_id: int, *, now: datetime) -> None:
    """Note that an invitation was taken back."""
    models.Invitation.objects.filter(pk=invitation_id).update(withdrawn_at=now)


def accept(invitation_id: int, *, operator_id: int, now: datetime) -> None:
    """Note who an invitation became."""
    models.Invitation.objects.filter(pk=invitation_id).update(accepted_at=now, operator_id=operator_id)


def update_person(operator_id: int, **columns: object) -> None:
    """Change columns of a person."""
    models.Operator.objects.filter(pk=operator_id).update(**columns)
