"""The backup of each night: made when due, kept in number, and missed aloud."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from pytest_django import DjangoDbBlocker

from tests import instance
from tests.ops.backup.conftest import EVENTS
from trueup.inbox.alarms import service as alarms
from trueup.ops import health
from trueup.ops.backups import databases, folder, nightly
from trueup.runtime import configuration, database

NIGHT = datetime(2026, 11, 21, 1, 23, tzinfo=UTC)
DAY = datetime(2026, 11, 21, 15, 23, tzinfo=UTC)


@pytest.fixture
def at_night(
    key: None, filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> Iterator[Path]:
    """A worker's process on a database of its own, with a folder for backups that does not exist yet."""
    to = tmp_path / "nightly"
    for name, value in {"DATABASE_URL": filled, "TRUEUP_BACKUP_DIR": str(to), "TRUEUP_BACKUP_KEEP": "1"}.items():
        monkeypatch.setenv(name, value)
    configuration.current.cache_clear()
    with django_db_blocker.unblock(), instance.in_database(databases.name_of(filled)):
        # The thread that asks the database serves all tests, and may be connected for an earlier one still.
        asyncio.run(sync_to_async(connections.close_all)())
        yield to
        # What asks the database works in a thread that outlives this test.
        asyncio.run(sync_to_async(connections.close_all)())


def standing() -> list[str]:
    """What the alarms about backups say."""
    return [alarm.message for alarm in alarms.standing() if alarm.code == "backup_old"]


def test_a_worker_makes_the_backup_that_is_due_and_raises_an_alarm_until_it_can(at_night: Path) -> None:
    at_night.write_text("in the way", encoding="ascii")
    asyncio.run(nightly.look_after())
    assert standing() == ["There is no backup in TRUEUP_BACKUP_DIR, and making one failed (backup_folder_unusable)."]

    at_night.unlink()
    asyncio.run(nightly.look_after())
    asyncio.run(nightly.look_after())

    (made,) = folder.whole(at_night)
    assert standing() == []
    assert nightly.newest_recorded(database.connection()) is not None
    statement = "select actor_kind, actor_id, after->>'events' from audit_entries where object_id = %s"
    assert database.execute(statement, (made.name,)).fetchall() == [("system", "backup", str(EVENTS))]
    assert "trueup_backup_age_seconds " in health.exposition().decode()


def test_nothing_is_done_where_no_folder_is_named(at_night: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alarms.settle(source=nightly.SOURCE, account_id=None, alarms=nightly.alarms_of(NIGHT, None, ""))
    assert standing() == ["There is no backup in TRUEUP_BACKUP_DIR."]
    monkeypatch.setenv("TRUEUP_BACKUP_DIR", "")
    configuration.current.cache_clear()

    asyncio.run(nightly.look_after())

    assert standing() == []
    assert not (configuration.current().home / "backups").exists()


@pytest.mark.parametrize(
    ("now", "hours", "due"),
    [
        (NIGHT, None, True),
        (DAY, None, True),
        (NIGHT, 24, True),
        (NIGHT, 11, False),
        (DAY, 14, False),
        (DAY, 29, False),
        (DAY, 31, True),
    ],
)
def test_one_is_due_at_night_and_a_missed_one_at_any_hour(now: datetime, hours: int | None, due: bool) -> None:
    assert nightly.is_due(now, None if hours is None else now - timedelta(hours=hours)) is due


def test_a_backup_is_too_old_after_a_day_and_a_half() -> None:
    assert not nightly.alarms_of(NIGHT, NIGHT - timedelta(hours=36), "")
    (alarm,) = nightly.alarms_of(NIGHT, NIGHT - timedelta(hours=37), "backup_no_room")
    assert alarm.message == (
        "The newest backup is of 2026-11-19 12:23 UTC in TRUEUP_BACKUP_DIR, and making one failed (backup_no_room)."
    )
