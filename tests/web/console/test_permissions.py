"""Every address of the console as every role: who may see it sees it, and nobody else does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, reverse

from trueup.kernel.actor import system
from trueup.operators import permissions
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.operators.types import Person, Role
from trueup.web.console import allauth_names
from trueup.web.console.guard import PERSONAL, PUBLIC
from trueup.web.console.team_words import PERMISSIONS, ROLES
from trueup.web.console.urls import urlpatterns

KNOWN = {one.value for one in Permission} | {PUBLIC, PERSONAL}
OPEN = {"invitation", "branding-css", "branding-logo"} | {
    *("sign-in", "sign-out", "sign-in-factor", "sign-in-passkey", "set-up"),
    *("sso-begin", "sso-callback", "sso-acs", "sso-finish", "sso-metadata"),
}
"""What a stranger may reach."""


def routes() -> Iterator[tuple[str, str, Any]]:
    """Name, an address that fits, and the view of every page; what is in the address need not exist."""
    for one in urlpatterns:
        assert isinstance(one, URLPattern)
        path = re.sub(r"<int:[^>]+>", "987654321", re.sub(r"<(?:str|slug):[^>]+>", "nobody", str(one.pattern)))
        yield str(one.name), f"/{path}", one.callback


ROUTES = list(routes())


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person.id))
    return client


def test_every_page_says_what_it_needs() -> None:
    for name, _address, view in ROUTES:
        assert getattr(view, "permission", None) in KNOWN, f"{name} declares no permission"
        assert getattr(view, "changing", "") in {"", *KNOWN}
    assert {name for name, _address, view in ROUTES if view.permission == PUBLIC} == OPEN


def test_allauth_knows_no_page_but_ours_and_they_say_the_same_there() -> None:
    ours = {address: view.permission for _name, address, view in ROUTES}
    for one in allauth_names.urlpatterns:
        assert ours[f"/{one.pattern}"] == getattr(one.callback, "permission", None)
    for name in ("account_signup", "account_email", "account_reset_password", "mfa_index", "mfa_view_recovery_codes"):
        with pytest.raises(NoReverseMatch):
            reverse(name)


def test_a_stranger_sees_nothing_but_the_way_in(visitor: Client) -> None:
    for name, address, _view in ROUTES:
        answer = visitor.get(address)
        if name not in OPEN:
            assert (name, answer.status_code) == (name, 302)
            assert answer["Location"].startswith("/sign-in?next=")


@pytest.mark.parametrize("role", list(Role))
def test_each_role_sees_what_the_table_says_and_no_more(person: Person, role: Role) -> None:
    operators.create_operator(
        email="o@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=system("test")
    )
    operators.set_roles(operator_id=person.id, roles=[role], by=system("test"))
    reader, granted = signed_in(person), {one.value for one in permissions.TABLE[role]} | {PUBLIC, PERSONAL}

    for name, address, view in ROUTES:
        for method in ("get", "post"):
            if name == "sign-out":
                continue
            wanted = {view.permission} | ({view.changing} - {""} if method == "post" else set())
            status = getattr(reader, method)(address).status_code
            assert (name, method, status == 403) == (name, method, not wanted <= granted)
            assert status < 500


def test_the_navigation_shows_only_where_one_may_go(person: Person) -> None:
    operators.create_operator(
        email="o@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=system("test")
    )
    reader = signed_in(person)
    assert 'href="/events"' in reader.get("/customers").content.decode()

    operators.set_roles(operator_id=person.id, roles=[Role.DEVELOPER], by=system("test"))
    told = reader.get("/customers").content.decode()

    assert 'href="/events"' in told
    assert reader.get("/truth/retry").status_code != 403


def test_a_refusal_says_who_may(person: Person) -> None:
    operators.create_operator(
        email="o@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=system("test")
    )
    operators.set_roles(operator_id=person.id, roles=[Role.SALES], by=system("test"))

    told = signed_in(person).get("/events/evt_1/body")

    assert told.status_code == 403
    assert str(PERMISSIONS[Permission.PERSONAL_PAYLOAD]) in told.content.decode()
    assert "personal.payload" not in told.content.decode()
    assert str(ROLES[Role.COMPLIANCE].label) in told.content.decode()
