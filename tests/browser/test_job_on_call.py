"""What whoever is on call comes for: an alarm, what is stuck and why, replaying it, drift, and reading all anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.demo import Console

CAUSE = "KeyError: 'items'"


@pytest.fixture
def page(as_role: Callable[[str], Page]) -> Page:
    return as_role("ops")


@pytest.fixture
def alarm(console: Console) -> Iterator[None]:
    """Something that stands wrong, as a check would have left it."""
    with psycopg.connect(console.database, autocommit=True) as connection:
        connection.execute(
            "insert into inbox_alarm (source, account_id, code, message, remedy)"
            " select 'job', id, 'job_test', 'The disk of the demo is nearly full.', 'Make room.' from accounts_account"
            " limit 1"
        )
    yield
    with psycopg.connect(console.database, autocommit=True) as connection:
        connection.execute("delete from inbox_alarm where source = 'job'")


@pytest.fixture
def stuck(console: Console) -> str:
    """An event that a fault stopped, which is mended by now; its id."""
    with psycopg.connect(console.database, autocommit=True) as connection:
        found = connection.execute(
            "insert into inbox_pending (account_id, livemode, event_id, created, attempts, last_error, set_aside_at)"
            " select account_id, livemode, event_id, created, 8, %s, now() from inbox_event"
            " where type = 'customer.subscription.created' order by event_id limit 1 returning event_id",
            (CAUSE,),
        ).fetchone()
    assert found is not None
    return str(found[0])


def test_an_alarm_says_what_to_do_and_somebody_takes_it(page: Page, alarm: None) -> None:
    page.reload()
    expect(page.locator(".stats div", has_text="Alarms")).to_have_class(re.compile("is-bad"))
    row = page.locator(".queue tbody tr", has_text="The disk of the demo is nearly full.")
    expect(row).to_contain_text("Make room.")

    row.get_by_role("link", name=re.compile("^Look")).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Alarms")
    alarm_ = page.locator("#list li", has_text="The disk of the demo")
    expect(alarm_).to_contain_text("Nobody is on it")
    alarm_.locator("summary").press("Enter")
    alarm_.get_by_label("For the others, without personal data").fill("I make room.")
    page.keyboard.press("Enter")

    expect(alarm_).to_contain_text("You are on it")
    expect(alarm_).to_contain_text("I make room.")
    page.get_by_role("link", name="Home", exact=True).press("Enter")
    expect(row).to_contain_text("Ops Person is on it")
    row.get_by_role("link", name=re.compile("^Look")).press("Enter")
    alarm_.get_by_role("button", name=re.compile("^Take it back")).press("Enter")
    expect(alarm_).to_contain_text("Nobody is on it")


def test_what_is_stuck_is_looked_at_replayed_and_gone(page: Page, stuck: str) -> None:
    page.reload()
    row = page.locator(".queue tbody tr", has_text=CAUSE)
    row.locator("a[data-row]").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("1 row is stuck")
    expect(page.get_by_role("region", name="Rows of this issue")).to_contain_text(stuck)

    page.get_by_role("link", name="Replay…").press("Enter")
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("The one event was read just now without a fault")
    drawer.get_by_label(re.compile("^Why")).fill("Mended in 1.2.")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Mended in 1.2.")
    expect(page.get_by_text("Everything chosen was read.")).to_be_visible(timeout=20_000)
    page.keyboard.press("g")
    page.keyboard.press("x")
    expect(page.get_by_text("Nothing is stuck")).to_be_visible()


def test_drift_is_opened_repaired_and_ends_in_a_comparison(page: Page, drifting: str) -> None:
    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page.get_by_role("heading", level=1)).to_have_text("Drift")
    page.locator("a[data-row]", has_text="unit_amount").first.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("unit_amount")

    page.get_by_role("button", name="Repair what is chosen").press("Enter")
    expect(page.get_by_role("status").first).to_be_visible()


def test_all_objects_are_read_again(page: Page) -> None:
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page.get_by_role("heading", level=1)).to_have_text("Truth")
    page.get_by_role("button", name="Read all objects").press("Enter")

    expect(page.locator("h3:has-text('All objects') + ul.works")).to_contain_text(re.compile("objects read"))
