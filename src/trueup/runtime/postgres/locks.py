"""File locks that vanish with the process that holds them, however it ends."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class FileLock:
    """An ``flock`` on one file. A child forked without ``exec`` shares it; a child started with ``exec`` does not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._held = False

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._held

    def try_shared(self) -> bool:
        """Take the lock beside other sharers; false when somebody holds it exclusively."""
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Take the lock alone; false when anybody else holds it."""
        return self._try(fcntl.LOCK_EX)

    def named(self) -> bool:
        """Whether the path still leads to the file that was opened; false once the folder was removed or replaced."""
        if self._descriptor is None:
            return False
        try:
            there = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return os.path.samestat(there, os.fstat(self._descriptor))

    def inherit(self) -> None:
        """Let the lock live on in what this process turns into by ``exec``, until that ends."""
        if self._descriptor is not None:
            os.set_inheritable(self._descriptor, True)  # noqa: FBT003 - the standard library's signature

    def close(self) -> None:
        """Give the lock up by closing the file, so that a forked child that shares it keeps it. Idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor, self._held = None, False

    def _try(self, kind: int) -> bool:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._held = True
        return True


def is_held_exclusively(path: Path) -> bool:
    """Whether somebody holds the lock alone at this moment; looking takes it shared for an instant."""
    probe = FileLock(path)
    try:
        return not probe.try_shared()
    finally:
        probe.close()


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock in any way at this moment; looking takes it exclusively for an instant."""
    probe = FileLock(path)
    try:
        return probe.try_exclusive()
    finally:
        probe.close()
