"""Statements of the audit log, on the caller's psycopg connection: an entry lives and dies with what it describes.

This file loads no Django, because the intake records too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

import msgspec
import psycopg

from trueup.kernel.records import Record

INSERT: Final = """
insert into audit_unsealed (entry_id, at, livemode, actor_kind, actor_id, behind_kind, behind_id, action, object_type,
                            object_id, request_id, body, told)
values (nextval('audit_logentry_id_seq'), %(at)s, %(livemode)s, %(actor_kind)s, %(actor_id)s, %(behind_kind)s,
        %(behind_id)s, %(action)s, %(object_type)s, %(object_id)s, %(request_id)s, %(body)b, {told})
returning entry_id
"""
PLAIN: Final = INSERT.format(told="null").encode()

RESEAL: Final = b"update audit_unsealed set told = %(told)s where entry_id = %(entry_id)s"

WRITTEN: Final = (
    "at, livemode, actor_kind, actor_id, behind_kind, behind_id, action, object_type, object_id, request_id, body"
)
"""An entry's columns but for its id, which are the same in the log and while it waits."""
COLUMNS: Final = f"e.id, {', '.join(f'e.{name}' for name in WRITTEN.split(', '))}"
LOG: Final = f"""(
    select id, {WRITTEN} from audit_logentry
    union all
    select entry_id, {WRITTEN} from audit_unsealed where body is not null
)"""  # noqa: S608 - names of our own columns
"""All entries, those included that still wait for the sequencer: each is in one of the two at any moment."""
VALUES: Final = """(
    select entry_id, digest, subject, key_id, ciphertext from audit_disclosure
    union all
    select u.entry_id, v.digest, v.subject, v.key_id, decode(v.ciphertext, 'base64')
    from audit_unsealed u, json_to_recordset(u.told::json)
        as v (digest text, subject text, key_id bigint, ciphertext text)
)"""
"""All personal values, those included that still wait beside their entry for the sequencer."""
DISCLOSURES: Final = (
    f"select entry_id, digest, subject, key_id, ciphertext from {VALUES} d where entry_id = any(%(ids)b)"  # noqa: S608 - our own text
)


_encoder: Final = msgspec.json.Encoder()


class Row(Record, frozen=True):
    """An entry as it is stored."""

    id: int
    at: datetime
    livemode: bool
    actor_kind: str
    actor_id: str
    behind_kind: str
    behind_id: str
    action: str
    object_type: str
    object_id: str
    request_id: str
    body: bytes


class Sealed(Record, frozen=True):
    """A disclosure as it is stored, under the key of its subject with that number."""

    digest: str
    subject: str
    key_id: int
    ciphertext: bytes


@cache
def _insert_disclosing(keys: int) -> bytes:
    """The statement that writes an entry with values under so many keys, and says how many of the keys still stand."""
    stand = " + ".join(
        f"(exists (select from audit_subjectkey where key_id = %(key_id_{n})s and subject = %(subject_{n})s))::int"
        for n in range(keys)
    )
    return f"{INSERT.format(told='%(told)s').rstrip()}, {stand}".encode()


def insert(connection: psycopg.Connection[tuple[Any, ...]], values: Mapping[str, Any]) -> int:
    """Write an entry, which waits for the sequencer; returns its id."""
    row = psycopg.Cursor(connection).execute(PLAIN, values).fetchone()
    return int(row[0]) if row else 0


def insert_disclosing(
    connection: psycopg.Connection[tuple[Any, ...]], values: Mapping[str, Any], sealed: Sequence[Sealed]
) -> tuple[int, bool]:
    """The same with personal values, in one statement; returns the entry's id, and whether all their keys still stand.

    They wait beside the entry, and the sequencer puts them where they are found and erased by subject: whoever makes a
    change writes one row for them, however many they are.
    """
    keys = {one.key_id: one.subject for one in sealed}
    given = {**values, "told": _told(sealed)}
    for n, (key_id, subject) in enumerate(keys.items()):
        given[f"key_id_{n}"] = key_id
        given[f"subject_{n}"] = subject
    row = psycopg.Cursor(connection).execute(_insert_disclosing(len(keys)), given).fetchone()
    return (int(row[0]), int(row[1]) == len(keys)) if row else (0, True)


def reseal(connection: psycopg.Connection[tuple[Any, ...]], entry_id: int, sealed: Sequence[Sealed]) -> None:
    """Put the values of an entry that this transaction wrote under other keys."""
    psycopg.Cursor(connection).execute(RESEAL, {"entry_id": entry_id, "told": _told(sealed)})


def _told(sealed: Sequence[Sealed]) -> str:
    """Values as they wait: one text, which costs whoever writes it nothing; the sequencer takes it apart."""
    return _encoder.encode(sealed).decode()


def entries(
    connection: psycopg.Connection[tuple[Any, ...]],
    wanted: Mapping[str, Any],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int,
    limit: int,
) -> list[Row]:
    """Entries with these values in their columns, of that span, newest first."""
    values: dict[str, Any] = {"before_id": before_id, "limit": limit, "since": since, "until": until, **wanted}
    conditions = ["e.id < %(before_id)s", *(f"e.{name} = %({name})s" for name in wanted)]
    if since is not None:
        conditions.append("e.at >= %(since)s")
    if until is not None:
        conditions.append("e.at < %(until)s")
    statement = f"select {COLUMNS} from {LOG} e where {' and '.join(conditions)} order by e.id desc limit %(limit)s"  # noqa: S608 - names of our own columns
    return [to_row(row) for row in psycopg.Cursor(connection).execute(statement.encode(), values).fetchall()]


def entry(connection: psycopg.Connection[tuple[Any, ...]], entry_id: int) -> Row | None:
    """One entry."""
    statement = f"select {COLUMNS} from {LOG} e where e.id = %s"  # noqa: S608 - names of our own columns
    row = psycopg.Cursor(connection).execute(statement.encode(), (entry_id,)).fetchone()
    return None if row is None else to_row(row)


def to_row(row: tuple[Any, ...]) -> Row:
    """An entry from ``COLUMNS``."""
    fields = dict(zip(Row.__struct_fields__, row, strict=True))
    return Row(**fields | {"body": bytes(fields["body"])})


def sealed_of(connection: psycopg.Connection[tuple[Any, ...]], entry_ids: Sequence[int]) -> dict[int, list[Sealed]]:
    """The disclosures that are left of these entries."""
    found: dict[int, list[Sealed]] = {}
    rows = psycopg.Cursor(connection).execute(DISCLOSURES.encode(), {"ids": list(entry_ids)}).fetchall()
    for entry_id, digest, subject, key_id, ciphertext in rows:
        one = Sealed(digest=digest, subject=subject, key_id=key_id, ciphertext=bytes(ciphertext))
        found.setdefault(entry_id, []).append(one)
    return found
