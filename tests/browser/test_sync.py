"""On call: watch events come in, and mend what stopped one customer's, as whoever is called at night would."""

from __future__ import annotations

import json
import re
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ContextMaker
from tests.demo import Console


def tell(console: Console, event_id: str, name: str) -> None:
    """Let Stripe say that a customer was made."""
    about: dict[str, Any] = {"id": f"cus_{event_id}", "object": "customer", "name": name, "created": 1_780_000_000}
    event = {"id": f"evt_{event_id}", "object": "event", "type": "customer.created", "created": 1_780_000_000}
    console.receive(json.dumps(event | {"livemode": False, "data": {"object": about}}).encode())


def test_the_tail_is_watched_paused_and_resumed(page: Page, console: Console) -> None:
    page.goto("/events")
    expect(page.locator("body[data-streaming]")).to_be_attached()
    tell(console, "tail1", "First")
    expect(page.locator("#row-evt_tail1")).to_be_visible()
    expect(page.locator("#row-evt_tail1")).to_contain_text("Folded")

    page.get_by_role("button", name="Pause").click()
    tell(console, "tail2", "Second")
    tell(console, "tail3", "Third")

    expect(page.locator("[data-held]")).to_have_text("2 new, resume")
    expect(page.locator("#row-evt_tail2")).to_have_count(0)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#row-evt_tail2")).to_be_visible()
    expect(page.locator("#list tbody tr").first).to_have_attribute("id", "row-evt_tail3")
    expect(page.locator("#list tbody tr")).to_have_count(50)
    page.locator("#row-evt_tail2 a[data-row]").click()
    expect(page.get_by_role("dialog")).to_contain_text("evt_tail2")


def test_the_tail_keeps_to_the_filters(page: Page, console: Console) -> None:
    page.goto("/events")
    page.get_by_label("Search events").fill("cus_tail5")
    expect(page).to_have_url(re.compile("q=cus_tail5"))
    expect(page.locator("[data-tail*='q=cus_tail5']")).to_be_attached()
    expect(page.locator("#list")).to_contain_text("No events match")

    tell(console, "tail4", "Other")
    tell(console, "tail5", "Mine")

    expect(page.locator("#row-evt_tail5")).to_be_visible()
    expect(page.locator("#row-evt_tail4")).to_have_count(0)


@pytest.fixture
def stuck(console: Console, page: Page) -> str:
    """A customer whose newest event could not be read, by a fault that is gone since."""
    tell(console, "stuck1", "Weissenbach Brauerei")
    page.goto("/events?q=cus_stuck1")
    expect(page.locator("#row-evt_stuck1")).to_contain_text("Folded")
    with psycopg.connect(console.database, autocommit=True) as connection:
        connection.execute(
            "insert into inbox_pending (account_id, livemode, event_id, created, attempts, last_error, set_aside_at)"
            " select account_id, livemode, event_id, created, 8, 'KeyError: ''currency'' of a balance', now()"
            " from inbox_event where event_id = 'evt_stuck1'"
        )
    return "/events?q=cus_stuck1"


def test_events_of_one_customer_stopped_and_are_mended(page: Page, stuck: str) -> None:
    page.goto("/issues")
    page.get_by_role("link", name=re.compile("KeyError: 'currency'")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 row is stuck")
    expect(page.get_by_role("link", name="Weissenbach Brauerei")).to_be_visible()

    page.get_by_role("link", name="Replay…").click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("The one event was read just now without a fault")
    drawer.get_by_label("Why?").fill("Mended in the version of tonight.")
    drawer.get_by_role("button", name="Replay 1 event").click()

    page.wait_for_url("**/replays/*")
    expect(page.get_by_text("1 of 1 events")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Everything chosen was read.")).to_be_visible(timeout=20_000)
    page.goto("/issues")
    expect(page.get_by_text("KeyError: 'currency'")).to_have_count(0)
    page.goto(stuck)
    expect(page.locator("#row-evt_stuck1")).to_contain_text("Folded")


def test_an_event_stands_beside_what_it_did(page: Page, console: Console) -> None:
    tell(console, "beside", "Beside")
    page.goto("/events?q=cus_beside")
    expect(page.locator("#row-evt_beside")).to_contain_text("Folded")

    page.goto("/events/evt_beside")

    tops = page.locator(".sides > section").evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    assert len(set(tops)) == 1
    assert len(tops) == 3
    page.set_viewport_size({"width": 390, "height": 844})
    tops = page.locator(".sides > section").evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    assert tops == sorted(tops)
    assert len(set(tops)) == 3


def test_the_pages_of_sync_are_read_without_a_script(open_context: ContextMaker, drifting: str) -> None:
    page = open_context(java_script_enabled=False)
    page.goto("/drift")
    page.locator("table.cells a").first.click()
    expect(page.get_by_role("button", name="Repair what is chosen")).to_be_visible()
    page.goto("/connections")
    expect(page.get_by_role("heading", level=2, name="demo")).to_be_visible()
    page.goto("/runbooks")
    page.get_by_role("link", name="The state is not Stripe's (drift)").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The state is not Stripe's (drift)")
    assert drifting
