from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import islice
from typing import Any

from tests.ops.demo.conftest import NOW
from trueup.ops.demo.lives import World, generate
from trueup.ops.demo.trickle import Session, rebuild, trickle

Event = dict[str, Any]

SMALL = {"companies": 30, "seed": 7, "months": 6}


def small() -> World:
    world = World(now=NOW, **SMALL)
    list(world.run(NOW))
    return world


def test_something_new_comes_every_three_to_eight_seconds_and_never_from_the_future() -> None:
    steps = list(islice(trickle(small(), start=NOW), 300))

    assert steps[0] == (0.0, [])
    assert all(3 <= wait <= 8 for wait, _ in steps[1:])
    assert sum(bool(events) for _, events in steps) > 200
    at, last = NOW.timestamp(), 0
    for wait, events in steps:
        at = round(at + wait, 1)
        for event in events:
            assert last <= event["created"] <= at
            last = event["created"]


def test_within_an_hour_or_so_everything_happens_to_somebody(hour: list[Event]) -> None:
    kinds = Counter(event["type"] for event in hour)

    assert kinds.keys() >= {
        "customer.created", "customer.updated", "customer.subscription.created", "customer.subscription.updated",
        "invoice.created", "invoice.finalized", "invoice.paid", "invoice.payment_failed", "payment_method.attached",
        "payment_method.detached", "charge.failed", "charge.refunded", "refund.created", "payment_intent.succeeded",
    }  # fmt: skip
    reasons = Counter(event["data"]["object"]["billing_reason"] for event in hour if event["type"] == "invoice.paid")
    assert reasons.keys() == {"subscription_create", "subscription_cycle", "subscription_update"}


def test_a_world_that_is_built_again_goes_on_as_if_it_had_never_stopped() -> None:
    world, reached = small(), NOW + timedelta(hours=9)
    sessions = [Session(start=NOW, steps=40), Session(start=reached, steps=25)]
    first = list(islice(trickle(world, start=NOW), 40))
    second = trickle(world, start=reached)
    begun, goes_on = list(islice(second, 25)), list(islice(second, 200))

    again, last = rebuild(now=NOW, sessions=sessions, **SMALL)

    assert last == begun[-1] != first[-1]
    for wait, _ in begun:
        reached += timedelta(seconds=wait)
    # A third session begins where the second stopped, so its first step has nothing to catch up with.
    nothing, *resumed = islice(trickle(again, start=reached), 201)
    assert nothing == (0.0, [])
    assert resumed == goes_on


def test_a_world_before_any_session_is_the_one_that_was_generated() -> None:
    world, last = rebuild(now=NOW, sessions=[], **SMALL)

    assert last == (0.0, [])
    assert list(islice(trickle(world, start=NOW), 30)) == list(islice(trickle(small(), start=NOW), 30))


def test_what_fell_due_while_nobody_ran_comes_first() -> None:
    world = small()
    list(islice(trickle(world, start=NOW), 10))

    wait, caught_up = next(trickle(world, start=NOW + timedelta(days=10)))

    kinds = Counter(event["type"] for event in caught_up)
    assert wait == 0
    assert kinds["invoice.paid"] > 5
    assert all(event["created"] > NOW.timestamp() for event in caught_up)
    assert kinds["customer.created"] == 0


def test_the_trickle_does_not_change_what_was_generated(year: list[Event], hour: list[Event]) -> None:
    assert hour
    assert year == list(generate(now=NOW))
