"""What a compliance officer does in the console: find a change, open it on record, take its proof, verify the log."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect


def test_a_change_is_found_and_its_address_is_its_search(page: Page) -> None:
    page.goto("/audit")
    page.get_by_label("Object").fill("operator")
    expect(page).to_have_url(re.compile("object=operator"))
    expect(page.locator("#list tbody tr").first).to_contain_text("operator:")

    page.locator("#actor").fill("nobo")
    expect(page.get_by_role("heading", name="No entry matches")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Object")).to_have_value("operator")
    expect(page.get_by_role("heading", name="No entry matches")).to_be_visible()


def test_personal_values_are_opened_in_the_drawer_with_a_reason(page: Page) -> None:
    page.goto("/audit?action=operators.operator.created")
    page.locator("a[data-row]").last.click()
    drawer = page.locator("#drawer[open]")
    expect(drawer).to_contain_text("closed")

    drawer.get_by_role("link", name=re.compile("^Open .*personal value")).click()
    drawer.get_by_label(re.compile("^Why do you open")).fill("Complaint 12")
    drawer.get_by_role("button", name="Open and record").click()
    expect(drawer).to_contain_text("Personal values are open.")

    page.goto("/audit?action=audit.values.opened")
    expect(page.locator("#list tbody tr")).not_to_have_count(0)


def test_the_proof_of_an_entry_is_a_file(page: Page) -> None:
    page.goto("/audit?action=operators.operator.created")
    page.locator("a[data-row]").first.click()
    with page.expect_download() as taken:
        page.locator("#drawer[open]").get_by_role("link", name="Proof").click()

    assert taken.value.suggested_filename.endswith(".tlog-proof")
    assert taken.value.path().read_bytes().startswith(b"c2sp.org/tlog-proof@v1")


def test_verifying_goes_on_beside_the_reader_and_ends_in_the_badge(page: Page) -> None:
    page.goto("/audit")
    page.get_by_role("button", name="Verify now").click()

    expect(page.locator("#audit-badge")).to_contain_text(re.compile("entr(y|ies) verified"), timeout=30_000)
    expect(page.get_by_role("button", name="Verify now")).to_be_enabled()


def test_whoever_opened_a_customer_stands_in_the_access_log(page: Page) -> None:
    page.goto("/customers?stage=active")
    first = page.locator("a[data-row]").first
    name, address = first.inner_text(), str(first.get_attribute("href"))
    page.goto(address)
    page.goto("/audit/access")

    expect(page.locator("#list tbody")).to_contain_text(name)
    page.get_by_label("Customer", exact=True).fill("cus_nobody")
    expect(page.get_by_role("heading", name="Nobody matches")).to_be_visible()
