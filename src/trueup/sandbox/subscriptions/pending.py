"""Changes that wait for their payment."""

from __future__ import annotations

from trueup.sandbox.invoices import ending
from trueup.sandbox.subscriptions import shapes, timing
from trueup.sandbox.world.world import Obj, World


def apply(world: World, subscription: Obj) -> None:
    """The invoice of a pending change was paid: it happens."""
    waiting = subscription.pop("$pending")
    subscription["pending_update"] = None
    resumed = subscription["status"] == "paused"
    shapes.put_items(subscription, waiting["items"])
    for name in ("billing_cycle_anchor", "trial_end", "status"):
        subscription[name] = waiting[name]
    if resumed:
        subscription["status_details"] = None
    timing.plan(world, subscription)
    if resumed:
        world.tell("customer.subscription.resumed", subscription)
    world.tell("customer.subscription.pending_update_applied", subscription)
    world.tell("customer.subscription.updated", subscription)
    world.signal("subscription_changed", subscription=subscription)


def expiry(world: World, subscription_id: str) -> None:
    """Nobody paid for the change in time: it does not happen, and its invoice is void."""
    subscription = world.get("subscription", subscription_id)
    timing.fired(subscription, "pending_update_expiry")
    if subscription["pending_update"] is None:
        return
    waiting = subscription.pop("$pending")
    subscription["pending_update"] = None
    timing.plan(world, subscription)
    world.tell("customer.subscription.pending_update_expired", subscription)
    world.tell("customer.subscription.updated", subscription)
    invoice = world.find("invoice", waiting["invoice"])
    if invoice is not None and invoice["status"] == "open":
        ending.void(world, invoice)
