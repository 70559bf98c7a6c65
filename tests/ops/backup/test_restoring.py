"""Bringing backups back: all of it, or nothing, and never over something that is in use or newer."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from tests import instance
from tests.ops.backup.conftest import EVENTS, contents, quiet, restored
from tests.ops.conftest import Installation
from trueup.kernel.errors import Broken, Conflict, NotFound, Refused
from trueup.ops.backups import databases, folder, manifest, restoring
from trueup.ops.backups.taking import Backup
from trueup.runtime import configuration


@pytest.fixture
def copy(kept: Backup, tmp_path: Path) -> Path:
    """A copy of the backup, to spoil."""
    return Path(shutil.copytree(kept.path, tmp_path / kept.name))


def test_everything_comes_back(key: None, source: Installation, kept: Backup, empty: str) -> None:
    told = restored(Path(kept.path), empty)

    assert contents(empty) == contents(source.database)
    assert (told.point_of_recovery, told.newest_event, told.events) == (kept.taken_at, kept.newest_event, EVENTS)
    assert told.kept_aside is None
    assert told.gap_seconds >= 0
    assert not told.beyond_events
    with psycopg.connect(empty) as connection:
        assert connection.execute("select count(*) from django_session").fetchone() == (0,)
        assert connection.execute("select count(*) from stripe.customers").fetchone() == (0,)
        assert connection.execute(
            "select action, object_id from audit_entries where object_type = 'backup' order by id desc limit 1"
        ).fetchone() == ("ops.backup.restored", kept.name)
        # What was numbered goes on where it was.
        connection.execute(
            "insert into inbox_pending (account_id, livemode, event_id, created) values (1, false, 'x', now())"
        )
    assert databases.aside(empty) == []


def _cut(copy: Path) -> None:
    largest = max((copy / "dump").iterdir(), key=lambda file: file.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1])


def _flipped(copy: Path) -> None:
    path = copy / "dump" / "toc.dat"
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


def _missing(copy: Path) -> None:
    (copy / "dump" / "toc.dat").unlink()


def _more(copy: Path) -> None:
    (copy / "dump" / "9999.dat.gz").write_bytes(b"")


def _altered(copy: Path) -> None:
    path = copy / manifest.FILE
    path.write_text(
        path.read_text(encoding="utf-8").replace('"inbox_pending": 5', '"inbox_pending": 6'), encoding="utf-8"
    )


def _unreadable(copy: Path) -> None:
    (copy / manifest.FILE).write_text("{", encoding="ascii")


@pytest.mark.parametrize("spoil", [_cut, _flipped, _missing, _more, _altered, _unreadable])
def test_a_damaged_backup_is_refused(key: None, copy: Path, empty: str, spoil: Callable[[Path], None]) -> None:
    spoil(copy)

    with pytest.raises(manifest.BackupDamaged, match=copy.name):
        restoring.plan(backup=copy, url=empty, replace=False, tell=quiet)


def changed(copy: Path, **fields: Any) -> Path:
    """The copy with another manifest, which is whole."""
    said = msgspec.structs.replace(manifest.read(copy), **fields)
    (copy / manifest.FILE).write_bytes(msgspec.json.encode(manifest.sealed(said)))
    return copy


def test_a_backup_of_a_newer_trueup_is_refused(key: None, copy: Path, empty: str) -> None:
    migrations = manifest.read(copy).migrations | {"inbox": ["0001_initial", "9999_of_tomorrow"]}
    changed(copy, migrations=migrations, trueup="9.9.9")

    with pytest.raises(Refused, match=r"newer Trueup \(9\.9\.9\): it has inbox\.9999_of_tomorrow"):
        restoring.plan(backup=copy, url=empty, replace=False, tell=quiet)


def test_a_backup_of_a_newer_server_is_refused(key: None, copy: Path, empty: str) -> None:
    changed(copy, postgres=990_001)

    with pytest.raises(Refused, match="of PostgreSQL 99"):
        restoring.plan(backup=copy, url=empty, replace=False, tell=quiet)


def test_a_disk_without_room_is_not_filled(key: None, copy: Path, empty: str) -> None:
    changed(copy, database_bytes=2**60)

    with pytest.raises(Refused, match=r"its disk has [0-9]+ MB left") as told:
        restoring.plan(backup=copy, url=empty, replace=False, tell=quiet)
    assert told.value.code == "restore_no_room"


def test_rows_that_did_not_come_are_noticed_and_nothing_is_replaced(key: None, copy: Path, empty: str) -> None:
    rows = manifest.read(copy).rows | {"inbox_pending": 6}

    with pytest.raises(manifest.BackupDamaged, match="inbox_pending has 5 rows instead of 6"):
        restored(changed(copy, rows=rows), empty)

    assert not databases.look(empty).tables


@pytest.mark.parametrize("text", [base64.b64encode(bytes(32)).decode(), ""])
def test_another_key_or_none_is_told_before_anything_is_done(
    key: None, kept: Backup, empty: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUEUP_SECRET_KEY", text)
    configuration.current.cache_clear()

    with pytest.raises(Refused, match="secrets were sealed with") as told:
        restoring.plan(backup=Path(kept.path), url=empty, replace=False, tell=quiet)

    assert told.value.code == "restore_other_key"
    assert not (configuration.current().home / "secret.key").exists()


def test_a_key_that_opens_nothing_is_told_where_the_backup_does_not_know_its_own(
    key: None, copy: Path, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUEUP_SECRET_KEY", base64.b64encode(bytes(32)).decode())
    configuration.current.cache_clear()

    with pytest.raises(Broken) as told:
        restored(changed(copy, key=None), empty)

    assert told.value.code == "secret_key_mismatch"
    assert not databases.look(empty).tables


def test_a_database_that_somebody_uses_is_left_alone(key: None, kept: Backup, empty: str) -> None:
    with psycopg.connect(empty, application_name="worker"), pytest.raises(Refused, match=r"1 connected \(worker"):
        restoring.plan(backup=Path(kept.path), url=empty, replace=True, tell=quiet)


def test_somebody_who_comes_while_it_is_restored_keeps_the_database(key: None, kept: Backup, empty: str) -> None:
    path = Path(kept.path)
    _shown, said, target = restoring.plan(backup=path, url=empty, replace=False, tell=quiet)

    with psycopg.connect(empty), pytest.raises(Refused, match="who came meanwhile"):
        restoring.restore(backup=path, said=said, target=target, url=empty, by=instance.TESTER, tell=quiet)

    assert not databases.look(empty).tables


def test_what_was_there_is_kept_aside_until_it_is_dropped(
    key: None, source: Installation, kept: Backup, filled: str
) -> None:
    with psycopg.connect(filled, autocommit=True) as connection:
        connection.execute("delete from inbox_pending")
    before = contents(filled)

    with pytest.raises(Refused, match="is not empty"):
        restored(Path(kept.path), filled)
    told = restored(Path(kept.path), filled, replace=True)

    assert told.kept_aside is not None
    assert contents(databases.beside(filled, told.kept_aside)) == before
    assert contents(filled) == contents(source.database)
    assert [one.name for one in databases.aside(filled)] == [told.kept_aside]
    restoring.drop_old(url=filled, names=[told.kept_aside], by=instance.TESTER)
    assert databases.aside(filled) == []
    with psycopg.connect(filled) as connection:
        dropped = "select object_id from audit_entries where action = 'ops.old_database.dropped'"
        assert connection.execute(dropped.encode()).fetchall() == [(told.kept_aside,)]


def test_a_role_that_may_not_make_databases_fills_an_empty_one(
    key: None, kept: Backup, empty: str, server: psycopg.Connection[tuple[Any, ...]]
) -> None:
    role = f"{databases.name_of(empty)}_role"
    server.execute(f"create role {role} login password 'secret'".encode())
    server.execute(f"alter database {databases.name_of(empty)} owner to {role}".encode())
    host = psycopg.conninfo.conninfo_to_dict(empty)["host"]
    own = f"postgresql://{role}:secret@/{databases.name_of(empty)}?host={host}"
    try:
        assert restored(Path(kept.path), own).events == EVENTS
        with pytest.raises(Refused, match="may not put another in its place"):
            restoring.plan(backup=Path(kept.path), url=own, replace=True, tell=quiet)
    finally:
        server.execute(f"alter database {databases.name_of(empty)} owner to current_user".encode())
        with psycopg.connect(empty, autocommit=True) as connection:
            connection.execute(f"reassign owned by {role} to current_user".encode())
            connection.execute(f"drop owned by {role}".encode())
        server.execute(f"drop role {role}".encode())


def test_a_killed_restore_leaves_what_was_there_and_the_next_one_succeeds(
    key: None, source: Installation, kept: Backup, empty: str, server: psycopg.Connection[tuple[Any, ...]]
) -> None:
    here = Installation(home=source.home, database=empty, environment=source.environment)
    staging = f"{databases.name_of(empty)}_restoring"
    at_work = "select 1 from pg_stat_activity where datname = %s and application_name = 'trueup pg_restore'"
    running = here.start("restore", kept.path, "--yes", "--json")
    instance.eventually(lambda: server.execute(at_work.encode(), (staging,)).fetchone(), "pg_restore works")
    with pytest.raises(Conflict, match="under way"):
        restored(Path(kept.path), empty)
    running.kill()
    running.communicate()
    instance.eventually(lambda: not server.execute(at_work.encode(), (staging,)).fetchone(), "pg_restore ends")

    assert not databases.look(empty).tables
    assert restored(Path(kept.path), empty).events == EVENTS
    assert contents(empty) == contents(source.database)
    assert server.execute("select 1 from pg_database where datname = %s", (staging,)).fetchone() is None


def test_only_what_is_whole_can_be_named(key: None, kept: Backup, tmp_path: Path) -> None:
    place = Path(kept.path).parent

    assert folder.named("latest", place) == folder.named(kept.name, place) == folder.named(kept.path, tmp_path)
    with pytest.raises(NotFound, match="no backup in"):
        folder.named("latest", tmp_path)
    with pytest.raises(NotFound, match="no whole backup"):
        restoring.plan(backup=tmp_path, url="postgresql://127.0.0.1:1/x", replace=False, tell=quiet)
