"""The other pages of the settings: roles, tokens, accounts, branding, language, configuration; seeing as a role."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from tests.audit.conftest import home
from tests.web.console import world
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.kernel.errors import NotFound, Unauthenticated
from trueup.operators import models, permissions
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.operators.team import service as team
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Person, Role, Scope
from trueup.runtime import clock, configuration, database
from trueup.web.console.settings import configuration as shown
from trueup.web.console.settings.frame import Names
from trueup.web.console.team_words import AREAS, KINDS, ROLES, SCOPES, STANDINGS

__all__ = ["home"]

SECRET = "whsec_" + "b" * 32
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


def page(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined, no-any-return]


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person.id))
    return client


def test_every_permission_role_scope_and_standing_has_words() -> None:
    told = [one for _area, each in AREAS for one, _label in each]
    assert sorted(told) == sorted(Permission)
    assert set(ROLES) == set(Role)
    assert set(SCOPES) == set(Scope)
    assert {team.ROLES.name} <= set(KINDS)
    assert all(look.label for look in STANDINGS.values())


def test_settings_lead_to_the_first_page_that_one_may_open(reader: Client, person: Person) -> None:
    assert reader.get("/settings")["Location"] == "/settings/team"
    operators.create_operator(
        email="o@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=system("test")
    )
    operators.set_roles(operator_id=person.id, roles=[Role.SALES], by=system("test"))

    assert reader.get("/settings")["Location"] == "/settings/roles"
    told = page(reader.get("/settings/roles"))
    assert 'href="/settings/tokens"' not in told
    assert "See the console as a role" not in told


def test_the_table_of_roles_says_what_the_permissions_say(reader: Client) -> None:
    told = page(reader.get("/settings/roles"))
    rows = re.findall(r'<tr><th scope="row" class="wrap" title="([\w.]+)">', told)
    ticks = {row: told.partition(f'title="{row}"')[2].partition("</tr>")[0].count(">yes<") for row in rows}

    assert ticks == {one.value: len(permissions.roles_with(one)) for one in Permission}


def test_a_token_is_made_shown_once_rotated_and_revoked(reader: Client, person: Person) -> None:
    told = page(reader.post("/settings/tokens", {"name": "billing app", "scope": ["read"], "days": "30"}))
    first = re.findall(r"tru_[\w-]{43}", told)[0]
    token = tokens.authenticate(first)
    assert (token.name, token.made_by_id) == ("billing app", person.id)
    listed = page(reader.get("/settings/tokens"))
    assert first not in listed
    assert "made by Elena Sato" in listed

    turned = page(reader.post(f"/settings/tokens/{token.id}/rotate", {"overlap": "1"}))
    second = re.findall(r"tru_[\w-]{43}", turned)[0]
    assert second != first
    assert "The token before it works until" in turned
    assert tokens.authenticate(first).id == tokens.authenticate(second).id

    assert "billing app is revoked." in page(reader.post(f"/settings/tokens/{token.id}/revoke", follow=True))
    for gone in (first, second):
        with pytest.raises(Unauthenticated):
            tokens.authenticate(gone)
    assert reader.post(f"/settings/tokens/{token.id}/revoke").status_code == 404
    gone_too = reader.post(f"/settings/tokens/{token.id}/rotate")
    assert (gone_too.status_code, "There is no live token" in page(gone_too)) == (404, True)


def test_a_token_without_a_scope_is_refused_beside_the_form(reader: Client) -> None:
    answer = reader.post("/settings/tokens", {"name": "app", "days": "365"})

    assert (answer.status_code, "needs a name and a scope" in page(answer)) == (400, True)
    assert 'value="app"' in page(answer)
    assert tokens.tokens() == []
    reader.post("/settings/tokens", {"name": "app", "scope": "read", "days": "99999999999999999999"})
    assert tokens.tokens()[0].expires_at is None


@pytest.mark.usefixtures("home", "account")
def test_secrets_of_an_endpoint_are_added_and_retired_and_never_shown(reader: Client) -> None:
    told = page(reader.post("/settings/accounts/acme/secrets", {"secret": SECRET}, follow=True))
    assert "acme accepts whsec_…bbbb." in told
    assert SECRET not in told
    assert "/webhooks/stripe/acme" in told
    new, old = accounts.webhook_secrets("acme")
    gone = page(reader.post(f"/settings/accounts/acme/secrets/{old.id}/retire", follow=True))
    assert "accepted no more" in gone
    last = reader.post(f"/settings/accounts/acme/secrets/{new.id}/retire")
    assert (last.status_code, "last active secret" in page(last)) == (400, True)
    odd = reader.post("/settings/accounts/acme/secrets", {"secret": "hello"})
    assert odd.status_code == 400


def test_without_an_account_the_page_says_how_to_connect_one(reader: Client) -> None:
    assert "trueup connect" in page(reader.get("/settings/accounts"))


def test_the_accent_and_the_logo_reach_every_page_by_one_stylesheet(reader: Client, visitor: Client) -> None:
    assert visitor.get("/branding.css").content.strip() == b""
    assert visitor.get("/branding/logo").status_code == 404

    reader.post("/settings/branding", {"accent": "#7c3aed"})
    reader.post("/settings/branding/logo", {"logo": SimpleUploadedFile("logo.png", PNG)})

    sheet = visitor.get("/branding.css")
    assert "light-dark(#7c3aed," in page(sheet)
    assert "/branding/logo?v=" in page(sheet)
    assert (sheet["Content-Type"], sheet["Cache-Control"].split(",")[0]) == ("text/css", "public")
    picture = visitor.get("/branding/logo")
    assert (picture.content, picture["Content-Type"]) == (PNG, "image/png")
    assert "sandbox" in picture["Content-Security-Policy"]
    for address in ("/sign-in", "/branding.css"):
        assert address == "/branding.css" or 'href="/branding.css"' in page(visitor.get(address))
    reader.post("/settings/branding", {"accent": "#000000", "do": "reset"})
    reader.post("/settings/branding/logo", {"do": "remove"})
    assert visitor.get("/branding.css").content.strip() == b""


def test_what_cannot_be_read_and_what_is_no_picture_is_refused_with_a_way_on(reader: Client) -> None:
    yellow = reader.post("/settings/branding", {"accent": "#ffcc00"})
    assert (yellow.status_code, "#856a03" in page(yellow)) == (400, True)
    assert 'value="#ffcc00"' in page(yellow)
    injected = reader.post("/settings/branding", {"accent": "red;} body{display:none"})
    assert injected.status_code == 400
    for files in ({}, {"logo": SimpleUploadedFile("logo.svg", b"<svg onload='x'/>")}):
        assert reader.post("/settings/branding/logo", files).status_code == 400


def test_people_choose_their_own_zone_and_language(reader: Client, person: Person, settings: Settings) -> None:
    assert "As my browser says" in page(reader.get("/settings/language"))

    told = page(reader.post("/settings/language", {"zone": "Asia/Tokyo", "language": ""}, follow=True))

    assert "Saved." in told
    assert "+0900" in told
    reader.cookies["tz"] = "America/New_York"
    assert "+0900" in page(reader.get("/settings/language"))
    for wrong in ({"zone": "Mars/Base"}, {"language": "xx"}):
        assert reader.post("/settings/language", wrong).status_code == 400
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    reader.post("/settings/language", {"zone": "Asia/Tokyo", "language": "de"})
    assert '<html lang="de"' in page(reader.get("/settings/language"))
    assert team.member(person.id).language == "de"


def test_dates_are_written_as_in_the_region_of_the_browser(reader: Client) -> None:
    year = clock.now().astimezone(UTC).year
    reader.cookies["tz"] = "UTC"
    ways = {
        "en-US,en;q=0.9": rf"[A-Z][a-z]{{2}} \d+, {year},",
        "en-GB,en;q=0.9": rf"\b\d+ [A-Z][a-z]+ {year}, \d\d:",
        "de-DE,de;q=0.9": rf"\d\d\.\d\d\.{year}, \d\d:",
    }
    for asked, written in ways.items():
        told = page(reader.get("/settings/language", headers={"Accept-Language": asked}))
        assert re.search(written, told[told.index("zone-help") :]), asked


def test_the_configuration_is_shown_as_a_file_without_any_secret(tmp_path: Path) -> None:
    environ = {
        "TRUEUP_HOME": str(tmp_path),
        "DATABASE_URL": "postgresql://ada:hunter2@db.example/trueup",
        "TRUEUP_SMTP_URL": "smtp://ada:hunter2@mail.example:587?from=a@acme.example",
        "TRUEUP_RECONCILE_REPAIR": "false",
        "TRUEUP_METADATA_RULES": 'ref:pattern="R-[0-9]+"\\d',
    }
    (tmp_path / "trueup.toml").write_text("port = 8123\n")
    found = {one.key: one for one in shown.lines(configuration.load(environ), written={"port"})}

    assert "hunter2" not in repr(found)
    assert found["database_url"].secret
    assert not found["secret_key"].secret
    assert (found["port"].text, found["port"].source) == ("8123", "file")
    assert (found["reconcile_repair"].text, found["reconcile_repair"].source) == ("false", "environment")
    assert found["metadata_rules"].text == '"ref:pattern=\\"R-[0-9]+\\"\\\\d"'
    assert (found["host"].source, found["tls_cert"].text) == ("default", "")


def test_the_page_of_the_configuration_names_every_variable(reader: Client) -> None:
    told = page(reader.get("/settings/configuration"))

    assert all(variable in told for variable in configuration.VARIABLES.values())


def test_whoever_sees_the_console_as_a_role_is_shown_its_pages_and_changes_nothing(
    reader: Client, person: Person, account: Account
) -> None:
    world.many(account, 1)
    refused = reader.post("/settings/roles/see", {"role": "sales", "why": " ", "minutes": "10"})
    assert (refused.status_code, "Say why" in page(refused)) == (400, True)

    assert (
        reader.post("/settings/roles/see", {"role": "sales", "why": "A question.", "minutes": "10"}).status_code == 302
    )

    told = page(reader.get("/customers"))
    assert "You see the console as <b>Sales</b>" in told
    assert 'href="/settings/tokens"' not in page(reader.get("/settings/roles"))
    assert reader.get("/settings/team").status_code == 403
    for address in ("/settings/team/invite", "/truth/retry", "/settings/language", "/inbox/7/approve"):
        answer = reader.post(address, {"email": "x@acme.example", "role": "sales"})
        assert (answer.status_code, "change nothing meanwhile" in page(answer)) == (403, True)
    assert team.invitations() == []

    assert reader.post("/viewing/end")["Location"] == "/settings/roles"
    assert "You see the console as" not in page(reader.get("/customers"))
    assert reader.get("/settings/team").status_code == 200
    actions = [entry.action for entry in audit.entries(database.connection(), limit=2)]
    assert actions == ["operators.viewing.ended", "operators.viewing.started"]


def test_seeing_as_a_role_ends_by_itself_and_belongs_to_one_person(reader: Client, person: Person) -> None:
    admin = operators.create_operator(
        email="a@acme.example", password="nine quiet rivers", roles=[Role.ADMIN], by=system("test")
    )
    reader.post("/settings/roles/see", {"role": "sales", "why": "A question.", "minutes": "10"})
    other = signed_in(admin)
    session = other.session
    session["viewing"] = models.Viewing.objects.get().pk
    session.save()
    assert "You see the console as" not in page(other.get("/settings/roles"))
    assert "You see the console as" in page(reader.get("/settings/roles"))

    models.Viewing.objects.update(expires_at=clock.now())

    assert "You see the console as" not in page(reader.get("/settings/roles"))
    assert reader.post("/viewing/end").status_code == 302
    assert reader.post("/settings/roles/see", {"role": "emperor", "why": "x"}).status_code == 400


def test_a_link_that_nobody_made_lets_nobody_in(visitor: Client) -> None:
    for odd in ("x", "x" * 200, "%00", "ü"):
        assert visitor.get(f"/invitation/{odd}").status_code in {400, 404}
    with pytest.raises(NotFound):
        team.invitation("x")


def test_an_actor_is_called_by_name(person: Person) -> None:
    from_host = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
    names = Names()
    owner = Actor(kind=ActorKind.OPERATOR, id=str(person.id))

    assert names(owner) == "Elena Sato"
    assert names(Actor(kind=ActorKind.TOKEN, id="3", behind=owner)) == "Elena Sato"
    assert (names(system("x")), names(from_host), names(None)) == ("Trueup", "ada", "")
    assert names(Actor(kind=ActorKind.OPERATOR, id="999")) == "999"
