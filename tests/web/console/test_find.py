"""An invoice by its number, as a caller reads it out: from anywhere, among customers and among invoices."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.web.console import ledger, world
from tests.web.console.test_customers_list import as_role
from tests.web.console.world import event
from trueup.accounts.types import Account
from trueup.customer.listing import service as listing
from trueup.customer.listing.types import Filters
from trueup.customer.money import service as money
from trueup.mirror.money.types import Which
from trueup.operators.types import Person, Role
from trueup.runtime import database

HTMX = {"HX-Request": "true"}
NUMBER = "S7LV5LUT-0007"
ROWS = 20_000
COPY = """
insert into mirror_object select one.* from mirror_object given cross join generate_series(1, %(rows)s) n
cross join lateral jsonb_populate_record(
    given, jsonb_build_object('object_id', given.object_id || '_' || n, 'number', given.number || '-' || n)
) one where given.object_type = 'invoice'
"""
WALKED = "select seq_scan, idx_tup_fetch from pg_stat_xact_user_tables where relname = 'mirror_object'"


@pytest.fixture
def billed(account: Account) -> Account:
    """Three customers; the second has the invoice, the third another, and one belongs to nobody."""
    world.many(account, 3)
    rows = [
        ledger.invoice("in_7", "cus_001", number=NUMBER),
        ledger.invoice("in_8", "cus_002", number="S7LV5LUT-0008"),
        {**ledger.invoice("in_9", "", number="LOST-0009"), "customer": None},
    ]
    world.told(account, *(event("invoice.finalized", row) for row in rows))
    return account


def page(reader: Client, path: str, q: str) -> str:
    """What a search answers."""
    return reader.get(path, {"q": q}, headers=HTMX).content.decode()


@pytest.mark.usefixtures("billed")
@pytest.mark.parametrize("q", [NUMBER, NUMBER.lower(), f" {NUMBER} "])
def test_an_invoice_is_found_by_its_number_and_leads_to_what_its_customer_pays(reader: Client, q: str) -> None:
    whose = listing.rows(Filters(q="company 001"))[0][0]

    found = page(reader, "/search", q)

    assert f'href="/customers/{whose.id}/billing"' in found
    assert f"<b>{NUMBER}</b>" in found
    assert "S7LV5LUT-0008" not in found
    assert "Company 001" in page(reader, "/customers", q)
    assert "Company 002" not in page(reader, "/customers", q)
    assert [row.key.object_id for row in money.rows(money.searched(Which(types=("invoice",)), q))[0]] == ["in_7"]
    assert 'data-copy="in_7"' in page(reader, "/money/invoices", q)
    assert 'data-copy="in_8"' not in page(reader, "/money/invoices", q)


@pytest.mark.usefixtures("billed")
def test_a_part_of_a_number_and_the_number_of_nobody_find_no_invoice(reader: Client) -> None:
    assert [NUMBER in page(reader, "/search", q) for q in ("S7LV5LUT", "S7LV5LUT-000", "LUT-0007")] == [False] * 3
    assert listing.rows(Filters(q="S7LV5LUT-0009"))[0] == ()
    assert money.rows(money.searched(Which(types=("invoice",)), "S7LV5LUT-0009"))[0] == ()


@pytest.mark.usefixtures("billed")
def test_an_invoice_without_a_customer_leads_to_the_list_of_invoices(reader: Client) -> None:
    assert 'href="/money/invoices?q=LOST-0009"' in page(reader, "/search", "lost-0009")


@pytest.mark.usefixtures("billed")
def test_payments_of_whoever_has_the_invoice_are_found_by_its_number(billed: Account) -> None:
    world.told(billed, *(event("charge.updated", ledger.charge(f"ch_{n}", f"cus_00{n}")) for n in range(3)))

    found = money.rows(money.searched(Which(types=("charge", "payment_intent")), NUMBER))[0]

    assert [row.key.object_id for row in found] == ["ch_1"]


@pytest.mark.usefixtures("billed")
def test_who_may_not_see_names_reads_ids_and_who_may_not_see_money_finds_the_customer_alone(person: Person) -> None:
    audits, develops = (page(as_role(role), "/search", NUMBER) for role in (Role.AUDITOR, Role.DEVELOPER))

    assert NUMBER in audits
    assert "cus_001" in audits
    assert "Company 001" not in audits
    assert "/billing" not in develops
    assert "Company 001" in develops


@pytest.mark.usefixtures("billed")
def test_a_number_is_found_by_an_index_among_many_invoices() -> None:
    database.execute(COPY, {"rows": ROWS})
    database.execute("analyze mirror_object")
    before = database.execute(WALKED).fetchone()

    assert len(money.numbered(NUMBER, limit=7)) == 1
    assert len(listing.rows(Filters(q=NUMBER))[0]) == 1
    found = money.searched(Which(types=("invoice",)), NUMBER)
    assert len(money.rows(found)[0]) == 1
    assert sum(one.number for one in money.totals(found)) == 1

    after = database.execute(WALKED).fetchone()
    assert before is not None
    assert after is not None
    assert after[0] == before[0]
    assert after[1] - before[1] < 20
