"""Finance at work: which payments failed, why, and what is at risk; and disputes by the day by which to answer."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

AMOUNT = re.compile(r"\d")


def test_what_failed_why_and_what_is_at_risk(page: Page) -> None:
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Failed payments").click()

    expect(page.get_by_role("heading", name="Failed payments", level=1)).to_be_visible()
    page.wait_for_load_state()
    page.get_by_label("Failed within").select_option("any")
    expect(page).to_have_url("/money/failed?days=any")
    first = page.locator("#list tbody tr").first
    expect(first.locator("td.num b")).to_have_text(AMOUNT)
    expect(first.locator("td.reason")).not_to_be_empty()

    page.get_by_role("link", name="Recovered", exact=False).first.click()
    page.wait_for_url("**/money/failed?days=any&lane=recovered")
    page.go_back()
    page.wait_for_url("**/money/failed?days=any")

    page.locator("#list tbody tr a[data-row]").first.click()
    expect(page.get_by_role("heading", name="Invoices")).to_be_visible()


def test_a_chart_is_read_with_the_arrow_keys_and_as_a_table(page: Page) -> None:
    page.goto("/money/ahead")
    plot = page.locator("[data-chart] .plot")
    plot.wait_for()

    plot.focus()
    page.keyboard.press("Home")
    said = page.locator("#say").text_content() or ""
    page.keyboard.press("ArrowRight")

    assert "Renews" in said
    assert page.locator("[data-chart] .tip").is_visible()
    assert (page.locator("#say").text_content() or "") != said
    page.locator("[data-chart] summary").click()
    expect(page.locator("[data-chart] table tbody tr")).to_have_count(13)


def test_a_list_is_narrowed_and_the_address_keeps_it(page: Page) -> None:
    page.goto("/money/payments")
    page.get_by_role("navigation", name="Status").get_by_role("link", name="Failed").click()
    page.wait_for_url("**/money/payments?status=failed")
    page.get_by_label("Time").select_option("365")
    page.wait_for_url("**days=365**")

    expect(page.locator("#list .chip").first).to_have_text("Failed")
    page.reload()
    expect(page.locator("#list .chip").first).to_have_text("Failed")
    expect(page.get_by_label("Time")).to_have_value("365")


def test_disputes_have_the_one_to_answer_first_on_top(page: Page) -> None:
    page.goto("/money/disputes")
    page.get_by_role("navigation", name="Status").get_by_role("link", name="To answer").click()

    page.wait_for_url("**/money/disputes?status=to_answer")
    expect(page.locator("#list th[aria-sort=ascending], #list .empty").first).to_be_visible()
