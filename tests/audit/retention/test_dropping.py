"""Months that go at the end of their retention, and what keeps them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.audit.retention.telling import BY, tell
from tests.audit.writing import seal_all
from trueup.audit import months
from trueup.audit import service as audit
from trueup.audit.exporting import directory
from trueup.audit.retention import dropping, holds
from trueup.audit.verifying import service as verifying
from trueup.kernel.errors import Conflict, NotFound
from trueup.runtime import configuration, database

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OLD = [datetime(2019, month, 3, tzinfo=UTC) for month in (8, 9, 10)]
RECENT = datetime(2019, 11, 3, tzinfo=UTC)
"""Seven years ago less some days."""

pytestmark = pytest.mark.usefixtures("db", "home")


def tell_many(at: datetime, count: int = 100, **given: Any) -> list[int]:
    """Entries of a day."""
    return [tell(f"cus_{number}", "Ada", at=at, **given) for number in range(count)]


def drop(**given: Any) -> dropping.Dropped:
    """Drop what is old."""
    fields: dict[str, Any] = {"by": BY, "now": NOW}
    return dropping.drop(**(fields | given))


def partitions() -> list[str]:
    """The months of 2019 that are there."""
    found = database.execute(dropping.PARTITIONS).fetchall()
    return [table.removeprefix("audit_logentry_") for (table,) in found if "_2019_" in table]


def numbers(statement: str) -> tuple[Any, ...]:
    """A row of numbers."""
    return database.execute(statement).fetchone() or ()


def verified(*, livemode: bool) -> str:
    """What a check of a whole log finds."""
    found = verifying.verify_database(database.connection(), livemode=livemode)
    return found.first.sentence if found.first else ""


@pytest.fixture
def years() -> None:
    """Partitions of 2019, from August on, and entries of both modes in four of them."""
    months.ensure_partitions(now=datetime(2019, 9, 15, tzinfo=UTC))
    for at in (*OLD, RECENT):
        tell_many(at)
    tell_many(OLD[0], 5, livemode=False)
    seal_all()


def test_whole_months_go_with_their_values_and_their_hashes_stay(years: None, tmp_path: Path) -> None:
    before = numbers("select count(*), string_agg(leaf_hash, '' order by livemode, leaf_index) from audit_leaf")
    tiles = database.execute("select * from audit_tile order by livemode, level, tile_index").fetchall()

    done = drop()

    assert (done.months, done.entries, done.values) == (("2019-08", "2019-09", "2019-10"), 305, 610)
    assert (done.minimum_live, done.minimum_test, done.kept) == (300, 5, ())
    assert partitions() == ["2019_11", "2019_12"]
    leaves = "select count(*), string_agg(leaf_hash, '' order by livemode, leaf_index) from audit_leaf"
    assert numbers(leaves) == before
    assert database.execute("select * from audit_tile order by livemode, level, tile_index").fetchall() == tiles
    assert numbers("select count(*) from audit_disclosure d where subject like 'customer:%'") == (200,)
    seal_all()
    assert [verified(livemode=livemode) for livemode in (True, False)] == ["", ""]
    exported = directory.export(tmp_path / "export", livemode=True, by=BY, tell=lambda *_: None)
    ended = subprocess.run(
        [sys.executable, "-I", "-S", str(tmp_path / "export" / "verify.py"), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(ended.stdout)
    assert (told["problems"], told["minimum"], exported.minimum) == ([], 300, 300)
    assert "dropped at the end of their retention" in (tmp_path / "export" / "README.html").read_text(encoding="utf-8")


def test_what_went_is_on_record_in_each_log_with_the_first_leaf_that_is_kept(years: None) -> None:
    drop(why="Seven years are over.")

    found = audit.entries(database.connection(), action="audit.months.dropped", opened=True)
    gone = ["2019-08", "2019-09", "2019-10"]
    assert [(one.livemode, one.object_id, one.why, one.before, one.after) for one in found] == [
        (False, "test", "Seven years are over.", {"minimum": 0}, {"minimum": 5, "months": gone, "entries": 5}),
        (True, "live", "Seven years are over.", {"minimum": 0}, {"minimum": 300, "months": gone, "entries": 300}),
    ]
    assert database.execute("select livemode, leaf_index from audit_minimum order by 1").fetchall() == [
        (False, 5),
        (True, 300),
    ]
    with pytest.raises(NotFound):
        audit.entry(database.connection(), numbers("select entry_id from audit_leaf where leaf_index = 7")[0])


def test_dropping_again_does_nothing_until_another_month_is_old(years: None) -> None:
    drop()

    again = drop()
    assert (again.months, again.entries, again.minimum_live, again.minimum_test) == ((), 0, 300, 5)
    seal_all()
    later = drop(now=datetime(2026, 12, 1, tzinfo=UTC))
    assert (later.months, later.minimum_live) == (("2019-11",), 400)
    assert len(audit.entries(database.connection(), action="audit.months.dropped")) == 3


def test_a_dry_run_tells_and_changes_nothing(years: None) -> None:
    shown = drop(dry_run=True)

    assert (shown.months, shown.entries, shown.minimum_live) == (("2019-08", "2019-09", "2019-10"), 305, 300)
    assert partitions() == ["2019_08", "2019_09", "2019_10", "2019_11", "2019_12"]
    assert numbers("select count(*) from audit_minimum") == (0,)
    assert audit.entries(database.connection(), action="audit.months.dropped") == []


@pytest.mark.parametrize("subject", ["", "customer:cus_1"])
def test_any_legal_hold_keeps_all(years: None, subject: str) -> None:
    holds.place(name="Smith v. Acme", why="Counsel asked.", by=BY, subject=subject)

    for dry_run in (True, False):
        with pytest.raises(holds.Held, match="forbids dropping months"):
            drop(dry_run=dry_run)
    assert len(partitions()) == 5


def test_nothing_goes_while_a_log_does_not_verify(years: None) -> None:
    add = """
    insert into audit_verification (livemode, size, started_at, ended_at, verified, finding)
    values (false, 5, now(), now(), {verified}, 'Entry 3 has other bytes.')
    """
    database.execute(add.format(verified="false"))
    with pytest.raises(Conflict, match="of the test log found something wrong: Entry 3 has other bytes"):
        drop()

    database.execute(add.format(verified="true"))
    assert drop().entries == 305


def test_a_month_with_entries_that_have_no_place_yet_is_kept_and_all_behind_its_first(years: None) -> None:
    tell("cus_1", "Late", at=OLD[1])

    done = drop()

    assert (done.months, done.minimum_live) == (("2019-08",), 100)
    assert [(one.month, one.why) for one in done.kept] == [
        ("2019-09", "1 of its entries have no place in the tree yet."),
        ("2019-10", "Its entry live/299 stands behind live/100, which is kept or not signed yet."),
    ]


def test_what_no_signed_checkpoint_covers_is_kept(years: None) -> None:
    with_note = "update audit_checkpoint set note = null where livemode"
    database.execute("set session_replication_role = replica")
    database.execute(with_note)
    database.execute("reset session_replication_role")

    assert drop().entries == 0
    assert len(partitions()) == 5


def test_an_entry_of_a_clock_that_was_ahead_keeps_what_stands_behind_it() -> None:
    months.ensure_partitions(now=datetime(2019, 9, 15, tzinfo=UTC))
    tell_many(OLD[0], 10)
    seal_all()
    tell("cus_1", "Of the future", at=datetime(2040, 1, 1, tzinfo=UTC))
    tell_many(OLD[1], 10)
    seal_all()

    done = drop()

    assert (done.months, done.minimum_live) == (("2019-08",), 10)
    assert [one.month for one in done.kept] == ["2019-09"]
    assert numbers("select count(*) from audit_logentry_other where at > '2039-01-01'") == (1,)


def test_an_entry_of_a_clock_that_was_behind_goes_with_its_neighbours_and_not_before_them() -> None:
    months.ensure_partitions(now=datetime(2019, 9, 15, tzinfo=UTC))
    tell_many(OLD[0], 5)
    tell("cus_1", "Of 1970", at=datetime(1970, 1, 1, tzinfo=UTC))
    tell_many(OLD[1], 5)
    tell_many(RECENT, 5)
    tell("cus_2", "Of 1970", at=datetime(1970, 1, 1, tzinfo=UTC))
    tell("cus_3", "Of the time of the last month", at=OLD[0])
    seal_all()

    done = drop()

    # The last one stands behind entries that are kept, and so its whole month does.
    assert (done.months, [one.month for one in done.kept]) == ((), ["2019-08", "2019-09"])
    assert (done.entries, done.minimum_live) == (0, 0)


def test_entries_without_a_partition_of_their_month_go_as_well() -> None:
    months.ensure_partitions(now=datetime(2019, 9, 15, tzinfo=UTC))
    tell("cus_1", "Of 1970", at=datetime(1970, 1, 1, tzinfo=UTC))
    tell_many(OLD[0], 5)
    tell_many(RECENT, 5)
    tell("cus_2", "Of 1970", at=datetime(1970, 1, 1, tzinfo=UTC))
    seal_all()

    done = drop()

    assert (done.months, done.entries, done.minimum_live, done.values) == (("2019-08",), 6, 6, 12)
    left = "select object_id from audit_logentry_other where action = 'customer.link.added'"
    assert database.execute(left).fetchall() == [("cus_2",)]

    with pytest.raises(psycopg.errors.IntegrityConstraintViolation), database.transaction():
        database.execute("delete from audit_logentry_other")


def test_years_are_what_the_operator_says(years: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUEUP_AUDIT_KEEP_YEARS", "10")
    configuration.current.cache_clear()

    assert drop().entries == 0
    assert dropping.cutoff_of(datetime(2024, 2, 29, 12, tzinfo=UTC), 7) == datetime(2017, 2, 1, tzinfo=UTC)
