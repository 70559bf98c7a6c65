"""Small files that appear whole or not at all, and are on the disk once a call returns: a power cut loses none."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

PRIVATE: int = 0o600


def create(path: Path, content: bytes, *, mode: int = PRIVATE) -> bool:
    """Write a file that is not there yet; False, with nothing done, where it is. Of several at once the first wins.

    Its folder is made where it is missing. ``OSError`` as the system gives it, a full disk for one.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = _written(path, content, mode)
    made = False
    try:
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
            made = True
    finally:
        fresh.unlink()
    _sync_folder(path.parent)
    return made


def replace(path: Path, content: bytes, *, mode: int = PRIVATE) -> None:
    """Write a file, or put this one in the place of what is there; whoever reads sees the one or the other, whole."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = _written(path, content, mode)
    try:
        fresh.replace(path)
    except OSError:
        fresh.unlink()
        raise
    _sync_folder(path.parent)


def _written(path: Path, content: bytes, mode: int) -> Path:
    """A file beside ``path`` with this content, on the disk."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        fresh.unlink()
        raise
    return fresh


def _sync_folder(folder: Path) -> None:
    # The name has to survive a power cut as well.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
