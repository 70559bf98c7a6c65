"""What people write down about customers: by whom, for whom, and that the audit log keeps none of it."""

from __future__ import annotations

import pytest

from tests.web.console import world
from trueup.audit import service as audit
from trueup.customer import merging
from trueup.customer import service as customers
from trueup.customer.notes import service as notes
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.kernel.errors import Forbidden, NotFound, Refused
from trueup.operators import service as operators
from trueup.operators.types import Role
from trueup.runtime import database

TESTER = system("test")
WORDS = "Wants the invoice by post."


@pytest.fixture
def anna(db: None) -> Actor:
    world.many(world.connect(), 3)
    operators.create_operator(email="o@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=TESTER)
    person = operators.create_operator(
        email="anna@acme.example", password="nine quiet rivers", name="Anna", roles=[Role.SUPPORT], by=TESTER
    )
    return Actor(kind=ActorKind.OPERATOR, id=str(person.id))


def test_notes_are_read_newest_first_with_their_author(anna: Actor) -> None:
    made = [notes.add(id="cus_001", text=f"  {WORDS} {step} ", by=anna) for step in range(3)]

    first = notes.notes("cus_001", limit=2)
    second = notes.notes("cus_001", limit=2, after=first.next)

    assert [one.id for one in (*first.data, *second.data)] == [one.id for one in reversed(made)]
    assert second.next is None
    assert (made[0].text, made[0].author, made[0].by) == (f"{WORDS} 0", "Anna", f"operator:{anna.id}")
    assert made[0].customer_id == customers.get("cus_001").id
    assert notes.notes("cus_002").data == ()


def test_only_who_wrote_a_note_changes_it_and_who_may_removes_it(anna: Actor) -> None:
    note = notes.add(id="cus_001", text=WORDS, by=anna)

    changed = notes.change(note_id=note.id, text="By mail.", by=anna)
    assert (changed.text, changed.edited_at is None) == ("By mail.", False)
    with pytest.raises(Forbidden):
        notes.change(note_id=note.id, text="Mine now.", by=TESTER)
    notes.remove(note_id=note.id, by=TESTER)

    assert notes.notes("cus_001").data == ()
    with pytest.raises(NotFound):
        notes.remove(note_id=note.id, by=TESTER)
    with pytest.raises(NotFound):
        notes.change(note_id=-1, text="x", by=anna)


def test_the_audit_log_says_that_there_was_a_note_and_not_what(anna: Actor) -> None:
    notes.add(id="cus_001", text=WORDS, by=anna)
    note = notes.add(id="cus_001", text=WORDS, by=anna)
    notes.change(note_id=note.id, text=WORDS, by=anna)

    found = audit.entries(database.connection(), object_id=note.customer_id, opened=True)

    assert [one.action for one in found] == ["customer.note.added", "customer.note.added"]
    assert found[0].after == {"note_id": note.id}
    assert all(WORDS.encode() not in one.body for one in found)
    assert database.execute("select count(*) from audit_disclosure where entry_id = %s", (found[0].id,)).fetchone() == (
        0,
    )


def test_notes_of_customers_that_are_one_stand_together_and_a_split_gives_them_back(anna: Actor) -> None:
    notes.add(id="cus_001", text="One.", by=anna)
    notes.add(id="cus_002", text="Two.", by=anna)

    merging.merge(id="cus_001", others=["cus_002"], by=TESTER)
    assert [one.text for one in notes.notes("cus_002").data] == ["Two.", "One."]

    merging.split(id="cus_001", by=TESTER)
    assert [one.text for one in notes.notes("cus_002").data] == ["Two."]


@pytest.mark.parametrize("text", ["", " \n\x00 ", "x" * 10_001])
def test_a_note_has_words_and_not_too_many(anna: Actor, text: str) -> None:
    with pytest.raises(Refused):
        notes.add(id="cus_001", text=text, by=anna)


def test_a_note_is_about_somebody_and_takes_a_permission(anna: Actor) -> None:
    with pytest.raises(NotFound):
        notes.add(id="cus_nobody", text=WORDS, by=anna)
    operators.set_roles(operator_id=int(anna.id), roles=[Role.FINANCE], by=TESTER)
    with pytest.raises(Forbidden):
        notes.add(id="cus_001", text=WORDS, by=anna)
