"""What whoever runs a team does: let somebody in, turn a program's secret, and be the second pair of eyes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ContextMaker
from tests.demo import Console

PASSWORD = "a fine long sentence"


def invite(page: Page, email: str, name: str, *roles: str) -> str:
    """Invite somebody on the page of the team; gives the link that is shown once."""
    page.goto("/settings/team")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Name", exact=True).fill(name)
    for role in roles:
        page.get_by_role("checkbox", name=re.compile(f"^{role}")).check()
    page.get_by_role("button", name="Make a link").click()
    return page.locator("#secret").inner_text()


def come_in(page: Page, link: str, email: str) -> None:
    """Open the link, choose a password, and sign in with it."""
    page.goto(link)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The password once more").fill(PASSWORD)
    page.get_by_role("button", name="Choose this password").click()
    expect(page.get_by_role("status").filter(has_text="Welcome")).to_be_visible()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", level=1).wait_for()


@pytest.fixture
def second(page: Page, open_context: ContextMaker) -> Iterator[Page]:
    """A second owner's window; they are shut out again afterwards."""
    window = open_context(signed_in=False, viewport={"width": 1280, "height": 800})
    come_in(window, invite(page, "second@acme.example", "Second Owner", "Owner"), "second@acme.example")
    yield window
    page.goto("/settings/team")
    page.get_by_role("link", name="Second Owner").click()
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("They are signed out everywhere")).to_be_visible()
    window.goto("/settings/team")
    expect(window.get_by_role("heading", name="Sign in")).to_be_visible()


def test_somebody_is_invited_comes_in_and_gets_another_role(page: Page, open_context: ContextMaker) -> None:
    hers = open_context(signed_in=False)
    come_in(hers, invite(page, "mara@acme.example", "Mara Lindqvist", "Sales"), "mara@acme.example")
    expect(hers.get_by_role("link", name="Customers", exact=True)).to_be_visible()
    expect(hers.get_by_role("link", name="Audit log")).to_have_count(0)

    page.goto("/settings/team")
    page.get_by_role("link", name="Mara Lindqvist").click()
    page.get_by_role("checkbox", name=re.compile("^Compliance")).check()
    page.get_by_role("button", name="Save the roles").click()

    expect(page.get_by_text("The roles are changed.")).to_be_visible()
    hers.reload()
    expect(hers.get_by_role("link", name="Audit log")).to_be_visible()


def test_a_token_is_turned_and_the_program_goes_on_meanwhile(page: Page, console: Console) -> None:
    page.goto("/settings/tokens")
    page.get_by_label("What it is for").fill("billing app")
    page.get_by_role("checkbox", name=re.compile("^Read")).check()
    page.get_by_role("button", name="Make the token").click()
    first = page.locator("#secret").inner_text()
    page.get_by_role("link", name="Done").click()

    page.get_by_label("Rotate billing app").click()
    page.get_by_role("button", name="Make a new secret").locator("visible=true").click()
    second = page.locator("#secret").inner_text()

    assert second != first
    for secret in (first, second):
        answer = page.request.get(f"{console.url}/api/v1/alarms", headers={"authorization": f"Bearer {secret}"})
        assert answer.status == 200
    page.get_by_role("link", name="Done").click()
    page.get_by_label("Revoke billing app").click()
    page.get_by_role("button", name="Revoke it now").locator("visible=true").click()
    expect(page.get_by_text("billing app is revoked.")).to_be_visible()
    answer = page.request.get(f"{console.url}/api/v1/alarms", headers={"authorization": f"Bearer {second}"})
    assert answer.status == 401


def test_the_second_owner_asks_and_the_first_approves(page: Page, open_context: ContextMaker, second: Page) -> None:
    come_in(open_context(signed_in=False), invite(page, "ida@acme.example", "Ida Roth", "Sales"), "ida@acme.example")
    second.goto("/settings/team")
    second.get_by_role("link", name="Ida Roth").click()
    second.get_by_role("checkbox", name=re.compile("^Admin")).check()
    second.get_by_label(re.compile("^Why")).fill("She runs it from Monday on.")
    second.get_by_role("button", name="Save the roles").click()
    expect(second.get_by_text("Another owner was asked.")).to_be_visible()

    page.goto("/customers")
    page.get_by_role("link", name=re.compile("^Inbox")).click()
    expect(page.get_by_text("She runs it from Monday on.")).to_be_visible()
    page.get_by_role("button", name="Approve").click()

    expect(page.get_by_text("Approved, and done.")).to_be_visible()
    second.reload()
    expect(second.get_by_role("checkbox", name=re.compile("^Admin"))).to_be_checked()


def test_the_console_is_seen_as_a_role_and_nothing_is_changed(page: Page) -> None:
    page.goto("/settings/roles")
    page.locator("select[name=role]").select_option("sales")
    page.get_by_role("textbox", name="Why").fill("A question about what sales sees.")
    page.get_by_role("button", name="See as this role").click()
    banner = page.get_by_role("region", name="You see the console as a role")
    expect(banner).to_contain_text("Sales")
    expect(page.get_by_role("link", name="Audit log")).to_have_count(0)

    page.goto("/customers")
    expect(banner).to_be_visible()
    banner.get_by_role("button", name="End").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    expect(banner).to_have_count(0)
    expect(page.get_by_role("link", name="Audit log")).to_be_visible()
