"""The folder that backups lie in: which are whole, what is left of killed ones, and how many are kept."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from trueup.kernel.errors import Conflict, NotFound, Refused
from trueup.ops.backups import manifest
from trueup.runtime import configuration
from trueup.runtime.postgres.home import synchronise
from trueup.runtime.postgres.locks import FileLock

NAME: Final = re.compile(r"trueup-\d{8}T\d{6}Z(-\d+)?")
PARTIAL: Final = ".partial"
DOOMED: Final = ".deleting"
LATEST: Final = "latest"


def default() -> Path:
    """Where backups go unless another place is named: ``TRUEUP_BACKUP_DIR``, else ``backups`` in the home."""
    return configuration.current().backup_folder


def whole(folder: Path) -> list[Path]:
    """The backups in a folder that were finished, newest first. What else lies there is not looked at."""
    try:
        found = [path for path in folder.iterdir() if NAME.fullmatch(path.name) and (path / manifest.FILE).is_file()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(found, key=lambda path: _order(path.name), reverse=True)


def named(backup: str, folder: Path) -> Path:
    """The backup that a person means: a path, a name in the folder, or ``latest``; raises ``NotFound``."""
    if backup == LATEST:
        for newest in whole(folder):
            return newest
        raise NotFound(
            f"There is no backup in {folder}.",
            code="backup_not_found",
            hint="Name the folder that they lie in with --from or in TRUEUP_BACKUP_DIR, or the backup's own.",
        )
    path = Path(backup).expanduser().absolute()
    return path if path.exists() or not NAME.fullmatch(backup) else folder / backup


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Be the only one who writes into the folder, which is made when missing; what killed backups left is removed.

    Raises ``Conflict`` while another backup is under way, and ``Refused`` when the folder cannot be written to.
    """
    lock = FileLock(folder / ".lock")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        taken = lock.try_exclusive()
    except OSError as error:
        raise Refused(
            f"The folder {folder} cannot be used for backups: {error.strerror}.",
            code="backup_folder_unusable",
            hint="Name one that this user may write to, with --to or in TRUEUP_BACKUP_DIR.",
        ) from None
    try:
        if not taken:
            raise Conflict(
                f"Another backup into {folder} is under way.",
                code="backup_running",
                hint="Wait for its end, or name another folder with --to.",
            )
        for left in folder.iterdir():
            if left.name.startswith(".trueup-") and left.suffix in {PARTIAL, DOOMED}:
                shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        lock.close()


def begun(folder: Path, at: datetime) -> tuple[Path, Path]:
    """A new folder to work in, mode 0700, and the name it gets when the backup is whole."""
    stem = f"trueup-{at:%Y%m%dT%H%M%SZ}"
    number = 1
    while (final := folder / (stem if number == 1 else f"{stem}-{number}")).exists():
        number += 1
    partial = folder / f".{final.name}{PARTIAL}"
    partial.mkdir(mode=0o700)
    return partial, final


def rotate(folder: Path, keep: int) -> list[str]:
    """Delete all whole backups but the newest ``keep``; gives the names of those that went. For who holds the folder.

    Each loses its name first, so that one half deleted is never taken for a whole one.
    """
    gone = []
    for path in whole(folder)[keep:]:
        doomed = folder / f".{path.name}{DOOMED}"
        path.rename(doomed)
        synchronise(folder)
        shutil.rmtree(doomed)
        gone.append(path.name)
    return gone


def _order(name: str) -> tuple[str, int]:
    stem, _, number = name.removeprefix("trueup-").partition("-")
    return stem, int(number or 1)
