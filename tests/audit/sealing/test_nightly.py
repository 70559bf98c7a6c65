"""The check of both logs each night, on a connection of its own that it closes."""

from __future__ import annotations

from tests.audit.writing import record, record_many, seal_all
from trueup.audit.verifying import nightly
from trueup.audit.verifying import service as verifying
from trueup.runtime import database


def test_the_logs_that_have_entries_are_checked_each_night(committed: str) -> None:
    assert nightly.verify_all() == []
    record()
    seal_all()
    assert [(one.livemode, one.verified, one.entries) for one in nightly.verify_all()] == [(True, True, 2)]
    record_many(3, livemode=False)
    seal_all()

    found = nightly.verify_all()

    assert [(one.livemode, one.verified, one.entries) for one in found] == [(True, True, 2), (False, True, 4)]
    noted = [verifying.last(database.connection(), livemode=livemode) for livemode in (True, False)]
    assert [one is not None and one.verified for one in noted] == [True, True]
