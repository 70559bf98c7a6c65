"""The stream of events as they come, from a real server over a real socket, and what waits for a page."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from html import unescape
from typing import Any, Self

import pytest
import uvicorn
from django.contrib.auth import get_user_model
from django.core.asgi import get_asgi_application
from django.test import Client
from pytest_django import DjangoDbBlocker

from tests import instance
from tests.web.console import world
from trueup.accounts.types import Account
from trueup.config.serving import configured
from trueup.inbox.types import InboxStats
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.sessions import service as sessions
from trueup.operators.types import Role
from trueup.runtime import database
from trueup.web.console import live, live_hub
from trueup.web.console.live import Wanted
from trueup.web.console.live_hub import KEPT, Figures, Missed, OpenPage

NAME = f"trueup_live_{os.getpid()}"
BY = system("test")


@pytest.fixture(scope="module")
def stored(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A database in which what is written is committed, so that who listens hears of it."""
    with django_db_blocker.unblock(), instance.own_database(NAME), instance.in_database(NAME):
        yield


@pytest.fixture(scope="module")
def account(stored: None) -> Account:
    found = world.connect()
    world.told(found, world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_first"))
    return found


@pytest.fixture(scope="module")
def cookie(account: Account) -> str:
    """The session of somebody who signed in."""
    person = operators.create_operator(email="elena@acme.example", password="correct horse", by=BY)
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person.id))
    assert client.get("/events").status_code == 200
    return "; ".join(f"{one.key}={one.value}" for one in client.cookies.values())


