"""Queries on second factors, which stand in allauth's table; its rows stay here.

``data`` of an authenticator app is ``{"secret": sealed, "step": last used}``, of recovery codes ``{"digests": [...]}``
of those that are left, and of a passkey what allauth reads when it asks for one: ``{"name": ..., "credential": ...}``.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from allauth.mfa.models import Authenticator

from trueup.operators.factors.types import Factors, Passkey
from trueup.operators.models import Operator
from trueup.runtime import installation

APP: Final = Authenticator.Type.TOTP
PASSKEY: Final = Authenticator.Type.WEBAUTHN
CODES: Final = Authenticator.Type.RECOVERY_CODES
PURPOSE: Final = "mfa_authenticator.secret"


def lock(operator_id: int) -> None:
    """Let whoever changes or uses the factors of a person at the same time wait."""
    Operator.objects.select_for_update().filter(pk=operator_id).values_list("pk").first()


def factors(operator_id: int) -> Factors:
    """What a person has."""
    rows = list(Authenticator.objects.filter(user_id=operator_id).order_by("pk"))
    app = next((row for row in rows if row.type == APP), None)
    codes = next((row for row in rows if row.type == CODES), None)
    return Factors(
        app_added_at=None if app is None else app.created_at,
        app_used_at=None if app is None else app.last_used_at,
        passkeys=tuple(to_passkey(row) for row in rows if row.type == PASSKEY),
        codes_left=0 if codes is None else len(codes.data["digests"]),
        codes_made_at=None if codes is None else codes.created_at,
    )


def to_passkey(row: Authenticator) -> Passkey:
    """A passkey without its key."""
    return Passkey(id=row.pk, name=row.data["name"], added_at=row.created_at, used_at=row.last_used_at)


def has_factor(operator_id: int) -> bool:
    """Whether a person has an authenticator app or a passkey."""
    return bool(Authenticator.objects.filter(user_id=operator_id, type__in=[APP, PASSKEY]).exists())


def insert_app(operator_id: int, *, secret: str, step: int, now: datetime) -> None:
    """Keep an app's secret, sealed, with the step that was used to show it."""
    sealed = base64.b64encode(installation.sealer().seal(secret.encode(), purpose=PURPOSE)).decode()
    _insert(operator_id, APP, {"secret": sealed, "step": step}, now=now)


def app(operator_id: int) -> tuple[str, int] | None:
    """An app's secret, and the step that was used last; None without one."""
    row = _one(operator_id, APP)
    if row is None:
        return None
    sealed = base64.b64decode(row.data["secret"])
    return installation.sealer().open(sealed, purpose=PURPOSE).decode(), int(row.data["step"])


def note_app_used(operator_id: int, *, step: int, now: datetime) -> None:
    """Keep the step that was used last."""
    row = _one(operator_id, APP)
    if row is not None:
        row.data["step"], row.last_used_at = step, now
        row.save(update_fields=["data", "last_used_at"])


def remove_app(operator_id: int) -> bool:
    """Drop an app's secret; False where there is none."""
    return bool(Authenticator.objects.filter(user_id=operator_id, type=APP).delete()[0])


def insert_passkey(operator_id: int, *, name: str, credential: dict[str, Any], now: datetime) -> Passkey:
    """Keep a passkey's public key as the browser told it."""
    return to_passkey(_insert(operator_id, PASSKEY, {"name": name, "credential": credential}, now=now))


def passkey(passkey_id: int, *, operator_id: int) -> Passkey | None:
    """A passkey of this person."""
    row = Authenticator.objects.filter(pk=passkey_id, user_id=operator_id, type=PASSKEY).first()
    return None if row is None else to_passkey(row)


def rename_passkey(passkey_id: int, name: str) -> None:
    """Call a passkey something else."""
    row = Authenticator.objects.get(pk=passkey_id)
    row.data["name"] = name
    row.save(update_fields=["data"])


def note_passkey_used(passkey_id: int, *, now: datetime) -> None:
    """Move its last use."""
    Authenticator.objects.filter(pk=passkey_id).update(last_used_at=now)


def remove_passkey(passkey_id: int) -> None:
    """Drop a passkey."""
    Authenticator.objects.filter(pk=passkey_id, type=PASSKEY).delete()


def replace_codes(operator_id: int, digests: Sequence[str], *, now: datetime) -> None:
    """Keep the digests of new recovery codes in the place of all former ones."""
    remove_codes(operator_id)
    _insert(operator_id, CODES, {"digests": list(digests)}, now=now)


def take_code(operator_id: int, digest: str, *, now: datetime) -> bool:
    """Use a recovery code up; False where there is no such code left."""
    row = _one(operator_id, CODES)
    if row is None or digest not in row.data["digests"]:
        return False
    row.data["digests"].remove(digest)
    row.last_used_at = now
    row.save(update_fields=["data", "last_used_at"])
    return True


def remove_codes(operator_id: int) -> None:
    """Drop the recovery codes."""
    Authenticator.objects.filter(user_id=operator_id, type=CODES).delete()


def remove_all(operator_id: int) -> int:
    """Drop everything; returns how many second factors there were, without the recovery codes."""
    remove_codes(operator_id)
    return int(Authenticator.objects.filter(user_id=operator_id).delete()[0])


def _one(operator_id: int, kind: str) -> Authenticator | None:
    return Authenticator.objects.filter(user_id=operator_id, type=kind).first()


def _insert(operator_id: int, kind: str, data: dict[str, Any], *, now: datetime) -> Authenticator:
    row = Authenticator(user_id=operator_id, type=kind, data=data, created_at=now)
    row.save(force_insert=True)
    return row
