"""What time does to a schedule: it begins, its phases follow each other, it ends."""

from __future__ import annotations

from trueup.sandbox.assumptions import SCHEDULE_ENDS, SCHEDULE_EXPIRING_SECONDS
from trueup.sandbox.schedules import applying, ending, phases, shapes, spans
from trueup.sandbox.subscriptions import canceling, timing
from trueup.sandbox.world.world import Obj, World


def plan(world: World, schedule: Obj) -> None:
    """Set the timers that the schedule's state asks for and drop the others. Harmless when repeated."""
    status, name = schedule["status"], schedule["id"]
    wanted: dict[str, int] = {}
    if status == "not_started":
        wanted["schedule_start"] = schedule["phases"][0]["start_date"]
    elif status == "active":
        wanted["schedule_phase"] = schedule["current_phase"]["end_date"]
    if status in ending.OPEN:
        expiring = shapes.ends(schedule) - SCHEDULE_EXPIRING_SECONDS
        if expiring > world.now:
            wanted["schedule_expiring"] = expiring
    for timer in ("schedule_start", "schedule_phase", "schedule_expiring"):
        if timer in wanted:
            world.schedule(wanted[timer], timer, name)
        else:
            world.unschedule(timer, name)


def start(world: World, schedule_id: str) -> None:
    """The timer at the start of the first phase."""
    schedule = world.get("subscription_schedule", schedule_id)
    if schedule["status"] == "not_started":
        begin(world, schedule)
        world.tell("subscription_schedule.updated", schedule)


def begin(world: World, schedule: Obj) -> None:
    """Begin with the first phase. The caller tells the schedule."""
    applying.begin(world, schedule)
    plan(world, schedule)


def phase(world: World, schedule_id: str) -> None:
    """The timer at the end of a phase."""
    schedule = world.get("subscription_schedule", schedule_id)
    if schedule["status"] == "active":
        go_on(world, schedule)


def go_on(world: World, schedule: Obj) -> None:
    """The current phase is over: the next begins, or the schedule ends as ``end_behavior`` says."""
    former = shapes.current(schedule)
    if former is None:
        return
    at = former["end_date"]
    following = next((one for one in schedule["phases"] if one["start_date"] == at), None)
    if following is None and schedule["end_behavior"] == "renew":
        following = _again(world, schedule, former)
        schedule["phases"] = [*schedule["phases"], following]
    if following is None:
        _end(world, schedule)
        return
    subscription = world.get("subscription", schedule["subscription"])
    was = applying.terms_of(schedule, former)
    shapes.enter(schedule, following)
    behavior = following["proration_behavior"]
    applying.apply(world, schedule, subscription, following, former, was, behavior=behavior, enters=True)
    plan(world, schedule)
    world.tell("subscription_schedule.updated", schedule)


def expiring(world: World, schedule_id: str) -> None:
    """The timer some days before the last phase ends."""
    schedule = world.get("subscription_schedule", schedule_id)
    if schedule["status"] in ending.OPEN:
        world.tell("subscription_schedule.expiring", schedule)


def _again(world: World, schedule: Obj, former: Obj) -> Obj:
    """A phase like the last, as long as it, without what is billed once."""
    subscription = world.get("subscription", schedule["subscription"])
    start, end = former["start_date"], former["end_date"]
    cycle = phases.cycles_of(world, former)[0]
    until = spans.renewed(start, end, cycle, subscription["billing_cycle_anchor"])
    again = {**former, "add_invoice_items": [], "end_date": until, "start_date": end, "trial_end": None}
    again.pop("trial", None)
    return again


def _end(world: World, schedule: Obj) -> None:
    """The last phase is over."""
    behavior = schedule["end_behavior"]
    subscription = world.get("subscription", schedule["subscription"])
    status = SCHEDULE_ENDS[behavior]
    if behavior == "release":
        ending.release(world, schedule)
        return
    schedule |= {"completed_at": world.now, "current_phase": None, "status": status}
    plan(world, schedule)
    if behavior == "cancel":
        if subscription["status"] not in timing.ENDED:
            canceling.end(world, subscription, reason="cancellation_requested")
    else:
        subscription["schedule"] = None
        world.tell("customer.subscription.updated", subscription)
    world.tell("subscription_schedule.completed", schedule)
