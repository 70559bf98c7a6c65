"""Where Stripe dropped events before anybody read them, a backfill starts by itself, once."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import msgspec
import pytest

import trueup.sandbox
from tests import instance
from tests.mirror.backfill.conftest import Connect, read_all
from tests.mirror.backfill.gate import Gate, forbidden, gate
from trueup.accounts.types import Account
from trueup.inbox.sweep import service as sweep
from trueup.mirror.backfill import gaps, service
from trueup.mirror.backfill.types import Status
from trueup.runtime import database

NEVER = threading.Event()


def lose_events(account: Account) -> None:
    """Have a sweep that found a part of Stripe's events gone, just now."""
    database.execute(
        """
        insert into inbox_sweep (account_id, kind, lost_since, lost_until, backfill_wanted_at)
        values (%s, 'snapshot', now() - interval '40 days', now() - interval '30 days', clock_timestamp())
        """,
        (account.id,),
    )


@pytest.fixture
def bare() -> Iterator[Gate]:
    """A sandbox in which nothing has happened, behind a gate."""
    with trueup.sandbox.start(seed="bare") as sandbox, gate(sandbox.base_url) as made:
        yield made


def test_a_gap_is_closed_by_a_backfill_that_began_later_and_no_other(bare: Gate, connect: Connect) -> None:
    account = connect(bare.base_url)
    service.start(account=account, types=["product"], by=instance.TESTER)
    lose_events(account)

    assert gaps.mend(NEVER) == 0  # one runs, and it is not the one
    read_all()
    assert gaps.mend(NEVER) == 1
    run = service.last(account)
    assert run is not None
    assert run.started_by == "system sweep"
    assert gaps.mend(NEVER) == 0
    assert len(sweep.gaps()) == 1
    read_all()
    assert gaps.mend(NEVER) == 1

    assert sweep.gaps() == ()
    assert service.last(account) == msgspec.structs.replace(
        run, status=Status.COMPLETE, ended_at=service.progress(account).run.ended_at
    )


def test_one_that_ended_incomplete_is_left_to_somebody(bare: Gate, connect: Connect) -> None:
    account = connect(bare.base_url)
    lose_events(account)
    bare.rule = lambda path, _query: forbidden(path) if path == "/v1/invoices" else None

    assert gaps.mend(NEVER) == 1
    read_all()

    assert gaps.mend(NEVER) == 0
    assert len(sweep.gaps()) == 1
    assert service.progress(account).run.status is Status.INCOMPLETE


def test_an_account_without_a_key_waits_for_one(connect: Connect) -> None:
    lose_events(connect("http://127.0.0.1:1", api_key=""))

    assert gaps.mend(NEVER) == 0
    assert len(sweep.gaps()) == 1
