"""What could not be collected, what became of it, and why it failed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.web.console import ledger, world
from tests.web.console.world import DAY, START, event
from trueup.accounts.types import Account
from trueup.customer.money import recovery
from trueup.customer.money.types import Lane
from trueup.kernel.money import Money
from trueup.kernel.time import from_unix

NOW = from_unix(START + 10 * DAY)


@pytest.fixture
def account(db: None) -> Account:
    account = world.connect()
    world.many(account, 5)
    return account


@pytest.fixture
def failed(account: Account) -> None:
    """Two invoices at risk, one that was paid in the end, one that was written off, and one long ago."""
    ledger.failing(account, "in_1", "cus_000", reason="expired_card", at=START + 5 * DAY, total=2000)
    ledger.failing(account, "in_2", "cus_001", reason="insufficient_funds", at=START + 6 * DAY, total=9000, tries=2)
    ledger.failing(account, "in_3", "cus_002", reason="do_not_honor", at=START + 6 * DAY, total=500)
    ledger.settled(account, "in_3", "cus_002", status="paid", at=START + 6 * DAY, total=500, tries=2)
    ledger.failing(account, "in_4", "cus_003", reason="do_not_honor", at=START + 6 * DAY, total=700)
    ledger.settled(account, "in_4", "cus_003", status="uncollectible", at=START + 6 * DAY, total=700)
    ledger.failing(account, "in_5", "cus_004", reason="lost_card", at=START - 40 * DAY, total=100)


@pytest.mark.usefixtures("failed")
def test_what_failed_in_a_span_is_at_risk_recovered_or_lost() -> None:
    found = recovery.recovery(since=NOW - timedelta(days=7), now=NOW)

    assert [(one.status, one.number, one.amounts) for one in found.totals] == [
        (Lane.AT_RISK, 2, (Money(11000, "usd"),)),
        (Lane.RECOVERED, 1, (Money(500, "usd"),)),
        (Lane.LOST, 1, (Money(700, "usd"),)),
    ]
    assert not found.cut


@pytest.mark.usefixtures("failed")
def test_the_most_money_comes_first_with_its_reason_and_what_stripe_does_next() -> None:
    (first, second), more = recovery.rows(Lane.AT_RISK, since=NOW - timedelta(days=7), now=NOW)

    assert not more
    assert first.row.customer is not None
    assert (first.row.customer.name, first.row.amount) == ("Company 001", Money(9000, "usd"))
    assert (first.attempts, first.first_failed_at) == (2, from_unix(START + 6 * DAY + 2))
    assert first.next_attempt_at == from_unix(START + 9 * DAY)
    assert first.failure is not None
    assert (first.failure.code, first.certain) == ("insufficient_funds", True)
    assert second.failure is not None
    assert second.failure.code == "expired_card"


@pytest.mark.usefixtures("failed")
def test_what_failed_whenever_it_was_counts_what_no_event_told_of(account: Account) -> None:
    old = ledger.invoice("in_6", "cus_000", total=50, at=START - 99 * DAY, attempt_count=3)
    world.told(account, event("invoice.updated", old))

    found = recovery.recovery(since=None, now=NOW)

    assert found.totals[0].number == 4
    assert found.totals[0].amounts == (Money(11150, "usd"),)


@pytest.mark.usefixtures("failed")
def test_months_count_an_invoice_once_in_the_month_of_its_first_failure(account: Account) -> None:
    ledger.failing(account, "in_5", "cus_004", reason="lost_card", at=START + 5 * DAY, total=100, tries=2)
    begins = [from_unix(START - 60 * DAY), from_unix(START)]

    found = recovery.months(begins=begins, now=NOW)

    assert found.cut_at is None
    before, now = found.by_currency["usd"]
    assert (before.at_risk, before.recovered, before.lost) == (100, 0, 0)
    assert (now.at_risk, now.recovered, now.lost) == (11000, 500, 700)


@pytest.mark.usefixtures("failed")
def test_months_say_from_when_on_they_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "MOST_IN_MONTHS", 2)

    found = recovery.months(begins=[from_unix(START - 60 * DAY), from_unix(START)], now=NOW)

    newest = recovery.rows(Lane.AT_RISK, since=None, now=NOW, newest_first=True)[0]
    assert found.cut_at is not None
    assert START < found.cut_at.timestamp() <= max(one.last_failed_at for one in newest).timestamp()
