"""Files that appear whole or not at all."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trueup.runtime import durable


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond ``size`` bytes; Python ignores the signal and writes fail instead."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_the_first_of_two_makers_wins(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key"

    assert durable.create(path, b"one")
    assert not durable.create(path, b"two")

    assert path.read_bytes() == b"one"
    assert names(path.parent) == ["key"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_takes_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "state"
    durable.replace(path, b"one")
    durable.replace(path, b"two", mode=0o644)

    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o644
    assert names(tmp_path) == ["state"]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "state"
    durable.replace(path, b"before")

    for write in (durable.replace, durable.create):
        with full_disk(4), pytest.raises(OSError, match="File too large"):
            write(path if write is durable.replace else tmp_path / "other", b"afterwards")

    assert path.read_bytes() == b"before"
    assert names(tmp_path) == ["state"]
