"""Working with lists: sales takes past-due customers away as a file, support finds somebody by an id of a ticket."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import psycopg
from playwright.sync_api import Page, expect

from tests.browser.conftest import ContextMaker
from tests.demo import Console


def test_sales_gives_herself_customers_and_exports_those_past_due(page: Page, tmp_path: Path) -> None:
    page.goto("/customers?stage=past_due&sort=name")
    names = page.locator("a[data-row]").all_inner_texts()
    assert len(names) >= 2

    page.locator("input[data-pick]").nth(0).click()
    page.locator("input[data-pick]").nth(len(names) - 1).click(modifiers=["Shift"])
    expect(page.locator("[data-picked]")).to_have_text(f"{len(names)} chosen")
    page.get_by_label("New owner").select_option("me")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text(f"{len(names)} customers have a new owner.")).to_be_visible()

    page.goto("/home/sales")
    page.locator(".stats a", has_text="Mine, past due").click()
    expect(page).to_have_url(re.compile(r"owner=me&stage=past_due"))
    expect(page.locator("#list tbody tr")).to_have_count(len(names))

    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export").click()
    path = tmp_path / "customers.csv"
    waiting.value.save_as(path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["name"] for row in rows) == sorted(names)
    assert {row["stage"] for row in rows} == {"past_due"}


def test_support_finds_a_customer_by_whatever_id_a_ticket_has(page: Page, console: Console) -> None:
    with psycopg.connect(console.database) as connection:
        found = connection.execute(
            "select object_id, customer from mirror_object where object_type = 'invoice' and customer is not null"
            " order by object_id limit 1"
        ).fetchone()
    assert found is not None
    page.goto("/")

    page.keyboard.press("Control+k")
    page.locator("#palette-q").fill(found[0])
    expect(page.locator("#hits a.hit .avatar")).to_have_count(1)
    page.keyboard.press("Enter")

    expect(page.locator(".ident .copy code")).to_have_text(found[1])


def test_a_list_is_kept_and_opened_again_by_its_name(page: Page) -> None:
    page.goto("/customers?stage=active")
    page.locator("select[name=owner].auto").select_option("none")
    expect(page).to_have_url(f"{page.url.partition('/customers')[0]}/customers?owner=none&stage=active")
    rows = page.locator("#list tbody tr").count()

    page.get_by_text("Save view").click()
    page.get_by_label("Name", exact=True).fill("Nobody's")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".tabs [aria-current]")).to_contain_text("Nobody's")

    page.goto("/customers")
    page.locator(".tabs a.kept", has_text="Nobody's").click()
    expect(page.locator("#list tbody tr")).to_have_count(rows)
    expect(page.locator("select[name=owner].auto")).to_have_value("none")
    page.get_by_role("button", name="Remove view").click()
    expect(page.locator(".tabs a.kept")).to_have_count(0)


def test_rows_are_chosen_by_the_keyboard(page: Page) -> None:
    page.goto("/customers?sort=name")

    for key in ("j", "x", "j", "j", "Shift+X"):
        page.keyboard.press(key)

    expect(page.locator("[data-picked]")).to_have_text("3 chosen")
    page.get_by_label("Choose all of this page").click()
    expect(page.locator("input[data-pick]:checked")).to_have_count(page.locator("input[data-pick]").count())
    page.get_by_role("button", name="Choose none").click()
    expect(page.locator(".bulk")).not_to_be_visible()


def test_filters_and_owners_work_without_scripts(open_context: ContextMaker) -> None:
    page = open_context(java_script_enabled=False)
    page.goto("/customers?sort=name")

    page.locator("#filters summary", has_text="More filters").click()
    page.locator("select[name=status]").select_option("past_due")
    page.locator("#filters").get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile(r"status=past_due"))
    expect(page.locator("#list tbody .chip").first).to_have_text("Past due")

    page.locator("input[data-pick]").first.check()
    page.get_by_label("New owner").select_option("none")
    page.locator(".bulk").get_by_role("button", name="Apply").click()
    expect(page.get_by_role("status").filter(has_text="no owner now")).to_be_visible()
