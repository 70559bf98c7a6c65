"""Who looks after a customer, notes about it, and who looked at it, on its page."""

from __future__ import annotations

import html
import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.customer import service as customers
from trueup.customer.notes import service as notes
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.types import Person, Role

PATH = "/customers/cus_1"


@pytest.fixture
def acme(account: Account) -> str:
    """Our id of a customer."""
    world.told(
        account,
        world.event("customer.created", world.customer("cus_1", "Acme")),
        world.event("customer.created", world.customer("cus_2", "Other")),
    )
    return customers.get("cus_1").id


def card(page: str) -> str:
    found = re.search(r'aria-labelledby="h-team">(.*?)</section>', page, re.DOTALL)
    assert found is not None
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found[1])).split())


def test_somebody_is_made_owner_and_is_owner_no_more(reader: Client, person: Person, acme: str) -> None:
    assert "Nobody looks after this customer" in card(reader.get(PATH).content.decode())

    done = reader.post(f"{PATH}/owner", {"operator": str(person.id)}, follow=True)

    assert done.redirect_chain == [(f"/customers/{acme}#h-team", 302)]
    assert "ES Elena Sato looks after this customer since" in card(done.content.decode())
    reader.post(f"{PATH}/owner", {"operator": ""})
    assert "Nobody looks after this customer" in card(reader.get(PATH).content.decode())
    assert reader.post(f"{PATH}/owner", {"operator": "nobody"}).status_code == 400


def test_a_note_is_written_changed_and_removed_only_after_its_word_was_typed(reader: Client, acme: str) -> None:
    reader.post(f"{PATH}/notes", {"text": "Calls on <b>Mondays</b>."})
    (note,) = notes.notes(acme).data
    page = reader.get(PATH).content.decode()
    assert "Calls on &lt;b&gt;Mondays&lt;/b&gt;." in page
    assert "Elena Sato" in card(page)

    reader.post(f"{PATH}/notes", {"note": str(note.id), "text": "Calls on Tuesdays."})
    assert [one.text for one in notes.notes(acme).data] == ["Calls on Tuesdays."]

    assert reader.post(f"{PATH}/notes", {"note": str(note.id), "confirm": "yes"}).status_code == 400
    assert len(notes.notes(acme).data) == 1
    reader.post(f"{PATH}/notes", {"note": str(note.id), "confirm": "remove"})
    assert notes.notes(acme).data == ()
    assert "No notes yet." in reader.get(PATH).content.decode()


def test_a_note_of_another_customer_cannot_be_changed_from_here(reader: Client, acme: str) -> None:
    reader.post("/customers/cus_2/notes", {"text": "Theirs."})
    (note,) = notes.notes("cus_2").data

    for given in ({"text": "Mine."}, {"confirm": "remove"}):
        assert reader.post(f"{PATH}/notes", {"note": str(note.id), **given}).status_code == 404
    assert [one.text for one in notes.notes("cus_2").data] == ["Theirs."]


def test_without_the_permission_notes_are_hidden(reader: Client, person: Person, acme: str) -> None:
    reader.post(f"{PATH}/notes", {"text": "Between us."})
    operators.create_operator(
        email="o@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=system("test")
    )
    operators.set_roles(operator_id=person.id, roles=[Role.AUDITOR], by=system("test"))
    auditor = Client()
    auditor.force_login(get_user_model().objects.get(pk=person.id))

    page = auditor.get(PATH).content.decode()

    assert "Between us." not in page
    assert "Hidden" in card(page)
    assert "Add note" not in page
    assert "Change the owner" not in page


def test_the_audit_tab_tells_who_looked_and_what_was_written(reader: Client, acme: str) -> None:
    reader.get(f"{PATH}/objects/customer/cus_1")
    reader.post(f"{PATH}/notes", {"text": "Calls on Mondays."})

    page = reader.get(f"{PATH}/audit").content.decode()

    told = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
    assert "Note added" in told
    assert "Mondays" not in told
    assert "Elena Sato" in told.split("Who looked")[-1]
    assert "raw object" in told.split("Who looked")[-1]


def test_a_note_of_blanks_is_refused_where_it_was_written(reader: Client, acme: str) -> None:
    answer = reader.post(f"{PATH}/notes", {"text": "   "}, follow=True)

    assert answer.redirect_chain == [(f"/customers/{acme}#h-team", 302)]
    assert "A note has 1 to" in answer.content.decode()
    assert "No notes yet." in answer.content.decode()
