"""One customer's page, its timeline, and why its values are what they are."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from tests.web.console import world
from tests.web.console.world import DAY, START
from trueup.accounts.types import Account
from trueup.customer import service as customers
from trueup.web.console.words import FIELDS

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/customers/cus_1"}


def _entries(page: str) -> list[str]:
    return re.findall(r'<div class="t">([^<]+)</div>', page)


@pytest.fixture
def acme(account: Account) -> Account:
    """A customer with a name change a day for sixty days."""
    events = [
        world.event(
            "customer.created", world.customer("cus_1", "Acme 0", "ap@acme.example", balance=-1500, currency="usd")
        )
    ]
    for day in range(1, 61):
        about = world.customer("cus_1", f"Acme {day}", "ap@acme.example", balance=-1500, currency="usd")
        events.append(
            world.event("customer.updated", about, at=START + day * DAY, previous={"name": f"Acme {day - 1}"})
        )
    events.append(
        world.event("customer.subscription.created", world.subscription("sub_1", "cus_1", quantity=5), at=START + 90)
    )
    world.told(account, *events)
    return account


def test_a_customer_is_found_by_our_id_and_by_stripes(reader: Client, acme: Account) -> None:
    ours = customers.get("cus_1").id

    by_ours, by_stripes = reader.get(f"/customers/{ours}"), reader.get("/customers/cus_1")

    for response in (by_ours, by_stripes):
        assert "<h1>Acme 60</h1>" in response.content.decode()


def test_the_page_leads_with_five_numbers(reader: Client, acme: Account) -> None:
    page = reader.get("/customers/cus_1").content.decode()
    figures = page.split('<dl class="card stats">')[1].split("</dl>")[0]

    assert figures.count("<dt>") == 5
    assert "$245.00" in figures
    assert "-$15.00" in figures
    assert "Credit towards the next invoice" in figures


def test_earlier_entries_follow_without_repeating_a_days_heading(reader: Client, acme: Account) -> None:
    first = reader.get("/customers/cus_1").content.decode()
    earlier = re.search(r'class="earlier"><a class="btn sm" href="([^"]+)"', first)
    assert earlier is not None

    second = reader.get(earlier[1].replace("&amp;", "&"), headers=HTMX).content.decode()

    assert "<html" not in second
    assert len(_entries(first)) == 25
    assert len(_entries(second)) == 25
    assert set(_entries(first)).isdisjoint(_entries(second))
    days_of_first = re.findall(r'class="day">([^<]+)<', first)
    days_of_second = re.findall(r'class="day">([^<]+)<', second)
    assert set(days_of_first).isdisjoint(days_of_second)


def test_earlier_entries_are_a_page_of_their_own_without_a_script(reader: Client, acme: Account) -> None:
    first = reader.get("/customers/cus_1").content.decode()
    earlier = re.search(r'class="earlier"><a class="btn sm" href="([^"]+)"', first)
    assert earlier is not None

    second = reader.get(earlier[1].replace("&amp;", "&")).content.decode()

    assert second.startswith("<!doctype html>")
    assert "Newest entries" in second
    assert set(_entries(first)).isdisjoint(_entries(second))


def test_kinds_filter_the_timeline_and_are_part_of_the_address(reader: Client, acme: Account) -> None:
    response = reader.get("/customers/cus_1?kind=subscription&kind=subscription", headers=HTMX)

    page = response.content.decode()
    assert len(_entries(page)) == 1
    assert "sub_1" in page
    assert response["HX-Push-Url"] == "/customers/cus_1?kind=subscription"


def test_an_unknown_kind_is_refused_with_those_that_there_are(reader: Client, acme: Account) -> None:
    for headers in ({}, HTMX):
        response = reader.get("/customers/cus_1?kind=subscription&kind=nonsense", headers=headers)

        page = response.content.decode()
        assert response.status_code == 400
        assert "There is no kind nonsense to filter by." in page
        assert "One of: payment, invoice, subscription, method, discount, customer." in page


def test_every_value_that_is_known_can_say_why(reader: Client, acme: Account) -> None:
    why = customers.get("cus_1").state.why

    assert set(why) <= set(FIELDS)
    for field, found in why.items():
        response = reader.get(f"/customers/cus_1/why/{field}", headers=HTMX)
        page = response.content.decode()
        assert response.status_code == 200
        assert "<html" not in page
        for fact in found.facts[:3]:
            assert fact.object_id in page
            assert f'href="/events/{fact.event_id}"' in page


def test_why_names_the_event_that_told_it(reader: Client, acme: Account) -> None:
    page = reader.get("/customers/cus_1/why/mrr").content.decode()

    assert "<h1>MRR: why?</h1>" in page
    assert "customer.subscription.created" in page
    assert "5 \N{MULTIPLICATION SIGN} $49.00 a month" in page


def test_why_tells_the_reason_first_then_the_meaning_then_the_facts(reader: Client, acme: Account) -> None:
    page = reader.get("/customers/cus_1/why/stage", headers=HTMX).content.decode()

    reason, meaning = page.index(customers.why("cus_1", "stage").reason), page.index(str(FIELDS["stage"][1]))
    assert reason < meaning < page.index("customer.subscription.created") < page.index("evt_")


def test_why_of_what_is_not_known_is_not_found(reader: Client, acme: Account) -> None:
    for field in ("trial_end", "no_such_field"):
        assert reader.get(f"/customers/cus_1/why/{field}").status_code == 404


def test_the_state_is_shown_as_the_data_it_is(reader: Client, acme: Account) -> None:
    page = reader.get("/customers/cus_1/state").content.decode()

    text = re.sub(r"<[^>]+>", "", page.split('<pre class="json')[1].split(">", 1)[1].split("</pre>")[0])
    state = json.loads(text.replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&"))
    assert state["stripe_customer_id"] == "cus_1"
    assert state["stage"] == "active"


def test_a_customer_that_pays_late_is_told_in_words(reader: Client, account: Account) -> None:
    world.told(
        account,
        world.event("customer.created", world.customer("cus_1", "Acme")),
        world.event(
            "customer.subscription.created", world.subscription("sub_1", "cus_1", status="past_due"), at=START + 5
        ),
    )

    assert "Payment is past due." in reader.get("/customers/cus_1").content.decode()


def test_a_customer_that_leaves_is_told_with_the_day(reader: Client, account: Account) -> None:
    leaving = world.subscription("sub_1", "cus_1", cancel_at_period_end=True)
    world.told(
        account,
        world.event("customer.created", world.customer("cus_1", "Acme")),
        world.event("customer.subscription.created", leaving, at=START + 5),
    )

    page = reader.get("/customers/cus_1").content.decode()

    assert "Cancels on Oct 21, 2026." in page


def test_a_deleted_customer_keeps_its_page_and_says_so(reader: Client, account: Account) -> None:
    world.told(
        account,
        world.event("customer.created", world.customer("cus_1", "Acme")),
        world.event("customer.deleted", world.customer("cus_1", "Acme"), at=START + 9),
    )

    page = reader.get("/customers/cus_1").content.decode()

    assert "Deleted in Stripe." in page
    assert ">Deleted</span>" in page


def test_times_are_in_the_readers_zone(reader: Client, account: Account) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme"), at=1_790_000_000))
    assert "2:13 PM" in reader.get("/customers/cus_1").content.decode().replace("\xa0", " ")

    reader.cookies["tz"] = "Asia/Tokyo"
    assert "11:13 PM" in reader.get("/customers/cus_1").content.decode().replace("\xa0", " ")

    reader.cookies["tz"] = "../../etc/passwd"
    assert reader.get("/customers/cus_1").status_code == 200


def test_an_unknown_customer_is_not_found_with_the_next_step(reader: Client) -> None:
    response = reader.get("/customers/cus_nobody")

    page = response.content.decode()
    assert response.status_code == 404
    assert "There is no customer cus_nobody." in page
    assert "appears a moment after its first event" in page
