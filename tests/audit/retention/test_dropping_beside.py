"""Dropping months while others use the log."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from tests.audit.retention.telling import BY, tell
from tests.audit.writing import seal_all
from trueup.audit import months
from trueup.audit.retention import dropping
from trueup.kernel.errors import Unavailable

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_a_log_that_somebody_reads_for_long_is_left_for_another_night(committed: str, home: Path) -> None:
    months.ensure_partitions(now=datetime(2019, 9, 15, tzinfo=UTC))
    for month in (8, 11):
        tell("cus_1", "Ada", at=datetime(2019, month, 3, tzinfo=UTC))
    seal_all()

    with psycopg.connect(committed) as other:
        other.execute("select count(*) from audit_logentry")
        with pytest.raises(Unavailable, match="Somebody reads"):
            dropping.drop(by=BY, now=NOW)

    assert dropping.drop(by=BY, now=NOW).months == ("2019-08",)
