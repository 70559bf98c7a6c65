"""How a subscription ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.sandbox.catalog import discounts
from trueup.sandbox.invoices import ending, finalizing
from trueup.sandbox.invoices import items as invoice_items
from trueup.sandbox.subscriptions import billing, changes, timing
from trueup.sandbox.wire.errors import StripeError
from trueup.sandbox.world.world import Obj, World


def end(
    world: World,
    subscription: Obj,
    *,
    reason: str | None = None,
    status: str = "canceled",
    details: Mapping[str, Any] | None = None,
    keep: str | None = None,
) -> None:
    """End a subscription now and tell it; its invoices, except the one that is ``keep``, are not collected any more.

    ``reason`` is that of ``cancellation_details``, kept where one is there already. With the ``status``
    ``incomplete_expired`` it never began, so it was not canceled either.
    """
    subscription["status"] = status
    subscription["ended_at"] = world.now
    if subscription["canceled_at"] is None and status == "canceled":
        subscription["canceled_at"] = world.now
    subscription["pause_collection"] = subscription["pause_collection"] if status == "canceled" else None
    subscription["pending_update"] = None
    subscription["status_details"] = None
    noted = {name: value for name, value in (details or {}).items() if value}
    subscription["cancellation_details"] = {**subscription["cancellation_details"], **noted}
    if subscription["cancellation_details"]["reason"] is None:
        subscription["cancellation_details"]["reason"] = reason
    subscription.pop("$pending", None)
    for invoice in list(world.select("invoice", parent__subscription_details__subscription=subscription["id"])):
        if invoice["id"] == keep or status != "canceled":
            continue
        if invoice["status"] in {"open", "draft"} and invoice["auto_advance"]:
            invoice["auto_advance"] = False
            invoice["next_payment_attempt"] = invoice["automatically_finalizes_at"] = None
            world.unschedule("finalize", invoice["id"])
            world.unschedule("retry", invoice["id"])
            world.tell("invoice.updated", invoice)
    for name in list(subscription["discounts"]):
        found = discounts.active(world, name)
        if found is not None:
            world.unschedule("discount_end", name)
    timing.plan(world, subscription)
    if status == "canceled":
        world.tell("customer.subscription.deleted", subscription)
    else:
        world.tell("customer.subscription.updated", subscription)
    world.signal("subscription_canceled", subscription=subscription)


def cancel(world: World, subscription: Obj, *, prorate: bool, invoice_now: bool, details: Mapping[str, Any]) -> None:
    """Cancel at once, as ``DELETE`` does: unused time is credited where asked, and billed at once where asked.

    Where neither is, pending prorations are forgotten; other items keep waiting for an invoice of the customer. Source:
    what documents ``DELETE /v1/subscriptions/{id}``.
    """
    if subscription["status"] in timing.ENDED:
        message = f"No such subscription: '{subscription['id']}'"
        raise StripeError(message, status=404, code="resource_missing", param="id")
    if prorate and subscription["status"] not in {"trialing", "incomplete", "paused"}:
        for item in subscription["items"]["data"]:
            changes.credit(world, subscription, item, world.now)
    if invoice_now:
        _final(world, subscription)
    elif not prorate:
        for pending in list(billing.pending(world, subscription)):
            if pending["proration"]:
                invoice_items.delete(world, pending)
    began = subscription["status"] != "incomplete"
    subscription |= {"cancel_at": None, "cancel_at_period_end": False}
    first = None if began else subscription["latest_invoice"]
    end(world, subscription, reason="cancellation_requested", details=details, keep=first)
    if not began:
        _void_first(world, subscription)


def _final(world: World, subscription: Obj) -> None:
    """The last invoice: what is pending; a credit that nothing is left to use for is given up."""
    if not billing.has_pending(world, subscription):
        return
    start = min(item["current_period_start"] for item in subscription["items"]["data"])
    invoice = billing.draft(world, subscription, "subscription_update", (), period=(start, world.now))
    if invoice["total"] < 0:
        finalizing.finalize(world, invoice, forfeit=True)
    else:
        billing.collect(world, invoice)


def _void_first(world: World, subscription: Obj) -> None:
    """A first invoice that was never paid is void."""
    invoice = world.find("invoice", subscription["latest_invoice"])
    if invoice is not None and invoice["status"] == "open":
        ending.void(world, invoice)


def customer_deleted(world: World, *, customer: Obj) -> None:
    """Listens to customers: all subscriptions of one that is deleted end at once."""
    for subscription in list(world.select("subscription", customer=customer["id"])):
        if subscription["status"] not in timing.ENDED:
            end(world, subscription, reason="cancellation_requested")


def cancel_at(world: World, subscription_id: str) -> None:
    """The moment has come that ``cancel_at`` names: what is pending is billed like a renewal."""
    subscription = world.get("subscription", subscription_id)
    timing.fired(subscription, "cancel_at")
    if subscription["status"] in timing.ENDED or subscription["cancel_at"] is None:
        return
    final = None
    if subscription["status"] in timing.BILLED and billing.has_pending(world, subscription):
        start = min(item["current_period_start"] for item in subscription["items"]["data"])
        final = billing.draft(world, subscription, "subscription_cycle", (), period=(start, world.now))["id"]
    end(world, subscription, reason="cancellation_requested", keep=final)


def incomplete_expiry(world: World, subscription_id: str) -> None:
    """Nobody paid the first invoice in time."""
    subscription = world.get("subscription", subscription_id)
    timing.fired(subscription, "incomplete_expiry")
    if subscription["status"] != "incomplete":
        return
    invoice = world.find("invoice", subscription["latest_invoice"])
    expire(world, subscription)
    if invoice is not None and invoice["status"] == "open":
        ending.void(world, invoice)


def expire(world: World, subscription: Obj) -> None:
    """A subscription that never began is over."""
    end(world, subscription, status="incomplete_expired")
