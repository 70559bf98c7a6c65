"""What a change of items, trial or anchor costs, and the invoice that it makes at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.subscriptions import billing, changes, creating, cycling, items, periods, shapes, timing
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

_BILLED = frozenset({"active", "past_due", "unpaid"})


def rebill(world: World, subscription: Obj, former: Obj, call: Call) -> Obj | None:
    """Apply what changes the items, the trial or the anchor; gives the draft that has to be paid now, if any.

    ``former`` is the subscription before the request.
    """
    now, behavior = world.now, call.value("proration_behavior", "create_prorations")
    at = _proration_date(former, call, now)
    trial_end = call.value("trial_end")
    ends_trial = trial_end == "now" and former["status"] == "trialing"
    extends = trial_end not in {None, "now"}
    if extends:
        _extend_trial(world, subscription, trial_end)
    found = items.changed(world, subscription, call.value("items") or [], _periods(world, subscription))
    items.check(found, subscription["billing_mode"])
    anchor = call.value("billing_cycle_anchor")
    anew = anchor in ({"type": "now"}, "now") or ends_trial
    if subscription["billing_mode"]["type"] == "classic" and subscription["status"] != "trialing":
        anew = anew or _moves(former, found)
    if anew:
        _begin_anew(world, subscription, found, ends_trial=ends_trial)
    for item in found if extends else ():
        item["current_period_end"] = trial_end
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = min(item["current_period_end"] for item in found)
    billed = former["status"] in _BILLED
    if billed and behavior != "none":
        _prorate(world, subscription, former, found, at, anew=anew)
    shapes.put_items(subscription, found)
    if anew or (billed and extends):
        trial = subscription["status"] == "trialing"
        lines = [billing.line(world, subscription, item, trial=trial) for item in found]
        return billing.draft(world, subscription, "subscription_update", lines, period=(now, now))
    if behavior == "always_invoice" and billed and cycling.has_pending(world, subscription):
        start = min(item["current_period_start"] for item in former["items"]["data"])
        return billing.draft(world, subscription, "subscription_update", (), period=(start, at))
    return None


def _periods(world: World, subscription: Obj) -> Any:
    """Gives the period of an item that gets a price: its own where the interval stays, else the anchor's."""

    def period(price: Obj, item: Obj | None = None) -> tuple[int, int]:
        recurring = price["recurring"]
        cycle = (recurring["interval"], recurring["interval_count"])
        if subscription["status"] == "trialing":
            return subscription["trial_start"], subscription["trial_end"]
        if item is not None and (item["plan"]["interval"], item["plan"]["interval_count"]) == cycle:
            return item["current_period_start"], item["current_period_end"]
        return periods.period(subscription["billing_cycle_anchor"], *cycle, world.now)

    return period


def _begin_anew(world: World, subscription: Obj, found: list[Obj], *, ends_trial: bool) -> None:
    """Let the cycle begin now, and end a trial. Raises Stripe's 400 where nothing can be charged then."""
    now = world.now
    subscription["billing_cycle_anchor"] = now
    if ends_trial:
        subscription |= {"trial_end": now, "status": "active"}
        by_charge = subscription["collection_method"] == "charge_automatically"
        if by_charge and billing.method(world, subscription) is None:
            raise creating.no_method()
    for item in found:
        recurring = item["price"]["recurring"]
        end = periods.boundary(now, recurring["interval"], recurring["interval_count"], 1)
        item["current_period_start"], item["current_period_end"] = now, end


def _prorate(
    world: World,
    subscription: Obj,
    former: Obj,
    found: list[Obj],
    at: int,
    *,
    anew: bool,
) -> None:
    """Credit what changes or goes, bill what changes or comes; where the cycle begins anew, credit everything."""
    was: Mapping[str, Obj] = {item["id"]: item for item in former["items"]["data"]}
    now_has = {item["id"]: item for item in found}
    for item_id, old in was.items():
        new = now_has.get(item_id)
        if anew or new is None or changes.differ(old, new):
            changes.credit(world, former, old, at)
            if new is not None and not anew:
                changes.debit(world, subscription, new, at)
    if not anew:
        for item in found:
            if item["id"] not in was:
                changes.debit(world, subscription, item, at)


def _moves(former: Obj, found: list[Obj]) -> bool:
    """Whether an item's interval changes."""
    was = {item["id"]: item["plan"] for item in former["items"]["data"]}
    return any(
        item["id"] in was
        and (was[item["id"]]["interval"], was[item["id"]]["interval_count"])
        != (item["plan"]["interval"], item["plan"]["interval_count"])
        for item in found
    )


def _proration_date(former: Obj, call: Call, now: int) -> int:
    at = int(call.value("proration_date") or now)
    start = min(int(item["current_period_start"]) for item in former["items"]["data"])
    end = timing.ends(former)
    if call.given("proration_date") and not start <= at <= end:
        message = "Invalid value for `proration_date`: it must lie within the current billing period."
        raise invalid(message, param="proration_date")
    return min(max(at, start), end)


def _extend_trial(world: World, subscription: Obj, end: int) -> None:
    if end <= world.now:
        message = "Invalid timestamp: must be an integer Unix timestamp in the future."
        raise invalid(message, param="trial_end")
    subscription |= {
        "status": "trialing",
        "trial_start": subscription["trial_start"] or world.now,
        "trial_end": end,
        "billing_cycle_anchor": end,
    }
    subscription.pop("$noticed", None)
