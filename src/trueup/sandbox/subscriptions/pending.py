"""Changes that wait for their payment."""

from __future__ import annotations

from trueup.sandbox.invoices import ending
from trueup.sandbox.subscriptions import changes, shapes, timing
from trueup.sandbox.world.world import Obj, World


def waits_for(subscription: Obj, invoice: Obj) -> bool:
    """Whether a change of the subscription waits for this invoice."""
    return bool((subscription.get("$pending") or {}).get("invoice") == invoice["id"])


def apply(world: World, subscription: Obj, status: str | None = None) -> None:
    """What the change waited for has come: it happens. ``status`` is that of the subscription from here on."""
    waiting = subscription.pop("$pending")
    applied = subscription["pending_update"] is not None
    subscription["pending_update"] = None
    resumed = subscription["status"] == "paused"
    shapes.put_items(subscription, waiting["items"])
    for name in ("billing_cycle_anchor", "trial_end", "status"):
        subscription[name] = waiting[name]
    subscription["status"] = status or subscription["status"]
    if waiting.get("debited") is not None:
        subscription["$debited"] = waiting["debited"]
    if resumed:
        changes.forget(subscription, waiting["items"])
        subscription["status_details"] = None
    timing.plan(world, subscription)
    world.tell("customer.subscription.updated", subscription)
    if resumed:
        world.tell("customer.subscription.resumed", subscription)
    if applied:
        world.tell("customer.subscription.pending_update_applied", subscription)
    world.signal("subscription_changed", subscription=subscription)


def drop(world: World, subscription: Obj) -> None:
    """The change does not happen any more."""
    subscription.pop("$pending", None)
    subscription["pending_update"] = None
    timing.plan(world, subscription)
    world.tell("customer.subscription.updated", subscription)
    world.tell("customer.subscription.pending_update_expired", subscription)


def expiry(world: World, subscription_id: str) -> None:
    """Nobody paid for the change in time: it does not happen, and its invoice is void."""
    subscription = world.get("subscription", subscription_id)
    timing.fired(subscription, "pending_update_expiry")
    if subscription["pending_update"] is None:
        return
    invoice = world.find("invoice", subscription["$pending"]["invoice"])
    drop(world, subscription)
    if invoice is not None and invoice["status"] == "open":
        ending.void(world, invoice)
