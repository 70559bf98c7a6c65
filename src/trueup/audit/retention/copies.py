"""What stands beside the database in files: the copy of the subjects' keys, and the ledger of erasures.

Backups of the database leave the keys out, so that whoever is erased here is erased in every backup, too. The copy is
replaced whole, and a key that was destroyed is in it no more; what else it holds stays, even if the database of the
moment does not know it, for that may be a new and empty one beside the backups of the old. The ledger is only appended
to. Both are of whoever runs Trueup, mode 0600; the keys in the copy are sealed by the installation's key.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import sleep
from typing import Final, TypeVar

import msgspec

from trueup.kernel.errors import Broken, Unavailable
from trueup.kernel.records import Record
from trueup.runtime import clock, configuration, durable
from trueup.runtime.postgres.home import synchronise
from trueup.runtime.postgres.locks import FileLock

KEYS: Final = "subject-keys"
LEDGER: Final = "erasures.jsonl"
LOCK: Final = ".retention"
PATIENCE: Final = 20.0
"""Seconds to wait for whoever else writes these files."""


class KeptKey(Record, frozen=True, order=True):
    """A subject's key as the database has it: sealed by the installation's."""

    key_id: int
    subject: str
    sealed: bytes


class Erasure(Record, frozen=True, order=True):
    """A subject whose values were erased."""

    at: datetime
    subject: str
    through: int
    """Keys of the subject with a number up to this one are destroyed."""


Line = TypeVar("Line", KeptKey, Erasure)


def folder() -> Path:
    """Where these files are: ``TRUEUP_AUDIT_DIR``, else ``audit`` in the home."""
    return configuration.current().audit_folder


@contextmanager
def held(place: Path) -> Iterator[None]:
    """Be the only one who changes the files; the folder is made when missing. ``Unavailable`` where that cannot be."""
    lock = FileLock(place / LOCK)
    until = clock.monotonic() + PATIENCE
    try:
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            while not lock.try_exclusive():
                if clock.monotonic() > until:
                    raise _unwritten("somebody else holds it")
                sleep(0.02)
            yield
        except OSError as error:
            raise _unwritten(error.strerror or type(error).__name__) from None
    finally:
        lock.close()


def keys(place: Path) -> set[KeptKey]:
    """The keys in the copy; none where there is no copy. ``Broken`` if it cannot be read."""
    return set(_read(place / KEYS, KeptKey))


def ledger(place: Path) -> list[Erasure]:
    """The erasures that are on record, in their order; none where there is no ledger.

    A line that was not written to its end does not count: whoever wrote it was not told that it succeeded.
    """
    return _read(place / LEDGER, Erasure, whole=False)


def destroyed(erasures: Iterable[Erasure]) -> dict[str, int]:
    """Up to which number the keys of each subject are destroyed."""
    found: dict[str, int] = {}
    for one in erasures:
        found[one.subject] = max(one.through, found.get(one.subject, 0))
    return found


def left(kept: Iterable[KeptKey], gone: Mapping[str, int]) -> set[KeptKey]:
    """The keys without those that are destroyed."""
    return {one for one in kept if one.key_id > gone.get(one.subject, 0)}


def replace_keys(place: Path, kept: Iterable[KeptKey]) -> None:
    """Replace the copy; for who holds the files. On return the disk has it, and the former one has no name."""
    durable.replace(place / KEYS, b"".join([msgspec.json.encode(one) + b"\n" for one in sorted(kept)]))


def append(place: Path, erasures: Sequence[Erasure]) -> None:
    """Add to the ledger; for who holds the files. On return the disk has it."""
    descriptor = os.open(place / LEDGER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        # What was cut short is written over: it is among what is added now.
        file.seek(file.read().rfind(b"\n") + 1)
        file.truncate()
        file.writelines(msgspec.json.encode(one) + b"\n" for one in erasures)
        file.flush()
        os.fsync(file.fileno())
    synchronise(place)


def _read(path: Path, kind: type[Line], *, whole: bool = True) -> list[Line]:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unwritten(error.strerror or type(error).__name__) from None
    *lines, rest = text.split(b"\n")
    if whole and rest:
        lines.append(rest)
    decoder = msgspec.json.Decoder(kind)
    try:
        return [decoder.decode(line) for line in lines]
    except msgspec.MsgspecError:
        raise Broken(
            f"{path} is damaged.",
            code="audit_copy_damaged",
            hint=f"Bring {path.name} back from where you keep a copy of it; see docs/runbooks/restore.md.",
        ) from None


def _unwritten(why: str) -> Unavailable:
    return Unavailable(
        f"The audit log's folder {folder()} cannot be used: {why}.",
        code="audit_copy_unwritten",
        hint="Make room there and let this user write to it. The worker tries again each minute.",
    )
