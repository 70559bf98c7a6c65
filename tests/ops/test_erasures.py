"""What a worker does each minute so that erasures hold."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trueup.audit import months
from trueup.audit import service as audit
from trueup.audit.retention import copies, holds
from trueup.audit.sealing import sequencer
from trueup.audit.types import Action
from trueup.inbox.alarms import service as alarms
from trueup.kernel.actor import system
from trueup.ops import erasures
from trueup.runtime import configuration, database

COPY = {"audit_copy_unwritten", "audit_copy_damaged"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the copy."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TRUEUP_AUDIT_DIR", str(tmp_path / "audit"))
    configuration.current.cache_clear()
    yield tmp_path / "audit"
    configuration.current.cache_clear()


def standing() -> list[str]:
    """The alarms about the copy."""
    return [one.code for one in alarms.standing() if one.code in COPY]


def test_new_keys_come_into_the_copy_and_an_alarm_stands_while_they_cannot(db: None, place: Path) -> None:
    with database.transaction() as connection:
        audit.record(
            connection,
            by=system("test"),
            action=Action.LINK_ADDED,
            object_type="customer",
            object_id="cus_1",
            why="Ada asked.",
        )
    place.write_text("", encoding="ascii")
    erasures.watch()
    assert standing() == ["audit_copy_unwritten"]

    place.unlink()
    erasures.watch()
    assert standing() == []
    assert [one.subject for one in copies.keys(place)] == ["customer:cus_1"]

    (place / copies.KEYS).write_text("{", encoding="ascii")
    erasures.watch()
    assert standing() == ["audit_copy_damaged"]


def test_old_months_go_each_night_unless_a_hold_stands(db: None, place: Path) -> None:
    for at in (datetime(2001, 5, 3, tzinfo=UTC), datetime(2001, 8, 3, tzinfo=UTC)):
        months.ensure_partitions(now=at)
        with database.transaction() as connection:
            audit.record(
                connection,
                at=at,
                by=system("test"),
                action=Action.LINK_ADDED,
                object_type="customer",
                object_id="cus_1",
            )
    sequencer.seal_once(threading.Event())
    hold = holds.place(name="Case", why="Counsel asked.", by=system("test"))
    old = "select count(*) from audit_logentry where at < '2002-01-01'"

    erasures.drop_old()
    assert database.execute(old).fetchone() == (2,)

    holds.release(hold.id, why="Settled.", by=system("test"))
    erasures.drop_old()
    assert database.execute(old).fetchone() == (0,)
    (entry,) = audit.entries(database.connection(), action="audit.months.dropped")
    assert (entry.actor_id, entry.after["months"]) == ("retention", ["2001-05", "2001-08"])
