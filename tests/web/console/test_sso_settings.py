"""The pages on which an owner connects providers, and what others see of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.operators.sso import saml_provider
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.operators import service as operators
from trueup.operators.sso import service as sso
from trueup.operators.sso.types import Connection, Given, Kind
from trueup.operators.team import service as team
from trueup.operators.types import Person, Role

BY = system("test")
FORM: dict[str, Any] = {
    "name": "Acme",
    "metadata": saml_provider.metadata(),
    "domains": "@Acme.example\n\nacme.test",
    "groups_claim": "groups",
    "groups": "a = b = sales, support\nbooks = finance",
    "without_group": "keep",
    "makes_people": "on",
}


@pytest.fixture
def connection(person: Person) -> Connection:
    given = Given(name="Acme", kind=Kind.SAML, metadata=saml_provider.metadata(), domains=("acme.example",))
    return sso.add(given=given, by=BY)


def _client(*roles: Role) -> Client:
    made = operators.create_operator(email="other@acme.example", password="correct horse", roles=roles, by=BY)
    client = Client()
    client.force_login(get_user_model().objects.get(pk=made.id))
    return client


def test_what_the_form_says_is_kept_and_shown_again(reader: Client) -> None:
    answer = reader.post("/settings/sso/new/saml", FORM)

    (made,) = sso.connections()
    assert answer["Location"] == f"/settings/sso/{made.id}"
    assert made.domains == ("acme.example", "acme.test")
    assert made.groups == (("a = b", (Role.SALES, Role.SUPPORT)), ("books", (Role.FINANCE,)))
    assert (made.is_on, made.makes_people, made.issuer) == (False, True, saml_provider.ENTITY)
    page = reader.get(answer["Location"]).content.decode()
    assert "a = b = sales, support" in page
    assert f"http://testserver/sign-in/sso/{made.id}/acs" in page


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"groups": "engineering"}, "gives no role"),
        ({"groups": "engineering = king"}, "gives no role"),
        ({"groups": "engineering = owner"}, "No group makes owners"),
        ({"domains": "no domain"}, "is no domain"),
        ({"metadata": "<!DOCTYPE x><x/>"}, "no SAML metadata"),
    ],
)
def test_what_cannot_be_used_is_told_beside_the_form(reader: Client, changes: dict[str, str], told: str) -> None:
    answer = reader.post("/settings/sso/new/saml", FORM | changes)

    assert (answer.status_code // 100, told in answer.content.decode()) == (4, True)
    assert sso.connections() == []


def test_an_admin_looks_and_changes_nothing(connection: Connection) -> None:
    admin = _client(Role.ADMIN)

    page = admin.get(f"/settings/sso/{connection.id}").content.decode()

    assert "Only an owner changes providers." in page
    assert "Switch it on" not in page
    assert admin.post(f"/settings/sso/{connection.id}", FORM).status_code == 403
    assert admin.post(f"/settings/sso/{connection.id}/on").status_code == 403


def test_another_owner_is_asked_in_words_that_say_what_for(reader: Client, connection: Connection) -> None:
    other = _client(Role.OWNER)
    refused = reader.post(f"/settings/sso/{connection.id}/on")
    reader.post(f"/settings/sso/{connection.id}/on", {"why": "We move to Acme."})

    inbox = other.get("/inbox").content.decode()

    assert refused.status_code == 400
    assert f"Acme (acme.example, {saml_provider.ENTITY})" in inbox
    assert "Single sign-on switched on" in inbox
    assert "Another owner was asked" in reader.get(f"/settings/sso/{connection.id}").content.decode()


def test_the_buttons_switch_off_and_remove(reader: Client, connection: Connection) -> None:
    reader.post(f"/settings/sso/{connection.id}/on")
    assert sso.connection(connection.id).is_on

    assert reader.post(f"/settings/sso/{connection.id}/remove").status_code == 409
    reader.post(f"/settings/sso/{connection.id}/off")
    reader.post(f"/settings/sso/{connection.id}/remove")

    assert sso.connections() == []


def test_whoever_was_invited_into_a_domain_that_has_to_comes_in_by_its_provider(
    visitor: Client, person: Person
) -> None:
    given = Given(
        name="Acme", kind=Kind.SAML, metadata=saml_provider.metadata(), domains=("acme.example",), is_required=True
    )
    sso.switch_on(connection_id=sso.add(given=given, by=BY).id, by=BY)
    by = Actor(kind=ActorKind.OPERATOR, id=str(person.id))
    secret = team.invite(email="new@acme.example", roles=[Role.SALES], by=by).secret

    page = visitor.get(f"/invitation/{secret}").content.decode()

    assert "Come in with Acme" in page
    assert "Choose this password" not in page
