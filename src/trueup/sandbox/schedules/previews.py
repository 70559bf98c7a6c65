"""Previews of schedules: time is turned on until an invoice comes of it, and everything undone."""

from __future__ import annotations

import copy
from typing import Any, Final

from trueup.sandbox.answers.calls import Call, Instead
from trueup.sandbox.invoices.preview import add_items, shown
from trueup.sandbox.schedules import creating, ending, running, updating
from trueup.sandbox.subscriptions import billing, cycling, timing
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.world import Obj, World

_MOST_PHASES: Final = 24
"""More phases than a schedule can have before one of them is billed."""


def preview(world: World, *, call: Call, customer: Obj | None) -> None:
    """Listens to ``POST /v1/invoices/create_preview``: answers for ``schedule`` and ``schedule_details``.

    It is the invoice that the change makes at once, else the next one, whichever phase that is in.
    """
    details = dict(call.value("schedule_details") or {})
    if not call.value("schedule") and not details:
        return
    if call.value("subscription_details"):
        message = "You may only specify one of these parameters: subscription_details, schedule_details."
        raise invalid(message, param="schedule_details")
    schedule = _schedule(world, call, customer, details)
    owner = world.get("customer", schedule["customer"])
    if customer is not None and customer["id"] != owner["id"]:
        message = f"The subscription schedule {schedule['id']} does not belong to the customer {customer['id']}."
        raise invalid(message, param="schedule")
    before = _latest(world, schedule)
    if details:
        updating.update(world, schedule, _call(details), collect=False)
    add_items(world, call, owner)
    found = _latest(world, schedule)
    raise Instead(shown(world.get("invoice", found) if found and found != before else _next(world, schedule)))


def _schedule(world: World, call: Call, customer: Obj | None, details: dict[str, Any]) -> Obj:
    """The schedule that is asked for, or one that would be made."""
    if named := call.value("schedule"):
        schedule = world.get("subscription_schedule", named, param="schedule")
        world.follow(schedule)
        ending.check_open(schedule, "preview")
        return schedule
    if named := call.value("subscription"):
        subscription = world.get("subscription", named, param="subscription")
        world.follow(subscription)
        if subscription["schedule"]:
            return world.get("subscription_schedule", subscription["schedule"])
        return creating.from_subscription(world, subscription)
    if customer is None:
        message = "Missing required param: customer."
        raise invalid(message, param="customer", code="parameter_missing")
    params: dict[str, Any] = {
        name: details[name] for name in ("billing_mode", "end_behavior", "phases") if name in details
    }
    first = (params.get("phases") or [{}])[0].get("start_date", "now")
    details.clear()
    return creating.create(world, _call({**params, "customer": customer["id"], "start_date": first}))


def _call(params: dict[str, Any]) -> Call:
    return Call(method="POST", path="", ids={}, params=params)


def _latest(world: World, schedule: Obj) -> str | None:
    subscription = world.find("subscription", schedule["subscription"])
    return subscription["latest_invoice"] if subscription else None


def _next(world: World, schedule: Obj) -> Obj:
    """The next invoice, after all phases that begin before it."""
    # The clocks of this world are turned on their own; what that writes is undone with the rest.
    world.clocks = copy.copy(world.clocks)
    for _ in range(_MOST_PHASES):
        before = _latest(world, schedule)
        if schedule["status"] == "not_started":
            _turn(world, schedule["phases"][0]["start_date"])
            running.begin(world, schedule)
        else:
            subscription = world.get("subscription", schedule["subscription"] or schedule["released_subscription"])
            due = _due(world, subscription)
            if schedule["status"] != "active" or schedule["current_phase"]["end_date"] > due:
                return cycling.next_invoice(world, subscription, due)
            _turn(world, schedule["current_phase"]["end_date"])
            running.go_on(world, schedule)
        found = _latest(world, schedule)
        if found and found != before:
            return world.get("invoice", found)
    raise _none(schedule)


def _turn(world: World, to: int) -> None:
    world.clocks.turn(world.clock, max(to, world.now))


def _due(world: World, subscription: Obj) -> int:
    """When the subscription renews. Raises Stripe's 404 where it does not."""
    due = int(subscription["trial_end"]) if subscription["status"] == "trialing" else timing.ends(subscription)
    ends = subscription["cancel_at"] is not None and subscription["cancel_at"] <= due
    if subscription["status"] in timing.ENDED or (ends and not billing.has_pending(world, subscription)):
        raise _none(subscription)
    return due


def _none(of: Obj) -> StripeError:
    message = f"No upcoming invoices for customer: {of['customer']}"
    return StripeError(message, status=404, code="invoice_upcoming_none")
