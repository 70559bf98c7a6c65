"""The list of customers."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.web.console import world
from trueup.accounts.types import Account

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/customers"}


def _names(page: str) -> list[str]:
    return re.findall(r"<a data-row [^>]*>([^<]+)</a>", page)


def test_every_customer_has_a_row_with_stage_plan_and_revenue(reader: Client, account: Account) -> None:
    created = world.event("customer.created", world.customer("cus_1", "Pixel Ltd", "ap@pixel.example"))
    subscribed = world.event("customer.subscription.created", world.subscription("sub_1", "cus_1", quantity=5))
    world.told(account, created, subscribed)

    page = reader.get("/customers").content.decode()

    assert _names(page) == ["Pixel Ltd"]
    row = page.split("<tbody>")[1].split("</tbody>")[0]
    assert "ap@pixel.example" in row
    assert ">Active</span>" in row
    assert "5 seats" in row
    assert "$245.00" in row


def test_tabs_count_stages_and_lead_to_them(reader: Client, account: Account) -> None:
    world.many(account, 9)

    page = reader.get("/customers?stage=past_due").content.decode()

    assert re.search(r'href="/customers"[^>]*>All<span class="badge">9</span>', page)
    assert re.search(r'stage=past_due"[^>]* aria-current="page">Past due<span class="badge">3</span>', page)
    assert _names(page) == ["Company 007", "Company 004", "Company 001"]
    assert "Paused<span" not in page


@pytest.mark.parametrize(
    ("sort", "_case", "first"),
    [
        ("name", "names from A", "Company 000"),
        ("-name", "names from Z", "Company 008"),
        ("-mrr", "most revenue", "Company 007"),
        ("", "newest event", "Company 008"),
        ("no-such-order", "an unknown order is the usual one", "Company 008"),
    ],
)
def test_the_order_is_part_of_the_address(reader: Client, account: Account, sort: str, _case: str, first: str) -> None:
    world.many(account, 9)

    page = reader.get(f"/customers?sort={sort}").content.decode()

    assert _names(page)[0] == first
    assert page.count("aria-sort=") == 1


def test_a_search_keeps_stage_and_order(reader: Client, account: Account) -> None:
    world.many(account, 9)

    page = reader.get("/customers?stage=past_due&sort=name&q=company").content.decode()

    assert _names(page) == ["Company 001", "Company 004", "Company 007"]
    assert '<input type="hidden" form="filters" name="stage" value="past_due">' in page
    assert '<input type="hidden" form="filters" name="sort" value="name">' in page


def test_pages_follow_one_another_without_gap_or_repetition(reader: Client, account: Account) -> None:
    world.many(account, 57)

    first = reader.get("/customers?sort=name").content.decode()
    next_url = re.search(r'rel="next" href="([^"]+)"', first)
    assert next_url is not None
    second = reader.get(next_url[1].replace("&amp;", "&")).content.decode()

    assert "1\N{EN DASH}50 of 57" in first
    assert "51\N{EN DASH}57 of 57" in second
    assert _names(first) + _names(second) == [f"Company {index:03}" for index in range(57)]
    assert 'rel="next"' not in second


def test_htmx_gets_the_table_and_the_tabs_alone_and_the_address_to_show(reader: Client, account: Account) -> None:
    world.many(account, 6)

    response = reader.get("/customers?stage=trialing&q=", headers=HTMX)

    page = response.content.decode()
    assert "<html" not in page
    assert 'id="tabs"' in page
    assert 'hx-swap-oob="true"' in page
    assert _names(page) == ["Company 005", "Company 002"]
    assert response["HX-Push-Url"] == "/customers?stage=trialing"


def test_the_letters_of_a_search_are_one_step_of_the_back_button(reader: Client, account: Account) -> None:
    first = reader.get("/customers?q=a", headers=HTMX)
    second = reader.get("/customers?q=ac", headers=HTMX | {"HX-Current-URL": "http://testserver/customers?q=a"})
    again = reader.get("/customers?q=ac", headers=HTMX | {"HX-Current-URL": "http://testserver/customers?q=ac"})

    assert first["HX-Push-Url"] == "/customers?q=a"
    assert "HX-Push-Url" not in second
    assert second["HX-Replace-Url"] == "/customers?q=ac"
    assert "HX-Push-Url" not in again
    assert "HX-Replace-Url" not in again


def test_going_back_gets_the_whole_page(reader: Client, account: Account) -> None:
    page = reader.get("/customers", headers=HTMX | {"HX-History-Restore-Request": "true"}).content.decode()

    assert page.startswith("<!doctype html>")


def test_an_empty_list_says_what_is_missing(reader: Client) -> None:
    nothing = reader.get("/customers").content.decode()
    assert "No customers yet" in nothing
    assert "trueup connect" in nothing

    account = world.connect()
    waiting = reader.get("/customers").content.decode()
    assert "Waiting for the first event" in waiting
    assert "http://testserver/webhooks/stripe/acme" in waiting

    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme")), drain=False)
    reading = reader.get("/customers").content.decode()
    assert "Still reading 1 event" in reading
    assert 'hx-trigger="load delay:3s"' in reading

    world.told(account)
    no_match = reader.get("/customers?q=zzz").content.decode()
    assert "No customers match" in no_match


def test_a_cursor_that_is_not_ours_is_refused_kindly(reader: Client, account: Account) -> None:
    world.many(account, 3)

    response = reader.get("/customers?after=rubbish")

    assert response.status_code == 400
    assert "That cannot be shown" in response.content.decode()


def test_the_account_is_a_filter_only_where_there_are_several(reader: Client, account: Account) -> None:
    world.many(account, 3)
    assert 'name="account"' not in reader.get("/customers").content.decode()

    other = world.connect("acme-live", livemode=True)
    several = reader.get("/customers").content.decode()
    assert 'name="account"' in several
    assert "Test and live" in several

    assert _names(reader.get(f"/customers?account={other.id}").content.decode()) == []
    of_first = reader.get(f"/customers?account={account.id}").content.decode()
    assert len(_names(of_first)) == 3
    assert "Test mode" in of_first


def test_test_mode_is_shown_on_every_page(reader: Client, account: Account) -> None:
    world.many(account, 1)

    for path in ("/customers", "/customers/cus_000", "/events", "/events/quarantine", "/search", "/no-such-page"):
        assert "Test mode" in reader.get(path).content.decode()


def test_names_cannot_smuggle_markup_into_the_page(reader: Client, account: Account) -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    world.told(account, world.event("customer.created", world.customer("cus_1", evil, metadata={evil: evil})))

    for path in (
        "/customers",
        "/customers?q=" + "%3Cscript%3E",
        "/customers/cus_1",
        "/customers/cus_1/state",
        "/search?q=alert",
    ):
        page = reader.get(path).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_preferences_come_from_cookies_and_only_known_words_count(reader: Client) -> None:
    reader.cookies["theme"] = "dark"
    reader.cookies["density"] = "compact"
    page = reader.get("/customers").content.decode()
    assert 'data-theme="dark" data-density="compact"' in page

    reader.cookies["theme"] = '"><script>'
    assert "data-theme" not in reader.get("/customers").content.decode()
