"""The first person's way in."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from tests.web.console.test_sign_in_factor import post
from trueup.operators import service as operators
from trueup.operators.set_up import service as set_up
from trueup.operators.types import Person, Role

GIVEN = {"email": "ada@acme.example", "name": "Ada", "password": "correct horse battery"}


def _post(visitor: Client, **fields: str) -> HttpResponse:
    return post(visitor, "/set-up", **({"code": set_up.code()} | GIVEN | fields))


def test_while_there_is_nobody_every_way_leads_to_the_set_up(visitor: Client) -> None:
    assert visitor.get("/")["Location"] == "/sign-in?next=/"
    assert visitor.get("/sign-in?next=/")["Location"] == "/set-up"
    assert "Become the owner" in visitor.get("/set-up").content.decode()


def test_the_first_person_is_owner_is_signed_in_and_adds_a_factor_next(visitor: Client, settings: Settings) -> None:
    settings.TRUEUP_MFA_REQUIRED = True

    answer = _post(visitor)

    assert answer["Location"] == "/account/security"
    assert "Add a second factor" in visitor.get("/account/security").content.decode()
    assert visitor.get("/events")["Location"].startswith("/account/security")
    owner = operators.find_operator("ada@acme.example")
    assert owner is not None
    assert owner.roles == (Role.OWNER,)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("code", "AAAA-AAAA-AAAA-AAAA", "That is not the code."),
        ("code", "", "Enter the code"),
        ("email", "ada", "Write the address as"),
        ("password", "short", "at least 10 characters"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_makes_nobody(
    visitor: Client, field: str, value: str, words: str
) -> None:
    answer = _post(visitor, **{field: value})

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert GIVEN["password"] not in answer.content.decode()
    assert operators.operator_count() == 0


def test_guesses_are_stopped(visitor: Client) -> None:
    for _ in range(10):
        _post(visitor, code="AAAA-AAAA-AAAA-AAAA")

    assert _post(visitor).status_code == 429
    assert operators.operator_count() == 0


def test_once_there_is_somebody_nobody_sets_up(visitor: Client, person: Person) -> None:
    assert visitor.get("/set-up")["Location"] == "/sign-in"
    assert visitor.get("/sign-in").status_code == 200


def test_a_form_from_elsewhere_makes_nobody(visitor: Client) -> None:
    assert visitor.post("/set-up", {"code": set_up.code()} | GIVEN).status_code == 403
    assert operators.operator_count() == 0
