"""What sales comes for: whose trial ends, who owes, taking somebody, and a list to work through."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def page(as_role: Callable[[str], Page]) -> Page:
    return as_role("sales")


def test_a_trial_that_ends_is_taken_from_home_and_a_note_is_left(page: Page) -> None:
    untaken = page.locator(".queue tbody tr", has_text="Nobody looks after it")
    row = untaken.filter(has_text="Trial ends").first
    name = row.locator("a[data-row]").inner_text()

    row.get_by_role("button", name="Take it").press("Enter")
    expect(page.get_by_role("status").filter(has_text="1 customer has a new owner.")).to_be_visible()
    taken = page.locator(".queue tbody tr", has_text=name)
    expect(taken).to_contain_text("Owner: Sales Person")

    taken.get_by_role("link", name=f"Open {name}").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.get_by_label("A note for your colleagues").fill("Called: they decide on Thursday.")
    page.get_by_role("button", name="Add note").press("Enter")
    expect(page.locator(".notes li").first).to_contain_text("Called: they decide on Thursday.")
    expect(page.locator(".notes li").first).to_contain_text("Sales Person")


def test_whoever_owes_is_found_by_key_kept_as_a_list_and_taken_away_as_a_file(page: Page, tmp_path: Path) -> None:
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page.get_by_role("heading", level=1)).to_have_text("Customers")
    page.get_by_role("link", name=re.compile("^Past due")).press("Enter")
    expect(page).to_have_url(re.compile(r"stage=past_due"))
    names = page.locator("a[data-row]").all_inner_texts()
    assert len(names) >= 2

    page.get_by_text("Save view").press("Enter")
    page.get_by_label("Name", exact=True).fill("To call")
    page.keyboard.press("Enter")
    kept = page.locator(".tabs [aria-current]")
    expect(kept).to_contain_text("To call")
    expect(kept).to_contain_text(str(len(names)))

    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export").press("Enter")
    path = tmp_path / "customers.csv"
    waiting.value.save_as(path)
    with path.open(newline="", encoding="utf-8") as file:
        assert sorted(row["name"] for row in csv.DictReader(file)) == sorted(names)
    page.get_by_role("button", name="Remove view").click()


def test_sales_sees_money_and_truth_and_is_offered_nothing_it_may_not_do(page: Page) -> None:
    for name in ("Payments", "Truth"):
        expect(page.locator("nav.side").get_by_role("link", name=name, exact=True)).to_be_visible()
    for name in ("Audit log", "Access log"):
        expect(page.locator("nav.side").get_by_role("link", name=name)).to_have_count(0)

    page.goto("/truth")
    expect(page.get_by_role("button", name="Compare now")).to_have_count(0)


def test_a_whole_list_is_given_after_a_look_and_one_customer_is_given_back(page: Page) -> None:
    page.goto("/customers")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.get_by_role("link", name=re.compile("^All .+ that match")).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"Set the owner of \d+ customers"))
    expect(page.get_by_text("Nothing was changed yet.")).to_be_visible()
    number = page.locator("input[name=number]").input_value()
    page.get_by_role("link", name="Cancel").press("Enter")

    page.goto("/customers?stage=trialing&owner=none")
    page.locator("input[data-pick]").first.check()
    page.get_by_label("New owner").select_option("me")
    page.get_by_role("button", name="Apply").press("Enter")
    said = page.get_by_role("status").filter(has_text="1 customer has a new owner.")
    said.get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_text("Taken back: 1 customer has the owner of before.")).to_be_visible()
    assert int(number) > 50
