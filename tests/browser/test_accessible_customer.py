"""Every part of a customer's page in both themes: no violation, nothing off the screen on a desk or a phone."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import ContextMaker
from tests.browser.test_accessible import LINT, full_at, violations

__all__ = ["full_at"]

PARTS = (
    "/billing",
    "/upcoming",
    "/revenue",
    "/people",
    "/objects",
    "/objects/subscription/sub_full",
    "/audit",
    "?as_of=2020-01-01",
)


def addresses(page: Page, full: str) -> list[str]:
    """The parts of the customer with something in every place, and of one that owes an invoice."""
    page.goto("/customers?stage=past_due")
    late = str(page.locator("a[data-row]").first.get_attribute("href"))
    page.goto("/customers?stage=active")
    other = str(page.locator("a[data-row]").first.get_attribute("href")).rsplit("/", 1)[-1]
    return [*(f"{full}{part}" for part in PARTS), f"{late}/billing", f"{full}/merge?other={other}"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_part_has_a_violation(open_context: ContextMaker, full_at: str, scheme: Literal["light", "dark"]) -> None:
    # The tool that looks is injected into the page, which our policy would forbid.
    page = open_context(color_scheme=scheme, bypass_csp=True)
    wrong = {}
    for address in addresses(page, full_at):
        page.goto(address)
        page.locator("main details:not([open]) > summary").evaluate_all("all => all.forEach(one => one.click())")
        wrong[address] = violations(page)
    page.goto(f"{full_at}/objects")
    page.locator("a.object").first.click()
    page.locator("#drawer[open]").wait_for()
    wrong["drawer"] = violations(page)

    assert {address: said for address, said in wrong.items() if said} == {}


def test_every_part_fits_a_desk_a_tablet_and_a_phone(open_context: ContextMaker, full_at: str) -> None:
    page = open_context()
    wrong = {}
    for address in addresses(page, full_at):
        page.goto(address)
        for width in (1440, 768, 390):
            page.set_viewport_size({"width": width, "height": 900})
            said = page.evaluate(LINT)
            if said:
                wrong[f"{address} at {width}"] = said

    assert wrong == {}
