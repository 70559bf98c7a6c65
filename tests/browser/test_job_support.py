"""What support comes for: a ticket with an id in it, why somebody owes, a note, and a look at Stripe itself."""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.demo import Console


@pytest.fixture
def page(as_role: Callable[[str], Page]) -> Page:
    return as_role("support")


@pytest.fixture
def ticket(console: Console) -> tuple[str, str]:
    """The id of a past-due customer's invoice, as somebody pastes it into a ticket, and the customer's name."""
    with psycopg.connect(console.database) as connection:
        found = connection.execute(
            "select o.object_id, c.name from customer_customer c join mirror_object o"
            " on o.customer = c.stripe_customer_id and o.object_type = 'invoice'"
            " where c.stage = 'past_due' order by o.object_id limit 1"
        ).fetchone()
    assert found is not None
    return found[0], found[1]


def test_why_is_she_past_due(page: Page, ticket: tuple[str, str]) -> None:
    invoice, name = ticket
    page.keyboard.press("Control+k")
    page.locator("#palette-q").fill(invoice)
    expect(page.locator("#hits a.hit").first).to_contain_text(name)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_role("note").filter(has_text="Payment is past due.")).to_contain_text(
        re.compile("could not be collected on|The last attempt failed on")
    )
    page.get_by_role("link", name="Why? Stage").press("Enter")
    drawer = page.get_by_role("dialog", name="Stage: why?")
    expect(drawer).to_contain_text("A subscription owes a payment, which weighs more than any healthy one.")
    page.keyboard.press("Escape")

    page.get_by_role("note").get_by_role("link", name="Look at payments").press("Enter")
    expect(page.get_by_role("region", name="Payments, newest first")).to_contain_text("Failed")


def test_what_was_said_stays_for_whoever_takes_the_next_call(page: Page, ticket: tuple[str, str]) -> None:
    page.locator(".queue a[data-row]").first.click()
    page.get_by_label("A note for your colleagues").fill("She renews the card today.")
    page.get_by_role("button", name="Add note").press("Enter")

    expect(page.locator(".notes li").first).to_contain_text("She renews the card today.")
    expect(page.locator(".notes li").first).to_contain_text("Support Person")


def test_she_is_read_again_from_stripe_and_the_page_says_what_came_of_it(
    page: Page, ticket: tuple[str, str], console: Console
) -> None:
    page.goto(f"/search?q={ticket[0]}")
    page.locator("a.hit").first.click()
    page.get_by_role("button", name="Read again").press("Enter")

    said = page.get_by_role("status").filter(has_text="Stripe is asked")
    expect(said).to_be_visible()
    said.get_by_role("link", name="See what comes of it").press("Enter")
    expect(page.get_by_role("region", name="Comparisons")).to_contain_text(re.compile("1 customer|cus_"))


def test_support_opens_no_raw_object_and_is_told_who_may(page: Page) -> None:
    page.locator(".queue a[data-row]").first.click()
    page.get_by_role("navigation", name="Parts of the customer").get_by_role("link", name="Objects").click()

    expect(page.get_by_role("heading", name="All that Stripe told")).to_be_visible()
    expect(page.get_by_role("link", name="Audit", exact=True)).to_have_count(0)
