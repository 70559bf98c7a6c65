"""Requests that another site makes a browser send, ways out to another site, and sessions that somebody prepared."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client

from tests.web.attacks.conftest import PASSWORD, signed_in
from tests.web.attacks.walk import ROUTES
from trueup.accounts.types import Account
from trueup.operators.types import Person
from trueup.runtime import database
from trueup.web.api.app import api

ELSEWHERE = (
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "http://testserver@evil.example/",
    "http://testserver.evil.example/",
    " //evil.example",
    "https://evil.example\r\nSet-Cookie: a=b",
)
LEADING = ("next", "back", "return", "to", "url", "target", "redirect")
POSTED = {"sso-acs"}
"""What an identity provider's page posts: it is taken for its signature and for having been asked for, never for a
cookie."""
CHANGING = ("POST", "PUT", "PATCH", "DELETE")


def entries() -> int:
    """How many changes were written down."""
    row = database.execute("select count(*) from audit_entries").fetchone()
    assert row is not None
    return int(row[0])


def test_a_form_of_another_site_changes_nothing_on_any_page(owner: Person, customers: Account) -> None:
    client, before = signed_in(owner, checked=True), entries()

    for route in ROUTES:
        for method in CHANGING if route.name not in POSTED else ():
            for headers in ({}, {"origin": "https://evil.example"}, {"hx-request": "true"}):
                answer = client.generic(method, route.address, "why=x&confirm=x", "text/plain", headers=headers)
                assert (route.name, method, answer.status_code) == (route.name, method, 403)

    assert entries() == before
    assert client.get("/customers").status_code == 200


def test_looking_changes_nothing(owner: Person, customers: Account) -> None:
    client = signed_in(owner)
    for route in ROUTES:
        client.get(route.address)
    before = entries()

    for route in ROUTES:
        client.get(route.address, dict.fromkeys(route.asked, "1"))
        client.head(route.address)
        client.options(route.address)

    looked = {"customer.looked_up", "audit.looked"}
    added = database.execute("select action from audit_entries order by id desc limit %s", (entries() - before,))
    assert {action for (action,) in added.fetchall()} <= looked
    assert client.get("/customers").status_code == 200


def test_the_session_of_a_page_opens_no_operation_of_the_api(owner: Person, customers: Account) -> None:
    client, before = signed_in(owner), entries()

    for path, one in api.operations():
        address = "/api/v1" + path.replace("{customer_id}", "cus_000").replace("{mode}", "test")
        answer = client.generic(one.methods[0], address, b"{}", "application/json")
        assert (path, answer.status_code) in {(path, 401), (path, 404)}

    assert entries() == before


@pytest.mark.parametrize("target", ELSEWHERE[1:12:3])
def test_no_page_leads_to_another_site(owner: Person, customers: Account, target: str) -> None:
    named = dict.fromkeys(LEADING, target)
    for client in (signed_in(owner), Client(raise_request_exception=False)):
        for route in ROUTES:
            for answer in (client.get(route.address, named), client.post(route.address, named)):
                for header in ("Location", "HX-Redirect", "HX-Location", "HX-Push-Url", "HX-Replace-Url", "Refresh"):
                    assert leads_home(answer.headers.get(header, "/")), (route.name, header, answer.headers[header])
                assert not leads_out(answer, target), route.name
            if route.name == "sign-out":
                client.cookies.clear()


def leads_home(address: str) -> bool:
    """Whether an address is a path of this host, however a browser reads it."""
    plain = address.replace("\\", "/").replace("\t", "").strip()
    return plain.startswith(("/", "?")) and not plain.startswith("//")


def leads_out(answer: Any, target: str) -> bool:
    """Whether a link or form of the page leads to where the request wanted."""
    if answer.streaming or "html" not in answer.headers.get("Content-Type", ""):
        return False
    page = answer.content.decode()
    return any(f'{name}="{target}' in page for name in ("href", "action", "hx-get", "hx-post", "formaction"))


def test_signing_in_leads_home_whatever_was_asked(owner: Person) -> None:
    for target in ELSEWHERE:
        client = Client(raise_request_exception=False)
        form = {"username": "elena@acme.example", "password": PASSWORD, "next": target}
        assert leads_home(client.post("/sign-in", form).headers["Location"])


def test_a_session_that_somebody_prepared_is_not_the_one_that_is_signed_in(owner: Person) -> None:
    prepared = SessionStore()
    prepared["anything"] = "an attacker's"
    prepared.save()
    assert prepared.session_key is not None
    victim = Client()
    name = settings.SESSION_COOKIE_NAME
    victim.cookies[name] = prepared.session_key

    victim.post("/sign-in", {"username": "elena@acme.example", "password": PASSWORD})

    assert victim.cookies[name].value not in {"", prepared.session_key}
    assert not Session.objects.filter(session_key=prepared.session_key).exists()
    attacker = Client()
    attacker.cookies[name] = prepared.session_key
    assert attacker.get("/customers").status_code == 302


def test_a_session_of_before_signing_out_opens_nothing_after(owner: Person) -> None:
    client, name = signed_in(owner), settings.SESSION_COOKIE_NAME
    kept = client.cookies[name].value

    client.post("/sign-out")

    client.cookies[name] = kept
    assert client.get("/customers").status_code == 302


def test_a_session_key_that_nobody_made_makes_no_session(db: None) -> None:
    stranger, name = Client(raise_request_exception=False), settings.SESSION_COOKIE_NAME
    for made_up in ("a" * 32, "../../x", "' or 1=1", "x" * 4000, "%00"):
        stranger.cookies[name] = made_up
        assert stranger.get("/customers").status_code in {302, 400}
    assert Session.objects.count() == 0
