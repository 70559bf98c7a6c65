"""Every page in both themes for everybody: no violation, nothing off the screen, and readable without a script."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ContextMaker, open_when
from tests.demo import Console
from tools import console_pages

# What automated rules cannot see and eyes do: content beyond the window, cut words, controls too small to hit.
LINT = """async () => {
  // What was painted counts, not a style that is still being worked out after the window changed its size.
  await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
  const found = new Set(), width = document.documentElement.clientWidth;
  // What moves to its place is measured in its place: the width was asked for above, so that all of it is on its way.
  for (const moving of document.getAnimations()) moving.finish();
  const say = (what, e) => found.add(what + ': ' + e.tagName + ' ' + e.textContent.trim().slice(0, 40));
  if (document.documentElement.scrollWidth > width + 1) found.add('page scrolls sideways');
  for (const e of document.querySelectorAll('main *, nav *, header *, dialog[open] *')) {
    if (e.closest('.tabs, svg, details, .sr, [popover], pre')) continue;
    const box = e.getBoundingClientRect(), style = getComputedStyle(e), words = e.textContent.trim();
    if (!box.width || style.visibility === 'hidden') continue;
    if (!e.closest('.tbl-wrap, .seg') && (box.right > width + 1 || box.left < -1)) say('off screen', e);
    if (e.matches('.tbl-wrap') && e.scrollWidth > e.clientWidth + 1) say(e.scrollWidth + ' px in ' + e.clientWidth, e);
    if (e.matches('td') && !e.parentElement.querySelector('.wrap') && box.height > 64) say('tall row', e);
    if (e.matches('li, button, .btn, h1, h2') && box.width < 44 && words.length > 12) say('squeezed', e);
    const control = e.matches('a, button, select, summary') && !e.closest('p, td, .sub, dd, label');
    if (control && box.height < 24) say('too small to hit', e);
    const cut = e.scrollWidth > e.clientWidth + 1 && style.overflow !== 'visible' && style.textOverflow !== 'ellipsis';
    if (cut && !e.children.length && !e.matches('input')) say('cut off', e);
  }
  return [...found];
}"""
pytestmark = pytest.mark.timeout(400)
"""A walk of all pages takes its time on a busy machine."""
ABSENT = {"not-found"}
"""Pages that the browser itself complains about, as it should."""
OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    """Addresses found by the first test that needs them."""
    return {}


@pytest.fixture(scope="module")
def full_at(full: str, browser: Browser, session: dict[str, Any], console: Console) -> str:
    """The customer with something in every place, once all of it is there."""
    options: dict[str, Any] = {"base_url": console.url, "storage_state": session}
    page = browser.new_context(**options).new_page()
    open_when(
        page, full, lambda answer: answer.ok and all(page.locator(part).count() for part in (".told", ".coming li"))
    )
    page.context.close()
    return full


def addresses(page: Page, found: dict[str, str], full: str, drifting: str) -> list[str]:
    """Every page of the console, and what only the customer and the differences of these tests show."""
    if not found:
        found |= console_pages.found(page)
    return [
        *(address for place, address in console_pages.addresses(found) if place.name not in ABSENT),
        full,
        *(f"{full}/why/{field}" for field in ("last_failure", "scheduled_changes", "lifetime_paid", "tags")),
        f"{drifting}?customer=cus_nobody",
    ]


def violations(page: Page) -> list[Any]:
    """What axe has to say, shortened to what is needed to find it."""
    said = Axe().run(page, options=OPTIONS).response["violations"]
    return [(entry["id"], [node["html"][:120] for node in entry["nodes"][:3]]) for entry in said]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_violation(
    open_context: ContextMaker, found: dict[str, str], full_at: str, drifting: str, scheme: Literal["light", "dark"]
) -> None:
    # The tool that looks is injected into the page, which our policy would forbid.
    page = open_context(color_scheme=scheme, bypass_csp=True)
    wrong = {}
    for address in addresses(page, found, full_at, drifting):
        page.goto(address)
        # What is folded away counts as well.
        page.locator("main details:not([open]) > summary").evaluate_all("all => all.forEach(one => one.click())")
        wrong[address] = violations(page)
    page.goto(found["customer"])
    page.locator(".stats .why").first.click()
    page.locator("#drawer[open]").wait_for()
    wrong["drawer"] = violations(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.locator("#palette[open]").wait_for()
    wrong["palette"] = violations(page)
    stranger = open_context(signed_in=False, color_scheme=scheme, bypass_csp=True)
    stranger.goto("/sign-in")
    wrong["/sign-in"] = violations(stranger)

    assert {address: said for address, said in wrong.items() if said} == {}


def test_every_page_fits_a_desk_a_tablet_and_a_phone(
    open_context: ContextMaker, found: dict[str, str], full_at: str, drifting: str
) -> None:
    page = open_context()
    wrong = {}
    for address in [*addresses(page, found, full_at, drifting), "/sign-in"]:
        if address == "/sign-in":
            page.context.clear_cookies()
        page.goto(address)
        page.locator("main details:not([open]) > summary").evaluate_all("all => all.forEach(one => one.click())")
        for width in (1440, 1100, 768, 390):
            page.set_viewport_size({"width": width, "height": 900})
            wrong[f"{address} at {width}"] = page.evaluate(LINT)

    assert {place: said for place, said in wrong.items() if said} == {}


def test_everything_can_be_read_without_a_script(open_context: ContextMaker, found: dict[str, str]) -> None:
    page = open_context(java_script_enabled=False)
    page.goto("/customers?sort=name")
    first = page.locator("a[data-row]").first.inner_text()

    page.get_by_role("link", name="Next").click()
    assert page.locator("a[data-row]").first.inner_text() != first
    page.get_by_role("link", name=re.compile("^Active")).click()
    page.get_by_label("Search customers").fill(first.split()[0])
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q="))
    expect(page.locator(".tabs [aria-current]")).to_contain_text("Active")

    page.goto("/customers?stage=active&sort=-mrr")
    page.locator("a[data-row]").first.click()
    page.get_by_role("link", name="Why? MRR", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("MRR: why?")
    page.get_by_role("link", name=re.compile("^evt_")).first.click()
    expect(page.locator("#json")).to_contain_text('"object": "event"')

    page.get_by_role("link", name="Find a customer or event").click()
    page.get_by_role("searchbox").fill(first)
    page.keyboard.press("Enter")
    expect(page.locator("a.hit").first).to_contain_text(first)
    expect(page.locator(".js-only:visible")).to_have_count(0)


def test_the_menu_of_a_phone_opens_closes_and_gives_the_focus_back(open_context: ContextMaker) -> None:
    page = open_context(viewport={"width": 390, "height": 844})
    page.goto("/customers")
    menu = page.get_by_role("button", name="Menu")
    expect(page.get_by_role("link", name="Events")).not_to_be_visible()

    menu.click()
    expect(page.get_by_role("link", name="Events")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Events")).not_to_be_visible()
    expect(menu).to_be_focused()

    menu.click()
    page.get_by_role("link", name="Events").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Events")


def test_the_first_tab_stop_skips_to_the_content(page_at: Page) -> None:
    page_at.keyboard.press("Tab")
    expect(page_at.get_by_role("link", name="Skip to content")).to_be_focused()
    page_at.keyboard.press("Enter")
    assert page_at.evaluate("document.activeElement.id") == "main"


@pytest.fixture
def page_at(page: Page) -> Page:
    """The list of customers."""
    page.goto("/customers")
    return page
