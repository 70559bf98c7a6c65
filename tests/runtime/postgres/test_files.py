"""Locks, logs and files, without a server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.postgres.clusters import SOURCES
from trueup.runtime.postgres.home import bound, tail, write_atomically
from trueup.runtime.postgres.initialisation import memory, tuning
from trueup.runtime.postgres.locks import FileLock, is_free, is_held_exclusively


def test_sharers_share_and_keep_out_who_wants_the_lock_alone(tmp_path: Path) -> None:
    first, second, alone = (FileLock(tmp_path / "use") for _ in range(3))

    assert first.try_shared()
    assert second.try_shared()
    assert not alone.try_exclusive()
    first.close()
    assert not alone.try_exclusive()
    second.close()
    assert alone.try_exclusive()
    assert not second.try_shared()
    assert (alone.held, first.held, second.held) == (True, False, False)
    assert is_held_exclusively(tmp_path / "use")
    assert not is_free(tmp_path / "use")
    alone.close()
    assert not is_held_exclusively(tmp_path / "use")
    assert is_free(tmp_path / "use")


def test_a_lock_knows_when_its_file_was_replaced(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "run" / "use")
    (tmp_path / "run").mkdir()
    assert not lock.named()
    assert lock.try_shared()
    assert lock.named()

    (tmp_path / "run").rename(tmp_path / "old")
    assert not lock.named()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "use").touch()
    assert not lock.named()
    lock.close()


@pytest.mark.parametrize("inherited", [True, False])
def test_a_lock_goes_through_exec_only_when_asked_to(tmp_path: Path, *, inherited: bool) -> None:
    program = (
        "import os, pathlib, sys\n"
        "from trueup.runtime.postgres.locks import FileLock\n"
        "lock = FileLock(pathlib.Path(sys.argv[1]))\n"
        "lock.try_shared()\n"
        f"{'lock.inherit()' if inherited else ''}\n"
        "os.execv('/bin/sh', ['sh', '-c', 'echo became; read word'])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "use")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(SOURCES)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"became\n"

        assert is_free(tmp_path / "use") is not inherited
        process.communicate(b"\n")
    assert is_free(tmp_path / "use")


def test_a_log_moves_aside_when_it_is_too_long_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "postgres.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old line\n" * 1000)
        bound(log, limit=9_000)
        assert log.stat().st_size == 9_000

        bound(log, limit=4_500)
        writer.write(b"new line\n")

    assert log.read_bytes() == b"new line\n"
    assert log.with_name("postgres.log.1").read_bytes() == b"old line\n" * 500
    bound(tmp_path / "missing.log")


def test_the_end_of_a_log_is_read_from_where_this_start_began(tmp_path: Path) -> None:
    log = tmp_path / "postgres.log"
    log.write_text("".join(f"line {number}\n" for number in range(5000)), encoding="utf-8")

    assert tail(log, lines=2) == ["line 4998", "line 4999"]
    assert tail(log, start=log.stat().st_size) == []
    assert tail(log, start=log.stat().st_size - 10) == ["line 4999"]
    assert tail(tmp_path / "missing.log") == []


def test_a_secret_file_is_private_from_its_first_moment_and_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("a longer text that was there before", encoding="utf-8")
    path.chmod(0o644)

    write_atomically(path, "secret\n")

    assert path.read_text(encoding="utf-8") == "secret\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("mebibytes", "buffers"), [(256, "128MB"), (512, "128MB"), (2048, "512MB"), (4096, "1024MB"), (65536, "1024MB")]
)
def test_the_buffers_are_a_quarter_of_the_memory_within_bounds(mebibytes: int, buffers: str) -> None:
    assert tuning(mebibytes << 20)["shared_buffers"] == buffers


def test_the_memory_is_known() -> None:
    assert memory() > 100 << 20
