"""What differs from Stripe, opened and filtered in a browser."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import ContextMaker


def test_a_difference_that_is_open_stays_open_while_the_page_is_live(page: Page, drifting: str) -> None:
    page.clock.install()
    page.goto(drifting.removesuffix("/differences"))
    first = page.locator("#truth details").first
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/truth") else None)

    first.locator("summary").click()
    page.clock.run_for(11_000)

    expect(first.get_by_role("cell", name="5900")).to_be_visible()
    assert asked == []
    first.locator("summary").click()
    with page.expect_response("**/truth"):
        page.clock.run_for(6_000)


def test_differences_are_opened_filtered_and_paged_without_a_script(open_context: ContextMaker, drifting: str) -> None:
    page = open_context(java_script_enabled=False)
    page.goto(drifting)
    expect(page.locator(".diffs li")).to_have_count(50)

    page.get_by_role("link", name="Next").click()
    expect(page.locator(".diffs li").last).to_contain_text("customer's state")
    page.get_by_role("link", name="First").click()
    page.locator(".seg label", has_text="Differs").click()
    page.get_by_label("Type").select_option("subscription")
    page.get_by_role("button", name="Apply").click()

    expect(page).to_have_url(re.compile("type=subscription&kind=stale"))
    page.locator("summary").click()
    expect(page.get_by_role("rowheader", name="default_payment_method")).to_be_visible()


def test_an_id_is_in_one_line_at_every_width(page: Page, drifting: str) -> None:
    page.goto(drifting)
    for width in (1440, 1280, 768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        heights = page.locator(".what > code").evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
        assert max(heights) < 24
        assert page.evaluate("document.documentElement.scrollWidth") <= width
