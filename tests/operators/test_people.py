"""People who sign in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import authenticate
from django.db import connections

from tests.operators.conftest import BY, PASSWORD
from trueup.audit import service as audit
from trueup.audit.types import AuditEntry
from trueup.kernel.errors import Conflict, NotFound, Refused
from trueup.operators import service as operators
from trueup.operators.models import Operator
from trueup.operators.types import Person
from trueup.runtime import database

Entries = Callable[[], list[AuditEntry]]


def test_a_password_is_kept_as_argon2_only(db: None) -> None:
    person = operators.create_operator(email="a@b.example", password=PASSWORD, by=BY)

    stored = Operator.objects.get(pk=person.id).password
    assert stored.startswith("argon2$argon2id$")
    assert PASSWORD not in stored
    assert authenticate(username="A@B.example", password=PASSWORD) is not None
    assert authenticate(username="a@b.example", password=PASSWORD + "x") is None


def test_making_a_person_is_recorded_with_their_address_and_name_apart_and_no_password(
    person: Person, entries: Entries
) -> None:
    (entry,) = entries()
    (opened,) = audit.entries(database.connection(), opened=True)

    assert (entry.action, entry.object_id) == ("operators.operator.created", str(person.id))
    assert (entry.actor_kind, entry.actor_id) == ("command_line", "ada")
    assert "elena" not in repr(entry).lower()
    assert set(entry.hidden) >= {"after.email", "after.name"}
    assert (opened.after["email"], opened.after["name"]) == ("Elena@Acme.example", "Elena Sato")
    assert PASSWORD not in repr(opened)


@pytest.mark.parametrize("email", ["Elena@Acme.example", "elena@acme.EXAMPLE", " elena@acme.example "])
def test_an_address_belongs_to_one_person_in_any_case(person: Person, entries: Entries, email: str) -> None:
    with pytest.raises(Conflict) as refused:
        operators.create_operator(email=email, password=PASSWORD, by=BY)
    assert refused.value.code == "operator_exists"
    assert operators.operator_count() == 1
    assert len(entries()) == 1


@pytest.mark.parametrize(
    ("email", "password", "name", "code"),
    [
        ("nobody", PASSWORD, "", "email_invalid"),
        ("a@b", PASSWORD, "", "email_invalid"),
        ("a@b.example", "123456789", "", "password_too_short"),
        ("a@b.example", "", "", "password_too_short"),
        ("a@" + "b" * 60 + ("." + "c" * 60) * 4 + ".example", PASSWORD, "", "operator_too_long"),
        ("a@b.example", PASSWORD, "n" * 201, "operator_too_long"),
    ],
)
def test_what_cannot_be_a_person_is_refused(
    *, db: None, cheap_hashes: None, email: str, password: str, name: str, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        operators.create_operator(email=email, password=password, name=name, by=BY)
    assert refused.value.code == code
    assert operators.operator_count() == 0


def test_a_new_password_replaces_the_old_one(person: Person, entries: Entries) -> None:
    operators.set_password(email="elena@acme.example", password="another horse battery", by=BY)

    assert authenticate(username=person.email, password=PASSWORD) is None
    assert authenticate(username=person.email, password="another horse battery") is not None
    assert entries()[-1].action == "operators.operator.password_set"
    assert "another" not in repr(entries())


def test_a_password_is_set_for_somebody_who_exists_and_is_long_enough(person: Person, entries: Entries) -> None:
    with pytest.raises(NotFound):
        operators.set_password(email="nobody@acme.example", password=PASSWORD, by=BY)
    with pytest.raises(Refused, match="at least 10 characters"):
        operators.set_password(email=person.email, password="short", by=BY)
    assert len(entries()) == 1


def test_somebody_is_found_by_address_in_any_case(person: Person) -> None:
    assert operators.find_operator("ELENA@ACME.EXAMPLE") == person
    assert operators.find_operator("other@acme.example") is None


def test_signing_in_and_out_is_recorded_as_the_persons_own_doing(person: Person, entries: Entries) -> None:
    operators.record_sign_in(person.id)
    operators.record_sign_out(person.id)

    assert [(entry.action, entry.actor_kind, entry.actor_id, entry.object_id) for entry in entries()[1:]] == [
        ("operators.operator.signed_in", "operator", str(person.id), str(person.id)),
        ("operators.operator.signed_out", "operator", str(person.id), str(person.id)),
    ]


def test_a_refused_sign_in_names_a_known_person_by_id_and_hides_an_unknown_address(
    person: Person, entries: Entries
) -> None:
    operators.record_refused_sign_in(person.email.upper())
    operators.record_refused_sign_in("hunter2-typed-here@acme.example")

    known, unknown = entries()[1:]
    assert (known.action, known.object_id) == ("operators.operator.sign_in_refused", str(person.id))
    assert unknown.object_id.startswith("unknown:")
    assert "hunter2" not in repr(unknown)


def test_two_who_make_the_same_person_at_once_make_one(committing: None, cheap_hashes: None) -> None:
    def make(turn: int) -> str:
        try:
            return str(
                operators.create_operator(email=("ada", "ADA")[turn % 2] + "@acme.example", password=PASSWORD, by=BY).id
            )
        except Conflict as refused:
            return refused.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(make, range(6)))

    assert made.count("operator_exists") == 5
    assert operators.operator_count() == 1
