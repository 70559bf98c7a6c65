"""Subscription schedules, as requests ask for them."""

from __future__ import annotations

from typing import Any, Final

from trueup.sandbox.answers import pages
from trueup.sandbox.answers.calls import Call, Handler, Timers
from trueup.sandbox.schedules import creating, ending, previews, running, updating
from trueup.sandbox.world.world import Obj, World

_DATES: Final = ("canceled_at", "completed_at", "released_at")


def _get(world: World, call: Call) -> Obj:
    schedule = world.get("subscription_schedule", call.ids["schedule"])
    world.follow(schedule)
    return schedule


def _update(world: World, call: Call) -> Obj:
    return updating.update(world, _get(world, call), call)


def _cancel(world: World, call: Call) -> Obj:
    schedule = _get(world, call)
    ending.check_open(schedule, "cancel")
    ending.cancel(
        world,
        schedule,
        prorate=bool(call.value("prorate", default=True)),
        invoice_now=bool(call.value("invoice_now", default=True)),
    )
    return schedule


def _release(world: World, call: Call) -> Obj:
    schedule = _get(world, call)
    ending.check_open(schedule, "release")
    ending.release(world, schedule, preserve_cancel_date=bool(call.value("preserve_cancel_date")))
    return schedule


def _list(world: World, call: Call) -> Obj:
    spans = {name: call.params[name] for name in _DATES if call.given(name)}

    def keep(schedule: Obj) -> bool:
        return all(schedule[name] is not None and pages.within(schedule[name], span) for name, span in spans.items())

    where = {"customer": call.value("customer"), "status": "not_started" if call.value("scheduled") else None}
    return pages.page(world, call, "subscription_schedule", keep=keep, **where)


ROUTES: Final[dict[str, Handler]] = {
    "POST /v1/subscription_schedules": creating.create,
    "GET /v1/subscription_schedules": _list,
    "GET /v1/subscription_schedules/{schedule}": _get,
    "POST /v1/subscription_schedules/{schedule}": _update,
    "POST /v1/subscription_schedules/{schedule}/cancel": _cancel,
    "POST /v1/subscription_schedules/{schedule}/release": _release,
}

TIMERS: Final[Timers] = {
    "schedule_start": running.start,
    "schedule_phase": running.phase,
    "schedule_expiring": running.expiring,
}

SIGNALS: Final[dict[str, Any]] = {
    "subscription_canceled": ending.subscription_canceled,
    "customer_deleted": ending.customer_deleted,
    "preview_subscription": previews.preview,
}
