"""Customers as a file: what is in it, what it must not do in a spreadsheet, and that somebody took it."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponseBase
from django.test import Client

from tests.web.console import world
from tests.web.console.streamed import whole
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.audit.access_log import service as access_log
from trueup.audit.access_log.types import Looks, What
from trueup.customer.listing import service as listing
from trueup.customer.listing.types import Filters
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.types import Person, Role
from trueup.runtime import database
from trueup.web.console import exporting

TESTER = system("test")


def lines(answer: HttpResponseBase) -> list[dict[str, str]]:
    """The rows of the file."""
    return list(csv.DictReader(StringIO(whole(answer).decode(), newline="")))


def test_a_file_has_every_customer_of_the_list(
    reader: Client, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.many(account, 9)
    monkeypatch.setattr(listing, "CHUNK", 2)

    answer = reader.post("/customers/export?stage=past_due")
    rows = lines(answer)

    assert [row["name"] for row in rows] == ["Company 001", "Company 004", "Company 007"]
    assert rows[0]["stage"] == rows[0]["billing_status"] == "past_due"
    assert (rows[0]["mrr"], rows[0]["mrr_currency"], rows[0]["mrr_others"]) == ("10.01", "USD", "")
    assert rows[0]["livemode"] == "false"
    assert answer["Content-Disposition"].startswith('attachment; filename="customers-')
    assert answer["Cache-Control"] == "private, no-store"


def test_revenue_is_a_number_beside_its_currency(reader: Client, account: Account) -> None:
    def pays(id_: str, of: str, currency: str, amount: int) -> world.Json:
        about = world.subscription(id_, of, amount=amount)
        about["currency"] = about["items"]["data"][0]["price"]["currency"] = currency
        return world.event("customer.subscription.created", about)

    for name in ("cus_free", "cus_jp", "cus_many"):
        world.told(account, world.event("customer.created", world.customer(name, name)))
    world.told(account, pays("sub_1", "cus_jp", "jpy", 13500))
    many = {"usd": 7900, "eur": 2000, "kwd": 81000}
    world.told(account, *(pays(f"sub_{name}", "cus_many", name, amount) for name, amount in many.items()))

    rows = lines(reader.post("/customers/export"))

    assert {row["name"]: (row["mrr"], row["mrr_currency"], row["mrr_others"]) for row in rows} == {
        "cus_free": ("", "", ""),
        "cus_jp": ("13500", "JPY", ""),
        "cus_many": ("81.000", "KWD", "20.00 EUR + 79.00 USD"),
    }


def test_who_took_which_list_is_written_down_before_it_leaves(reader: Client, person: Person, account: Account) -> None:
    world.many(account, 3)

    reader.post("/customers/export?q=company&stage=active")

    (entry,) = audit.entries(database.connection(), action="customer.list.exported", opened=True)
    assert (entry.actor_kind, entry.actor_id) == ("operator", str(person.id))
    assert entry.after == {"customers": 1, "filter": "q=company&stage=active"}
    assert b"q=company" not in entry.body


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('=HYPERLINK("https://evil.example")', '\'=HYPERLINK("https://evil.example")'),
        ("+1 555", "'+1 555"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\t=1", "'\t=1"),
        ("Plain = fine", "Plain = fine"),
        (-5, "-5"),
        (True, "true"),
        (None, ""),
    ],
)
def test_no_cell_is_a_formula(value: object, expected: str) -> None:
    assert exporting.cell(value) == expected


def test_a_name_that_is_a_formula_is_only_text(reader: Client, account: Account) -> None:
    evil = '=cmd|"/c calc"!A1'
    world.told(account, world.event("customer.created", world.customer("cus_1", evil)))

    (row,) = lines(reader.post("/customers/export"))

    assert row["name"] == f"'{evil}"


def test_it_is_posted_and_takes_a_permission(reader: Client, account: Account) -> None:
    operators.create_operator(email="s@acme.example", password="nine quiet rivers", roles=[Role.SUPPORT], by=TESTER)
    support = Client()
    support.force_login(get_user_model().objects.get(email="s@acme.example"))

    assert reader.get("/customers/export").status_code == 405
    assert support.post("/customers/export").status_code == 403


def test_names_are_left_out_for_whoever_may_not_see_them(account: Account) -> None:
    world.many(account, 1)

    fields = exporting._fields(personal=False)

    assert "name" not in fields
    assert "email" not in fields
    assert "Company" not in exporting._lines(listing.rows(Filters())[0], personal=False)


def test_whoever_stands_in_a_file_was_looked_at(reader: Client, person: Person, account: Account) -> None:
    world.many(account, 3)

    lines(reader.post("/customers/export?stage=active"))

    (look,) = access_log.looks(Looks()).data
    assert (look.actor, look.customer, look.what) == (f"operator:{person.id}", "cus_000", (What.EXPORT,))
    assert look.origin == "127.0.0.1"
