"""The events page, and one event exactly as received."""

from __future__ import annotations

import hashlib
import html
import json
import re

import orjson
import pytest
from django.test import Client

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.inbox.intake.statements import QUARANTINE
from trueup.runtime import database

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/events"}
BODY = (
    b'{"id": "evt_odd",\n  "object":"event", "type":"customer.updated","created":1790000000, "livemode":false,\t"a":1,'
    b'"data":{"object":{"id":"cus_9","object":"customer","name":"<b>&\\u0000\\u00e9</b>", "balance":1.50e2}}}'
)


def _ids(page: str) -> list[str]:
    return re.findall(r'<tr data-href id="row-([^"]+)"', page)


def test_events_are_listed_newest_first_with_their_state(reader: Client, account: Account) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_1"))
    world.told(
        account,
        world.event("invoice.paid", {"id": "in_1", "object": "invoice", "customer": "cus_1"}, id="evt_2"),
        drain=False,
    )

    page = reader.get("/events").content.decode()

    assert _ids(page) == ["evt_2", "evt_1"]
    assert re.search(r"row-evt_2.*?>Waiting</span>.*?row-evt_1.*?>Folded</span>", page, re.DOTALL)


def test_a_customer_that_is_not_folded_yet_is_named_and_no_link_leads_nowhere(reader: Client, account: Account) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_1"))
    world.told(account, world.event("customer.created", world.customer("cus_2", "Beta"), id="evt_2"), drain=False)

    page = reader.get("/events").content.decode()

    assert "cus_2" in page
    assert re.findall(r'href="/customers/(cus_\d)"', page) == ["cus_1"]


def test_filters_narrow_by_type_state_and_id(reader: Client, account: Account) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_1"))
    world.told(account, world.event("customer.created", world.customer("cus_2", "Beta"), id="evt_2"), drain=False)

    assert _ids(reader.get("/events?state=waiting").content.decode()) == ["evt_2"]
    assert _ids(reader.get("/events?type=customer.created").content.decode()) == ["evt_2", "evt_1"]
    assert _ids(reader.get("/events?type=invoice.paid").content.decode()) == []
    assert _ids(reader.get("/events?q=cus_1").content.decode()) == ["evt_1"]
    assert _ids(reader.get("/events?q=evt_2").content.decode()) == ["evt_2"]
    refused = reader.get("/events?state=no-such-state")
    assert refused.status_code == 400
    assert "One of: folded, waiting, awaiting_fetch, set_aside, discarded." in refused.content.decode()


def test_a_refresh_by_the_clock_moves_nobody(reader: Client, account: Account) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme")))

    tick = reader.get("/events?type=customer.created", headers=HTMX | {"X-Tick": "1"})
    click = reader.get("/events?type=customer.created", headers=HTMX)

    assert "HX-Push-Url" not in tick
    assert 'id="side"' not in tick.content.decode()
    assert 'id="side"' in click.content.decode()
    assert 'id="figures"' in tick.content.decode()
    assert click["HX-Push-Url"] == "/events?type=customer.created"


def test_only_the_newest_page_is_live(reader: Client, account: Account) -> None:
    world.many(account, 30)

    first = reader.get("/events").content.decode()
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = reader.get(older[1].replace("&amp;", "&")).content.decode()

    assert "data-live" in first
    assert "data-live" not in second
    assert len(_ids(first)) == 50
    assert len(_ids(second)) == 10
    assert set(_ids(first)).isdisjoint(_ids(second))


def test_an_event_shows_its_envelope_and_what_it_changed(reader: Client, account: Account) -> None:
    told = world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_1")
    world.told(account, told)

    page = reader.get("/events/evt_1").content.decode()

    assert "<h1>customer.created</h1>" in page
    assert "Verified on arrival" in page
    assert hashlib.sha256(orjson.dumps(told, option=orjson.OPT_INDENT_2)).hexdigest() in page
    assert ">Acme</a>" in page
    assert "2026-10-28.endive" in page


def test_an_event_that_did_not_come_over_a_webhook_does_not_claim_a_signature(reader: Client, account: Account) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_1"), signature=None)

    page = reader.get("/events/evt_1").content.decode()

    assert "Verified" not in page
    assert "Not signed" in page


def test_the_body_is_shown_with_only_its_white_space_changed(reader: Client, account: Account) -> None:
    world.told(account, BODY)

    page = reader.get("/events/evt_odd").content.decode()

    shown = page.split('<pre class="json')[1].split(">", 1)[1].split("</pre>")[0]
    assert "<b>" not in shown
    text = html.unescape(re.sub(r"<[^>]+>", "", shown))
    assert re.sub(r"\s", "", text) == re.sub(r"\s", "", BODY.decode())
    assert "1.50e2" in text


