"""The keys that personal values are under: one for each subject, so that destroying it erases them wherever they are.

A key is random, sealed by the installation's key, and is left out of database backups. It is kept in memory for a
while; whoever writes with one that was destroyed meanwhile finds out in the same statement.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trueup.kernel.errors import Broken
from trueup.kernel.records import Record
from trueup.runtime.crypto import Sealer

KEY_BYTES: Final = 32
PURPOSE: Final = "audit_subjectkey.sealed"
HELD: Final = 10_000
"""Keys of subjects that a process keeps at hand."""

FIND: Final = b"select subject, key_id, sealed from audit_subjectkey where subject = any(%(subjects)s)"
ADD: Final = b"""
insert into audit_subjectkey (subject, sealed) values (%(subject)s, %(sealed)b) on conflict (subject) do nothing
"""


class SubjectKey(Record, frozen=True):
    """A subject's key, by the number of its row: one that was made again after an erasure has another."""

    key_id: int
    cipher: AESGCM


_sealers: list[Callable[[], Sealer]] = []
"""What gives the installation's sealer; the process is told at its start, because this file loads no configuration."""
_held: OrderedDict[str, SubjectKey] = OrderedDict()
_lock: Final = threading.Lock()


def sealed_by(sealer: Callable[[], Sealer]) -> None:
    """Name what gives the installation's sealer, which the keys of subjects are under."""
    _sealers[:] = [sealer]


def _sealer() -> Sealer:
    if not _sealers:
        raise Broken("This process has no key to keep personal values under.", code="audit_sealer_missing")
    return _sealers[0]()


def at_hand(subjects: Sequence[str]) -> dict[str, SubjectKey]:
    """The keys of these subjects that this process knows; they may have been destroyed since."""
    with _lock:
        return {subject: _held[subject] for subject in subjects if subject in _held}


def keys_for(connection: psycopg.Connection[tuple[Any, ...]], subjects: Sequence[str]) -> dict[str, SubjectKey]:
    """The keys of all these subjects as the database has them now; whoever has none gets one.

    A key that is made here is the caller's transaction's, so it is not kept at hand before somebody reads it again.
    """
    found = existing(connection, subjects)
    missing = [subject for subject in dict.fromkeys(subjects) if subject not in found]
    for subject in sorted(missing):
        sealed = _sealer().seal(secrets.token_bytes(KEY_BYTES), purpose=PURPOSE)
        psycopg.Cursor(connection).execute(ADD, {"subject": subject, "sealed": sealed})
    return found | _read(connection, missing) if missing else found


def existing(connection: psycopg.Connection[tuple[Any, ...]], subjects: Sequence[str]) -> dict[str, SubjectKey]:
    """The keys that these subjects have; those without one, erased or never recorded, are missing."""
    found = _read(connection, subjects)
    with _lock:
        for subject in subjects:
            _held.pop(subject, None)
        _held.update(found)
        while len(_held) > HELD:
            _held.popitem(last=False)
    return found


def forget() -> None:
    """Let go of all keys at hand."""
    with _lock:
        _held.clear()


def _read(connection: psycopg.Connection[tuple[Any, ...]], subjects: Sequence[str]) -> dict[str, SubjectKey]:
    if not subjects:
        return {}
    rows = psycopg.Cursor(connection).execute(FIND, {"subjects": list(subjects)}).fetchall()
    return {
        subject: SubjectKey(key_id=key_id, cipher=AESGCM(_sealer().open(bytes(sealed), purpose=PURPOSE)))
        for subject, key_id, sealed in rows
    }
