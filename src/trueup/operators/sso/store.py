"""Queries on connections, whom they vouch for and what was asked of them; ORM objects stay here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from trueup.operators.models import SsoConnection, SsoIdentity, SsoRequest
from trueup.operators.sso.types import Connection, Kind, Pending, Purpose, Without
from trueup.operators.types import Role
from trueup.runtime import installation

_T = TypeVar("_T")
SECRET: Final = "operators_ssoconnection.client_secret"  # noqa: S105 - what a sealed value is for
ASKED: Final = "operators_ssorequest.sealed"


def to_connection(row: SsoConnection) -> Connection:
    """A connection without its secret."""
    return Connection(
        id=row.pk,
        name=row.name,
        kind=Kind(row.kind),
        issuer=row.issuer,
        client_id=row.client_id,
        has_secret=row.client_secret is not None,
        metadata_url=row.metadata_url,
        sign_in_url=row.sign_in_url,
        certificates=tuple(row.certificates),
        domains=tuple(row.domains),
        makes_people=row.makes_people,
        groups_claim=row.groups_claim,
        groups=tuple((group, tuple(map(Role, roles))) for group, roles in row.groups),
        without_group=Without(row.without_group),
        is_required=row.is_required,
        provider_factor=row.provider_factor,
        factor_words=tuple(row.factor_words),
        is_on=row.is_on,
        revision=row.revision,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def connections() -> list[Connection]:
    """All, by name."""
    return [to_connection(row) for row in SsoConnection.objects.order_by("name", "pk")]


def find(connection_id: int, *, lock: bool = False) -> Connection | None:
    """One, if there is it."""
    rows = SsoConnection.objects.filter(pk=connection_id)
    row = (rows.select_for_update() if lock else rows).first()
    return None if row is None else to_connection(row)


def insert(columns: dict[str, Any]) -> Connection:
    """A new connection, switched off."""
    row = SsoConnection(**columns)
    row.save(force_insert=True)
    row.refresh_from_db()
    return to_connection(row)


def update(connection_id: int, **columns: Any) -> Connection:
    """Change columns."""
    SsoConnection.objects.filter(pk=connection_id).update(**columns)
    return to_connection(SsoConnection.objects.get(pk=connection_id))


def delete(connection_id: int) -> None:
    """Forget a connection, whom it linked and what was asked of it."""
    SsoConnection.objects.filter(pk=connection_id).delete()


def sealed_secret(secret: str) -> bytes:
    """A client's secret as it is kept."""
    return installation.sealer().seal(secret.encode(), purpose=SECRET)


def secret(connection_id: int) -> str:
    """A client's secret; empty where there is none."""
    sealed = SsoConnection.objects.values_list("client_secret", flat=True).get(pk=connection_id)
    return "" if sealed is None else installation.sealer().open(bytes(sealed), purpose=SECRET).decode()


def linked(connection_id: int, subject: str) -> int | None:
    """Whom a provider means by a subject."""
    found = SsoIdentity.objects.filter(connection_id=connection_id, subject=subject)
    return found.values_list("operator_id", flat=True).first()


def subject_of(connection_id: int, operator_id: int) -> str | None:
    """What a provider calls a person."""
    found = SsoIdentity.objects.filter(connection_id=connection_id, operator_id=operator_id)
    return found.values_list("subject", flat=True).first()


def link(connection_id: int, operator_id: int, subject: str, *, now: datetime) -> None:
    """Note whom a provider means."""
    SsoIdentity.objects.create(
        connection_id=connection_id, operator_id=operator_id, subject=subject, linked_at=now, used_at=now
    )


def note_use(connection_id: int, subject: str, *, now: datetime) -> None:
    """Move the last use."""
    SsoIdentity.objects.filter(connection_id=connection_id, subject=subject).update(used_at=now)


