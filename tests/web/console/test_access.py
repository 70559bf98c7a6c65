"""Nobody sees anything without signing in, and nothing that was seen stays in a cache."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.operators.permissions import Permission
from trueup.web.console import urls
from trueup.web.console.guard import PUBLIC, guarded

FORMS = {"truth-backfill", "truth-reconcile", "truth-retry"} | {
    *("factor-app-remove", "factor-passkey-rename", "factor-passkey-remove"),
    *("sessions-end-others", "session-end"),
}
SHOWN = {"customers", "customer", "customer-state", "customer-why", "search", "security", "truth", "differences"} | {
    *("events", "event", "event-body", "quarantine", "quarantined-body", "set-aside"),
}
"""Pages that take no form."""
ARGUMENTS = {
    "<str:customer_id>": "cus_1",
    "<str:event_id>": "evt_1",
    "<slug:field>": "mrr",
}


def _paths() -> list[tuple[str, str]]:
    found = []
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        path = f"/{pattern.pattern}"
        for placeholder, value in ARGUMENTS.items():
            path = path.replace(placeholder, value)
        path = re.sub(r"<int:[^>]+>", "7", re.sub(r"<(?:str|slug):[^>]+>", "nobody", path))
        found.append((str(pattern.name), path))
    return found


OPEN = {str(one.name) for one in urls.urlpatterns if getattr(one.callback, "permission", "") == PUBLIC}


@pytest.mark.parametrize(("name", "path"), _paths())
def test_a_visitor_is_sent_to_sign_in_from_every_page_and_comes_back_afterwards(
    visitor: Client, name: str, path: str
) -> None:
    response = visitor.get(path)

    if name in OPEN:
        assert response.status_code in {200, 404, 405} or response["Location"] in {"/sign-in", "/set-up"}
    else:
        assert response.status_code == 302
        assert response["Location"] == f"/sign-in?next={path}"
        assert response.content == b""


@pytest.mark.parametrize(("name", "path"), [entry for entry in _paths() if entry[0] in FORMS])
def test_forms_are_only_sent(reader: Client, name: str, path: str) -> None:
    del name
    for method in ("get", "head", "put", "delete", "patch"):
        assert getattr(reader, method)(path).status_code == 405


@pytest.mark.parametrize(("name", "path"), [entry for entry in _paths() if entry[0] in SHOWN])
def test_pages_only_show_and_refuse_every_other_method(reader: Client, name: str, path: str) -> None:
    del name
    for method in ("post", "put", "delete", "patch"):
        assert getattr(reader, method)(path).status_code == 405


def test_an_ended_session_takes_the_whole_window_to_sign_in_and_not_a_part_of_the_page(visitor: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/customers?stage=active"}

    response = visitor.get("/customers?stage=past_due", headers=headers)

    assert response.status_code == 401
    assert response["HX-Redirect"] == "/sign-in?next=/customers%3Fstage%3Dactive"
    assert response.content == b""


def test_an_address_of_another_site_is_not_where_a_visitor_comes_back_to(visitor: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/phish"}

    response = visitor.get("/customers", headers=headers)

    assert response["HX-Redirect"] == "/sign-in?next=/customers"


def test_pages_are_kept_by_no_cache_and_differ_for_parts(reader: Client, account: Account) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme")))

    for path in ("/customers", "/customers/cus_1", "/events", "/search?q=acme"):
        response = reader.get(path)
        assert response.status_code == 200
        assert response["Cache-Control"] == "private, no-store"
        assert "HX-Request" in response["Vary"]


def test_pages_allow_only_our_own_files_and_no_frame(reader: Client) -> None:
    policy = reader.get("/customers")["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_no_page_carries_an_inline_style_or_script_or_handler(reader: Client, account: Account) -> None:
    world.many(account, 3)
    found = reader.get("/events").content.decode()
    event_id = found.split('href="/events/evt_')[1].split('"')[0]

    for path in (
        "/customers",
        "/customers/cus_001",
        "/customers/cus_001/why/mrr",
        "/events",
        f"/events/evt_{event_id}",
        "/sign-in",
    ):
        page = reader.get(path).content.decode()
        assert " style=" not in page
        assert "<style" not in page
        assert "<script>" not in page
        assert " onclick=" not in page
        assert "hx-on" not in page


def test_a_view_is_closed_unless_it_is_declared_public() -> None:
    request = RequestFactory().get("/anything")
    request.user = AnonymousUser()

    response = guarded(Permission.CUSTOMERS_READ, lambda _request: HttpResponse("secret"))(request)

    assert response.status_code == 302
