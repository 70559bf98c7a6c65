"""The second step of signing in, and that nobody who may change something goes without one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from tests.web.console.conftest import PASSWORD
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.operators import service as operators
from trueup.operators.factors import rules
from trueup.operators.factors import service as factors
from trueup.operators.types import Person, Role
from trueup.runtime import clock, database

SECRET = rules.secret_of(b"0123456789abcdefghij")


def post(client: Client, path: str, **fields: str) -> HttpResponse:
    """Send the form of a page, with the token that the page has."""
    page = client.get(path)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
    assert token is not None, (path, page.status_code, page.headers.get("Location"))
    answer = client.post(path, {"csrfmiddlewaretoken": token[1], **fields})
    assert isinstance(answer, HttpResponse)
    return answer


def sign_in(client: Client, person: Person, **fields: str) -> HttpResponse:
    return post(client, "/sign-in", username=person.email, password=PASSWORD, **fields)


def code(ahead: int = 0) -> str:
    return rules.password(SECRET, clock.unix() // rules.STEP_SECONDS + ahead)


def by_themselves(person: Person) -> dict[str, Any]:
    return {"operator_id": person.id, "by": Actor(kind=ActorKind.OPERATOR, id=str(person.id))}


@pytest.fixture
def codes(person: Person) -> tuple[str, ...]:
    """Their recovery codes, after they added an authenticator app."""
    return factors.add_app(secret=SECRET, code=code(-1), **by_themselves(person))


@pytest.fixture
def required(settings: Settings) -> None:
    settings.TRUEUP_MFA_REQUIRED = True


def _signed_in(client: Client) -> bool:
    return client.get("/account/security").status_code == 200


def _audited() -> list[str]:
    rows = database.execute(
        "select action from audit_entries where action ~ 'sign|recovery_code_' or action ~ 'code.used' order by at, id"
    )
    return [str(action).removeprefix("operators.operator.") for (action,) in rows.fetchall()]


def test_the_password_alone_opens_nothing(visitor: Client, person: Person, codes: tuple[str, ...]) -> None:
    answer = sign_in(visitor, person)

    assert answer["Location"] == "/sign-in/factor"
    assert not _signed_in(visitor)
    assert _audited() == []


def test_the_code_of_the_app_opens_and_leads_where_the_visitor_wanted(
    visitor: Client, person: Person, codes: tuple[str, ...]
) -> None:
    sign_in(visitor, person, next="/events?state=set_aside")

    answer = post(visitor, "/sign-in/factor", code=code())

    assert answer["Location"] == "/events?state=set_aside"
    assert _signed_in(visitor)
    assert _audited() == ["signed_in"]


def test_a_wrong_code_stays_outside_and_is_noted(visitor: Client, person: Person, codes: tuple[str, ...]) -> None:
    sign_in(visitor, person)

    for wrong in ("000000x", code(-9), ""):
        assert post(visitor, "/sign-in/factor", code=wrong).status_code == 422

    assert not _signed_in(visitor)
    assert _audited() == ["sign_in_refused"] * 3
    assert post(visitor, "/sign-in/factor", code=code())["Location"] == "/"


def test_a_code_that_somebody_saw_typed_opens_nothing(visitor: Client, person: Person, codes: tuple[str, ...]) -> None:
    seen, other = code(1), Client(enforce_csrf_checks=True)
    sign_in(visitor, person)
    sign_in(other, person)

    assert post(visitor, "/sign-in/factor", code=seen)["Location"] == "/"

    assert post(other, "/sign-in/factor", code=seen).status_code == 422
    assert not _signed_in(other)


def test_a_recovery_code_opens_once(visitor: Client, person: Person, codes: tuple[str, ...]) -> None:
    sign_in(visitor, person)
    assert post(visitor, "/sign-in/factor", code=codes[3])["Location"] == "/"
    other = Client(enforce_csrf_checks=True)

    sign_in(other, person)

    assert post(other, "/sign-in/factor", code=codes[3]).status_code == 422


def test_whoever_guesses_codes_waits_even_with_the_right_one(
    visitor: Client, person: Person, codes: tuple[str, ...]
) -> None:
    sign_in(visitor, person)
    for _ in range(10):
        post(visitor, "/sign-in/factor", code="guess")

    answer = post(visitor, "/sign-in/factor", code=code())

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert not _signed_in(visitor)


def test_nobody_enters_at_the_second_step(visitor: Client, person: Person, codes: tuple[str, ...]) -> None:
    assert visitor.get("/sign-in/factor")["Location"] == "/sign-in"
    assert visitor.get("/sign-in/factor?options")["Location"] == "/sign-in"


def test_who_was_deactivated_between_the_steps_stays_outside(
    visitor: Client, person: Person, codes: tuple[str, ...]
) -> None:
    sign_in(visitor, person)
    database.execute("update operators_operator set is_active = false")

    assert visitor.get("/sign-in/factor")["Location"] == "/sign-in"
    assert visitor.post("/sign-in/factor", {"code": code()}).status_code in {302, 403}
    assert not _signed_in(visitor)


def test_the_session_that_the_password_opened_is_another_than_the_one_after_the_code(
    visitor: Client, person: Person, codes: tuple[str, ...]
) -> None:
    visitor.get("/sign-in")
    visitor.session.save()
    planted = visitor.session.session_key
    sign_in(visitor, person)
    between = visitor.session.session_key

    post(visitor, "/sign-in/factor", code=code())

    assert len({planted, between, visitor.session.session_key}) == 3


def test_a_session_that_only_a_password_opened_ends_where_there_is_a_factor(
    reader: Client, person: Person, codes: tuple[str, ...]
) -> None:
    answer = reader.get("/events")

    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in?next=/events")
    assert not _signed_in(reader)


@pytest.mark.usefixtures("required")
def test_who_may_change_something_sets_up_a_factor_before_anything_else(reader: Client) -> None:
    for path in ("/", "/events", "/search?q=a", "/account/security/codes"):
        assert reader.get(path)["Location"].startswith("/account/security?next=/")
    part = reader.get("/events", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/events"})
    assert (part.status_code, part["HX-Redirect"]) == (401, "/account/security?next=/events")
    assert "Add a second factor" in reader.get("/account/security?next=/events").content.decode()

    assert reader.post("/sign-out")["Location"] == "/sign-in"


@pytest.mark.usefixtures("required")
def test_who_only_reads_needs_none(reader: Client, person: Person) -> None:
    operators.create_operator(email="o@acme.example", password=PASSWORD, roles=[Role.OWNER], by=system("test"))
    operators.set_roles(operator_id=person.id, roles=[Role.AUDITOR], by=system("test"))

    assert reader.get("/events").status_code == 200


@pytest.mark.usefixtures("required")
def test_setting_up_an_app_shows_the_codes_once_and_lets_in(visitor: Client, person: Person) -> None:
    sign_in(visitor, person, next="/events")
    assert visitor.get("/events")["Location"] == "/account/security?next=/events"
    page = visitor.get("/account/security/app?next=/events").content.decode()
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert secret is not None
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    given = rules.password(secret[1].replace(" ", ""), clock.unix() // rules.STEP_SECONDS)

    wrong = visitor.post("/account/security/app", {"csrfmiddlewaretoken": token[1], "code": "1", "next": "/events"})
    shown = visitor.post("/account/security/app", {"csrfmiddlewaretoken": token[1], "code": given, "next": "/events"})

    assert wrong.status_code == 422
    assert secret[1] in wrong.content.decode()
    words = shown.content.decode()
    assert len(re.findall(r"<code>[a-z2-7]{4}(?:-[a-z2-7]{4}){3}</code>", words)) == rules.CODES
    assert 'href="/events"' in words
    assert "no-store" in shown["Cache-Control"]
    assert visitor.get("/events").status_code == 200
    again = visitor.post("/account/security/app", {"csrfmiddlewaretoken": token[1], "code": given})
    assert again["Location"] == "/account/security"


@pytest.mark.usefixtures("required")
def test_without_a_recent_password_nobody_changes_what_somebody_signs_in_with(reader: Client) -> None:
    assert reader.get("/account/security/app")["Location"] == "/account/confirm?next=/account/security/app"
    assert reader.get("/account/security/passkey")["Location"].startswith("/account/confirm")

    assert reader.post("/account/confirm", {"password": "guess", "next": "/events"}).status_code == 422
    answer = reader.post("/account/confirm", {"password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/"

    assert reader.get("/account/security/app").status_code == 200
