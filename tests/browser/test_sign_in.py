"""Signing in as a person does it: with a passkey, with an app's codes, from two places, and until it ends by itself."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Literal

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_accessible import LINT, violations
from tests.conftest import REPOSITORY
from tests.demo import Console
from trueup.operators.factors import rules
from trueup.runtime import clock

EMAIL = "mira@acme.example"
PASSWORD = "correct horse battery"
# The console is used by other tests as well: what is changed in its tables is this person's only.
WHO = f"select id from operators_operator where email = '{EMAIL}'"
IDLE = "interval '118 minutes 30 seconds'"
VIRTUAL = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="session")
def hired(console: Console) -> str:
    """The address of a person of their own for these tests, because they change what somebody signs in with.

    Hired once for each console and not for each module: a worker that takes tests over from another one may come
    back to this module after it left it.
    """
    command = [sys.executable, "-m", "trueup.ops.main", "operator", "create", EMAIL, "--role", "ops"]
    subprocess.run([*command, "--password", PASSWORD], check=True, env=console.environment, cwd=REPOSITORY)
    return EMAIL


@pytest.fixture(scope="module")
def somebody(console: Console, hired: str) -> Iterator[str]:
    """That person, who needs no second factor once these tests are over."""
    yield hired
    _sql(console, f"delete from mfa_authenticator where user_id = ({WHO})")


@pytest.fixture
def fresh(console: Console, somebody: str) -> None:
    """They have no second factor, and nothing of theirs was tried before."""
    _sql(console, f"delete from mfa_authenticator where user_id = ({WHO})")
    _sql(console, "delete from operators_signinattempt")


def _sql(console: Console, statement: str) -> None:
    with psycopg.connect(console.database, autocommit=True) as connection:
        connection.execute(statement.encode())


def _window(browser: Browser, console: Console, **options: object) -> Page:
    """A window at the name of this machine: browsers make no passkeys for a number."""
    given: dict[str, object] = {"base_url": console.url.replace("127.0.0.1", "localhost"), "reduced_motion": "reduce"}
    context = browser.new_context(**(given | options))  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    return context.new_page()


def _with_authenticator(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": VIRTUAL})


def _password(page: Page, email: str) -> None:
    page.goto("/sign-in?next=/account/security")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def _sign_out(page: Page) -> None:
    page.get_by_role("button", name="You and your preferences").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")


def _code(secret: str, *, ahead: int = 0) -> str:
    """What the app shows, or shows next: a code is good once, and the next one counts already."""
    return rules.password(secret, clock.unix() // rules.STEP_SECONDS + ahead)


def _keep_codes(page: Page) -> list[str]:
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    codes = page.locator("#codes code").all_inner_texts()
    page.get_by_role("link", name="I have kept them").click()
    page.wait_for_url("**/account/security")
    return codes


def _add_app(page: Page) -> tuple[str, list[str]]:
    page.get_by_role("link", name="Add an app").click()
    page.get_by_text("Cannot read it?").click()
    secret = page.locator("details code").inner_text().replace(" ", "")
    page.get_by_label("Code").fill(_code(secret))
    page.get_by_role("button", name="Add the app").click()
    return secret, _keep_codes(page)


@pytest.mark.usefixtures("fresh")
def test_a_passkey_is_made_and_is_enough_to_sign_in(browser: Browser, console: Console, somebody: str) -> None:
    page = _window(browser, console)
    _with_authenticator(page)
    _password(page, somebody)

    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("What to call it").fill("My laptop")
    page.get_by_role("button", name="Make a passkey").click()
    assert len(_keep_codes(page)) == rules.CODES
    expect(page.locator("#passkeys")).to_contain_text("My laptop")

    _sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(re.compile(r"//[^/]+/$"))
    page.goto("/account/security")
    expect(page.locator("#passkeys")).to_contain_text("last used")

    _sign_out(page)
    _password(page, somebody)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/account/security")
    page.context.close()


@pytest.mark.usefixtures("fresh")
def test_an_app_shows_codes_that_let_in_and_a_recovery_code_stands_in(
    browser: Browser, console: Console, somebody: str
) -> None:
    page = _window(browser, console)
    _password(page, somebody)
    secret, codes = _add_app(page)

    _sign_out(page)
    _password(page, somebody)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    page.get_by_label("Code").fill("000 000x")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That is not right")
    page.get_by_label("Code").fill(_code(secret, ahead=1))
    page.keyboard.press("Enter")
    page.wait_for_url("**/account/security")

    _sign_out(page)
    _password(page, somebody)
    page.get_by_label("Code").fill(codes[0])
    page.keyboard.press("Enter")
    page.wait_for_url("**/account/security")
    expect(page.locator("#codes")).to_contain_text(f"{rules.CODES - 1} codes left")
    page.context.close()


@pytest.mark.usefixtures("fresh")
def test_a_session_elsewhere_is_seen_and_ended(browser: Browser, console: Console, somebody: str) -> None:
    page, other = _window(browser, console), _window(browser, console)
    _password(other, somebody)
    other.wait_for_url("**/account/security")
    _password(page, somebody)
    expect(page.locator("#sessions li").first).to_contain_text("This one")

    page.get_by_role("button", name="End all others").click()

    expect(page.locator("#sessions li")).to_have_count(1)
    other.goto("/events")
    expect(other).to_have_url(re.compile(r"/sign-in\?next=/events&over=revoked"))
    expect(other.get_by_role("status")).to_contain_text("ended from elsewhere")
    page.context.close()
    other.context.close()


@pytest.mark.usefixtures("fresh")
def test_an_open_page_warns_before_the_end_and_one_click_stays(
    browser: Browser, console: Console, somebody: str
) -> None:
    page = _window(browser, console)
    _password(page, somebody)
    page.wait_for_url("**/account/security")
    # What the page would do in two hours: ask how long there is, and find that it is less than two minutes.
    _sql(console, f"update operators_session set used_at = now() - {IDLE} where operator_id = ({WHO})")
    page.locator("#session").evaluate("place => { place.dataset.left = '121' }")
    page.evaluate("import(document.querySelector('script[src*=session]').src + '?again')")

    stay = page.get_by_role("button", name="Stay signed in")
    expect(stay).to_be_visible()
    stay.click()
    expect(stay).not_to_be_visible()
    page.context.close()


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_signing_in_are_for_everybody(
    browser: Browser, console: Console, somebody: str, scheme: Literal["light", "dark"]
) -> None:
    page = _window(browser, console, color_scheme=scheme, bypass_csp=True)
    _with_authenticator(page)
    wrong: dict[str, object] = {}

    def look(name: str) -> None:
        wrong[name] = violations(page)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            wrong[f"{name} at {width}"] = page.evaluate(LINT)

    page.goto("/sign-in")
    look("sign in")
    _password(page, somebody)
    page.wait_for_url("**/account/security")
    look("security without a factor")
    page.goto("/account/security/passkey")
    look("passkey")
    page.goto("/account/security/app")
    look("app")
    page.goto("/account/security")
    _add_app(page)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Make a passkey").click()
    page.wait_for_url("**/account/security")
    look("security")
    page.get_by_role("button", name="Make new ones").click()
    look("codes")
    page.goto("/account/confirm")
    look("confirm")
    page.goto("/account/security")
    _sign_out(page)
    _password(page, somebody)
    page.wait_for_url("**/sign-in/factor")
    look("factor")
    page.context.close()

    assert {place: said for place, said in wrong.items() if said} == {}
