"""Changing a schedule: what has happened stays, what happens and what will is replaced."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.schedules import applying, creating, ending, phases, running, shapes, spans
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

Given = Mapping[str, Any]


def update(world: World, schedule: Obj, call: Call, *, collect: bool = True) -> Obj:
    """Change a schedule as ``POST /v1/subscription_schedules/{id}`` does. Raises Stripe's 400s.

    What that changes in the current phase changes the subscription at once; without ``collect`` an invoice that comes
    of it stays a draft.
    """
    ending.check_open(schedule, "update")
    creating.refuse_pauses(call)
    customer = world.get("customer", schedule["customer"])
    former = copy.deepcopy(shapes.current(schedule))
    was = applying.terms_of(schedule, former) if former else {}
    if call.given("metadata"):
        schedule["metadata"] = metadata(schedule["metadata"], call.params["metadata"])
    if end := call.value("end_behavior"):
        schedule["end_behavior"] = end
    if given := call.value("default_settings"):
        creating.put_defaults(world, schedule, given, customer)
    if call.given("phases"):
        _put_phases(world, schedule, call.value("phases") or [], customer)
    if former is None:
        _start_if_due(world, schedule)
    else:
        _apply(world, schedule, former, was, call.value("proration_behavior", "create_prorations"), collect=collect)
    world.tell("subscription_schedule.updated", schedule)
    return schedule


def _put_phases(world: World, schedule: Obj, given: list[Given], customer: Obj) -> None:
    current = shapes.current(schedule)
    past = [one for one in schedule["phases"] if current and one["end_date"] <= current["start_date"]]
    if not given:
        message = "A subscription schedule must have at least one phase."
        raise invalid(message, param="phases")
    if all(one.get("start_date") is None for one in given):
        message = (
            "The subscription schedule update is missing at least one phase with a `start_date` to anchor end dates to."
        )
        raise invalid(message, param="phases")
    if given[0].get("start_date") is None:
        message = "Missing required param: phases[0][start_date]."
        raise invalid(message, param="phases[0][start_date]", code="parameter_missing")
    fresh = _without_past(world, past, given)
    begin = spans.moment(fresh[0].get("start_date") or past[-1]["end_date"], world.now, "phases[0][start_date]")
    if current and begin != current["start_date"]:
        message = "You can not modify the start date of the current phase."
        raise invalid(message, param="phases[0][start_date]")
    terms = phases.Terms(
        customer=customer,
        mode=schedule["billing_mode"],
        defaults=schedule["default_settings"],
        known=phases.names_in(schedule["phases"]),
        currency=schedule["phases"][0]["currency"],
    )
    subscription = world.find("subscription", schedule["subscription"])
    anchor = subscription["billing_cycle_anchor"] if subscription else begin
    found = phases.read(world, fresh, terms, begin=begin, anchor=anchor)
    if current and found[0]["end_date"] < world.now:
        message = "The end date of the current phase cannot be in the past."
        raise invalid(message, param="phases[0][end_date]")
    schedule["phases"] = [*past, *found]
    if current:
        shapes.enter(schedule, found[0])
    creating.check_ahead(world, schedule)


def _without_past(world: World, past: list[Obj], given: list[Given]) -> list[Given]:
    """The phases of a request that have not ended; those that have may be named, as they were, or left out."""
    begun = {one["start_date"]: one for one in past}
    rest = list(given)
    start = rest[0]["start_date"]
    while rest and start in begun:
        one, was = rest[0], begun[start]
        end = one.get("end_date", was["end_date"])
        said = [(item.get("price") or item.get("plan"), item.get("quantity", 1)) for item in one["items"]]
        held = [(item["price"], 1 if item["quantity"] is None else item["quantity"]) for item in was["items"]]
        if (world.now if end == "now" else end) != was["end_date"] or said != held:
            message = f"You can not modify a phase that has ended: the phase that started at {start}."
            raise invalid(message, param="phases")
        rest.pop(0)
        start = rest[0].get("start_date", was["end_date"]) if rest else None
    if not rest:
        message = "The phases must include the current phase."
        raise invalid(message, param="phases")
    return rest


def _start_if_due(world: World, schedule: Obj) -> None:
    if schedule["phases"][0]["start_date"] <= world.now:
        creating.check_ahead(world, schedule)
        running.begin(world, schedule)
    else:
        running.plan(world, schedule)


def _apply(world: World, schedule: Obj, former: Obj, was: Given, behavior: str, *, collect: bool) -> None:
    """Let the subscription follow what was changed, and the schedule go on where the current phase ends now."""
    subscription = world.get("subscription", schedule["subscription"])
    phase = shapes.current(schedule) or former
    applying.apply(world, schedule, subscription, phase, former, was, behavior=behavior, enters=False, collect=collect)
    running.plan(world, schedule)
    if phase["end_date"] <= world.now:
        running.go_on(world, schedule)
