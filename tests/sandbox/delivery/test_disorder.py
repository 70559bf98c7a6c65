"""Events that come in another order, twice, later, or not at first."""

from __future__ import annotations

import time
from typing import Any

import pytest

from trueup.kernel.errors import Refused
from trueup.sandbox import Sandbox, start
from trueup.sandbox.assumptions import RETRY_SECONDS

DAY = 86_400


def _customer(sandbox: Sandbox, email: str = "a@b.c") -> str:
    made: str = sandbox.request("POST", "/v1/customers", {"email": email})["id"]
    return made


def _customers(sandbox: Sandbox, number: int) -> list[str]:
    emails = [f"{at:02}@b.c" for at in range(number)]
    for email in emails:
        _customer(sandbox, email)
    return emails


def test_held_events_wait_until_they_are_told_to_go(sandbox: Sandbox, receiver: Any) -> None:
    sandbox.delivery(held=True)
    sandbox.endpoint(receiver.url)
    emails = _customers(sandbox, 3)
    sandbox.advance(days=3)
    sandbox.wait_delivered()
    assert receiver.bodies == []

    assert sandbox.deliver()["delivered"] == 3
    assert receiver.emails == emails
    _customer(sandbox, "held@b.c")
    sandbox.wait_delivered()
    assert len(receiver.bodies) == 3

    sandbox.delivery(held=False)
    sandbox.wait_delivered()
    assert receiver.emails[-1] == "held@b.c"


def test_one_event_can_be_let_go(sandbox: Sandbox, receiver: Any) -> None:
    sandbox.delivery(held=True)
    sandbox.endpoint(receiver.url)
    _customers(sandbox, 3)

    sandbox.deliver(event=sandbox.events()[1]["id"])

    assert receiver.emails == ["01@b.c"]


def _arrived(receiver: Any, seed: str, **mode: Any) -> list[str]:
    receiver.bodies.clear()
    with start(seed=seed) as sandbox:
        sandbox.delivery(held=True, **mode)
        sandbox.endpoint(receiver.url)
        for email in (f"{at:02}@b.c" for at in range(20)):
            customer = _customer(sandbox, email)
            sandbox.request("POST", f"/v1/customers/{customer}", {"name": "later"})
            sandbox.advance(seconds=1)
        sandbox.deliver()
    return [f"{event['type']} {event['data']['object']['email']}" for event in receiver.events]


def test_shuffled_events_come_in_another_order_that_the_seed_decides(receiver: Any) -> None:
    ordered = _arrived(receiver, "s")
    shuffled = _arrived(receiver, "s", order="shuffled", within=5)

    assert shuffled != ordered
    assert sorted(shuffled) == sorted(ordered)
    assert shuffled == _arrived(receiver, "s", order="shuffled", within=5)
    assert shuffled != _arrived(receiver, "t", order="shuffled", within=5)
    # Nothing moves further than the seconds allow: two events come with each of them.
    assert all(abs(shuffled.index(one) - at) <= 2 * 6 for at, one in enumerate(ordered))


def test_crossed_events_leave_those_of_one_object_in_order(receiver: Any) -> None:
    ordered = _arrived(receiver, "s")
    crossed = _arrived(receiver, "s", order="crossed", within=10)

    assert crossed != ordered
    for at in range(20):
        mine = [one for one in crossed if one.endswith(f"{at:02}@b.c")]
        assert [one.split()[0] for one in mine] == ["customer.created", "customer.updated"]


def test_some_events_come_twice(receiver: Any) -> None:
    ordered = _arrived(receiver, "s")
    doubled = _arrived(receiver, "s", duplicates=30)

    assert set(doubled) == set(ordered)
    assert len(ordered) < len(doubled) < 2 * len(ordered)


def test_dropped_events_come_with_the_retry(sandbox: Sandbox, receiver: Any) -> None:
    sandbox.delivery(dropped=50)
    sandbox.endpoint(receiver.url)
    emails = _customers(sandbox, 20)
    sandbox.wait_delivered()
    came = len(receiver.bodies)
    assert 0 < came < 20

    sandbox.advance(seconds=RETRY_SECONDS[0])
    sandbox.wait_delivered()

    assert sorted(receiver.emails) == emails
    assert receiver.emails[:came] == sorted(receiver.emails[:came])


def test_delayed_events_come_when_the_clock_has_gone_on(sandbox: Sandbox, receiver: Any) -> None:
    sandbox.delivery(delay=3600)
    sandbox.endpoint(receiver.url)
    _customer(sandbox)
    sandbox.advance(seconds=3599)
    sandbox.wait_delivered()
    assert receiver.bodies == []

    sandbox.advance(seconds=1)
    sandbox.wait_delivered()

    assert len(receiver.bodies) == 1


def test_a_delay_is_over_as_well_when_it_has_passed_on_the_machine(sandbox: Sandbox, receiver: Any) -> None:
    sandbox.delivery(delay=1)
    sandbox.endpoint(receiver.url)
    _customer(sandbox)
    until = time.monotonic() + 5

    while not receiver.bodies and time.monotonic() < until:
        time.sleep(0.05)

    assert len(receiver.bodies) == 1


@pytest.mark.parametrize(("given", "connections"), [({}, 8), ({"at_once": 3}, 3)])
def test_parallel_events_come_over_several_connections(
    sandbox: Sandbox, receiver: Any, given: dict[str, Any], connections: int
) -> None:
    sandbox.delivery(order="parallel", **given)
    receiver.gate.clear()
    sandbox.endpoint(receiver.url)
    emails = _customers(sandbox, 20)
    sandbox.engine.on_due()
    until = time.monotonic() + 5
    while receiver.connections < connections and time.monotonic() < until:
        time.sleep(0.01)
    receiver.gate.set()

    sandbox.wait_delivered()

    assert receiver.connections == connections
    assert sorted(receiver.emails) == emails


def test_endpoints_may_differ_in_how_they_are_delivered_to(sandbox: Sandbox, receiver: Any) -> None:
    one = sandbox.endpoint(receiver.url)
    sandbox.endpoint(receiver.url)
    sandbox.delivery(endpoint=one.id, held=True)
    _customer(sandbox)
    sandbox.wait_delivered()
    assert len(receiver.bodies) == 1

    assert sandbox.deliver(endpoint=one.id)["delivered"] == 2
    # What is said for all is for that one, too, and so it holds nothing any more.
    assert sandbox.delivery(dropped=0) == [one.id]
    _customer(sandbox)
    sandbox.wait_delivered()
    assert len(receiver.bodies) == 4


@pytest.mark.parametrize(
    "mode",
    [
        {"order": "backwards"},
        {"order": "shuffled"},
        {"delay": -1},
        {"duplicates": 101},
        {"dropped": -1},
        {"endpoint": "we_none"},
    ],
)
def test_a_mode_that_means_nothing_is_refused(sandbox: Sandbox, mode: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        sandbox.delivery(**mode)
