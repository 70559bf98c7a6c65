"""Signing in with a provider of OpenID Connect, and every answer of one that lets nobody in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from tests.operators.sso import oidc_provider
from tests.operators.sso.oidc_provider import CLIENT, SECRET, Provider
from tests.web.console.conftest import PASSWORD
from tests.web.console.test_sign_in_factor import SECRET as APP
from tests.web.console.test_sign_in_factor import by_themselves, code, post, sign_in
from trueup.audit import service as audit
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.factors import service as factors
from trueup.operators.sso import service as sso
from trueup.operators.sso.types import Connection, Given, Kind, Without
from trueup.operators.team import service as team
from trueup.operators.types import Person, Role
from trueup.runtime import database

BY = system("test")


pytestmark = pytest.mark.usefixtures("near")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with oidc_provider.running() as found:
        yield found


def connect(provider: Provider, *, on: bool = True, **changes: Any) -> Connection:
    """A connection to it, switched on; anybody of the domain may come in as what they were here."""
    given = {
        "name": "Acme",
        "kind": Kind.OIDC,
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "domains": ("acme.example",),
        "without_group": Without.KEEP,
    }
    made = sso.add(given=Given(**(given | changes)), by=BY)
    return sso.switch_on(connection_id=made.id, by=BY).connection if on else made


def come_back(client: Client, provider: Provider, connection: Connection, **changes: str) -> HttpResponse:
    """Go to the provider and come back with its answer."""
    sent = client.get(f"/sign-in/sso/{connection.id}", {"next": "/events?state=set_aside"})
    answer = client.get(f"/sign-in/sso/{connection.id}/callback", provider.authorize(sent["Location"]) | changes)
    assert isinstance(answer, HttpResponse)
    return answer


def is_in(client: Client) -> bool:
    return client.get("/account/security").status_code == 200


def recorded(action: str) -> list[dict[str, Any]]:
    """What entries of an action say, oldest first."""
    rows = database.execute("select after from audit_entries where action = %s order by at, id", (action,)).fetchall()
    return [json.loads(after) for (after,) in rows]


def test_somebody_known_comes_in_and_is_where_they_wanted_to_be(
    visitor: Client, person: Person, provider: Provider
) -> None:
    connection = connect(provider)
    assert "Sign in with Acme" in visitor.get("/sign-in").content.decode()

    answer = come_back(visitor, provider, connection)

    assert answer["Location"] == "/events?state=set_aside"
    assert is_in(visitor)
    ((header, form),) = provider.asked
    assert header.startswith("Basic ")
    assert "client_secret" not in form
    assert recorded("operators.operator.signed_in") == [{"method": "sso", "factor": "", "connection": connection.id}]
    assert recorded("operators.sso.linked") == [{"connection": connection.id}]


def test_the_secret_is_sealed_and_no_page_and_no_entry_has_it(reader: Client, provider: Provider) -> None:
    connection = connect(provider)

    stored = database.execute("select client_secret from operators_ssoconnection").fetchall()
    told = json.dumps(database.execute("select before, after from audit_entries").fetchall(), default=str)
    assert SECRET.encode() not in bytes(stored[0][0])
    assert SECRET not in told + reader.get(f"/settings/sso/{connection.id}").content.decode()


@pytest.mark.parametrize(
    ("sign", "reason"),
    [
        (oidc_provider.by_a_stranger, "signature"),
        (oidc_provider.changed_afterwards, "signature"),
        (oidc_provider.by_public_key, "signature"),
        (oidc_provider.unsigned, "unsigned"),
        (lambda _claims: "no token", "malformed"),
    ],
)
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    visitor: Client, person: Person, provider: Provider, sign: Callable[[dict[str, Any]], str], reason: str
) -> None:
    provider.sign = sign

    answer = come_back(visitor, provider, connect(provider))

    assert answer.status_code == 403
    assert "You are not signed in" in answer.content.decode()
    assert not is_in(visitor)
    assert recorded("operators.sso.refused") == [{"reason": reason, "purpose": "sign_in", "operator": None}]


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "another"}, "audience"),
        ({"aud": [CLIENT, "another"]}, "audience"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "audience"),
        ({"iss": "https://evil.example"}, "other_provider"),
        ({"exp": 1_700_000_000}, "too_late"),
        ({"iat": 1_700_000_000}, "too_late"),
        ({"iat": 4_000_000_000}, "too_early"),
        ({"nonce": "of another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"sub": ""}, "subject_missing"),
        ({"email": ""}, "email_missing"),
        ({"email_verified": False}, "email_unverified"),
        ({"email": "elena@evil.example"}, "domain"),
        ({"email": "elena@sub.acme.example"}, "domain"),
        ({"email": "elena@acme.example@evil.example"}, "domain"),
        ({"email": "nobody@acme.example", "sub": "u-2"}, "not_invited"),
    ],
)
def test_a_token_for_somebody_or_something_else_lets_nobody_in(
    visitor: Client, person: Person, provider: Provider, claims: dict[str, Any], reason: str
) -> None:
    provider.claims |= claims

    answer = come_back(visitor, provider, connect(provider))

    assert (answer.status_code, recorded("operators.sso.refused")[0]["reason"]) == (403, reason)
    assert not is_in(visitor)


def test_an_answer_counts_once_and_only_for_the_browser_that_asked(
    visitor: Client, person: Person, provider: Provider
) -> None:
    connection = connect(provider)
    address = f"/sign-in/sso/{connection.id}/callback"
    theirs = provider.authorize(visitor.get(f"/sign-in/sso/{connection.id}")["Location"])
    stranger = Client()
    stranger.get(f"/sign-in/sso/{connection.id}")

    assert stranger.get(address, theirs).status_code == 403
    assert stranger.get(address, theirs | {"state": "made up"}).status_code == 403
    assert visitor.get(address, theirs).status_code == 302
    again = Client()
    assert again.get(address, theirs).status_code == 403

    reasons = [one["reason"] for one in recorded("operators.sso.refused")]
    assert reasons == ["other_browser", "unsolicited", "replayed"]
    assert (is_in(visitor), is_in(stranger), is_in(again)) == (True, False, False)


def test_an_answer_of_another_provider_is_not_taken_for_this_ones(
    visitor: Client, person: Person, provider: Provider
) -> None:
    with oidc_provider.running() as other:
        mine, theirs = connect(provider), connect(other, name="Other")
        answer = provider.authorize(visitor.get(f"/sign-in/sso/{mine.id}")["Location"])

        mixed = visitor.get(f"/sign-in/sso/{theirs.id}/callback", answer)
        named = visitor.get(f"/sign-in/sso/{mine.id}/callback", answer | {"iss": other.issuer})

    assert (mixed.status_code, named.status_code) == (403, 403)
    assert [one["reason"] for one in recorded("operators.sso.refused")] == ["unsolicited", "other_provider"]


def test_a_provider_that_refuses_or_is_away_is_told_of(visitor: Client, person: Person, provider: Provider) -> None:
    connection = connect(provider)

    refused = come_back(visitor, provider, connection, error="access_denied", error_description="<b>no</b>")
    provider.described = {"token_endpoint": "http://127.0.0.1:1/token"}
    away = come_back(visitor, provider, connection)

    assert "Your provider did not let you in." in refused.content.decode()
    assert "<b>no</b>" not in refused.content.decode()
    assert "did not answer as it should" in away.content.decode()


def test_whoever_begins_again_and_again_makes_nobody_ask_the_provider_each_time(
    visitor: Client, provider: Provider
) -> None:
    connection = connect(provider)
    before = provider.looks

    for _ in range(5):
        assert visitor.get(f"/sign-in/sso/{connection.id}").status_code == 302

    assert provider.looks - before <= 1


def test_ten_bad_answers_and_the_next_is_not_read(visitor: Client, provider: Provider) -> None:
    address = f"/sign-in/sso/{connect(provider).id}/callback"

    answers = [visitor.get(address, {"state": "x"}).status_code for _ in range(11)]

    assert answers == [403] * 10 + [429]


def test_somebody_is_invited_or_made_only_where_that_was_chosen(visitor: Client, provider: Provider) -> None:
    operators.create_operator(email="o@acme.example", password=PASSWORD, by=BY)
    team.invite(email="elena@acme.example", name="Elena", roles=[Role.SALES], by=BY)

    come_back(visitor, provider, connect(provider))

    found = operators.find_operator("elena@acme.example")
    assert found is not None
    assert (found.roles, found.name) == ((Role.SALES,), "Elena Sato")
    assert team.invitations() == []
    assert sign_in(Client(), found).status_code == 422


def test_groups_give_roles_at_each_sign_in_and_take_them_away(visitor: Client, provider: Provider) -> None:
    operators.create_operator(email="o@acme.example", password=PASSWORD, by=BY)
    groups = (("engineering", (Role.DEVELOPER, Role.OPS)), ("books", (Role.FINANCE,)))
    connection = connect(
        provider, makes_people=True, groups_claim="groups", groups=groups, without_group=Without.REFUSE
    )

    def roles_with(*held: str) -> tuple[Role, ...] | None:
        provider.claims["groups"] = list(held)
        come_back(Client(), provider, connection)
        found = operators.find_operator("elena@acme.example")
        return None if found is None else found.roles

    assert roles_with("engineers") is None
    assert roles_with("engineering", "canteen") == (Role.OPS, Role.DEVELOPER)
    assert roles_with("books") == (Role.FINANCE,)
    assert roles_with() == ()
    assert [one["reason"] for one in recorded("operators.sso.refused")] == ["no_group", "no_group"]
    assert recorded("operators.operator.roles_set")[-1] == {"roles": [], "connection": connection.id}


def test_no_group_takes_the_last_owner_away(visitor: Client, person: Person, provider: Provider) -> None:
    groups = (("engineering", (Role.DEVELOPER,)),)
    come_back(visitor, provider, connect(provider, groups_claim="groups", groups=groups))

    found = operators.find_operator(person.email)
    assert found is not None
    assert found.roles == (Role.OWNER,)


def test_groups_come_from_the_userinfo_of_the_same_person_only(
    visitor: Client, person: Person, provider: Provider
) -> None:
    connection = connect(provider, groups_claim="groups", groups=(("books", (Role.FINANCE,)),))
    provider.userinfo = {"sub": "u-1", "groups": ["books"], "email": "evil@acme.example"}

    come_back(visitor, provider, connection)
    provider.userinfo |= {"sub": "u-2"}
    other = come_back(Client(), provider, connection)

    found = operators.find_operator(person.email)
    assert found is not None
    assert found.roles == (Role.OWNER, Role.FINANCE)
    assert other.status_code == 403


def test_an_address_that_somebody_else_got_opens_nothing_until_the_link_is_forgotten(
    visitor: Client, person: Person, provider: Provider
) -> None:
    connection = connect(provider)
    come_back(visitor, provider, connection)
    provider.claims["sub"] = "u-2"

    assert come_back(Client(), provider, connection).status_code == 403
    assert recorded("operators.sso.refused") == [
        {"reason": "subject_changed", "purpose": "sign_in", "operator": person.id}
    ]
    sso.unlink(operator_id=person.id, by=BY)
    assert come_back(Client(), provider, connection).status_code == 302


def test_who_was_shut_out_stays_out(visitor: Client, person: Person, provider: Provider) -> None:
    connection = connect(provider)
    database.execute("update operators_operator set is_active = false")

    assert come_back(visitor, provider, connection).status_code == 403
    assert recorded("operators.sso.refused")[0]["reason"] == "deactivated"


def test_the_own_second_factor_is_asked_unless_the_provider_asked_for_one(
    visitor: Client, person: Person, provider: Provider
) -> None:
    factors.add_app(secret=APP, code=code(-1), **by_themselves(person))
    connection = connect(provider)
    assert come_back(visitor, provider, connection)["Location"] == "/sign-in/factor"
    assert not is_in(visitor)

    sso.switch_off(connection_id=connection.id, by=BY)
    believed = connect(provider, provider_factor=True, factor_words=("mfa",))
    provider.claims["amr"] = ["pwd"]
    assert come_back(Client(), provider, believed)["Location"] == "/sign-in/factor"
    provider.claims["amr"] = ["pwd", "mfa"]
    trusted = Client()
    assert come_back(trusted, provider, believed)["Location"] == "/events?state=set_aside"
    assert is_in(trusted)
    assert recorded("operators.operator.signed_in")[-1]["factor"] == "provider"


def test_who_may_change_something_sets_a_factor_up_after_a_provider_without_one(
    visitor: Client, person: Person, provider: Provider, settings: Settings
) -> None:
    settings.TRUEUP_MFA_REQUIRED = True

    come_back(visitor, provider, connect(provider))

    assert visitor.get("/events")["Location"].startswith("/account/security?next=")


def test_passwords_of_a_domain_let_in_no_more_but_owners_break_the_glass(
    visitor: Client, person: Person, provider: Provider
) -> None:
    sales = operators.create_operator(email="s@acme.example", password=PASSWORD, roles=[Role.SALES], by=BY)
    connect(provider, is_required=True)

    right = sign_in(visitor, sales)
    wrong = post(visitor, "/sign-in", username=sales.email, password="something else")

    for answer in (right, wrong):
        assert answer.status_code == 422
        assert "Addresses of your domain sign in with Acme." in answer.content.decode()
    assert sign_in(Client(), person).status_code == 302


def test_the_session_opens_under_another_key_and_leads_nowhere_else(
    visitor: Client, person: Person, provider: Provider
) -> None:
    connection = connect(provider)
    sent = visitor.get(f"/sign-in/sso/{connection.id}", {"next": "https://evil.example/"})
    before = visitor.session.session_key

    answer = visitor.get(f"/sign-in/sso/{connection.id}/callback", provider.authorize(sent["Location"]))

    assert answer["Location"] == "/"
    assert visitor.session.session_key != before


def test_a_trial_tells_what_would_come_of_it_and_nothing_does(
    reader: Client, person: Person, provider: Provider
) -> None:
    connection = connect(
        provider, on=False, groups_claim="groups", groups=(("books", (Role.FINANCE,)),), makes_people=True
    )
    provider.claims |= {"email": "new@acme.example", "groups": ["books", "canteen"]}

    sent = reader.get(f"/settings/sso/{connection.id}/try")
    page = reader.get(f"/sign-in/sso/{connection.id}/callback", provider.authorize(sent["Location"])).content.decode()

    assert "This would make a new person" in page
    assert "Finance" in page
    assert "canteen" in page
    assert operators.find_operator("new@acme.example") is None
    assert Client().get(f"/sign-in/sso/{connection.id}").status_code == 403


def test_somebody_without_a_password_confirms_with_the_provider(
    visitor: Client, person: Person, provider: Provider
) -> None:
    connection = connect(provider, makes_people=True, groups_claim="groups", groups=(("ops", (Role.OPS,)),))
    provider.claims |= {"sub": "u-9", "email": "nine@acme.example", "groups": ["ops"]}
    come_back(visitor, provider, connection)
    (made, _first) = audit.entries(database.connection(), action="operators.operator.created", opened=True)
    assert (made.after["email"], made.after["name"]) == ("nine@acme.example", provider.claims.get("name", ""))
    session = visitor.session
    session["account_authentication_methods"] = []
    session.save()
    asked = visitor.get("/account/security/app")
    assert asked["Location"] == "/account/confirm?next=/account/security/app"
    assert "Ask Acme" in visitor.get(asked["Location"]).content.decode()

    sent = visitor.get(f"/account/confirm/sso/{connection.id}?next=/account/security/app")
    back = visitor.get(f"/sign-in/sso/{connection.id}/callback", provider.authorize(sent["Location"]))

    assert back["Location"] == "/account/security/app"
    assert visitor.get("/account/security/app").status_code == 200
    assert visitor.get("/account/password")["Location"] == "/account/security"
