"""Working in the list of customers: filters, kept views, columns, owners, and what a role does not see."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.customer import service as customers
from trueup.customer.listing import service as listing
from trueup.customer.owners import service as owners
from trueup.customer.views import service as views
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.types import Person, Role

TESTER = system("test")
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/customers"}


def names(page: str) -> list[str]:
    return re.findall(r"<a data-row [^>]*>([^<]+)</a>", page)


def as_role(role: Role) -> Client:
    person = operators.create_operator(
        email=f"{role.value}@acme.example", password="nine quiet rivers", name=role.value, roles=[role], by=TESTER
    )
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person.id))
    return client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=past_due", ["001", "004"]),
        ("owner=me", ["002"]),
        ("owner=none&stage=trialing", ["005"]),
        ("mrr_from=0,01&stage=trialing", []),
        ("product=prod_pro&stage=active", ["000", "003"]),
        ("product=prod_none", []),
        ("drift=1", []),
        ("q=sub_004", ["004"]),
        ("mrr_from=abc&owner=x&col=nonsense&stage=active", ["000", "003"]),
    ],
)
def test_filters_are_part_of_the_address(
    reader: Client, person: Person, account: Account, query: str, expected: list[str]
) -> None:
    world.many(account, 6)
    owners.assign(ids=["cus_002"], operator_id=person.id, by=TESTER)

    page = reader.get(f"/customers?sort=name&{query}").content.decode()

    assert names(page) == [f"Company {one}" for one in expected]


@pytest.mark.parametrize("query", ["stage=odd", "status=odd", "trial=5"])
def test_a_filter_that_there_is_not_is_refused_kindly(reader: Client, account: Account, query: str) -> None:
    answer = reader.get(f"/customers?{query}")

    assert answer.status_code == 400
    assert "One of:" in answer.content.decode()


def test_tabs_count_what_the_other_filters_leave(reader: Client, person: Person, account: Account) -> None:
    world.many(account, 6)
    owners.assign(ids=["cus_001", "cus_002"], operator_id=person.id, by=TESTER)

    page = reader.get("/customers?owner=me").content.decode()

    assert re.search(r'>All<span class="badge">2</span>', page)
    assert re.search(r'owner=me&amp;stage=past_due"[^>]*>Past due<span class="badge">1</span>', page)
    assert "1\N{EN DASH}2 of 2" in page


def test_columns_are_chosen_and_stay_in_their_order(reader: Client, account: Account) -> None:
    world.many(account, 1)

    page = reader.get("/customers?col=status&col=stage").content.decode()

    headings = re.findall(r'<th scope="col"[^>]*>(?:<a [^>]*>)?([^<]+)', page)
    assert headings == ["Customer", "Stage", "Billing status"]
    assert page.count('name="col"') == 9
    assert len(re.findall(r'name="col" value="\w+" checked', page)) == 2


def test_a_list_is_kept_under_a_name_and_opened_with_its_number(reader: Client, account: Account) -> None:
    world.many(account, 6)

    kept = reader.post(
        "/customers/views", {"name": "Owing most", "back": "/customers?stage=past_due&sort=-mrr&after=x&skip=50"}
    )
    page = reader.get(kept["Location"]).content.decode()

    assert re.fullmatch(r"/customers\?stage=past_due&sort=-mrr&view=\d+", kept["Location"])
    assert "The list is kept as “Owing most”." in page
    assert re.search(r'class="kept"[^>]* aria-current="page">.*Owing most<span class="badge">2</span>', page, re.DOTALL)
    assert names(page) == ["Company 004", "Company 001"]
    assert "Save changes" not in page
    assert "Save changes" in reader.get(kept["Location"] + "&q=004").content.decode()


def test_a_view_for_everybody_means_whoever_looks(reader: Client, person: Person, account: Account) -> None:
    world.many(account, 3)
    owners.assign(ids=["cus_001"], operator_id=person.id, by=TESTER)
    reader.post("/customers/views", {"name": "Mine", "shared": "1", "back": "/customers?owner=me"})
    sales = as_role(Role.SALES)

    (view,) = views.views(operator_id=person.id)
    theirs = sales.get("/customers").content.decode()

    assert re.search(r'Mine<span class="badge">0</span>', theirs)
    assert "For everybody" not in sales.get("/customers?owner=me").content.decode()
    assert sales.post(f"/customers/views/{view.id}/remove").status_code == 403
    assert reader.post(f"/customers/views/{view.id}/remove").status_code == 302
    assert views.views(operator_id=person.id) == []


@pytest.mark.parametrize("back", ["https://evil.example/customers", "//evil.example", "/customers/../x", ""])
def test_a_form_leads_back_to_the_list_and_nowhere_else(reader: Client, account: Account, back: str) -> None:
    world.many(account, 1)

    answer = reader.post("/customers/owner", {"id": "cus_000", "owner": "me", "back": back})

    assert answer["Location"] == "/customers"


def test_chosen_customers_get_an_owner_and_lose_one(reader: Client, person: Person, account: Account) -> None:
    world.many(account, 3)
    form = {"id": ["cus_000", "cus_001"], "owner": "me", "back": "/customers?sort=name"}

    given = reader.post("/customers/owner", form, headers=HTMX)
    page = reader.get(given["Location"], headers=HTMX).content.decode()

    assert "2 customers have a new owner." in page
    assert page.count("Elena Sato</span>") == 2
    assert reader.get("/customers").content.decode().count("have a new owner") == 0
    reader.post("/customers/owner", form | {"owner": "none"})
    assert owners.of([customers.get("cus_000").id]) == {}


@pytest.mark.parametrize(
    "form", [{"owner": "me"}, {"id": "cus_000"}, {"id": "cus_000", "owner": "somebody"}, {"id": ["x"] * 1, "owner": ""}]
)
def test_a_form_without_rows_or_owner_changes_nothing(
    reader: Client, account: Account, form: dict[str, str | list[str]]
) -> None:
    world.many(account, 1)

    assert reader.post("/customers/owner", form).status_code == 400


def test_who_may_not_change_customers_chooses_none(account: Account, person: Person) -> None:
    world.many(account, 2)

    page = as_role(Role.FINANCE).get("/customers").content.decode()

    assert "data-pick" not in page
    assert "Set owner" not in page
    assert "customers/export" in page
    assert "customers/export" not in as_role(Role.SUPPORT).get("/customers").content.decode()


def test_who_may_not_see_contacts_sees_ids(account: Account, person: Person) -> None:
    world.many(account, 1)

    client = as_role(Role.AUDITOR)

    for path in ("/customers", "/customers?q=company", "/search?q=company"):
        page = client.get(path).content.decode().partition("<main")[2]
        assert "cus_000" in page
        assert "Company 000" not in page
        assert "c000@x.example" not in page


def test_a_full_page_is_small(reader: Client, account: Account) -> None:
    world.many(account, 60)

    part = reader.get("/customers", headers=HTMX).content
    page = reader.get("/customers", headers={"Accept-Encoding": "gzip"}).content

    assert len(page) < 40_000
    assert part.count(b"<tr data-href>") == 50


def test_the_number_of_a_long_narrowed_list_is_said_to_be_more(
    reader: Client, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.many(account, 6)
    monkeypatch.setattr(listing, "MOST_COUNTED", 2)

    page = reader.get("/customers?owner=none").content.decode()

    assert "of more than 10,000" in page
    assert not re.search(r'aria-current="page">All<span class="badge">', page)


def test_a_list_without_a_name_is_not_kept_and_stays_open(reader: Client, account: Account) -> None:
    back = "/customers?stage=past_due"
    answer = reader.post("/customers/views", {"name": " ", "back": back}, follow=True)

    assert answer.redirect_chain == [(back, 302)]
    assert "A name has 1 to" in answer.content.decode()
