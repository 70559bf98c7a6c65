"""Making backups: what is in one, what never is, and what remains when making one fails."""

from __future__ import annotations

import gzip
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import instance
from tests.ops.backup.conftest import EVENTS, KEY, SECRET, SESSION, TESTER, quiet
from tests.ops.conftest import Installation
from trueup.kernel.errors import Conflict, Refused
from trueup.ops.backups import folder, manifest, programs, taking
from trueup.ops.backups.taking import Backup

WAITS = """
select pid from pg_stat_activity
where datname = current_database() and application_name = 'trueup pg_dump' and wait_event_type = 'Lock'
"""


def test_the_manifest_says_what_is_in_it_and_how_far_it_reaches(source: Installation, kept: Backup) -> None:
    path = Path(kept.path)
    said = manifest.read(path)

    manifest.verify(path, said, quiet)
    assert kept.events == EVENTS
    assert said.newest_event is not None
    assert said.newest_event.event_id == f"evt_{EVENTS}"
    assert f"{said.newest_event.received_at:%Y-%m-%d %H:%M}" == "2026-11-03 16:00"
    assert said.rows["accounts_account"] == 1
    assert said.rows["inbox_pending"] == 5
    assert "0001_initial" in said.migrations["inbox"]
    assert said.bytes == sum(file.stat().st_size for file in (path / "dump").iterdir())
    recorded = f"select action, object_type, actor_id from audit_entries where object_id = '{kept.name}'"
    assert source.rows(recorded) == [("ops.backup.made", "backup", "test")]


def test_only_its_owner_may_read_a_backup(kept: Backup) -> None:
    path = Path(kept.path)

    assert {stat.S_IMODE(found.stat().st_mode) for found in path.rglob("*") if found.is_file()} == {0o600}
    assert {stat.S_IMODE(found.stat().st_mode) for found in (path, path / "dump")} == {0o700}


def test_neither_secrets_nor_sessions_nor_the_key_are_in_a_backup(kept: Backup) -> None:
    files = [path for path in Path(kept.path).rglob("*") if path.is_file()]
    text = b"\n".join(
        gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes() for file in files
    )

    assert b"evt_17\t" in text
    for secret in (SECRET, SECRET.removeprefix("whsec_"), SESSION, KEY):
        assert secret.encode() not in text
        assert secret.encode().hex().encode() not in text


def test_an_empty_database_is_not_backed_up(empty: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="nothing to back up"):
        taking.take(url=empty, folder=tmp_path / "to", keep=None, by=TESTER, tell=quiet)

    assert folder.whole(tmp_path / "to") == []


def test_a_killed_backup_is_no_backup_and_the_next_one_clears_it_away(
    key: None, source: Installation, tmp_path: Path
) -> None:
    to = tmp_path / "to"
    with psycopg.connect(source.database) as holder, psycopg.connect(source.database, autocommit=True) as looking:
        # pg_dump stops at this table, and so the kill comes in the middle of its work.
        holder.execute("lock table operators_apitoken in access exclusive mode")
        running = source.start("backup", "--to", str(to))
        instance.eventually(lambda: looking.execute(WAITS.encode()).fetchone(), "pg_dump waits")
        with pytest.raises(Conflict, match="is under way"):
            taking.take(url=source.database, folder=to, keep=None, by=TESTER, tell=quiet)
        running.kill()
        running.communicate()
        instance.eventually(lambda: not looking.execute(WAITS.encode()).fetchone(), "pg_dump ends with its parent")

    left = [path.name for path in to.iterdir() if path.is_dir()]
    assert [name.endswith(".partial") for name in left] == [True]
    assert folder.whole(to) == []

    made = taking.take(url=source.database, folder=to, keep=None, by=TESTER, tell=quiet)
    assert [path.name for path in to.iterdir() if path.is_dir()] == [made.name]


def test_a_disk_without_room_is_told_and_nothing_half_is_left(source: Installation, tmp_path: Path) -> None:
    to = tmp_path / "to"
    # A file that may not grow fails in the same places as a disk that is full.
    small = (
        "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    command = ["-m", "trueup.ops.main", "backup", "--to", str(to), "--json"]
    ended = subprocess.run(
        [sys.executable, "-c", small, *command],
        env=source.environ(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == 1
    assert json.loads(ended.stdout)["error"]["code"] == "backup_no_room"
    assert [path for path in to.iterdir() if path.is_dir()] == []


def test_as_many_are_kept_as_asked_for_and_only_backups_are_deleted(kept: Backup, tmp_path: Path) -> None:
    days = ["20261101", "20261102", "20261103", "20261104"]
    for day in days:
        (tmp_path / f"trueup-{day}T010000Z").mkdir()
        (tmp_path / f"trueup-{day}T010000Z" / manifest.FILE).write_text("{}", encoding="ascii")
    (tmp_path / "trueup-20261101T010000Z-2").mkdir()
    (tmp_path / "trueup-20261101T010000Z-2" / manifest.FILE).write_text("{}", encoding="ascii")
    for stranger in ("trueup-20250101T010000Z", "photographs", "trueup-notes"):
        (tmp_path / stranger).mkdir()

    with folder.held(tmp_path):
        gone = folder.rotate(tmp_path, 2)

    assert gone == ["trueup-20261102T010000Z", "trueup-20261101T010000Z-2", "trueup-20261101T010000Z"]
    assert [path.name for path in folder.whole(tmp_path)] == ["trueup-20261104T010000Z", "trueup-20261103T010000Z"]
    assert (tmp_path / "trueup-20250101T010000Z").is_dir()
    assert (tmp_path / "photographs").is_dir()


def test_a_server_newer_than_our_programs_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "PLACES", ())

    with pytest.raises(Refused, match="PostgreSQL 99, newer than the programs that come with Trueup") as told:
        programs.chosen(server=99, encrypted=False)
    assert "postgresql-client-99" in told.value.hint
    # Ours speak no TLS: they would be refused, or send the password in clear.
    with pytest.raises(Refused, match="speaks TLS"):
        programs.chosen(server=17, encrypted=True)


@pytest.mark.parametrize(
    ("server", "wrote", "major"), [(15, 0, 16), (16, 0, 16), (17, 0, 18), (18, 16, 18), (17, 18, 18)]
)
def test_the_programs_nearest_to_the_server_are_taken(server: int, wrote: int, major: int) -> None:
    assert programs.chosen(server=server, wrote=wrote, encrypted=False).major == major


def test_the_operators_own_programs_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("pg_dump", "pg_restore"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 21.3'\n", encoding="ascii")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    assert programs.chosen(server=20, encrypted=True) == programs.Programs(folder=tmp_path, major=21)


def test_a_password_is_in_no_list_of_processes(source: Installation, tmp_path: Path) -> None:
    given: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(source.database)
    script = tmp_path / "pg_dump"
    script.write_text('#!/bin/sh\necho "pg_dump: error: $*" >&2\nexit 1\n', encoding="ascii")
    script.chmod(0o755)
    run = programs.Run(script, ["--x"], url=source.database)

    with pytest.raises(Exception, match="--x") as told:
        instance.eventually(lambda: run.ended_within(1), "it ends")
    run.stop()
    assert f"dbname={given['dbname']}" in str(told.value)
    assert str(given["password"]) not in str(told.value)
