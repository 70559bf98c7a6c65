"""A restore takes the audit log back in time, which is found, and goes on once somebody says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests import instance
from tests.audit.writing import record_many, seal_all, signed
from tests.ops.backup.conftest import quiet, restored
from trueup.audit import service as audit
from trueup.audit.sealing import sequencer
from trueup.audit.sealing import service as sealing
from trueup.audit.sealing.errors import SealingRefused
from trueup.audit.verifying import service as verifying
from trueup.ops.backups import databases, taking
from trueup.runtime import database


@pytest.fixture
def sealed(key: None, filled: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of a database, which Django works in, whose log is signed."""
    with django_db_blocker.unblock(), instance.in_database(databases.name_of(filled)):
        record_many(3)
        seal_all()
        yield filled


def test_a_log_that_a_restore_took_back_is_signed_once_an_operator_says_why(sealed: str, tmp_path: Path) -> None:
    made = taking.take(url=sealed, folder=tmp_path / "to", keep=None, by=instance.TESTER, tell=quiet)
    record_many(300)
    seal_all()
    lost = signed().size
    database.close()

    restored(Path(made.path), sealed, replace=True)

    with pytest.raises(SealingRefused) as refused:
        sequencer.seal(livemode=True)
    assert refused.value.code == "audit_went_back"
    found = verifying.verify_database(database.connection(), livemode=True)
    assert (found.first.code.value if found.first else "", found.size < lost) == ("audit_went_back", True)

    sealing.accept_rollback(livemode=True, why="The disk broke.", by=instance.TESTER)
    seal_all()

    assert verifying.verify_database(database.connection(), livemode=True).verified
    actions = [one.action for one in audit.entries(database.connection(), limit=3)]
    assert actions[:2] == ["audit.rollback.accepted", "ops.backup.restored"]
