"""Personal values that wait beside their entries for the sequencer, put where all others are.

Whoever erases or restores does it first, and has one table to look at afterwards.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg

# Waits for a sequencer that has them in hand: its rows are gone then, and their values where they belong.
TAKE: Final = b"""
with waiting as materialized (
    select u.entry_id, u.told from audit_unsealed u
    where u.told is not null and (
        %(subject)s::text is null
        or exists (select from json_to_recordset(u.told::json) as v (subject text) where v.subject = %(subject)s)
    )
    order by u.entry_id for update
), told as (
    insert into audit_disclosure (entry_id, digest, subject, key_id, ciphertext)
    select w.entry_id, v.digest, v.subject, v.key_id, decode(v.ciphertext, 'base64')
    from waiting w, json_to_recordset(w.told::json) as v (digest text, subject text, key_id bigint, ciphertext text)
)
update audit_unsealed u set told = null from waiting w where u.entry_id = w.entry_id
"""


def take(connection: psycopg.Connection[tuple[Any, ...]], *, subject: str | None = None) -> int:
    """Put the values of entries that speak of this subject, or all, into their table; gives of how many entries."""
    return psycopg.Cursor(connection).execute(TAKE, {"subject": subject}).rowcount
