"""What finance comes for: what failed and why, who owes, what lies ahead, and disputes before they are lost."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import open_when


@pytest.fixture
def page(as_role: Callable[[str], Page]) -> Page:
    return as_role("finance")


def go(page: Page, key: str, heading: str) -> None:
    """Go to a page by its two keys."""
    page.keyboard.press("g")
    page.keyboard.press(key)
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def test_what_failed_and_why_leads_to_the_invoice_and_what_comes_next(page: Page) -> None:
    page.locator(".stats a", has_text="At risk").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Failed payments")
    row = page.locator("#list tbody tr").first
    expect(row.locator(".reason")).not_to_be_empty()
    name = row.locator("a[data-row]").inner_text()

    page.keyboard.press("j")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.locator(".tabs [aria-current=page]")).to_have_text("Billing")
    expect(page.locator("tr", has_text="Not collected").first).to_contain_text(re.compile("attempt"))


def test_who_owes_how_much_is_a_sum_and_a_file(page: Page, tmp_path: Path) -> None:
    go(page, "v", "Invoices")
    page.locator(".tabs a[href*='status=open']").press("Enter")
    expect(page).to_have_url(re.compile("status="))
    expect(page.locator(".sums")).to_contain_text(re.compile(r"[$€£]\d"))
    names = page.locator("#list a[data-row]").all_inner_texts()

    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export").press("Enter")
    path = tmp_path / "invoices.csv"
    waiting.value.save_as(path)
    with path.open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(names)


def test_what_renews_and_what_leaves_in_the_weeks_ahead(page: Page) -> None:
    go(page, "w", "Renewals and cancellations ahead")
    expect(page.locator("#list tbody tr").first).to_be_visible()
    expect(page.locator(".stats [aria-current=page]")).to_be_visible()

    page.locator(".stats a").nth(1).press("Enter")
    expect(page).to_have_url(re.compile("what="))
    expect(page.locator(".stats [aria-current=page]")).to_have_count(1)


def test_a_dispute_is_found_while_it_can_still_be_answered(page: Page, dispute: str) -> None:
    row = page.locator("#list tbody tr", has_text=dispute)
    open_when(page, "/money/disputes?status=to_answer", lambda _answer: row.count())
    expect(row).to_contain_text("$42.00")
    expect(row).to_contain_text(re.compile("day|hr"))

    row.locator("a[data-row]").press("Enter")
    expect(page.locator(".tabs [aria-current=page]")).to_have_text("Billing")
