"""Test clocks: what they show, how far they go, what goes with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from trueup.sandbox.clocks.limits import after, farthest
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.wiring import WIRING, Wiring
from trueup.sandbox.world.world import World

DAY = 86_400
NOW = 1_767_225_600


def _clock(api: Any, at: int = NOW, **params: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.post("/v1/test_helpers/test_clocks", frozen_time=at, **params)
    return made


def test_a_new_clock_is_ready_at_the_time_it_was_given_and_goes_after_thirty_days(api: Any) -> None:
    clock = _clock(api, NOW - DAY, name="past")

    assert clock["frozen_time"] == NOW - DAY
    assert clock["status"] == "ready"
    assert clock["status_details"] == {}
    assert clock["name"] == "past"
    assert clock["created"] == NOW
    assert clock["deletes_after"] == NOW + 30 * DAY
    assert api.types() == ["test_helpers.test_clock.created"]
    assert api.get(f"/v1/test_helpers/test_clocks/{clock['id']}") == clock
    assert api.get("/v1/test_helpers/test_clocks")["data"] == [clock]


def test_objects_of_a_clocks_customer_live_by_the_clock(api: Any) -> None:
    clock = _clock(api, NOW - 400 * DAY)

    customer = api.post("/v1/customers", email="a@b.c", test_clock=clock["id"])

    assert customer["created"] == NOW - 400 * DAY
    assert customer["test_clock"] == clock["id"]
    assert api.events()[-1]["created"] == NOW - 400 * DAY


def test_an_advance_is_answered_as_advancing_and_is_over_before_the_next_request(api: Any) -> None:
    clock = _clock(api)
    api.events()

    answer = api.post(f"/v1/test_helpers/test_clocks/{clock['id']}/advance", frozen_time=NOW + DAY)

    assert answer["status"] == "advancing"
    assert answer["status_details"] == {"advancing": {"target_frozen_time": NOW + DAY}}
    assert answer["frozen_time"] == NOW
    now = api.get(f"/v1/test_helpers/test_clocks/{clock['id']}")
    assert (now["status"], now["frozen_time"], now["status_details"]) == ("ready", NOW + DAY, {})
    assert api.types() == ["test_helpers.test_clock.advancing", "test_helpers.test_clock.ready"]


def test_the_sandboxes_own_time_stays_when_a_clock_goes_on(api: Any, engine: Engine) -> None:
    clock = _clock(api)

    api.post(f"/v1/test_helpers/test_clocks/{clock['id']}/advance", frozen_time=NOW + DAY)

    engine.settle()
    assert engine.now() == NOW
    assert engine.now(clock["id"]) == NOW + DAY


@pytest.mark.parametrize("to", [NOW, NOW - 1])
def test_a_clock_goes_only_forward(api: Any, to: int) -> None:
    clock = _clock(api)

    refused = api.post(f"/v1/test_helpers/test_clocks/{clock['id']}/advance", frozen_time=to, error=True)

    assert (refused["status"], refused["param"]) == (400, "frozen_time")
    assert api.get(f"/v1/test_helpers/test_clocks/{clock['id']}") == clock


def test_a_clock_without_subscriptions_goes_two_years_at_once_and_no_second_further(api: Any) -> None:
    clock = _clock(api)
    path = f"/v1/test_helpers/test_clocks/{clock['id']}/advance"
    two_years = NOW + (365 + 365) * DAY

    assert api.post(path, frozen_time=two_years + 1, error=True)["param"] == "frozen_time"
    assert api.post(path, frozen_time=two_years)["status"] == "advancing"


@pytest.mark.parametrize(
    ("intervals", "days"),
    [
        ([], 730),
        ([("month", 1)], 31 + 28),
        ([("year", 1), ("week", 2)], 28),
        ([("day", 3), ("month", 1)], 6),
        ([("month", 3)], 181),
    ],
)
def test_two_of_the_shortest_interval_are_the_most(intervals: list[tuple[str, int]], days: int) -> None:
    assert farthest(NOW, intervals) == NOW + days * DAY


def test_a_month_later_is_the_last_day_where_the_month_is_shorter() -> None:
    assert after(NOW + 30 * DAY, "month", 1) == NOW + (31 + 27) * DAY


def test_a_fourth_customer_is_refused(api: Any) -> None:
    clock = _clock(api)
    for _ in range(3):
        api.post("/v1/customers", test_clock=clock["id"])

    assert api.post("/v1/customers", test_clock=clock["id"], error=True)["param"] == "test_clock"
    assert len(api.get("/v1/customers", test_clock=clock["id"])["data"]) == 3


def test_deleting_a_clock_deletes_its_customers(api: Any) -> None:
    clock = _clock(api)
    customer = api.post("/v1/customers", test_clock=clock["id"])
    other = api.post("/v1/customers")
    api.events()

    gone = api.delete(f"/v1/test_helpers/test_clocks/{clock['id']}")

    assert gone == {"id": clock["id"], "object": "test_helpers.test_clock", "deleted": True}
    assert api.types() == ["customer.deleted", "test_helpers.test_clock.deleted"]
    assert api.get(f"/v1/customers/{customer['id']}")["deleted"] is True
    assert "deleted" not in api.get(f"/v1/customers/{other['id']}")
    assert api.get(f"/v1/test_helpers/test_clocks/{clock['id']}", error=True)["status"] == 404


def test_a_clock_deletes_itself_after_thirty_days_of_the_sandboxes_time(api: Any) -> None:
    clock = _clock(api)
    customer = api.post("/v1/customers", test_clock=clock["id"])
    api.events()

    api.advance(30 * DAY - 1)
    assert api.types() == []

    api.advance(1)
    assert api.types() == ["customer.deleted", "test_helpers.test_clock.deleted"]
    assert api.get(f"/v1/customers/{customer['id']}")["deleted"] is True


def test_a_customer_that_lives_already_can_be_put_under_a_new_clock(api: Any) -> None:
    customer = api.post("/v1/customers")
    api.events()

    clock = _clock(api, NOW + DAY, customer=customer["id"])

    assert api.get(f"/v1/customers/{customer['id']}")["test_clock"] == clock["id"]
    assert api.types() == ["test_helpers.test_clock.created", "customer.updated"]
    assert _clock_refused(api, customer["id"])["param"] == "customer"


def _clock_refused(api: Any, customer: str) -> dict[str, Any]:
    refused: dict[str, Any] = api.post("/v1/test_helpers/test_clocks", frozen_time=NOW, customer=customer, error=True)
    return refused


def test_an_advance_that_was_answered_is_made_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    first = Engine(path)
    with first.change() as world:
        world.clocks.turn("clock_1", NOW)
        world.new("test_helpers.test_clock", {"id": "clock_1", "frozen_time": NOW, "status": "advancing"})
        world.clocks.ask("clock_1", NOW + DAY)
    first.close()

    second = Engine(path)
    waiting = second.unsettled
    second.settle()

    assert second.now("clock_1") == NOW + DAY
    assert (waiting, second.unsettled) == (True, False)
    assert orjson.loads(second.store.read("test_helpers.test_clock", "clock_1") or b"")["status"] == "ready"
    second.close()


def test_a_timer_that_fails_leaves_the_clock_as_an_internal_failure() -> None:
    def broken(world: World, about: str) -> None:
        raise RuntimeError(about)

    wiring = Wiring(
        routes=WIRING.routes,
        timers={**WIRING.timers, "retry": broken},
        included=WIRING.included,
        signals=WIRING.signals,
        begin=WIRING.begin,
    )
    engine = Engine(wiring=wiring)
    told: list[str] = []
    engine.listeners.append(lambda events: told.extend(one.type for one in events))
    with engine.change() as world:
        world.clocks.turn("clock_1", NOW)
        world.new("test_helpers.test_clock", {"id": "clock_1", "frozen_time": NOW, "status": "advancing"})
        world.clock = "clock_1"
        world.schedule(NOW + 5, "retry", "in_1")
        world.clocks.ask("clock_1", NOW + DAY)

    engine.settle()

    assert told == ["test_helpers.test_clock.internal_failure"]
    assert not engine.unsettled
    engine.close()
