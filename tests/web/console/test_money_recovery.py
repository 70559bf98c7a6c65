"""What could not be collected, and what lies ahead, as pages."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client

from tests.web.console import ledger, world
from tests.web.console.test_money import body, file_of, ids
from tests.web.console.world import DAY, event
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.runtime import clock, database


@pytest.fixture
def failed(account: Account) -> Account:
    """Two invoices at risk since some days, one recovered."""
    world.many(account, 3)
    now = int(clock.now().timestamp())
    ledger.failing(account, "in_small", "cus_000", reason="expired_card", at=now - 2 * DAY, total=900)
    ledger.failing(account, "in_large", "cus_001", reason="insufficient_funds", at=now - 3 * DAY, total=90000)
    ledger.failing(account, "in_back", "cus_002", reason="do_not_honor", at=now - 4 * DAY, total=500)
    ledger.settled(account, "in_back", "cus_002", status="paid", at=now - 4 * DAY, total=500, tries=2)
    return account


@pytest.mark.usefixtures("failed")
def test_the_most_money_at_risk_comes_first_with_why_and_since_when(reader: Client) -> None:
    page = body(reader.get("/money/failed"))

    assert ids(page) == ["in_large", "in_small"]
    assert "$909.00" in page
    assert "$5.00" in page
    assert "day 3" in page
    assert "not enough money" in page or "insufficient" in page


@pytest.mark.usefixtures("failed")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("lane=recovered", ["in_back"]),
        ("lane=lost", []),
        ("sort=newest", ["in_small", "in_large"]),
        ("days=any", ["in_large", "in_small"]),
        ("currency=eur", []),
    ],
)
def test_the_address_says_which_lane_and_order(reader: Client, query: str, expected: list[str]) -> None:
    assert ids(body(reader.get(f"/money/failed?{query}"))) == expected


@pytest.mark.usefixtures("failed")
def test_the_months_are_a_chart_and_a_table(reader: Client) -> None:
    page = body(reader.get("/money/failed/months"))

    assert page.count('class="hit" data-at') == 6
    assert '<th scope="row">' in page
    assert "$909.00" in page
    assert " style=" not in page


def test_what_renews_and_what_ends_is_listed_by_when_with_the_revenue_that_goes(
    reader: Client, account: Account
) -> None:
    world.many(account, 1)
    now = int(clock.now().timestamp())
    stays = world.subscription("sub_stays", "cus_000", amount=700)
    stays["items"]["data"][0]["current_period_end"] = now + 5 * DAY
    goes = world.subscription("sub_goes", "cus_000", amount=3000, cancel_at=now + 6 * DAY)
    world.told(account, *(event("customer.subscription.updated", one, at=now - 9) for one in (stays, goes)))

    assert ids(body(reader.get("/money/ahead?days=7"))) == ["sub_stays"]
    page = body(reader.get("/money/ahead?days=7&what=ends"))
    assert ids(page) == ["sub_goes"]
    assert "With them go $30.00 of monthly revenue" in page
    assert "5 days left" in page
    assert "$7.00" in body(reader.get("/money/ahead/weeks"))


@pytest.mark.usefixtures("failed")
def test_a_lane_is_taken_away_as_the_page_has_it(reader: Client) -> None:
    page = body(reader.get("/money/failed?days=30"))
    path = "/money/failed/export"
    url = path + unescape(page.split(path)[1].split('"')[0])

    large, small = file_of(reader.post(url))

    assert (large["id"], large["amount"], large["failure"]) == ("in_large", "900.00", "insufficient_funds")
    assert (small["name"], small["attempts"]) == ("Company 000", "1")
    assert url == "/money/failed/export?lane=at_risk&days=30"
    (entry,) = audit.entries(database.connection(), action="customer.money.exported", opened=True)
    assert entry.after == {"rows": 2, "filter": "lane=at_risk&days=30"}


def test_what_ends_is_taken_away_with_its_revenue(reader: Client, account: Account) -> None:
    now = int(clock.now().timestamp())
    ends = world.subscription("sub_9", "cus_9", amount=2500, quantity=2, cancel_at=now + 3 * DAY)
    world.told(account, event("customer.created", world.customer("cus_9", "Nine")))
    world.told(account, event("customer.subscription.updated", ends))

    (row,) = file_of(reader.post("/money/ahead/export?what=ends&days=7"))

    assert (row["id"], row["name"], row["reason"], row["amount"]) == ("sub_9", "Nine", "ends", "50.00")
    assert (row["mrr"], row["quantity"], row["plan"]) == ("50.00", "2", "Pro")
    assert file_of(reader.post("/money/ahead/export?what=renews&days=7")) == []
