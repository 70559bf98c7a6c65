"""Giving customers to somebody from the list: all that match after a look, and taking back what was done last."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.customer.notes import service as notes
from trueup.customer.owners import service as owners
from trueup.customer.views import service as views
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.operators import service as operators
from trueup.operators.types import Person, Role
from trueup.runtime import database

TESTER = system("test")


@pytest.fixture
def other(person: Person) -> Person:
    return operators.create_operator(
        email="jonas@acme.example", password="nine quiet rivers", name="Jonas Berg", roles=[Role.SALES], by=TESTER
    )


@pytest.fixture
def customers(account: Account) -> list[str]:
    """Our ids of six customers."""
    world.many(account, 6)
    rows = database.execute("select id from customer_customer order by stripe_customer_id").fetchall()
    return [row[0] for row in rows]


def held() -> dict[str, int]:
    return dict(database.execute("select customer_id, operator_id from customer_owner").fetchall())


def given(client: Client, query: str = "", **form: str) -> tuple[int, str]:
    """What giving the whole list answers: the status, and the page that follows."""
    answer = client.post(f"/customers/assign{query}", form)
    if answer.status_code != 302:
        return answer.status_code, answer.content.decode()
    return 302, client.get(answer["Location"]).content.decode()


def test_the_look_says_who_they_are_and_changes_nothing(reader: Client, customers: list[str], other: Person) -> None:
    owners.assign(ids=customers[:2], operator_id=other.id, by=TESTER)

    page = reader.get("/customers/assign?q=company").content.decode()

    assert "Set the owner of 6 customers" in page
    assert re.search(r"<dt>Search</dt><dd>company</dd>", page)
    assert re.search(r"<dt>Now with Jonas Berg</dt><dd>2</dd>", page)
    assert re.search(r"<dt>Now with nobody</dt><dd>4</dd>", page)
    assert 'name="confirm"' not in page
    assert len(held()) == 2


def test_all_that_match_are_given_and_one_entry_tells_of_it(
    reader: Client, customers: list[str], other: Person
) -> None:
    status, page = given(reader, "?q=company", number="6", owner=str(other.id))

    assert status == 302
    assert "6 customers have a new owner." in page
    assert held() == dict.fromkeys(customers, other.id)
    (entry,) = audit.entries(database.connection(), action=Action.LIST_OWNED.value, opened=True)
    assert entry.after == {"customers": 6, "operator_id": other.id, "filter": "q=company"}
    assert audit.entries(database.connection(), action=Action.CUSTOMER_OWNED.value) == []


def test_a_list_that_changed_since_the_look_is_looked_at_again(
    reader: Client, customers: list[str], other: Person
) -> None:
    status, page = given(reader, number="5", owner=str(other.id))

    assert status == 409
    assert "has 6 customers by now" in page
    assert held() == {}


def test_of_many_the_number_has_to_be_typed_and_of_too_many_there_is_no_giving(
    reader: Client, customers: list[str], other: Person
) -> None:
    _multiply(1_000)
    assert "Type 1006 to confirm" in reader.get("/customers/assign").content.decode()
    assert given(reader, number="1006", owner=str(other.id), confirm="106")[0] == 400
    assert held() == {}
    assert given(reader, number="1006", owner=str(other.id), confirm="1006")[0] == 302
    assert len(held()) == 1_006

    _multiply(9_999)
    page = reader.get("/customers/assign").content.decode()
    assert "too many to be given to somebody at once" in page
    assert 'name="owner"' not in page


def _multiply(number: int) -> None:
    """Make copies of a customer, up to so many."""
    database.execute(
        "insert into customer_customer select (jsonb_populate_record(c, jsonb_build_object("
        "'id', 'tc_' || n, 'stripe_customer_id', 'cus_' || n))).*"
        " from customer_customer c, generate_series(1, %(number)s) n"
        " where c.stripe_customer_id = 'cus_000' on conflict do nothing",
        {"number": number},
    )


def test_owners_are_given_back_but_not_from_a_third_person(
    reader: Client, person: Person, customers: list[str], other: Person
) -> None:
    owners.assign(ids=customers[:1], operator_id=other.id, by=TESTER)
    third = operators.create_operator(
        email="ida@acme.example", password="nine quiet rivers", name="Ida", roles=[Role.SALES], by=TESTER
    )
    answer = reader.post("/customers/owner", {"id": customers[:3], "owner": "me", "back": "/customers"})
    assert 'action="/undo"' in reader.get(answer["Location"]).content.decode()
    owners.assign(ids=customers[2:3], operator_id=third.id, by=TESTER)

    page = reader.post("/undo", follow=True).content.decode()

    assert "Taken back: 2 customers have the owner of before." in page
    assert held() == {customers[0]: other.id, customers[2]: third.id}
    assert "nothing to take back any more" in reader.post("/undo", follow=True).content.decode()


def test_a_note_and_a_kept_list_are_taken_back(reader: Client, person: Person, customers: list[str]) -> None:
    page = reader.post(f"/customers/{customers[0]}/notes", {"text": "Called."}, follow=True).content.decode()
    assert "The note is kept." in page
    assert 'action="/undo"' in page
    reader.post("/undo")
    assert notes.notes(customers[0]).data == ()

    by = Actor(kind=ActorKind.OPERATOR, id=str(person.id))
    kept = views.save(name="Owing", parameters={"stage": ["past_due"]}, shared=True, by=by)
    reader.post(f"/customers/views/{kept.id}/remove")
    reader.post("/undo")
    assert [(one.name, one.shared) for one in views.views(operator_id=person.id)] == [("Owing", True)]


def test_nobody_else_takes_it_back_and_whoever_lost_the_right_does_not(
    reader: Client, person: Person, customers: list[str], other: Person
) -> None:
    operators.create_operator(email="o@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=TESTER)
    reader.post("/customers/owner", {"id": customers[:1], "owner": "me"})
    theirs = Client()
    theirs.force_login(get_user_model().objects.get(pk=other.id))
    theirs.post("/undo")
    assert held() == {customers[0]: person.id}

    operators.set_roles(operator_id=person.id, roles=[Role.AUDITOR], by=TESTER)
    assert reader.post("/undo").status_code == 403
    assert held() == {customers[0]: person.id}
