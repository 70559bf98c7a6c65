"""Entries lie in the month they are of, one that came before its month moves there, and none can be truncated."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from tests.audit.writing import record, seal_all
from trueup.audit import months
from trueup.audit.verifying import service as verifying
from trueup.runtime import database

FAR = datetime(2041, 5, 17, 9, 30, tzinfo=UTC)
PARTS = "select id, tableoid::regclass::text from audit_logentry order by id"


def test_an_entry_that_came_before_its_month_moves_into_it_and_stays_proved(db: None, home: object) -> None:
    first, second, later = (record(at=at) for at in (FAR, datetime(2041, 5, 31, 23, 59, 59, 999_999, UTC), FAR))
    record(at=datetime(2050, 1, 1, tzinfo=UTC))
    seal_all()
    before = database.execute("select * from audit_logentry order by id").fetchall()
    assert {part for _, part in database.execute(PARTS).fetchall()[:3]} == {"audit_logentry_other"}

    months.ensure_partitions(now=FAR)
    months.ensure_partitions(now=FAR)

    assert dict(database.execute(PARTS).fetchall()[:3]) == dict.fromkeys(
        (first, second, later), "audit_logentry_2041_05"
    )
    assert database.execute("select * from audit_logentry order by id").fetchall() == before
    assert verifying.verify_database(database.connection(), livemode=True).verified


def test_partitions_reach_from_the_last_month_to_three_ahead(db: None) -> None:
    months.ensure_partitions(now=FAR)

    made = database.execute(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'audit_logentry'::regclass"
        " and inhrelid::regclass::text like 'audit_logentry_2041_%%' order by 1"
    ).fetchall()
    assert [part for (part,) in made] == [f"audit_logentry_2041_{month:02}" for month in range(4, 9)]


@pytest.mark.parametrize("statement", ["update {} set action = 'x'", "delete from {}", "truncate {}"])
@pytest.mark.parametrize("part", ["audit_logentry_2041_05", "audit_logentry_other", "audit_logentry"])
def test_no_row_of_a_month_is_changed_or_taken_away(db: None, home: object, part: str, statement: str) -> None:
    months.ensure_partitions(now=FAR)
    record(at=FAR)
    record(at=datetime(2050, 1, 1, tzinfo=UTC))
    seal_all()

    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"), database.transaction():
        database.execute(statement.format(part))

    assert database.execute("select count(*) from audit_logentry").fetchone() == (3,), "and the log's key"
