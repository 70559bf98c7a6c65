"""Lists of payments, invoices, refunds and disputes: what a page shows, what the address narrows, and the file."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponseBase
from django.test import Client

from tests.web.console import ledger, world
from tests.web.console.streamed import whole
from tests.web.console.world import DAY, START, event
from trueup.accounts.types import Account
from trueup.audit.access_log import service as access_log
from trueup.audit.access_log.types import Looks, What
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.types import Role
from trueup.runtime import clock

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/money/payments"}
NOW = START + 40 * DAY


@pytest.fixture
def paid(account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Four payments of three customers: two came in, one failed, one in euros."""
    world.many(account, 3)
    rows = [
        ledger.charge("ch_1", "cus_000", amount=1000, at=START),
        ledger.charge("ch_2", "cus_001", amount=2000, at=START + 1, failed="insufficient_funds"),
        ledger.charge("ch_3", "cus_002", amount=3000, at=START + 2),
        ledger.charge("ch_4", "cus_002", amount=4000, at=START + 3, currency="eur"),
    ]
    world.told(account, *(event("charge.updated", row, at=START + n) for n, row in enumerate(rows)))
    return account


def ids(page: str) -> list[str]:
    """The payments that stand on a page, in its order."""
    return [part.split('"')[0] for part in page.split('data-copy="')[1:]]


def body(answer: HttpResponseBase) -> str:
    assert answer.status_code == 200
    return answer.content.decode()  # type: ignore[attr-defined, no-any-return]


@pytest.mark.usefixtures("paid")
def test_a_list_has_the_newest_first_with_whose_each_is_and_how_much_all_are(reader: Client) -> None:
    page = body(reader.get("/money/payments"))

    assert ids(page) == ["ch_4", "ch_3", "ch_2", "ch_1"]
    assert "Company 001" in page
    assert "not enough money" in page.casefold() or "insufficient" in page.casefold()
    assert "€40.00" in page
    assert "1\N{EN DASH}4 of 4" in page
    assert "Paid <b>€40.00 + $40.00</b>" in page
    assert "Failed <b>$20.00</b>" in page


@pytest.mark.usefixtures("paid")
@pytest.mark.parametrize(
    ("_case", "query", "expected"),
    [
        ("a status", "status=failed", ["ch_2"]),
        ("a currency", "currency=eur", ["ch_4"]),
        ("a reason", "reason=insufficient_funds", ["ch_2"]),
        ("amounts in a currency", "currency=usd&min=15&max=25,00", ["ch_2"]),
        ("amounts without one", "min=15", ["ch_4", "ch_3", "ch_2", "ch_1"]),
        ("days", "from=2026-09-21&to=2026-09-22", ["ch_4", "ch_3", "ch_2", "ch_1"]),
        ("other days", "from=2026-09-23", []),
        ("a name", "q=company+002", ["ch_4", "ch_3"]),
        ("an id", "q=ch_1", ["ch_1"]),
        ("the oldest first", "sort=oldest", ["ch_1", "ch_2", "ch_3", "ch_4"]),
    ],
)
def test_the_address_narrows_a_list(reader: Client, _case: str, query: str, expected: list[str]) -> None:
    assert ids(body(reader.get(f"/money/payments?{query}"))) == expected


@pytest.mark.usefixtures("paid")
def test_an_amount_without_a_currency_is_asked_back(reader: Client) -> None:
    assert "Choose a currency" in body(reader.get("/money/payments?min=15"))


@pytest.mark.usefixtures("paid")
def test_htmx_gets_the_table_and_the_tabs_and_a_canonical_address(reader: Client) -> None:
    answer = reader.get("/money/payments?status=failed&q=", headers=HTMX)

    assert "<html" not in body(answer)
    assert 'id="tabs"' in body(answer)
    assert answer["HX-Push-Url"] == "/money/payments?status=failed"


def test_an_unknown_list_is_not_found_and_an_unknown_status_is_refused(reader: Client, account: Account) -> None:
    assert reader.get("/money/gold").status_code == 404
    assert reader.get("/money/payments?status=gold").status_code == 400


def test_disputes_to_answer_come_by_the_day_by_which_to(reader: Client, paid: Account) -> None:
    now = int(clock.now().timestamp())
    for place, (due, status) in enumerate([(9, "needs_response"), (2, "needs_response"), (1, "lost")]):
        told = ledger.dispute(f"dp_{place}", "ch_1", due=now + due * DAY + 60, status=status)
        world.told(paid, event("charge.dispute.created", told, at=START + 10))

    page = body(reader.get("/money/disputes?status=to_answer"))

    assert ids(page) == ["dp_1", "dp_0"]
    assert "2 days left" in page
    assert "Product not received" in page


def test_whoever_may_not_see_names_sees_ids(paid: Account) -> None:
    operators.create_operator(email="o@acme.example", password="nine quiet rivers", by=system("test"))
    operators.create_operator(
        email="a@acme.example", password="nine quiet rivers", roles=[Role.AUDITOR], by=system("test")
    )
    auditor = Client()
    auditor.force_login(get_user_model().objects.get(email="a@acme.example"))

    answer = auditor.get("/money/payments")

    if answer.status_code == 200:
        assert "Company 001" not in body(answer)
        assert "cus_001" in body(answer)


def file_of(answer: HttpResponseBase) -> list[dict[str, str]]:
    """The rows of a file that was answered."""
    return list(csv.DictReader(StringIO(whole(answer).decode(), newline="")))


@pytest.mark.usefixtures("paid")
def test_a_file_has_every_row_and_whoever_stands_in_it_was_looked_at(reader: Client) -> None:
    (row,) = file_of(reader.post("/money/payments/export?status=failed"))

    assert (row["id"], row["customer"], row["name"]) == ("ch_2", "cus_001", "Company 001")
    assert (row["amount"], row["currency"], row["reason"]) == ("20.00", "USD", "insufficient_funds")
    (look,) = access_log.looks(Looks()).data
    assert (look.customer, look.what) == ("cus_001", (What.EXPORT,))


def test_an_empty_list_says_what_will_be_here(reader: Client, account: Account) -> None:
    assert "Nothing yet" in body(reader.get("/money/refunds"))
    assert "Nothing matches" in body(reader.get("/money/refunds?status=failed"))
