"""Recording changes.

Every change of money, access, personal data, policy or configuration calls ``record`` in its own transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

import msgspec
import psycopg

from trueup.audit import store
from trueup.audit.types import Action, AuditEntry
from trueup.kernel.actor import Actor

REQUEST_ID: Final[ContextVar[str]] = ContextVar("audit_request_id", default="")
"""The request that causes what happens now; set by the surfaces, empty elsewhere."""
NEWEST: Final = 2**63 - 1


def record(
    connection: psycopg.Connection[tuple[Any, ...]],
    *,
    by: Actor,
    action: Action,
    object_type: str,
    object_id: str,
    why: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> int:
    """Write one entry and its pending row on the caller's connection; returns the entry's id.

    If the entry cannot be written the error leaves the caller's transaction unusable, so the change does not happen
    either.
    ``before`` and ``after`` hold what changed and never a secret.
    """
    return store.insert(
        connection,
        {
            "actor_kind": by.kind.value,
            "actor_id": by.id,
            "action": action.value,
            "object_type": object_type,
            "object_id": object_id,
            "why": why,
            "before": None if before is None else msgspec.json.encode(before).decode(),
            "after": None if after is None else msgspec.json.encode(after).decode(),
            "request_id": REQUEST_ID.get(),
        },
    )


def entries(
    connection: psycopg.Connection[tuple[Any, ...]],
    *,
    object_type: str = "",
    object_id: str = "",
    before_id: int = NEWEST,
    limit: int = 50,
) -> list[AuditEntry]:
    """Recorded changes, newest first, of one object or of all; ``before_id`` pages on."""
    return store.entries(connection, object_type=object_type, object_id=object_id, before_id=before_id, limit=limit)
