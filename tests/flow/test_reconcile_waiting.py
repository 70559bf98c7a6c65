"""What a repair waits for, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.flow.beside import Beside, beside
from tests.flow.test_reconcile import found, live, lose
from tests.instance import TESTER, eventually
from trueup.customer import reconcile
from trueup.mirror.backfill import errand
from trueup.mirror.reconcile import service, working
from trueup.mirror.reconcile.types import Cause, Status


@pytest.fixture
def stripe(database: str) -> Iterator[Beside]:
    with beside(database, seed="waiting") as made:
        yield made


def test_a_state_that_is_not_folded_after_a_repair_is_waited_for_no_longer_than_patience(stripe: Beside) -> None:
    known = live(stripe)
    lose(stripe)
    stripe.post(f"/v1/customers/{known['customer']}", name="Bea")
    run = service.start(account=stripe.account, repair=True, grace=0, patience=2, by=TESTER)
    stop = threading.Event()

    def over() -> bool:
        errand.work(stop)
        reconcile.work(stop)
        # The mirror reads what was repaired; whoever folds customers stands still.
        working.mirror_some()
        return service.run(run.id).status is not Status.RUNNING

    eventually(over, "the repair ends")

    ended = service.run(run.id)
    assert (ended.status, ended.counts.found, ended.counts.repaired) == (Status.COMPLETE, {"stale": 2}, 1)
    assert ended.ended_at is not None
    assert 2 <= (ended.ended_at - ended.started_at).total_seconds() < 15
    assert [one.cause for one in found(states=True).values()] == [Cause.OBJECTS]
    stripe.read()
    assert stripe.equal("customer", known["customer"])
