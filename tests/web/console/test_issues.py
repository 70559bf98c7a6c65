"""Issues by cause: whom they concern, what reading them again would do, doing it, and giving up."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.test import Client

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.inbox import dead_letters
from trueup.mirror.replay import errand
from trueup.mirror.replay import service as replays
from trueup.mirror.replay.types import Progress
from trueup.runtime import database

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/issues"}


@pytest.fixture
def stuck(account: Account) -> str:
    """An event about a paying customer that a fault of ours stopped, which is mended by now; its cause."""
    world.told(
        account,
        world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_1"),
        world.event("customer.subscription.created", world.subscription("sub_1", "cus_1"), id="evt_2"),
    )
    world.told(account, _changed(), drain=False)
    _set_aside("evt_3", "KeyError: 'items'")
    return _cause()


def _changed() -> dict[str, Any]:
    about = world.subscription("sub_1", "cus_1", status="past_due")
    return world.event("customer.subscription.updated", about, at=world.START + 9, id="evt_3", previous={})


def _set_aside(event_id: str, error: str) -> None:
    database.execute(
        "update inbox_pending set set_aside_at = now(), attempts = 8, last_error = %(error)s where event_id = %(id)s",
        {"error": error, "id": event_id},
    )


def _cause() -> str:
    return dead_letters.groups()[0].cause


def test_an_issue_says_what_stopped_it_whom_it_concerns_and_what_they_pay(reader: Client, stuck: str) -> None:
    page = reader.get("/issues").content.decode()

    assert "KeyError: &#x27;items&#x27;" in page
    assert f"/issues/{stuck}" in page
    assert "$49.00" in page
    inside = reader.get(f"/issues/{stuck}").content.decode()
    assert 'href="/customers/cus_1">Acme</a>' in inside
    assert 'hx-get="/events/evt_3"' in inside


def test_nothing_stuck_says_so(reader: Client, account: Account) -> None:
    assert "Nothing is stuck" in reader.get("/issues").content.decode()
    assert reader.get("/issues/nothing-abc").status_code == 404


def test_a_preflight_tries_and_takes_back(reader: Client, stuck: str) -> None:
    told = reader.get(f"/issues/{stuck}/preflight", headers=HTMX).content.decode()

    assert "The one event was read just now without a fault" in told
    assert dead_letters.groups()[0].rows == 1


def test_a_preflight_says_that_the_cause_still_stands(reader: Client, account: Account) -> None:
    broken = world.event("customer.updated", world.customer("cus_1", "Acme"), id="evt_bad")
    broken["data"] = {"subject": {}}
    world.told(account, broken, drain=False)
    _set_aside("evt_bad", "KeyError: 'object'")

    told = reader.get(f"/issues/{_cause()}/preflight", headers=HTMX).content.decode()

    assert "The cause still stands: the one event that was tried just now failed." in told


def test_a_replay_is_watched_to_its_end_and_the_issue_is_gone(reader: Client, stuck: str) -> None:
    answer = reader.post(f"/issues/{stuck}/replay", {"why": "Mended in 1.2."})
    assert answer.status_code == 302
    assert "0 of 1 events" in reader.get(answer["Location"]).content.decode()

    errand.run(threading.Event())

    page = reader.get(answer["Location"]).content.decode()
    assert "1 of 1 events" in page
    assert "Mended in 1.2." in page
    assert "Nothing is stuck" in reader.get("/issues").content.decode()


def test_a_replay_needs_a_reason(reader: Client, stuck: str) -> None:
    answer = reader.post(f"/issues/{stuck}/replay", {"why": " "})

    assert "A replay needs a reason." in answer.content.decode()
    assert replays.replays().data == ()


def test_a_replay_can_be_ended_where_it_is(reader: Client, stuck: str) -> None:
    location = reader.post(f"/issues/{stuck}/replay", {"why": "Mended."})["Location"]

    reader.post(f"{location}/cancel")

    assert replays.replays().data[0].progress is Progress.CANCELED
    assert "Cancelled" in reader.get(location).content.decode()
    assert reader.post(f"{location}/cancel").status_code == 302


def test_giving_up_asks_for_the_cause_typed_once_more_and_a_reason(reader: Client, stuck: str) -> None:
    refused = reader.post(f"/issues/{stuck}/discard", {"why": "A test.", "confirm": "yes"})
    assert "The cause was not typed as it stands here." in refused.content.decode()
    assert dead_letters.groups()[0].rows == 1

    reader.post(f"/issues/{stuck}/discard", {"why": "A test.", "confirm": stuck})

    assert dead_letters.groups() == ()


def test_events_are_chosen_looked_at_and_replayed(reader: Client, stuck: str) -> None:
    page = reader.get("/replays/new?customer=cus_1").content.decode()
    assert "Replay 3 events" in page

    location = reader.post("/replays/start", {"customer": "cus_1", "why": "To be sure."})["Location"]

    assert "Customers" in reader.get(location).content.decode()
    assert "To be sure." in reader.get("/replays").content.decode()


@pytest.mark.parametrize("query", ["event=evt_nobody", "from=yesterday", "account=nobody"])
def test_a_selection_that_means_nothing_is_refused_on_the_page(reader: Client, stuck: str, query: str) -> None:
    answer = reader.get(f"/replays/new?{query}")

    assert answer.status_code in {400, 404, 422}
    assert 'role="alert"' in answer.content.decode()
