"""What a change of items, trial or anchor costs, and the invoice that it makes at once."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.subscriptions import billing, changes, failures, items, periods, shapes, timing
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

_BILLED = frozenset({"active", "past_due", "unpaid"})


def rebill(world: World, subscription: Obj, former: Obj, call: Call) -> Obj | None:
    """Apply what changes the items, the trial or the anchor; gives the draft that has to be paid now, if any.

    ``former`` is the subscription before the request.
    """
    trial_end = call.value("trial_end")
    at = _proration_date(former, call, world.now)
    ends_trial = trial_end == "now" and former["status"] == "trialing"
    extends = trial_end not in {None, "now"}
    if extends:
        _extend_trial(world, subscription, trial_end)
    found = items.changed(world, subscription, call.value("items") or [], _periods(world, subscription))
    items.check(found, subscription["billing_mode"])
    anew = ends_trial
    if subscription["status"] != "trialing":
        # While a trial lasts it is the period, and its end the anchor.
        anew = anew or (call.value("billing_cycle_anchor") or {}).get("type") == "now"
        anew = anew or (subscription["billing_mode"]["type"] == "classic" and _moves(former, found))
    if anew:
        if ends_trial and call.value("payment_behavior") != "default_incomplete":
            _check_method(world, subscription)
        _begin_anew(world, subscription, found, ends_trial=ends_trial)
    billed = former["status"] in _BILLED
    if extends:
        _try(world, found, trial_end, anew=billed)
    _close(subscription, found)
    shapes.put_items(subscription, found)
    return _bill(world, subscription, former, call, at=at, anew=anew or (extends and billed))


def _bill(world: World, subscription: Obj, former: Obj, call: Call, *, at: int, anew: bool) -> Obj | None:
    """Prorate what changed and draft what is billed now; ``anew`` bills whole periods."""
    found, behavior = subscription["items"]["data"], call.value("proration_behavior", "create_prorations")
    billed = former["status"] in _BILLED
    if billed and behavior != "none":
        _prorate(world, subscription, former, at, anew=anew)
    elif billed and not anew:
        _keep_debits(world, subscription, former)
    if anew:
        changes.forget(subscription, found)
        trial = subscription["status"] == "trialing"
        lines = [billing.line(world, subscription, item, trial=trial) for item in found]
        return billing.draft(world, subscription, "subscription_update", lines, period=(world.now, world.now))
    if behavior == "always_invoice" and billed and billing.has_pending(world, subscription):
        start = min(item["current_period_start"] for item in former["items"]["data"])
        return billing.draft(world, subscription, "subscription_update", (), period=(start, at))
    return None


def _try(world: World, found: list[Obj], trial_end: int, *, anew: bool) -> None:
    """Let the items' periods be the trial's, which begins now where none runs."""
    for item in found:
        item["current_period_end"] = trial_end
        if anew:
            item["current_period_start"] = world.now


def _close(subscription: Obj, found: list[Obj]) -> None:
    """Let periods and the subscription's end agree."""
    if subscription["status"] in _BILLED:
        for item in found:
            item["current_period_end"] = _end(subscription, item)
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = min(item["current_period_end"] for item in found)


def _periods(world: World, subscription: Obj) -> Any:
    """Gives the period of an item that gets a price: its own where the interval stays, else the anchor's."""

    def period(price: Obj, item: Obj | None = None) -> tuple[int, int]:
        recurring = price["recurring"]
        cycle = (recurring["interval"], recurring["interval_count"])
        if subscription["status"] == "trialing":
            return subscription["trial_start"], subscription["trial_end"]
        if item is not None and changes.interval(item) == cycle:
            return item["current_period_start"], item["current_period_end"]
        return periods.period(subscription["billing_cycle_anchor"], *cycle, world.now)

    return period


def _check_method(world: World, subscription: Obj) -> None:
    """Raise Stripe's 400 where a trial is to end now and nothing can be charged."""
    by_charge = subscription["collection_method"] == "charge_automatically"
    if by_charge and billing.method(world, subscription) is None:
        raise failures.no_method()


def _begin_anew(world: World, subscription: Obj, found: list[Obj], *, ends_trial: bool) -> None:
    """Let the cycle begin now, and end a trial."""
    now = world.now
    subscription["billing_cycle_anchor"] = now
    if ends_trial:
        subscription |= {"trial_end": now, "status": "active"}
    for item in found:
        recurring = item["price"]["recurring"]
        end = periods.boundary(now, recurring["interval"], recurring["interval_count"], 1)
        item["current_period_start"], item["current_period_end"] = now, end


def _prorate(
    world: World,
    subscription: Obj,
    former: Obj,
    at: int,
    *,
    anew: bool,
) -> None:
    """Credit what changes or goes, bill what changes or comes; where the cycle begins anew, credit everything."""
    was: Mapping[str, Obj] = {item["id"]: item for item in former["items"]["data"]}
    now_has = {item["id"]: item for item in subscription["items"]["data"]}
    for item_id, old in was.items():
        new = now_has.get(item_id)
        if anew or new is None:
            changes.credit(world, former, old, at)
        elif changes.differ(old, new):
            changes.credit(world, former, old, at)
            changes.debit(world, subscription, new, at)
        elif new["current_period_end"] < old["current_period_end"]:
            changes.credit(world, former, old, max(at, new["current_period_end"]))
        elif new["current_period_end"] > old["current_period_end"]:
            changes.debit(world, subscription, new, max(at, old["current_period_end"]))
    if not anew:
        for item_id, item in now_has.items():
            if item_id not in was:
                changes.debit(world, subscription, item, at)


def _keep_debits(world: World, subscription: Obj, former: Obj) -> None:
    """Without prorations a new configuration was billed what the old one was, and what is new was billed nothing."""
    was = {item["id"]: item for item in former["items"]["data"]}
    for item in subscription["items"]["data"]:
        old = was.get(item["id"])
        if old is None:
            changes.note(subscription, item, Fraction(0))
        elif changes.differ(old, item):
            changes.note(subscription, item, changes.debited(world, former, old))


def _end(subscription: Obj, item: Obj) -> int:
    """When an item's period ends: with its interval, or before where the subscription does."""
    natural = periods.whole(subscription["billing_cycle_anchor"], item)[1]
    at = subscription["cancel_at"]
    if at is None or subscription["cancel_at_period_end"] or at <= item["current_period_start"]:
        return natural
    return min(natural, int(at))


def _moves(former: Obj, found: list[Obj]) -> bool:
    """Whether an item's interval changes, or an item begins to cost something: classic billing begins anew then."""
    was = {item["id"]: item for item in former["items"]["data"]}
    return any(
        changes.interval(was[item["id"]]) != changes.interval(item) or (_free(was[item["id"]]) and not _free(item))
        for item in found
        if item["id"] in was
    )


def _free(item: Obj) -> bool:
    return item["price"]["billing_scheme"] == "per_unit" and item["price"]["unit_amount_decimal"] in {"0", None}


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
    # Classic billing keeps the first trial's start; in flexible mode it is that of the trial that runs.
    goes_on = subscription["status"] == "trialing" or subscription["billing_mode"]["type"] == "classic"
    subscription |= {
        "status": "trialing",
        "trial_start": (subscription["trial_start"] if goes_on else None) or world.now,
        "trial_end": end,
        "billing_cycle_anchor": end,
    }
    subscription.pop("$noticed", None)
