"""Test clocks: made, asked for, advanced, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler, Timers
from trueup.sandbox.assumptions import CLOCK_CUSTOMERS, CLOCK_KEPT_SECONDS
from trueup.sandbox.clocks.limits import Interval, farthest
from trueup.sandbox.customers import routes as customers
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.world import Obj, Signal, World

KIND: Final = "test_helpers.test_clock"
_OVER: Final = frozenset({"canceled", "incomplete_expired"})


def _create(world: World, call: Call) -> Obj:
    clock = world.new(
        KIND,
        {
            "deletes_after": world.now + CLOCK_KEPT_SECONDS,
            "frozen_time": call.params["frozen_time"],
            "name": call.value("name"),
            "status": "ready",
            "status_details": {},
        },
    )
    if clock["frozen_time"] < 0:
        message = "Invalid frozen_time: it must not be negative."
        raise invalid(message, param="frozen_time")
    world.clocks.turn(clock["id"], clock["frozen_time"])
    world.schedule(clock["deletes_after"], "clock_expiry", clock["id"])
    world.tell(f"{KIND}.created", clock)
    if customer := call.value("customer"):
        _attach(world, clock, world.get("customer", customer, param="customer"))
    return clock


def _attach(world: World, clock: Obj, customer: Obj) -> None:
    """Put a customer that lives by the sandbox's own time under a clock."""
    if customer.get("test_clock"):
        message = f"The customer {customer['id']} is attached to a test clock already."
        raise invalid(message, param="customer")
    customer["test_clock"] = clock["id"]
    world.follow(customer)
    world.tell("customer.updated", customer)
    world.clock = ""


def _retrieve(world: World, call: Call) -> Obj:
    return world.get(KIND, call.ids["test_clock"])


def _list(world: World, call: Call) -> Obj:
    return pages.page(world, call, KIND)


def _advance(world: World, call: Call) -> Obj:
    clock, to = world.get(KIND, call.ids["test_clock"]), call.params["frozen_time"]
    _check_advance(world, clock, to)
    clock["status"] = "advancing"
    clock["status_details"] = {"advancing": {"target_frozen_time": to}}
    world.clocks.ask(clock["id"], to)
    world.tell(f"{KIND}.advancing", clock)
    return clock


def _check_advance(world: World, clock: Obj, to: int) -> None:
    if clock["status"] != "ready":
        message = f"The test clock {clock['id']} is {clock['status'].replace('_', ' ')} and cannot be advanced."
        raise StripeError(message, status=429 if clock["status"] == "advancing" else 400)
    if to <= clock["frozen_time"]:
        message = (
            f"The frozen time {to} must be after the test clock's current frozen time {clock['frozen_time']}: "
            "a test clock can only be advanced forward."
        )
        raise invalid(message, param="frozen_time")
    latest = farthest(clock["frozen_time"], _intervals(world, clock))
    if to > latest:
        message = (
            "You can advance a test clock by at most two intervals of its shortest subscription, or two years where it "
            f"has none. The latest frozen time allowed now is {latest}."
        )
        raise invalid(message, param="frozen_time", code="test_clock_advance_too_far")


def _intervals(world: World, clock: Obj) -> Iterator[Interval]:
    for subscription in world.select("subscription", test_clock=clock["id"]):
        if subscription["status"] not in _OVER:
            for item in subscription["items"]["data"]:
                if recurring := item["price"].get("recurring"):
                    yield recurring["interval"], recurring["interval_count"]


def _reached(world: World, clock: str) -> None:
    """The engine has done what was asked for by ``_advance``."""
    found = world.find(KIND, clock)
    if found is not None and not found.get("deleted"):
        found["frozen_time"] = world.clocks.now(clock)
        found["status"] = "ready"
        found["status_details"] = {}
        world.tell(f"{KIND}.ready", found)


def _failed(world: World, clock: str) -> None:
    """The engine could not do it, which is a mistake of the sandbox's."""
    found = world.get(KIND, clock)
    found["frozen_time"] = world.clocks.now(clock)
    found["status"] = "internal_failure"
    found["status_details"] = {}
    world.tell(f"{KIND}.internal_failure", found)


def _delete(world: World, call: Call) -> Obj:
    return delete(world, world.get(KIND, call.ids["test_clock"]))


def delete(world: World, clock: Obj) -> Obj:
    """Delete a clock and, before it, its customers and with them their subscriptions."""
    for customer in list(world.select("customer", test_clock=clock["id"])):
        customers.delete(world, customer)
    world.clock = ""
    world.clocks.drop(clock["id"])
    world.unschedule("clock_expiry", clock["id"])
    world.tell(f"{KIND}.deleted", clock)
    return world.delete(clock)


def _expire(world: World, clock: str) -> None:
    found = world.find(KIND, clock)
    if found is not None and not found.get("deleted"):
        delete(world, found)


def _joining(world: World, *, clock: str, **_facts: Any) -> None:
    """A customer is about to be made under the clock."""
    if sum(1 for _ in world.select("customer", test_clock=clock)) >= CLOCK_CUSTOMERS:
        message = (
            f"The test clock {clock} has {CLOCK_CUSTOMERS} customers already, which is the most that it can have. "
            "Make another test clock."
        )
        raise invalid(message, param="test_clock")


ROUTES: Final[dict[str, Handler]] = {
    "POST /v1/test_helpers/test_clocks": _create,
    "GET /v1/test_helpers/test_clocks": _list,
    "GET /v1/test_helpers/test_clocks/{test_clock}": _retrieve,
    "DELETE /v1/test_helpers/test_clocks/{test_clock}": _delete,
    "POST /v1/test_helpers/test_clocks/{test_clock}/advance": _advance,
}

TIMERS: Final[Timers] = {"clock_expiry": _expire}

SIGNALS: Final[dict[str, Signal]] = {"clock_reached": _reached, "clock_failed": _failed, "clock_joining": _joining}