def test_the_body_can_be_had_byte_for_byte_as_a_download(reader: Client, account: Account) -> None:
    world.told(account, BODY)

    response = reader.get("/events/evt_odd/body")

    assert response.content == BODY
    assert response["Content-Disposition"] == 'attachment; filename="evt_odd.json"'
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_drawer_is_the_same_address_without_the_frame(reader: Client, account: Account) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_1"))

    part = reader.get("/events/evt_1", headers=HTMX).content.decode()

    assert "<html" not in part
    assert 'id="drawer-title"' in part


def test_an_event_that_cannot_be_read_is_found_with_its_error(reader: Client, account: Account) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_1"), drain=False)
    database.execute("update inbox_pending set set_aside_at = now(), attempts = 8, last_error = 'It went wrong.'")

    page = reader.get("/events/set-aside", follow=True).content.decode()

    assert _ids(page) == ["evt_1"]
    assert "It went wrong." in page
    assert ">Set aside</span>" in page
    assert re.search(r'Set aside</dt><dd><a href="[^"]+">1</a>', page)
    assert "It went wrong." in reader.get("/events/evt_1").content.decode()


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"id": "req_1", "idempotency_key": None}, "a request to Stripe req_1"),
        ("req_1", "a request to Stripe req_1"),
        ({"id": None, "idempotency_key": None}, "Stripe, by itself"),
        (None, "Stripe, by itself"),
    ],
)
def test_an_event_says_what_caused_it(reader: Client, account: Account, request_: object, said: str) -> None:
    told = world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_1")
    world.told(account, told | {"request": request_})

    page = reader.get("/events/evt_1").content.decode()

    assert said in " ".join(re.sub(r"<[^>]+>", " ", page.split("Caused by")[1].split("</dd>")[0]).split())


def test_an_event_that_does_not_say_its_cause_shows_none(reader: Client, account: Account) -> None:
    told = world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_1")
    strange = world.event("customer.updated", world.customer("cus_1", "Acme"), id="evt_2") | {"request": 7}
    world.told(account, {key: value for key, value in told.items() if key != "request"}, strange)

    for event_id in ("evt_1", "evt_2"):
        assert "Caused by" not in reader.get(f"/events/{event_id}").content.decode()


def test_the_quarantine_says_why_a_body_is_there(reader: Client, account: Account) -> None:
    values = {"account_id": account.id, "reason": "not_json", "detail": "", "signature": "t=1,v1=00", "body": b"<xml/>"}
    database.execute(QUARANTINE.decode(), values | {"body_sha256": hashlib.sha256(b"<xml/>").digest()})

    page = reader.get("/events/quarantine").content.decode()
    download = re.search(r'href="(/events/quarantine/[0-9]+/body)"', page)

    assert "The body is not JSON." in page
    assert "6 B" in page
    assert download is not None
    response = reader.get(download[1])
    assert response.content == b"<xml/>"
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")


def test_empty_pages_say_what_will_be_here(reader: Client) -> None:
    assert "Nothing is quarantined" in reader.get("/events/quarantine").content.decode()
    assert "Nothing is set aside" in reader.get("/events?state=set_aside").content.decode()
    assert "Waiting for the first event" in reader.get("/events").content.decode()


def test_search_takes_names_and_ids(reader: Client, account: Account) -> None:
    world.told(
        account, world.event("customer.created", world.customer("cus_1", "Pixel Ltd", "ap@pixel.example"), id="evt_1")
    )

    for q in ("pixel", "ap@pixel", "cus_1"):
        assert "Pixel Ltd" in reader.get("/search", {"q": q}, headers=HTMX).content.decode()
    assert 'href="/events/evt_1"' in reader.get("/search?q=evt_1").content.decode()
    assert "Nothing matches" in reader.get("/search?q=zzz").content.decode()
    assert "Go to" in reader.get("/search?q=").content.decode()


def test_bodies_that_are_json_by_name_only_do_not_break_the_page(reader: Client, account: Account) -> None:
    deep = {
        "id": "evt_deep",
        "type": "customer.updated",
        "created": world.START,
        "livemode": False,
        "data": {"object": {"id": "cus_1"}},
    }
    world.told(account, json.dumps(deep).encode())

    assert reader.get("/events/evt_deep").status_code == 200
