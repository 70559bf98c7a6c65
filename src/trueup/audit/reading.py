"""From stored entries to what people and programs read: bodies parsed, personal values opened where they may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import psycopg
from cryptography.exceptions import InvalidTag

from trueup.audit import disclosures, store, subjects
from trueup.audit.store import Row, Sealed
from trueup.audit.types import AuditEntry, Phase
from trueup.runtime import logs

log = logs.get(__name__)


class Body(msgspec.Struct, frozen=True):
    """The parts of an entry's bytes that stand in no column as well."""

    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    facts: tuple[str, ...] = ()
    intent: int | None = None
    phase: Phase = Phase.DONE
    digests: dict[str, str] = msgspec.field(name="_sd", default_factory=dict)


def read(
    connection: psycopg.Connection[tuple[Any, ...]], rows: Sequence[Row], *, opened: bool = False
) -> list[AuditEntry]:
    """Entries as they are read; with ``opened`` the personal values that are left stand in their places."""
    sealed = store.sealed_of(connection, [row.id for row in rows]) if opened else {}
    wanted = sorted({one.subject for found in sealed.values() for one in found})
    keys = subjects.existing(connection, wanted) if wanted else {}
    return [of(row, _values(sealed.get(row.id, []), keys)) for row in rows]


def of(row: Row, values: Mapping[str, Any]) -> AuditEntry:
    """An entry from its row, with these values in the places of their names."""
    body = decoded(row.body)
    told: dict[str, Any] = {"before": body.before, "after": body.after, "why": "", "origin": ""}
    for name, value in values.items():
        side, _, field = name.partition(".")
        if field:
            told[side] = {**(told[side] or {}), field: value}
        else:
            told[side] = value
    return AuditEntry(
        id=row.id,
        at=row.at,
        livemode=row.livemode,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        behind_kind=row.behind_kind,
        behind_id=row.behind_id,
        action=row.action,
        object_type=row.object_type,
        object_id=row.object_id,
        request_id=row.request_id,
        facts=body.facts,
        intent=body.intent,
        phase=body.phase,
        hidden=tuple(name for name in sorted(body.digests) if name not in values),
        body=row.body,
        **told,
    )


def decoded(body: bytes) -> Body:
    """What an entry's bytes say; nothing for those that are no entry any more, because a superuser altered them.

    Such an entry is still listed, by its columns: whoever looks for it has to find it.
    """
    try:
        return msgspec.json.decode(body, type=Body)
    except msgspec.MsgspecError:
        return Body()


def _values(sealed: Sequence[Sealed], keys: Mapping[str, Any]) -> dict[str, Any]:
    """What these disclosures tell, by place; what does not open any more is left out."""
    found: dict[str, Any] = {}
    for one in sealed:
        key = keys.get(one.subject)
        if key is None or key.key_id != one.key_id:
            continue
        try:
            text = disclosures.unseal(one.ciphertext, one.digest, key.cipher)
        except InvalidTag:
            log.error("audit.disclosure_damaged", digest=one.digest)
            continue
        if disclosures.digest_of(text) == one.digest:
            name, value = disclosures.read(text)
            found[name] = value
    return found
