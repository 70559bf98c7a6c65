"""Statements of the audit log, on the caller's psycopg connection: an entry lives and dies with what it describes.

This file loads no Django, because the intake records too.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import psycopg

from trueup.audit.types import AuditEntry

INSERT: Final = b"""
with entry as (
    insert into audit_entry (actor_kind, actor_id, action, object_type, object_id, why, before, after, request_id)
    values (%(actor_kind)s, %(actor_id)s, %(action)s, %(object_type)s, %(object_id)s, %(why)s,
            %(before)s::text::jsonb, %(after)s::text::jsonb, %(request_id)s)
    returning id
)
insert into audit_pending (entry_id) select id from entry returning entry_id
"""

SELECT: Final = b"""
select id, at, actor_kind, actor_id, action, object_type, object_id, why, before::text, after::text, request_id
from audit_entry
where (%(object_type)s = '' or object_type = %(object_type)s) and (%(object_id)s = '' or object_id = %(object_id)s)
  and id < %(before_id)s order by id desc limit %(limit)s
"""


def insert(connection: psycopg.Connection[tuple[Any, ...]], values: dict[str, Any]) -> int:
    """Write an entry and its pending row; returns the entry's id."""
    row = psycopg.Cursor(connection).execute(INSERT, values).fetchone()
    return int(row[0]) if row else 0


def entries(
    connection: psycopg.Connection[tuple[Any, ...]], *, object_type: str, object_id: str, before_id: int, limit: int
) -> list[AuditEntry]:
    """Entries, newest first; empty strings match all."""
    values = {"object_type": object_type, "object_id": object_id, "before_id": before_id, "limit": limit}
    rows = psycopg.Cursor(connection).execute(SELECT, values).fetchall()
    return [to_entry(row) for row in rows]


def to_entry(row: tuple[Any, ...]) -> AuditEntry:
    """An entry from ``SELECT``. The JSON comes as text: Django's connections read it otherwise than plain ones do."""
    fields = dict(zip(AuditEntry.__struct_fields__, row, strict=True))
    return AuditEntry(
        **{name: _json(value) if name in {"before", "after"} else value for name, value in fields.items()}
    )


def _json(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)
