"""Signing in and out."""

from __future__ import annotations

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.web.console.conftest import PASSWORD
from trueup.operators.types import Person
from trueup.runtime import database


def _post(client: Client, *, email: str, password: str, next_: str = "") -> HttpResponse:
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get("/sign-in").content.decode())
    assert token is not None
    answer = client.post(
        "/sign-in", {"csrfmiddlewaretoken": token[1], "username": email, "password": password, "next": next_}
    )
    assert isinstance(answer, HttpResponse)
    return answer


def _audited() -> list[tuple[str, str]]:
    rows = database.execute(
        "select action, object_id from audit_entries where action like '%%sign%%' order by 1"
    ).fetchall()
    return [(str(action), str(object_id)) for action, object_id in rows]


def test_the_right_password_opens_the_console_and_is_noted(visitor: Client, person: Person) -> None:
    response = _post(visitor, email="ELENA@acme.example", password=PASSWORD)

    assert response["Location"] == "/"
    assert visitor.get("/customers").status_code == 200
    assert [object_id for _action, object_id in _audited()] == [str(person.id)]


@pytest.mark.parametrize(
    ("email", "password"),
    [("elena@acme.example", "wrong password"), ("nobody@acme.example", PASSWORD)],
)
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    visitor: Client, person: Person, email: str, password: str
) -> None:
    response = _post(visitor, email=email, password=password)

    assert response.status_code == 422
    assert "That email and password do not match." in response.content.decode()
    assert visitor.get("/customers").status_code == 302
    assert len(_audited()) == 1


def test_an_address_that_is_none_is_named_at_its_field(visitor: Client, person: Person) -> None:
    response = _post(visitor, email="elena", password="x")

    page = response.content.decode()
    assert "Write the address as name@example.com." in page
    assert 'aria-invalid="true"' in page
    assert _audited() == []


def test_after_too_many_failures_even_the_right_password_has_to_wait(visitor: Client, person: Person) -> None:
    for _ in range(10):
        assert _post(visitor, email=person.email, password="guess").status_code == 422

    response = _post(visitor, email=person.email, password=PASSWORD)

    assert response.status_code == 429
    assert "Too many sign-ins have failed. Try again in" in response.content.decode()
    assert 1 <= int(response["Retry-After"]) <= 900
    assert visitor.get("/customers").status_code == 302


def test_signing_in_leads_to_the_page_that_was_asked_for(visitor: Client, person: Person) -> None:
    response = _post(visitor, email=person.email, password=PASSWORD, next_="/events?state=set_aside")

    assert response["Location"] == "/events?state=set_aside"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_signing_in_never_leads_to_another_site(visitor: Client, person: Person, target: str) -> None:
    response = _post(visitor, email=person.email, password=PASSWORD, next_=target)

    assert response["Location"] == "/"


def test_the_session_gets_a_new_key_at_sign_in(visitor: Client, person: Person) -> None:
    visitor.session.save()
    before = visitor.session.session_key

    _post(visitor, email=person.email, password=PASSWORD)

    assert visitor.session.session_key != before


def test_a_form_without_our_token_is_refused_with_a_page_that_says_what_to_do(visitor: Client, person: Person) -> None:
    response = visitor.post("/sign-in", {"username": person.email, "password": PASSWORD})

    assert response.status_code == 403
    assert "reload the page and try again" in response.content.decode()
    assert visitor.get("/customers").status_code == 302


def test_signing_out_ends_the_session_and_a_link_cannot_do_it(reader: Client) -> None:
    assert reader.get("/sign-out").status_code == 405
    assert reader.get("/customers").status_code == 200

    assert reader.post("/sign-out")["Location"] == "/sign-in"

    assert reader.get("/customers").status_code == 302
    assert [action for action, _object_id in _audited()] != []


def test_who_is_signed_in_already_is_not_asked_again(reader: Client) -> None:
    assert reader.get("/sign-in")["Location"] == "/"


def test_passkeys_are_offered_where_browsers_make_them(person: Person) -> None:
    assert "Sign in with a passkey" in Client(SERVER_NAME="localhost").get("/sign-in").content.decode()
    assert "Sign in with a passkey" not in Client(SERVER_NAME="127.0.0.1").get("/sign-in").content.decode()
    assert "Sign in with a passkey" not in Client(SERVER_NAME="testserver").get("/sign-in").content.decode()
    assert "Sign in with a passkey" in Client(SERVER_NAME="testserver").get("/sign-in", secure=True).content.decode()


def test_an_answer_of_no_passkey_opens_nothing(person: Person) -> None:
    browser = Client(SERVER_NAME="localhost")
    assert browser.get("/sign-in/passkey").json()["request_options"]["publicKey"]["userVerification"] == "required"

    for credential in ("", "{}", "[]", '{"id": "x", "rawId": "eA", "response": {}, "type": "public-key"}', "null"):
        answer = browser.post("/sign-in/passkey", {"credential": credential, "next": "/events"})
        assert (credential, answer.status_code) == (credential, 422)
        assert "That passkey is not known here." in answer.content.decode()

    assert browser.get("/account/security").status_code == 302
