"""An owner connects providers of the field, and people come in with them, in a real browser on both sides."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from typing_extensions import override

from tests.browser.test_accessible import LINT, violations
from tests.demo import Console
from tests.operators.sso import saml_provider

GROUPS = "helpdesk = support\nops-team = ops"
PERSON = "mo@umbrella.example"
SAML_PERSON = "sam@umbrella.example"


@pytest.fixture(scope="module")
def oidc() -> Iterator[str]:
    """The issuer of ``oidc-provider-mock``, which knows one person."""
    with warnings.catch_warnings():
        # It uses modules that its own libraries will drop.
        warnings.simplefilter("ignore")
        mock = import_module("oidc_provider_mock")
        claims = {"email": PERSON, "email_verified": True, "name": "Mo Umbrella", "groups": ["helpdesk", "canteen"]}
        with mock.run_server_in_thread(user_claims=[mock.User(sub="mo", claims=claims)]) as server:
            yield f"http://localhost:{server.server_port}"


@contextmanager
def saml() -> Iterator[str]:
    """The address of a SAML provider's page, on another site than Trueup; a button there posts its answer."""

    class _Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            question = saml_provider.asked(self.path)
            said = {"email": SAML_PERSON, "name_id": "sam", "groups": ("ops-team",)}
            answer = saml_provider.posted(saml_provider.signed_response(question, **said))
            to = escape(question["AssertionConsumerServiceURL"])
            body = (
                f"<!doctype html><title>Provider</title><form method=post action='{to}'>"
                f"<input type=hidden name=SAMLResponse value='{answer}'><button>Continue as Sam</button></form>"
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://localhost:{server.server_address[1]}/sso"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def window(browser: Browser, session: dict[str, Any], console: Console) -> Iterator[Callable[..., Page]]:
    """Opens windows; what a provider's page complains of is none of our business."""
    opened: list[BrowserContext] = []

    def made(*, signed_in: bool = True, width: int = 1440, height: int = 900) -> Page:
        state = {"storage_state": session} if signed_in else {}
        size = {"width": width, "height": height}
        options: dict[str, Any] = {"base_url": console.url, "locale": "en-US", "reduced_motion": "reduce"}
        opened.append(browser.new_context(**options, **state, viewport=size))  # type: ignore[arg-type]
        opened[-1].set_default_timeout(20_000)
        return opened[-1].new_page()

    yield made
    for one in opened:
        one.close()


def _common(page: Page, name: str) -> None:
    page.get_by_label("Name, as the button says it").fill(name)
    page.get_by_label("Domains that it vouches for").fill("umbrella.example")
    page.get_by_label("Make people at their first sign-in").check()
    page.get_by_label("What each group is here for").fill(GROUPS)


def _looks_well(page: Page) -> None:
    assert violations(page) == []
    assert page.evaluate(LINT) == []


def test_an_owner_connects_tries_and_switches_on_and_somebody_new_comes_in(
    window: Callable[..., Page], oidc: str, console: Console
) -> None:
    owner = window()
    owner.goto("/settings/sso")
    _looks_well(owner)
    owner.get_by_role("link", name="OpenID Connect").click()
    _common(owner, "Umbrella")
    owner.get_by_label("Issuer").fill(oidc)
    owner.get_by_label("Client id").fill("trueup")
    owner.get_by_label("Client secret").fill("very secret")
    _looks_well(owner)
    owner.get_by_role("button", name="Keep it, switched off").click()
    expect(owner.locator(".callout[role=status]")).to_contain_text("The provider is kept, switched off.")
    assert "very secret" not in owner.content()
    address = owner.url
    _looks_well(owner)

    owner.get_by_role("link", name="Try it").click()
    owner.locator("input[name=sub]").fill("mo")
    owner.get_by_role("button", name="Authorize").click()
    expect(owner.locator(".callout[role=status]")).to_contain_text("This would make a new person")
    expect(owner.get_by_role("main")).to_contain_text("Support")
    expect(owner.get_by_role("main")).to_contain_text("canteen")
    _looks_well(owner)

    owner.goto(address)
    owner.get_by_role("button", name="Switch it on").click()
    expect(owner.locator(".callout[role=status]")).to_contain_text("People may sign in with it now.")

    visitor = window(signed_in=False, width=390, height=844)
    visitor.goto("/sign-in?next=/account/security")
    _looks_well(visitor)
    visitor.get_by_role("link", name="Sign in with Umbrella", exact=True).click()
    visitor.locator("input[name=sub]").fill("mo")
    visitor.get_by_role("button", name="Authorize").click()
    visitor.wait_for_url(f"{console.url}/account/security")
    owner.goto("/settings/team")
    expect(owner.get_by_role("row", name="Mo Umbrella")).to_contain_text("Support")

    refused = window(signed_in=False, width=390, height=844)
    refused.goto("/sign-in")
    refused.get_by_role("link", name="Sign in with Umbrella", exact=True).click()
    refused.locator("input[name=sub]").fill("somebody-else")
    refused.get_by_role("button", name="Authorize").click()
    expect(refused.get_by_role("heading", name="You are not signed in")).to_be_visible()
    _looks_well(refused)


def test_an_answer_that_another_site_posts_finds_the_browser_that_asked(
    window: Callable[..., Page], console: Console
) -> None:
    with saml() as provider:
        owner = window(width=390, height=844)
        owner.goto("/settings/sso/new/saml")
        _common(owner, "Umbrella SAML")
        owner.get_by_text("Or paste the metadata").click()
        owner.get_by_label("Metadata (XML)").fill(saml_provider.metadata(page=provider))
        owner.get_by_role("button", name="Keep it, switched off").click()
        expect(owner.get_by_role("main")).to_contain_text("/acs")
        _looks_well(owner)
        owner.get_by_role("button", name="Switch it on").click()

        visitor = window(signed_in=False)
        visitor.goto("/sign-in?next=/account/security")
        visitor.get_by_role("link", name="Sign in with Umbrella SAML").click()
        visitor.get_by_role("button", name="Continue as Sam").click()

        visitor.wait_for_url(f"{console.url}/account/security")
        expect(visitor.get_by_role("heading", name="Signing in")).to_be_visible()
