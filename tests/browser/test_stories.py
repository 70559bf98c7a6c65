"""A customer's page and the events behind it, as somebody in support reads them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ContextMaker, open_when
from tests.demo import Console


@pytest.fixture(scope="module")
def often_renamed(console: Console) -> str:
    """A customer with more entries than one page of the timeline holds; some on one day."""
    for step in range(40):
        name = {
            "id": "cus_busy",
            "object": "customer",
            "name": f"Name {step}",
            "metadata": {},
            "created": 1_780_000_000,
        }
        told: dict[str, Any] = {
            "id": f"evt_busy_{step}",
            "object": "event",
            "livemode": False,
            "data": {"object": name},
        }
        told |= {"type": "customer.updated" if step else "customer.created", "created": 1_780_000_000 + step * 30_000}
        if step:
            told["data"]["previous_attributes"] = {"name": f"Name {step - 1}"}
        console.receive(json.dumps(told).encode())
    return "/customers/cus_busy"


@pytest.fixture
def busy(page: Page, often_renamed: str) -> Page:
    """The page of that customer, once everything reached it."""
    newest, earlier = page.locator("h1", has_text="Name 39"), page.get_by_role("link", name="Show earlier")
    open_when(page, often_renamed, lambda _answer: newest.count() and earlier.count())
    return page


def texts(locator: Locator) -> list[str]:
    return [text.strip() for text in locator.all_inner_texts()]


def test_show_earlier_appends_and_repeats_nothing(busy: Page) -> None:
    ids = busy.locator("#timeline details a code")
    before, rows = ids.all_text_contents(), busy.locator("#timeline li").count()

    busy.get_by_role("link", name="Show earlier").click()
    busy.wait_for_function(f"() => document.querySelectorAll('#timeline li').length > {rows}")

    after = ids.all_text_contents()
    assert after[: len(before)] == before
    assert len(after) > len(before)
    assert len(set(texts(busy.locator("#timeline .day")))) == busy.locator("#timeline .day").count()


def test_kinds_of_entries_can_be_chosen_and_the_address_keeps_them(busy: Page) -> None:
    everything = busy.locator("#timeline li").count()

    busy.locator(".kinds label", has_text="Subscriptions").click()

    expect(busy).to_have_url(re.compile(r"\?kind=subscription$"))
    expect(busy.locator("#timeline")).to_contain_text("No entries of this kind")
    busy.reload()
    expect(busy.get_by_label("Subscriptions")).to_be_checked()
    expect(busy.locator("#timeline li")).to_have_count(0)

    busy.locator(".kinds label", has_text="Customer").click()
    expect(busy).to_have_url(re.compile(r"\?kind=subscription&kind=customer$"))
    expect(busy.locator("#timeline li")).to_have_count(everything)


def test_why_opens_a_drawer_takes_the_focus_and_gives_it_back(page: Page) -> None:
    page.goto("/customers?stage=active&sort=-mrr")
    page.locator("a[data-row]").first.click()
    why = page.get_by_role("link", name="Why? MRR", exact=True)

    why.click()
    drawer = page.get_by_role("dialog", name="MRR: why?")
    expect(drawer).to_be_visible()
    expect(drawer).to_contain_text("subscription")
    assert page.evaluate("document.activeElement.closest('dialog') !== null")

    page.keyboard.press("Escape")
    expect(drawer).not_to_be_visible()
    expect(why).to_be_focused()

    why.click()
    drawer.get_by_role("link", name=re.compile("^evt_")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(".")
    expect(page.locator("#json")).to_contain_text('"object": "event"')


def test_an_entry_of_the_timeline_opens_its_event(page: Page) -> None:
    page.goto("/customers?stage=active")
    page.locator("a[data-row]").first.click()

    page.locator("#timeline summary").first.click()
    link = page.locator("#timeline details a").first
    event_id = link.inner_text()
    link.click()

    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text(event_id)
    # On a busy machine the sweep is sometimes faster than the webhook, which is signed.
    expect(drawer).to_contain_text(re.compile("Verified on arrival|Not signed: it did not come over a webhook"))
    drawer.get_by_role("button", name="Close").click()
    expect(drawer).not_to_be_visible()


def test_an_id_is_copied_whole(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/customers")
    page.locator("a[data-row]").first.click()

    page.locator(".ident .copy").click()

    expect(page.locator("#say")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator(".ident .copy code").inner_text()


def test_a_contact_field_is_copied_and_so_are_all_of_them(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/customers?stage=active&sort=-mrr")
    page.locator("a[data-row]").first.click()
    card = page.get_by_role("region", name="Contact fields")

    card.locator("div", has_text=re.compile("^billing_status")).get_by_role("button").click()
    expect(page.locator("#say")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "active"

    card.get_by_role("button", name="Copy all").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).startsWith('{')")
    assert json.loads(page.evaluate("navigator.clipboard.readText()"))["fields"]["billing_status"] == "active"


def test_a_new_event_shows_itself_and_reaches_its_customer(page: Page, console: Console) -> None:
    page.clock.install()
    page.goto("/events?type=customer.created")
    before = page.locator("#list tbody tr").count()
    about: dict[str, Any] = {
        "id": "cus_live",
        "object": "customer",
        "name": "Live Wire",
        "email": None,
        "metadata": {},
        "created": 1_790_000_000,
    }
    event = {
        "id": "evt_live",
        "object": "event",
        "type": "customer.created",
        "created": 1_790_000_000,
        "livemode": False,
    }
    console.receive(json.dumps(event | {"data": {"object": about}}).encode())

    page.clock.fast_forward(5_100)

    row = page.locator("#row-evt_live")
    expect(row).to_be_visible()
    expect(row).to_have_class("is-new")
    assert page.locator("#list tbody tr").count() == min(before + 1, 50)
    expect(page).to_have_url(re.compile(r"type=customer\.created$"))

    open_when(page, "/customers/cus_live", lambda answer: answer.ok)
    expect(page.get_by_role("heading", level=1)).to_have_text("Live Wire")


def test_pause_holds_the_list_still_until_resumed(page: Page, console: Console) -> None:
    page.clock.install()
    page.goto("/events?type=customer.updated")
    page.get_by_role("button", name="Pause").click()
    about = {"id": "cus_calm", "object": "customer", "name": "Calm", "metadata": {}, "created": 1_790_000_001}
    event = {
        "id": "evt_calm",
        "object": "event",
        "type": "customer.updated",
        "created": 1_790_000_001,
        "livemode": False,
    }
    console.receive(json.dumps(event | {"data": {"object": about}}).encode())

    page.clock.fast_forward(11_000)
    expect(page.get_by_text("Not live")).to_be_visible()
    expect(page.locator("#row-evt_calm")).to_have_count(0)

    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#row-evt_calm")).to_be_visible()


def test_states_and_types_narrow_the_events(page: Page) -> None:
    page.goto("/events")

    page.get_by_label("Event type").fill("invoice.paid")
    expect(page).to_have_url(re.compile(r"type=invoice\.paid"))
    expect(page.locator("#list tbody tr").first).to_contain_text("invoice.paid")
    assert set(texts(page.locator("#list .col-type code"))) == {"invoice.paid"}

    page.locator(".seg label", has_text="Set aside").click()
    expect(page.locator("#list")).to_contain_text("No events match")
    page.get_by_role("link", name="All events").click()
    expect(page.locator("#list tbody tr")).to_have_count(50)


def test_a_part_that_cannot_be_loaded_is_said_where_the_person_looks(page: Page, open_context: ContextMaker) -> None:
    page.goto("/events")
    page.route("**/events/evt_*", lambda route: route.abort())

    page.locator("a[data-row]").first.click()

    expect(page.locator("#alert")).to_contain_text("No connection to Trueup")
    expect(page.get_by_role("dialog")).to_have_count(0)
    for part in ("htmx:sendError", "htmx:afterRequest", "ERR_FAILED"):
        open_context.forgive(part)
