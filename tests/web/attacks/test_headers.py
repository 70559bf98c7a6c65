"""What every answer tells browsers, on each address and for each way in which it can fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.web.attacks.conftest import signed_in
from tests.web.attacks.walk import ROUTES
from trueup.accounts.types import Account
from trueup.kernel.actor import system
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Person, Scope
from trueup.web.api.app import api

KEPT = {"branding-css", "branding-logo", "notifications-css", "static"}
"""What a browser may keep, since it holds nothing of anybody."""


def lacking(answer: Any, *, kept: bool = False) -> list[str]:
    """What is missing in the headers of an answer, or wrong."""
    found, headers = [], answer.headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers.get("Content-Security-Policy", "").split(";"))
    if policy.get("default-src") != "'none'" or policy.get("frame-ancestors") != "'none'":
        found.append("CSP lets more than nothing")
    if policy.get("base-uri") != "'none'" or re.search(r"unsafe|\*|http:|https:|data:", policy.get("script-src", "")):
        found.append("CSP lets foreign script")
    if "unsafe" in policy.get("style-src", ""):
        found.append("CSP lets inline style")
    wanted = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    found += [name for name, value in wanted.items() if headers.get(name) != value]
    if "camera=()" not in headers.get("Permissions-Policy", ""):
        found.append("Permissions-Policy")
    if not kept and "no-store" not in headers.get("Cache-Control", ""):
        found.append("Cache-Control")
    if headers.get("Server") or headers.get("X-Powered-By") or "Access-Control-Allow-Origin" in headers:
        found.append("tells too much")
    return found


def test_every_page_has_the_headers_for_whoever_asks(owner: Person, customers: Account) -> None:
    for client in (Client(raise_request_exception=False), signed_in(owner), signed_in(owner, checked=True)):
        for route in ROUTES:
            for method in ("get", "post", "options", "head"):
                if route.name == "sign-out":
                    continue
                answer = getattr(client, method)(route.address)
                assert (route.name, method, lacking(answer, kept=route.name in KEPT)) == (route.name, method, [])
                assert "\n" not in str(answer.headers)


def test_every_operation_has_the_headers_whether_it_answers_or_refuses(customers: Account) -> None:
    made = tokens.create_token(name="x", scopes=list(Scope), by=system("test"))
    program = Client(headers={"authorization": f"Bearer {made.token}"}, raise_request_exception=False)
    for path, one in api.operations():
        address = "/api/v1" + re.sub(r"\{[^}]*id\}", "1", re.sub(r"\{[^}]*mode\}", "test", path))
        for client in (program, Client(raise_request_exception=False)):
            assert (path, lacking(client.generic(one.methods[0], address), kept="{tile" in path)) == (path, [])


@pytest.mark.parametrize(
    "address",
    ["/nothing", "/api/v1/nothing", "/api/v1/openapi.json", "/static/console/base.css", "/a%00b", "/static/x"],
)
def test_so_has_what_is_no_page(db: None, address: str) -> None:
    assert lacking(Client(raise_request_exception=False).get(address), kept="/static/" in address) == []


def test_a_host_that_is_not_ours_gets_nothing_but_the_headers(db: None) -> None:
    answer = Client(raise_request_exception=False).get("/sign-in", headers={"host": "evil.example"})

    assert answer.status_code == 400
    assert lacking(answer) == []
    assert b"evil.example" not in answer.content


def test_what_came_over_tls_once_comes_over_nothing_else(db: None, settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    secure = Client(headers={"x-trueup-secure": "1"}, raise_request_exception=False).get("/sign-in", secure=True)

    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_where_there_is_tls_cookies_belong_to_the_host_alone_and_to_tls(tmp_path: Path) -> None:
    names = "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SECURE_HSTS_SECONDS"
    told = subprocess.run(
        [sys.executable, "-c", f"from trueup.config import settings as s; print(*[getattr(s, n) for n in {names}])"],
        env=os.environ | {"TRUEUP_HOME": str(tmp_path), "TRUEUP_TRUSTED_PROXIES": "10.0.0.1", "TRUEUP_PORT": "8000"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )

    assert told.stdout.split() == ["__Host-trueup_session_8000", "__Host-trueup_csrf_8000", "True", "31536000"]
