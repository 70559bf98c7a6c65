"""One's own password, and what whoever manages people does for somebody who lost theirs."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.web.console.conftest import PASSWORD
from tests.web.console.test_account import another
from tests.web.console.test_sign_in_factor import SECRET, by_themselves, code, post, sign_in
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.factors import service as factors
from trueup.operators.types import Person, Role
from trueup.runtime import database

NEW = "another horse battery"
FIELDS = {"old": PASSWORD, "new": NEW, "again": NEW}


def _actions() -> list[tuple[str, str]]:
    rows = database.execute("select action, object_id from audit_entries order by at, id").fetchall()
    return [(str(action), str(object_id)) for action, object_id in rows]


def test_a_changed_password_is_the_one_that_signs_in_and_ends_all_other_sessions(person: Person) -> None:
    here, other = another(person), another(person)

    assert post(here, "/account/password", **FIELDS)["Location"] == "/account/security"

    assert "The password is changed" in here.get("/account/security").content.decode()
    assert other.get("/events")["Location"] == "/sign-in?next=/events"
    assert sign_in(Client(), person).status_code == 422
    assert _actions()[-2:] == [
        ("operators.operator.password_set", str(person.id)),
        ("operators.operator.sign_in_refused", str(person.id)),
    ]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"old": "wrong horse battery"}, "That is not your password."),
        ({"again": "something else here"}, "This is not the same password."),
        ({"new": "short", "again": "short"}, "A password has at least 10 characters."),
        ({"new": PASSWORD, "again": PASSWORD}, "That is the password that you have."),
    ],
)
def test_a_password_that_cannot_be_is_refused_and_the_old_one_stays(
    person: Person, fields: dict[str, str], told: str
) -> None:
    here = another(person)

    answer = post(here, "/account/password", **(FIELDS | fields))

    assert (answer.status_code, told in answer.content.decode()) == (422, True)
    assert sign_in(Client(), person)["Location"] == "/"


def test_whoever_has_a_factor_shows_it_before_the_password_is_changed(person: Person) -> None:
    here = another(person)
    factors.add_app(secret=SECRET, code=code(-1), but=_session(), **by_themselves(person))
    session = here.session
    session["trueup_second_factor"] = True
    session.save()
    assert here.get("/account/password")["Location"] == "/account/confirm/factor?next=/account/password"

    assert post(here, "/account/confirm/factor", code="000000").status_code == 422
    answer = post(here, "/account/confirm/factor?next=/account/password", code=code(), next="/account/password")

    assert answer["Location"] == "/account/password"
    assert post(here, "/account/password", **FIELDS)["Location"] == "/account/security"


def test_a_confirmation_leads_nowhere_but_here(person: Person) -> None:
    here = another(person)
    factors.add_app(secret=SECRET, code=code(-1), but=_session(), **by_themselves(person))
    session = here.session
    session["trueup_second_factor"] = True
    session.save()

    answer = post(here, "/account/confirm/factor", code=code(), next="https://evil.example/")

    assert answer["Location"] == "/"


def test_a_password_that_the_host_sets_ends_every_session(person: Person) -> None:
    here = another(person)

    operators.set_password(email=person.email, password=NEW, by=system("test"))

    assert database.execute('select "end" from operators_session').fetchall() == [("credentials",)]
    assert here.get("/account/security").status_code == 302


def test_signing_in_says_with_what(person: Person) -> None:
    another(person)
    factors.add_app(secret=SECRET, code=code(-1), **by_themselves(person))
    two = Client()
    sign_in(two, person)
    post(two, "/sign-in/factor", code=code())

    rows = database.execute(
        "select after from audit_entries where action = 'operators.operator.signed_in' order by at, id"
    ).fetchall()
    shown = [json.loads(after) for (after,) in rows]
    assert [(one["method"], one["factor"]) for one in shown] == [("password", ""), ("password", "app")]


@pytest.fixture
def owner(person: Person) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person.id))
    return client


def _lost() -> Person:
    lost = operators.create_operator(
        email="lost@acme.example", password=PASSWORD, roles=[Role.SALES], by=system("test")
    )
    factors.add_app(secret=SECRET, code=code(-1), **by_themselves(lost))
    return lost


def test_who_lost_their_factors_has_them_forgotten_and_is_signed_out(owner: Client) -> None:
    lost = _lost()
    assert "Reset factors" in owner.get(f"/settings/team/{lost.id}").content.decode()

    owner.post(f"/settings/team/{lost.id}/factors/reset")

    assert not factors.has_factor(lost.id)
    assert _actions()[-1] == ("operators.factors.reset", str(lost.id))
    assert "forgotten" in owner.get(f"/settings/team/{lost.id}").content.decode()


def test_all_sessions_of_a_person_are_ended(owner: Client, person: Person) -> None:
    sales = operators.create_operator(email="s@acme.example", password=PASSWORD, roles=[Role.SALES], by=system("test"))
    theirs = another(sales)

    owner.post(f"/settings/team/{sales.id}/sessions/end")

    assert theirs.get("/events")["Location"] == "/sign-in?next=/events&over=revoked"
    assert _actions()[-1] == ("operators.sessions.revoked", str(sales.id))


def test_nobody_forgets_their_own_factors_there_and_an_admin_not_an_owners(owner: Client, person: Person) -> None:
    admin = operators.create_operator(email="a@acme.example", password=PASSWORD, roles=[Role.ADMIN], by=system("test"))
    client = Client()
    client.force_login(get_user_model().objects.get(pk=admin.id))

    assert owner.post(f"/settings/team/{person.id}/factors/reset").status_code == 403
    assert client.post(f"/settings/team/{person.id}/factors/reset").status_code == 403


def _session() -> int:
    return int(database.execute("select max(id) from operators_session").fetchall()[0][0])
