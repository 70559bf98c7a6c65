"""The demo's sandbox: its address, its clock, and how it sends what waits."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from tests.ops.demo.conftest import live, told
from tests.ports import free_port
from tests.sandbox.delivery.conftest import Receiver
from trueup.connectors.stripe import client
from trueup.kernel.errors import Unavailable
from trueup.ops.demo import stripe
from trueup.runtime import clock

DAY = 86_400


def test_its_port_stays_and_another_is_taken_where_it_is_not_free(tmp_path: Path) -> None:
    path, wanted = tmp_path / "year.db", free_port()
    live(path, companies=1)

    with stripe.open_sandbox(path, last=0, wanted=wanted) as first:
        assert first.port == wanted
    with stripe.open_sandbox(path, last=wanted, wanted=65_536) as again:
        assert again.port == wanted
    with (
        closing(socket.create_server(("127.0.0.1", wanted))),
        stripe.open_sandbox(path, last=wanted, wanted=wanted) as other,
    ):
        assert other.port not in {0, wanted}
        assert client.account_id(other.api_key, api_base=other.base_url) == stripe.account_of(other)


def test_its_clock_runs_with_the_machines_and_what_fell_due_meanwhile_happens_at_its_time(tmp_path: Path) -> None:
    path, lived_at = tmp_path / "year.db", clock.unix() - 10 * DAY
    live(path, companies=60, now=lived_at)
    before = len(told(path))

    with stripe.open_sandbox(path, last=0, wanted=0) as sandbox:
        assert abs(sandbox.now - clock.unix()) <= 1
        late = sandbox.events()[before:]

    renewed = [event["created"] for event in late if event["type"] == "invoice.paid"]
    assert len(renewed) > 3
    assert lived_at < min(renewed) < lived_at + 3 * DAY


def test_all_that_waits_is_sent_once_and_what_is_not_taken_is_sent_again(tmp_path: Path, receiver: Receiver) -> None:
    path = tmp_path / "year.db"
    lived = live(path, companies=3, url=receiver.url)
    receiver.statuses = [503, 500, 503]
    progress: list[tuple[int, int]] = []

    with stripe.open_sandbox(path, last=0, wanted=0) as sandbox:
        assert receiver.bodies == []
        stripe.send(sandbox, ready=lambda: True, on_progress=lambda *step: progress.append(step))
        events = sandbox.events()
        assert not stripe.has_failed(sandbox, lived.endpoint)

    assert len(receiver.bodies) == len(events) + 3
    assert {event["id"] for event in receiver.events} == {event["id"] for event in events}
    assert progress[-1] == (len(events), len(events))
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)


def test_where_nothing_is_taken_it_says_so_and_a_later_run_goes_on(tmp_path: Path, receiver: Receiver) -> None:
    path = tmp_path / "year.db"
    lived = live(path, companies=1, url=f"http://127.0.0.1:{free_port()}/nobody")

    with stripe.open_sandbox(path, last=0, wanted=0) as sandbox:
        with pytest.raises(Unavailable, match="ConnectionRefusedError") as raised:
            stripe.send(sandbox, ready=lambda: False, on_progress=lambda *_: None, patience=0.5)
        assert raised.value.code == "demo_undelivered"
        assert stripe.has_failed(sandbox, lived.endpoint)
    with stripe.open_sandbox(path, last=0, wanted=0) as again:
        stripe.point(again, lived.endpoint, receiver.url)
        stripe.send(again, ready=lambda: True, on_progress=lambda *_: None)
        events = again.events()

    assert {event["id"] for event in receiver.events} == {event["id"] for event in events}


def test_what_is_refused_for_good_is_told(tmp_path: Path, receiver: Receiver) -> None:
    path = tmp_path / "year.db"
    lived = live(path, companies=1, url=receiver.url)
    with stripe.open_sandbox(path, last=0, wanted=0) as sandbox:
        stripe.send(sandbox, ready=lambda: True, on_progress=lambda *_: None)
        receiver.statuses = [400] * 8
        sandbox.request("POST", "/v1/customers", {"name": "Refused"})

        with pytest.raises(Unavailable, match="1 events were not taken: answered 400"):
            stripe.send(sandbox, ready=lambda: True, on_progress=lambda *_: None)

        assert not stripe.has_failed(sandbox, lived.endpoint)


def test_what_somebody_put_off_is_left_alone(tmp_path: Path, receiver: Receiver) -> None:
    path = tmp_path / "year.db"
    lived = live(path, companies=1, url=receiver.url)

    with stripe.open_sandbox(path, last=0, wanted=0) as sandbox:
        stripe.send(sandbox, ready=lambda: True, on_progress=lambda *_: None)
        sandbox.delivery(endpoint=lived.endpoint, delay=600)
        sandbox.request("POST", "/v1/customers", {"name": "Later"})

        assert not stripe.has_failed(sandbox, lived.endpoint)


def test_what_was_lost_on_purpose_is_sent_again_once_that_ends(tmp_path: Path, receiver: Receiver) -> None:
    path = tmp_path / "year.db"
    lived = live(path, companies=1, url=receiver.url)

    with stripe.open_sandbox(path, last=0, wanted=0) as sandbox:
        stripe.send(sandbox, ready=lambda: True, on_progress=lambda *_: None)
        # The demo's endpoint has a mode of its own, which this is for as well.
        assert sandbox.delivery(dropped=100) == [lived.endpoint]
        taken = len(receiver.bodies)
        sandbox.request("POST", "/v1/customers", {"name": "Lost"})
        sandbox.wait_delivered()
        assert not stripe.has_failed(sandbox, lived.endpoint)
        assert len(receiver.bodies) == taken

        sandbox.delivery()

        assert stripe.has_failed(sandbox, lived.endpoint)
        stripe.send(sandbox, ready=lambda: True, on_progress=lambda *_: None)
        assert receiver.events[-1]["data"]["object"]["name"] == "Lost"
