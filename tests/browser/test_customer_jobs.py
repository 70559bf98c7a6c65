"""What people come to a customer's page for: support, finance and compliance at work, as each would do it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ContextMaker


@pytest.fixture
def late(page: Page) -> Page:
    """The page of a customer that is past due, found as a person finds one."""
    page.goto("/customers?stage=past_due")
    page.locator("a[data-row]").first.click()
    expect(page.locator(".tabs [aria-current=page]")).to_have_text("Overview")
    return page


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Parts of the customer").get_by_role("link", name=name).click()
    expect(page.locator(".tabs [aria-current=page]")).to_have_text(name)


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def test_support_learns_why_a_customer_is_past_due(late: Page) -> None:
    expect(late.get_by_text("Payment is past due.")).to_be_visible()

    late.get_by_role("link", name="Why? Stage").click()

    drawer = late.get_by_role("dialog", name="Stage: why?")
    expect(drawer).to_contain_text("A subscription owes a payment, which weighs more than any healthy one.")
    expect(drawer).to_contain_text("subscription")
    late.keyboard.press("Escape")
    expect(drawer).not_to_be_visible()


def test_finance_finds_the_invoice_that_failed_and_why(late: Page) -> None:
    tab(late, "Billing")

    row = late.locator("tr", has_text="Not collected").first
    expect(row).to_contain_text(re.compile("failed on .+: .+", re.IGNORECASE))
    expect(row).to_contain_text(re.compile("attempt"))
    failed = late.get_by_role("region", name="Payments, newest first").locator("tr", has_text="Failed").first
    expect(failed).to_be_visible()

    row.locator("a.object").click()

    drawer = late.get_by_role("dialog", name="Invoice")
    expect(drawer).to_contain_text("Whole object")
    expect(drawer.locator("#json")).to_contain_text('"object": "invoice"')
    late.keyboard.press("Escape")
    late.go_back()
    expect(late.locator(".tabs [aria-current=page]")).to_have_text("Overview")


def test_compliance_sees_what_is_held_of_a_person_and_what_changed(late: Page) -> None:
    tab(late, "Objects")
    expect(late.locator("tr.kind").first).to_have_text("Customer")

    late.locator("a.object").first.click()

    drawer = late.get_by_role("dialog", name="Customer")
    expect(drawer.locator("#json")).to_contain_text('"object": "customer"')
    options = drawer.get_by_label("From").locator("option")
    assert options.count() > 1
    drawer.get_by_role("button", name="Compare").click()
    expect(drawer).to_contain_text("What changed between the two")

    drawer.get_by_role("button", name="Close").click()
    tab(late, "Audit")
    expect(late.get_by_role("region", name="Who looked", exact=True)).to_contain_text("raw object")


def test_a_day_of_the_past_stays_until_it_is_left(late: Page) -> None:
    late.get_by_label("As of").fill("2026-11-01")
    late.get_by_role("button", name="Show").click()

    expect(late.get_by_text("You look at the end of Nov 1, 2026.")).to_be_visible()
    tab(late, "Billing")
    expect(late).to_have_url(re.compile(r"/billing\?as_of=2026-11-01$"))
    expect(late.get_by_text("You look at the end of Nov 1, 2026.")).to_be_visible()

    late.get_by_role("link", name="Back to now").click()
    expect(late).to_have_url(re.compile(r"/billing$"))


def test_two_customers_are_made_one_after_a_look_and_apart_again(page: Page) -> None:
    page.goto("/customers?stage=active&sort=name")
    rows = page.locator("a[data-row]")
    other = str(rows.nth(1).get_attribute("href")).rsplit("/", 1)[-1]
    rows.first.click()
    name = heading(page).inner_text()
    tab(page, "People")
    page.get_by_label("Merge another customer into this one").fill(other)

    page.get_by_role("button", name="Preview…").click()
    drawer = page.get_by_role("dialog", name="Merge customers")
    expect(drawer).to_contain_text("Nothing was changed yet")
    expect(drawer.locator(".is-after .summary")).to_have_count(1)
    drawer.get_by_role("button", name="Merge").click()

    expect(page.get_by_text("1 Stripe customer is part of this one now.")).to_be_visible()
    expect(page.locator(".ones li")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 Stripe customer stands for itself again.")).to_be_visible()
    expect(page.locator(".ones li")).to_have_count(1)
    expect(heading(page)).to_have_text(name)


def test_a_colleague_reads_the_note_that_support_left(late: Page) -> None:
    late.get_by_label("A note for your colleagues").fill("Card is renewed on Monday.")
    late.get_by_role("button", name="Add note").click()

    expect(late.locator(".notes")).to_contain_text("Card is renewed on Monday.")
    mine = late.locator(".notes li", has_text="Card is renewed on Monday.").first
    mine.get_by_text("Change or remove").click()
    mine.get_by_label("Nothing of it is left behind").fill("remove")
    mine.get_by_role("button", name="Remove").click()
    expect(late.locator(".notes li", has_text="Card is renewed on Monday.")).to_have_count(0)


def test_the_timeline_is_walked_and_opened_by_key(late: Page) -> None:
    late.locator("#main").focus()
    late.keyboard.press("j")
    late.keyboard.press("j")

    expect(late.locator("#timeline summary").nth(1)).to_be_focused()
    late.keyboard.press("Enter")
    expect(late.locator("#timeline details").nth(1)).to_have_attribute("open", "")


def test_every_tab_reads_without_a_script(open_context: ContextMaker, late: Page) -> None:
    plain = open_context(java_script_enabled=False)
    plain.goto(late.url)

    for name, shown in (("Billing", "Invoices"), ("People", "Linked identities"), ("Objects", "All that Stripe told")):
        tab(plain, name)
        expect(plain.get_by_role("heading", name=shown)).to_be_visible()
    plain.locator("a.object").first.click()
    expect(heading(plain)).to_have_text("Customer")
