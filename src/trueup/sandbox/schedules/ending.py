"""How a schedule ends before its time, or lets its subscription go."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.schedules import shapes
from trueup.sandbox.subscriptions import canceling, timing, updating
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

OPEN: Final = frozenset({"not_started", "active"})
_TIMERS: Final = ("schedule_start", "schedule_phase", "schedule_expiring")


def check_open(schedule: Obj, verb: str) -> None:
    """Raise Stripe's 400 for a schedule that is over; ``verb`` is what was to be done, as ``cancel``."""
    if schedule["status"] not in OPEN:
        message = (
            f"You cannot {verb} a subscription schedule that is currently in the `{schedule['status']}` status. It has "
            "to be in `not_started` or `active` status."
        )
        raise invalid(message)


def release(world: World, schedule: Obj, *, preserve_cancel_date: bool = False) -> None:
    """Let the subscription go on by itself and tell both.

    A cancellation that the schedule has set is taken back, unless ``preserve_cancel_date``.
    """
    subscription = world.find("subscription", schedule["subscription"])
    end = shapes.cancels_at(schedule)
    schedule |= {
        "current_phase": None,
        "released_at": world.now,
        "released_subscription": schedule["subscription"],
        "status": "released",
        "subscription": None,
    }
    _unschedule(world, schedule)
    if subscription is not None:
        subscription["schedule"] = None
        if end is not None and subscription["cancel_at"] == end and not preserve_cancel_date:
            updating.update(world, subscription, {"cancel_at": ""})
        else:
            world.tell("customer.subscription.updated", subscription)
    world.tell("subscription_schedule.released", schedule)


def cancel(world: World, schedule: Obj, *, prorate: bool, invoice_now: bool) -> None:
    """Cancel a schedule, and with it its subscription, at once."""
    subscription = world.find("subscription", schedule["subscription"])
    _canceled(world, schedule, "subscription_schedule.canceled")
    if subscription is not None and subscription["status"] not in timing.ENDED:
        canceling.cancel(world, subscription, prorate=prorate, invoice_now=invoice_now, details={})


def subscription_canceled(world: World, *, subscription: Obj) -> None:
    """Listens to subscriptions: one that ends takes its schedule with it.

    That is told as ``aborted`` where nobody paid, as Stripe documents the event, else as ``canceled``.
    """
    schedule = world.find("subscription_schedule", subscription["schedule"])
    if schedule is None or schedule["status"] not in OPEN:
        return
    unpaid = subscription["status"] == "incomplete_expired" or (
        subscription["cancellation_details"]["reason"] == "payment_failed"
    )
    _canceled(world, schedule, "subscription_schedule.aborted" if unpaid else "subscription_schedule.canceled")


def customer_deleted(world: World, *, customer: Obj) -> None:
    """Listens to customers: what was to begin for one that is deleted never does."""
    for schedule in list(world.select("subscription_schedule", customer=customer["id"])):
        if schedule["status"] in OPEN:
            _canceled(world, schedule, "subscription_schedule.canceled")


def _canceled(world: World, schedule: Obj, event: str) -> None:
    schedule |= {"canceled_at": world.now, "current_phase": None, "status": "canceled"}
    _unschedule(world, schedule)
    world.tell(event, schedule)


def _unschedule(world: World, schedule: Obj) -> None:
    for name in _TIMERS:
        world.unschedule(name, schedule["id"])
