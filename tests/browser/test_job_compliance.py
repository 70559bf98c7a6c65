"""What compliance comes for: what is held of somebody, who looked, who changed what, and proof of it for others."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def page(as_role: Callable[[str], Page]) -> Page:
    return as_role("compliance")


def test_what_is_held_of_somebody_and_who_looked_at_it(page: Page) -> None:
    page.goto("/customers?stage=active")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".tabs [aria-current=page]")).to_have_text("Overview")
    parts = page.get_by_role("navigation", name="Parts of the customer")
    name = page.get_by_role("heading", level=1).inner_text()

    parts.get_by_role("link", name="Objects").press("Enter")
    page.locator("a.object").first.press("Enter")
    drawer = page.get_by_role("dialog")
    expect(drawer.locator("#json")).to_contain_text('"object": "customer"')
    page.keyboard.press("Escape")

    parts.get_by_role("link", name="Audit").press("Enter")
    looks = page.get_by_role("region", name="Who looked", exact=True)
    expect(looks).to_contain_text("Compliance Person")
    expect(looks).to_contain_text("raw object")

    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page.get_by_role("heading", level=1)).to_have_text("Access log")
    expect(page.locator("#list tbody tr").first).to_contain_text(name)


def test_who_changed_what_is_found_and_proved(page: Page) -> None:
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit log")
    page.get_by_label("Action").select_option("operators.operator.created")
    expect(page).to_have_url(re.compile("action=operators.operator.created"))

    page.keyboard.press("Escape")
    page.locator("a[data-row]").last.press("Enter")
    drawer = page.locator("#drawer[open]")
    expect(drawer).to_contain_text(re.compile("In the tree at"))
    with page.expect_download() as taken:
        drawer.get_by_role("link", name="Proof").press("Enter")
    assert taken.value.path().read_bytes().startswith(b"c2sp.org/tlog-proof@v1")


def test_an_export_that_others_can_check_is_taken_with_a_reason(page: Page, tmp_path: Path) -> None:
    page.goto("/audit")
    page.get_by_role("link", name="Export").press("Enter")
    page.get_by_label("Test", exact=True).check(force=True)
    page.get_by_label("Why").fill("Yearly review")

    with page.expect_download() as taken:
        page.get_by_role("button", name="Make and download").press("Enter")
    path = tmp_path / "audit.zip"
    taken.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        assert any(name.endswith(".py") for name in archive.namelist())

    page.goto("/audit?action=audit.export.made")
    expect(page.locator("#list tbody tr").first).to_contain_text("Compliance Person")


def test_compliance_reads_everything_and_moves_nothing(page: Page) -> None:
    page.goto("/customers?stage=active")
    page.locator("a[data-row]").first.press("Enter")

    for name in ("Add note", "Read again", "Merge"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    page.goto("/truth")
    expect(page.get_by_role("button", name="Read all objects")).to_have_count(0)
