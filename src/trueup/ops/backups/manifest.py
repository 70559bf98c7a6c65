"""What a backup says of itself, and whether its files are what they were."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from trueup.kernel.errors import NotFound, Refused
from trueup.kernel.records import Record

FORMAT: Final = "trueup-backup/1"
FILE: Final = "manifest.json"
DUMP: Final = "dump"
"""The folder inside a backup that ``pg_dump`` wrote, in its directory format."""
CHUNK: Final = 1 << 20

Tell = Callable[[str, int, int], None]
"""Hears what is done, and how much of how much of it; a total of 0 is not known."""


class BackupDamaged(Refused):
    """A backup is not what it was when it was made."""

    code = "backup_damaged"


class File(Record, frozen=True):
    """One file of a backup."""

    bytes: int
    sha256: str


class Newest(Record, frozen=True):
    """The event of the log that was received last."""

    event_id: str
    created: datetime
    """When it happened, by Stripe's clock."""
    received_at: datetime
    """When it was stored here; what came later is not in the backup."""


class Manifest(Record, frozen=True):
    """What is in a backup; it is written last, so a backup without one is none."""

    format: str
    name: str
    taken_at: datetime
    """The moment, by the database's clock, that all of it shows: what was committed before is in, nothing else is."""
    trueup: str
    postgres: int
    """The server's version as libpq counts, such as 180001."""
    program: int
    """The major version of the ``pg_dump`` that wrote it; an older ``pg_restore`` may not read it."""
    schema: str
    migrations: dict[str, list[str]]
    """What was applied, by app."""
    rows: dict[str, int]
    """Rows of every table at that moment, in the same snapshot."""
    left_out: list[str]
    """Tables of which only the shape is kept."""
    newest_event: Newest | None
    key: str | None
    """The id (not the key) of the key that opens its sealed secrets; none when nobody had it when it was made."""
    readers: list[str]
    """Roles that could read the views, to be let in again: a backup holds no roles."""
    database_bytes: int
    bytes: int
    """Of all files together."""
    seconds: float
    """How long it took."""
    files: dict[str, File]
    """By their path inside the backup."""
    digest: str = ""
    """SHA-256 of this manifest with this field empty."""


def sealed(manifest: Manifest) -> Manifest:
    """The same with its digest."""
    bare = msgspec.structs.replace(manifest, digest="")
    return msgspec.structs.replace(bare, digest=hashlib.sha256(msgspec.json.encode(bare)).hexdigest())


def read(backup: Path) -> Manifest:
    """The manifest of a backup.

    Raises ``NotFound`` where there is no whole backup, ``BackupDamaged`` when the manifest was changed, and ``Refused``
    when a newer Trueup wrote it in a way that this one does not know.
    """
    try:
        text = (backup / FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(
            f"{backup} is no whole backup: there is no {FILE} in it.",
            code="backup_not_found",
            hint="`trueup backups` lists those that are whole.",
        ) from None
    except OSError as error:
        raise Refused(
            f"{backup / FILE} cannot be read: {error.strerror}.",
            code="backup_unreadable",
            hint="Backups belong to who made them, mode 0600; run the command as that user.",
        ) from None
    try:
        said = msgspec.json.decode(text)
        if isinstance(said, dict) and said.get("format", FORMAT) != FORMAT:
            raise Refused(
                f"{backup.name} is written as {said['format']}, and this Trueup reads {FORMAT}.",
                code="backup_newer",
                hint="Restore it with the Trueup that made it, or a newer one.",
            )
        manifest = msgspec.convert(said, Manifest)
    except msgspec.MsgspecError:
        raise _damaged(backup, f"its {FILE} cannot be read") from None
    if sealed(manifest).digest != manifest.digest:
        raise _damaged(backup, f"its {FILE} was changed")
    return manifest


def verify(backup: Path, manifest: Manifest, tell: Tell) -> None:
    """Raise ``BackupDamaged`` unless every file is there with its bytes, and no other."""
    there = set(inside(backup))
    for path in sorted(there ^ manifest.files.keys()):
        raise _damaged(backup, f"{path} {'is not of it' if path in there else 'is missing'}")
    done = 0
    for path, file in manifest.files.items():
        found = described(backup / path)
        if found != file:
            raise _damaged(backup, f"{path} has other bytes than when it was made")
        done += file.bytes
        tell("Verifying", done, manifest.bytes)


def described(path: Path, *, durable: bool = False) -> File:
    """A file's size and hash; ``durable`` waits until the disk has it."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
            size += len(piece)
        if durable:
            os.fsync(file.fileno())
    return File(bytes=size, sha256=digest.hexdigest())


def inside(backup: Path) -> list[str]:
    """The paths of all files of a backup but the manifest's, in order."""
    files = (path for path in backup.rglob("*") if not path.is_dir())
    return sorted(found for path in files if (found := path.relative_to(backup).as_posix()) != FILE)


def _damaged(backup: Path, what: str) -> BackupDamaged:
    return BackupDamaged(
        f"{backup.name} is damaged: {what}.",
        hint="Nothing was restored. Bring it back from where you keep a copy, or take an older one (`trueup backups`).",
    )
