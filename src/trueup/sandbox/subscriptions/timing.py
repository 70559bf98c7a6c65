"""When something falls due for a subscription: planned anew from its state after every change."""

from __future__ import annotations

from typing import Final

from trueup.sandbox.assumptions import INCOMPLETE_SECONDS, PENDING_UPDATE_SECONDS, upcoming_days
from trueup.sandbox.world.world import Obj, World

DAY: Final = 86_400
TRIAL_NOTICE: Final = 3 * DAY

ENDED: Final = frozenset({"canceled", "incomplete_expired"})
BILLED: Final = frozenset({"active", "trialing", "past_due", "unpaid"})
_NAMES: Final = (
    "trial_will_end",
    "trial_end",
    "cancel_at",
    "resume_collection",
    "upcoming",
    "cycle",
    "incomplete_expiry",
    "pending_update_expiry",
)


def plan(world: World, subscription: Obj) -> None:
    """Set the timers that the subscription's state asks for and drop the others. Harmless when repeated."""
    wanted = _wanted(world, subscription)
    for name in _NAMES:
        due = wanted.get(name)
        kept = subscription.setdefault("$timers", {})
        if due != kept.get(name):
            if due is None:
                world.unschedule(name, subscription["id"])
                del kept[name]
            else:
                world.schedule(due, name, subscription["id"])
                kept[name] = due


def fired(subscription: Obj, name: str) -> None:
    """Note that a timer has fired, so that ``plan`` does not think it set."""
    subscription.get("$timers", {}).pop(name, None)


def _wanted(world: World, subscription: Obj) -> dict[str, int]:
    status, found = subscription["status"], {}
    if status in ENDED:
        return {}
    if status == "incomplete":
        found["incomplete_expiry"] = subscription["created"] + INCOMPLETE_SECONDS
    if subscription["pending_update"]:
        found["pending_update_expiry"] = subscription["pending_update"]["expires_at"]
    if subscription["cancel_at"] is not None:
        # The period of a paused subscription may be over when it is to end with it: then it ends at the next moment.
        found["cancel_at"] = max(world.now, subscription["cancel_at"])
    if (subscription["pause_collection"] or {}).get("resumes_at"):
        found["resume_collection"] = subscription["pause_collection"]["resumes_at"]
    if status == "trialing":
        found["trial_end"] = subscription["trial_end"]
        if not subscription.get("$noticed"):
            found["trial_will_end"] = max(world.now, subscription["trial_end"] - TRIAL_NOTICE)
    elif status in BILLED and subscription["items"]["data"]:
        found["cycle"] = ends(subscription)
    if status in BILLED and subscription["collection_method"] == "charge_automatically":
        upcoming = ends(subscription) - upcoming_days(world.store.meta("upcoming_days", "")) * DAY
        if upcoming > world.now and not (subscription["cancel_at"] and subscription["cancel_at"] <= ends(subscription)):
            found["upcoming"] = upcoming
    return found


def ends(subscription: Obj) -> int:
    """When the first of the items' periods ends."""
    return min(int(item["current_period_end"]) for item in subscription["items"]["data"])


__all__ = ["BILLED", "DAY", "ENDED", "PENDING_UPDATE_SECONDS", "TRIAL_NOTICE", "ends", "fired", "plan"]