@pytest.fixture(scope="module")
def port(account: Account) -> Iterator[int]:
    """The console behind a real socket, served from a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = configured(get_asgi_application())
        config.lifespan = "off"
        config.timeout_graceful_shutdown = 1
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="console")
        thread.start()
        instance.eventually(lambda: server.started, "the console listens")
        yield int(listening.getsockname()[1])
        server.should_exit = True
        thread.join(30)


class Stream:
    """One open stream."""

    def __init__(self, port: int, cookie: str, query: str = "", **headers: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        sent = {"Cookie": cookie, "Accept": "text/event-stream", **headers}
        self._connection.request("GET", f"/events/live{query}", headers=sent)
        self.answer = self._connection.getresponse()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.answer.close()
        self._connection.close()

    def messages(self, *names: str) -> Iterator[tuple[str, dict[str, Any], str]]:
        """The name, the data and the id of each message of these names."""
        name = id_ = ""
        for line in self.answer:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "id":
                id_ = value
            elif field == "data" and name in names:
                yield name, json.loads(value), id_

    def until(self, name: str, key: str) -> tuple[dict[str, Any], str]:
        """The first message about an event."""
        return next((data, id_) for _name, data, id_ in self.messages(name) if data.get("key") == key)


def told(account: Account, id_: str, *, customer: str = "cus_1", drain: bool = True) -> None:
    about = world.customer(customer, "Acme", balance=len(id_))
    world.told(account, world.event("customer.updated", about, id=id_, previous={"balance": 1}), drain=drain)


def test_an_event_appears_as_the_row_of_the_list_that_it_is(account: Account, port: int, cookie: str) -> None:
    with Stream(port, cookie) as stream:
        next(stream.messages("figures"))
        told(account, "evt_now")

        data, id_ = stream.until("row", "row-evt_now")

    assert stream.answer.getheader("Content-Type", "").startswith("text/event-stream")
    assert stream.answer.getheader("X-Accel-Buffering") == "no"
    assert 'href="/events/evt_now"' in data["html"]
    assert id_.endswith("~evt_now")


def test_what_came_while_a_page_was_away_follows(account: Account, port: int, cookie: str) -> None:
    with Stream(port, cookie) as stream:
        next(stream.messages("figures"))
        told(account, "evt_seen")
        _data, last = stream.until("row", "row-evt_seen")
    told(account, "evt_meanwhile")

    with Stream(port, cookie, **{"Last-Event-ID": last}) as stream:
        first = next(stream.messages("row"))

    assert first[1]["key"] == "row-evt_meanwhile"


def test_what_came_between_a_page_and_its_stream_follows(account: Account, port: int, cookie: str) -> None:
    # The list shows none of its rows, so that no row can say where it ends.
    page = Client().get("/events?q=cus_3", headers={"Cookie": cookie}).content.decode()
    address = re.search(r'data-tail="([^"]+)"', page)
    assert address is not None
    told(account, "evt_between", customer="cus_3")

    with Stream(port, cookie, unescape(address[1]).removeprefix("/events/live")) as stream:
        assert next(stream.messages("row"))[1]["key"] == "row-evt_between"


def test_the_filters_of_the_list_hold(account: Account, port: int, cookie: str) -> None:
    with Stream(port, cookie, "?q=cus_2") as stream:
        next(stream.messages("figures"))
        told(account, "evt_other")
        told(account, "evt_mine", customer="cus_2")

        assert next(stream.messages("row"))[1]["key"] == "row-evt_mine"


def test_a_row_changes_when_its_event_is_read(account: Account, port: int, cookie: str) -> None:
    with Stream(port, cookie) as stream:
        next(stream.messages("figures"))
        told(account, "evt_later", drain=False)
        before, _id = stream.until("row", "row-evt_later")
        world.told(account)
        after, _id = stream.until("row", "row-evt_later")

    assert "Waiting" in before["html"]
    assert "Waiting" not in after["html"]


def test_a_stream_survives_compression(account: Account, port: int, cookie: str) -> None:
    with Stream(port, cookie, **{"Accept-Encoding": "gzip"}) as stream:
        assert stream.answer.getheader("Content-Encoding") == "gzip"
        assert stream.answer.read(10)[:2] == b"\x1f\x8b"


def test_a_session_that_ends_ends_its_stream(
    account: Account, port: int, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "ASKED_EVERY", 0.5)
    person = operators.create_operator(email="leaving@acme.example", password="correct horse", roles=[Role.OPS], by=BY)
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person.id))
    client.get("/events")
    theirs = "; ".join(f"{one.key}={one.value}" for one in client.cookies.values())
    with Stream(port, theirs) as stream:
        next(stream.messages("figures"))
        sessions.revoke_all(operator_id=person.id, by=BY)
        told(account, "evt_after")

        assert [name for name, _data, _id in stream.messages("over")] == ["over"]


def test_streams_hold_no_connection_of_the_database(account: Account, port: int, cookie: str) -> None:
    def mine() -> int:
        row = database.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        ).fetchone()
        return int(row[0]) if row else 0

    streams = [Stream(port, cookie) for _ in range(30)]
    for stream in streams:
        next(stream.messages("figures"))

    assert mine() < 10
    for stream in streams:
        stream.__exit__()


def test_a_stranger_gets_no_stream(port: int) -> None:
    with Stream(port, "") as stream:
        assert stream.answer.status == 302


def test_the_oldest_is_dropped_and_the_page_is_told() -> None:
    async def filled() -> list[live_hub.Message]:
        page = OpenPage()
        for _number in range(KEPT + 5):
            page.put(Figures(stats=NOTHING))
        return await page.take(seconds=1)

    found = asyncio.run(filled())

    assert found[0] == Missed()
    assert len(found) == KEPT + 1


NOTHING = InboxStats(received_24h=0, waiting=0, awaiting_fetch=0, set_aside=0, quarantined=0, last_received_at=None)


@pytest.mark.parametrize(
    ("_case", "wanted", "follows"),
    [
        ("all events", Wanted(q="", type="", state="", account_id=None), True),
        ("readings", Wanted(q="", type="trueup.read", state="", account_id=None), False),
        ("one reading", Wanted(q="read_1", type="", state="", account_id=None), False),
    ],
)
def test_a_list_of_readings_has_no_stream(_case: str, wanted: Wanted, *, follows: bool) -> None:
    assert live.can_follow(wanted) is follows
