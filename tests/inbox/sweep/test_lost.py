from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.inbox.sweep.conftest import customers
from trueup.accounts.types import Account
from trueup.inbox.alarms import service as alarms
from trueup.inbox.sweep import service as sweeps
from trueup.inbox.sweep.types import Code
from trueup.mirror.backfill import service as backfill
from trueup.mirror.backfill.types import Status
from trueup.ops.lost_events import BY, make_good
from trueup.sandbox.server.running import Sandbox

pytestmark = pytest.mark.usefixtures("database", "account")

STOP = threading.Event()


def lose(stripe: Sandbox) -> None:
    """Let an event be older than Stripe keeps any before it is read."""
    sweeps.sweep("acme")
    customers(stripe, 1)
    stripe.advance(days=40)
    sweeps.sweep("acme")


def standing() -> set[str]:
    """The alarms on the account's events."""
    return {alarm.code for alarm in alarms.standing()} & {Code.EVENTS_LOST}


def test_nothing_lost_starts_nothing(stripe: Sandbox, account: Account) -> None:
    sweeps.sweep("acme")

    make_good(STOP)

    assert backfill.last(account) is None


def test_what_is_lost_is_backfilled_once_and_then_well(stripe: Sandbox, account: Account) -> None:
    lose(stripe)

    make_good(STOP)
    make_good(STOP)

    run = backfill.last(account)
    assert run is not None
    assert (run.status, run.since, run.started_by) == (Status.RUNNING, None, f"{BY.kind} {BY.id}")
    assert standing() == {Code.EVENTS_LOST}, "until the backfill came to its end"
    backfill.read_here(run.id, threads=2, stop=STOP)
    make_good(STOP)
    assert (sweeps.gaps(), standing()) == ((), set())
    last = backfill.last(account)
    assert last is not None
    assert last.id == run.id


def test_a_backfill_that_began_before_does_not_count_and_a_cancelled_one_is_left_to_people(
    stripe: Sandbox, account: Account
) -> None:
    before = backfill.start(account=account, by=BY)
    lose(stripe)

    make_good(STOP)
    same = backfill.last(account)
    assert same is not None
    assert same.id == before.id, "it runs, and the next waits for its end"
    backfill.cancel(account=account, by=BY)
    make_good(STOP)
    after = backfill.last(account)
    assert after is not None
    assert after.id != before.id
    backfill.cancel(account=account, by=BY)
    make_good(STOP)

    last = backfill.last(account)
    assert last is not None
    assert (last.id, last.status) == (after.id, Status.CANCELLED)
    assert standing() == {Code.EVENTS_LOST}


@pytest.mark.parametrize("narrow", [{"types": ["coupon"]}, {"since": 1_600_000_000}])
def test_a_backfill_of_less_than_everything_does_not_make_good(
    stripe: Sandbox, account: Account, narrow: dict[str, Any]
) -> None:
    lose(stripe)
    less = backfill.start(account=account, by=BY, **narrow)
    backfill.read_here(less.id, threads=2, stop=STOP)

    make_good(STOP)

    last = backfill.last(account)
    assert last is not None
    assert last.id != less.id
    assert last.status is Status.RUNNING
    assert standing() == {Code.EVENTS_LOST}