def unlink(operator_id: int) -> list[int]:
    """Forget what any provider calls a person; returns the connections."""
    rows = SsoIdentity.objects.filter(operator_id=operator_id)
    found = list(rows.order_by("connection_id").values_list("connection_id", flat=True))
    rows.delete()
    return found


def connections_of(operator_id: int) -> list[Connection]:
    """Those that are switched on and linked with a person."""
    ids = SsoIdentity.objects.filter(operator_id=operator_id).values_list("connection_id", flat=True)
    rows = SsoConnection.objects.filter(pk__in=list(ids), is_on=True)
    return [to_connection(row) for row in rows.order_by("name", "pk")]


def insert_request(asked: Pending, *, handle: bytes) -> int:
    """Note that somebody was sent away; returns the number."""
    row = SsoRequest(
        connection_id=asked.connection_id,
        purpose=asked.purpose.value,
        operator_id=asked.operator_id,
        handle=handle,
        sealed=_sealed(asked),
        created_at=asked.created_at,
    )
    row.save(force_insert=True)
    return int(row.pk)


def _sealed(value: object) -> bytes:
    return installation.sealer().seal(msgspec.json.encode(value), purpose=ASKED)


def _opened(sealed: bytes | memoryview, type_: type[_T]) -> _T:
    return msgspec.json.decode(installation.sealer().open(bytes(sealed), purpose=ASKED), type=type_)


def request(handle: bytes, *, connection_id: int, since: datetime) -> tuple[Pending, bool] | None:
    """What was asked under this handle, not before ``since``, and whether it was answered already."""
    row = SsoRequest.objects.filter(handle=handle, connection_id=connection_id, created_at__gt=since).first()
    if row is None:
        return None
    if row.answered_at is not None:
        # What was asked made room for what was said.
        empty = {"nonce": "", "verifier": "", "callback": "", "entity": "", "next": ""}
        return _pending(row, empty), True
    return msgspec.structs.replace(_opened(row.sealed, Pending), id=row.pk), False


def _pending(row: SsoRequest, words: dict[str, str]) -> Pending:
    return Pending(
        id=row.pk,
        connection_id=row.connection_id,
        purpose=Purpose(row.purpose),
        operator_id=row.operator_id,
        created_at=row.created_at,
        **words,
    )


def take(request_id: int, *, now: datetime) -> bool:
    """Use a request up; False where somebody did before."""
    return bool(SsoRequest.objects.filter(pk=request_id, answered_at=None).update(answered_at=now))


def keep_answer(request_id: int, value: object, *, ticket: bytes) -> None:
    """Keep what was said, sealed, until the browser picks it up."""
    SsoRequest.objects.filter(pk=request_id).update(sealed=_sealed(value), ticket=ticket)


def ticketed(ticket: bytes, *, connection_id: int) -> int | None:
    """The number of the request whose answer waits under a ticket."""
    rows = SsoRequest.objects.filter(ticket=ticket, connection_id=connection_id)
    return rows.values_list("pk", flat=True).first()


def pick_up(request_id: int, type_: type[_T], *, since: datetime, now: datetime) -> _T | None:
    """The answer that was kept after ``since``, once; what is picked up is forgotten."""
    row = SsoRequest.objects.select_for_update().get(pk=request_id)
    if row.used_at is not None or row.answered_at is None or row.answered_at <= since:
        return None
    found = _opened(row.sealed, type_)
    row.used_at, row.sealed = now, _sealed(None)
    row.save(update_fields=["used_at", "sealed"])
    return found


def forget_requests_before(moment: datetime) -> None:
    """Drop what was asked long ago; rows that another drops are left to it."""
    old = SsoRequest.objects.select_for_update(skip_locked=True).filter(created_at__lte=moment)
    SsoRequest.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:1000])).delete()


def roles_words(groups: Iterable[tuple[str, Iterable[Role]]]) -> list[list[Any]]:
    """Pairs of a group and its roles, as the column keeps them."""
    return [[group, [role.value for role in roles]] for group, roles in groups]
