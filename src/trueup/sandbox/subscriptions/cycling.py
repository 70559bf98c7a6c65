"""What time does to a subscription: its periods roll, trials end, renewals are announced."""

from __future__ import annotations

from trueup.sandbox.assumptions import DRAFT_SECONDS
from trueup.sandbox.invoices import ending, finalizing
from trueup.sandbox.subscriptions import billing, canceling, changes, pausing, periods, shapes, timing
from trueup.sandbox.world.world import Obj, World, render


def cycle(world: World, subscription_id: str) -> None:
    """A period is over: the items whose it is roll on, and a draft bills the next. The status stays."""
    subscription = world.get("subscription", subscription_id)
    timing.fired(subscription, "cycle")
    if subscription["status"] not in timing.BILLED:
        return
    _renew(world, subscription)
    timing.plan(world, subscription)


def trial_end(world: World, subscription_id: str) -> None:
    """A trial is over: it is paid from here on, or what ``trial_settings`` says where nothing can be charged."""
    subscription = world.get("subscription", subscription_id)
    timing.fired(subscription, "trial_end")
    if subscription["status"] != "trialing" or (subscription["cancel_at"] or world.now + 1) <= world.now:
        return
    by_charge = subscription["collection_method"] == "charge_automatically"
    if by_charge and billing.method(world, subscription) is None:
        missing = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
        if missing == "cancel":
            canceling.end(world, subscription, reason="cancellation_requested")
            return
        if missing == "pause":
            pausing.park(world, subscription, "trial_end_without_payment_method")
            return
    subscription["status"] = "active"
    _renew(world, subscription)
    timing.plan(world, subscription)


def roll(subscription: Obj, at: int) -> tuple[int, list[Obj], list[Obj]]:
    """When the periods that are over at ``at`` began, all items after it, and those of them that rolled on.

    A period that ``cancel_at`` cuts short ends there.
    """
    anchor, rolled, fresh, began = subscription["billing_cycle_anchor"], [], [], at
    for item in subscription["items"]["data"]:
        end, recurring = item["current_period_end"], item["price"]["recurring"]
        if end > at:
            rolled.append(item)
            continue
        began = min(began, item["current_period_start"])
        following = periods.following(anchor, recurring["interval"], recurring["interval_count"], end)
        if subscription["cancel_at"] is not None and not subscription["cancel_at_period_end"]:
            following = min(following, max(subscription["cancel_at"], end + 1))
        fresh.append({**item, "current_period_start": end, "current_period_end": following})
        rolled.append(fresh[-1])
    return began, rolled, fresh


def _renew(world: World, subscription: Obj) -> None:
    shapes.refresh(world, subscription)
    began, rolled, fresh = roll(subscription, world.now)
    subscription["items"] = {**subscription["items"], "data": rolled}
    changes.forget(subscription, fresh)
    paused = (subscription["pause_collection"] or {}).get("behavior")
    waits = subscription["status"] == "unpaid" or paused is not None
    place = world.place()
    invoice = billing.draft(
        world,
        subscription,
        "subscription_cycle",
        [billing.line(world, subscription, item) for item in fresh],
        period=(began, world.now),
        auto_advance=not waits,
    )
    if paused == "void":
        finalizing.finalize(world, invoice)
        if invoice["status"] == "open":
            ending.void(world, invoice)
    elif paused == "mark_uncollectible":
        finalizing.finalize(world, invoice)
        if invoice["status"] == "open":
            ending.mark_uncollectible(world, invoice, "subscription_paused")
    timing.plan(world, subscription)
    world.tell("customer.subscription.updated", subscription, place=place)


def next_invoice(world: World, subscription: Obj, due: int) -> Obj:
    """The draft that a renewal at ``due`` will make, as things stand. Call it where everything is undone afterwards."""
    began, rolled, fresh = roll(subscription, due)
    subscription["items"] = {**subscription["items"], "data": rolled}
    lines = [billing.line(world, subscription, item) for item in fresh]
    invoice = billing.draft(world, subscription, "upcoming", lines, period=(began, due), auto_advance=False, at=due)
    by_charge = subscription["collection_method"] == "charge_automatically"
    invoice |= {
        "auto_advance": True,
        "created": due,
        "next_payment_attempt": due + DRAFT_SECONDS if by_charge else None,
    }
    return invoice


def trial_will_end(world: World, subscription_id: str) -> None:
    """Three days before a trial ends."""
    subscription = world.get("subscription", subscription_id)
    timing.fired(subscription, "trial_will_end")
    if subscription["status"] == "trialing":
        subscription["$noticed"] = True
        world.tell("customer.subscription.trial_will_end", subscription)


def notice(world: World, subscription: Obj) -> None:
    """Tell at once that a trial ends which is shorter than its notice; harmless where that was told or is to come."""
    if subscription["status"] != "trialing" or subscription.get("$noticed"):
        return
    if subscription["trial_end"] - world.now < timing.TRIAL_NOTICE:
        subscription["$noticed"] = True
        world.tell("customer.subscription.trial_will_end", subscription)
        timing.plan(world, subscription)


def announce(world: World, subscription_id: str) -> None:
    """Some days before a renewal: ``invoice.upcoming``, an invoice without an id."""
    subscription = world.get("subscription", subscription_id)
    timing.fired(subscription, "upcoming")
    if subscription["status"] not in timing.BILLED:
        return

    def imagined(other: World) -> Obj:
        same = other.get("subscription", subscription_id)
        return render(next_invoice(other, same, timing.ends(same)))

    invoice = world.imagine(imagined)
    invoice.pop("id")
    for line in invoice["lines"]["data"]:
        line["id"] = line["id"].replace("il_", "il_tmp_", 1)
        line["invoice"] = None
    invoice["lines"]["url"] = f"/v1/invoices/upcoming/lines?subscription={subscription_id}"
    world.write("invoice.upcoming", {"object": invoice}, about=subscription_id)
