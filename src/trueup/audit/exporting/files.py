"""A folder that is written whole: each file once, with its hash, and the folder gets its name when all are there."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from trueup.kernel.errors import Conflict, Unavailable
from trueup.kernel.records import Record

Tell = Callable[[str, int, int], None]
"""Hears what is done, and how much of how much of it; a total of 0 is not known."""
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The moment that every file in an archive bears: two of the same log have the same bytes."""


class Written(Record, frozen=True):
    """A file as it was written."""

    bytes: int
    sha256: str


class Files:
    """What is written into a folder, by the path inside it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[Path] = set()
        self.written: dict[str, Written] = {}

    def write(self, path: str, content: bytes) -> None:
        """Write a file that is not there yet."""
        self._ready(path).write_bytes(content)
        self.written[path] = Written(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())

    def write_lines(self, path: str, lines: Iterator[bytes]) -> None:
        """Write a file piece by piece; one without any is not made."""
        digest, size = hashlib.sha256(), 0
        with self._ready(path).open("wb") as file:
            for line in lines:
                file.write(line)
                digest.update(line)
                size += len(line)
        if size:
            self.written[path] = Written(bytes=size, sha256=digest.hexdigest())
        else:
            (self._folder / path).unlink()

    def _ready(self, path: str) -> Path:
        file = self._folder / path
        if file.parent not in self._made:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._made.add(file.parent)
        return file


@contextmanager
def whole(folder: Path) -> Iterator[Files]:
    """Write a folder that appears under its name, mode 0700, once the block has ended well, and else not at all.

    ``Conflict`` where something is there already that is not an empty folder, ``Unavailable`` where there is no room
    or it may not be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(
            f"{folder} is not empty.", code="audit_export_exists", hint="Name a folder that is not there yet."
        )
    staged = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(mode=0o700, parents=True)
        yield Files(staged)
        staged.rename(folder)
    except OSError as error:
        raise Unavailable(
            f"The export could not be written: {error.strerror or error}.",
            code="audit_export_unwritten",
            hint="Make room there, or name another folder. Nothing half is left.",
        ) from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def archive(folder: Path, tell: Tell) -> Path:
    """Pack a folder into ``<folder>.zip`` beside it, mode 0600, and give its path; the folder stays.

    Of the same files the same bytes are made by the same version of zlib. ``Conflict`` where the file is there.
    """
    target = folder.with_name(f"{folder.name}.zip")
    if target.exists():
        raise Conflict(f"{target} is there already.", code="audit_export_exists", hint="Move it away first.")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    staged = target.with_name(f".{target.name}.partial")
    try:
        with zipfile.ZipFile(staged, "w", zipfile.ZIP_DEFLATED) as packed:
            staged.chmod(0o600)
            for number, path in enumerate(paths, start=1):
                about = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", EPOCH)
                about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
                packed.writestr(about, path.read_bytes())
                tell("Packing", number, len(paths))
        staged.rename(target)
    except OSError as error:
        raise Unavailable(
            f"The archive could not be written: {error.strerror or error}.",
            code="audit_export_unwritten",
            hint="Make room there. The export's folder is whole.",
        ) from None
    finally:
        staged.unlink(missing_ok=True)
    return target
