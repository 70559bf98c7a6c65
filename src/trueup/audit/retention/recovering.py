"""What a restored database gets back from the files beside it: the keys of subjects, and the erasures since.

It runs on the restored database before anybody else does, so that nobody ever reads there who was erased.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trueup.audit import disclosures, subjects
from trueup.audit.retention import copies, waiting
from trueup.audit.retention.copies import Erasure, KeptKey
from trueup.kernel.records import Record
from trueup.runtime.crypto import Sealer, Unsealable

Connection = psycopg.Connection[tuple[Any, ...]]

RECORDED: Final = b"select at, subject, through from audit_erasure"
NOTE: Final = b"insert into audit_erasure (at, subject, through) values (%(at)s, %(subject)s, %(through)s)"
ERASE: Final = b"""
with erased as (
    select subject, max(through) as through from audit_erasure group by subject
), gone as (
    delete from audit_disclosure d using erased e where d.subject = e.subject and d.key_id <= e.through
    returning d.subject
)
select count(distinct subject), count(*) from gone
"""
UNDER: Final = b"""
select distinct on (subject, key_id) subject, key_id, digest, ciphertext from audit_disclosure
order by subject, key_id, entry_id desc
"""
RETURN: Final = b"""
insert into audit_subjectkey (key_id, subject, sealed) values (%(key_id)s, %(subject)s, %(sealed)b)
on conflict do nothing
"""
ADVANCE: Final = b"""
select setval('audit_subjectkey_key_id_seq', greatest(%(last)s, last_value + 1)) from audit_subjectkey_key_id_seq
"""


class Recovered(Record, frozen=True):
    """What the files gave back to a restored database."""

    subjects_erased: int
    """Subjects of whom it still told and who had been erased since."""
    values_erased: int
    keys_returned: int
    keys_missing: int
    """Subjects whose values it holds and nobody can open any more: their keys are not in the copy."""


def recover(connection: Connection, *, sealer: Sealer) -> Recovered:
    """Erase again whoever was erased, then bring back the keys of whoever is left; in the caller's transaction.

    ``Broken`` if the ledger or the copy is damaged. Safe to repeat: then nothing is left to do.
    """
    place = copies.folder()
    kept, known = copies.keys(place), copies.ledger(place)
    # Keys that this process has at hand are of the database that was there before.
    subjects.forget()
    cursor = psycopg.Cursor(connection)
    recorded = {Erasure(at=at, subject=subject, through=last) for at, subject, last in cursor.execute(RECORDED)}
    for one in known:
        if one not in recorded:
            cursor.execute(NOTE, {"at": one.at, "subject": one.subject, "through": one.through})
    waiting.take(connection)
    erased = cursor.execute(ERASE).fetchone() or (0, 0)
    # New keys get numbers that no key of any database beside these files had, so that none is taken for another.
    last = max([one.key_id for one in kept] + [one.through for one in known], default=0)
    cursor.execute(ADVANCE, {"last": last + 1})
    returned, missing = _return(cursor, copies.left(kept, copies.destroyed([*known, *recorded])), sealer)
    return Recovered(subjects_erased=erased[0], values_erased=erased[1], keys_returned=returned, keys_missing=missing)


def _return(cursor: psycopg.Cursor[tuple[Any, ...]], kept: set[KeptKey], sealer: Sealer) -> tuple[int, int]:
    """Insert the keys that values of the database are under; gives how many there were, and how many were not."""
    by_number: dict[tuple[str, int], list[KeptKey]] = {}
    for one in sorted(kept):
        by_number.setdefault((one.subject, one.key_id), []).append(one)
    returned = missing = 0
    for subject, key_id, digest, ciphertext in cursor.execute(UNDER).fetchall():
        # A database that was made anew beside the same files numbered its keys from the beginning again.
        for key in by_number.get((subject, key_id), ()):
            if _opens(key, bytes(ciphertext), digest, sealer):
                cursor.execute(RETURN, {"key_id": key_id, "subject": subject, "sealed": key.sealed})
                returned += cursor.rowcount
                break
        else:
            missing += 1
    return returned, missing


def _opens(key: KeptKey, ciphertext: bytes, digest: str, sealer: Sealer) -> bool:
    try:
        disclosures.unseal(ciphertext, digest, AESGCM(sealer.open(key.sealed, purpose=subjects.PURPOSE)))
    except (InvalidTag, Unsealable):
        return False
    return True
