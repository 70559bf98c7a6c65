"""Pauses: of collection only, and of the subscription itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.assumptions import PENDING_UPDATE_SECONDS
from trueup.sandbox.subscriptions import billing, changes, periods, timing
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World


def put_collection(subscription: Obj, call: Call) -> None:
    """Set or lift ``pause_collection``."""
    if call.given("pause_collection"):
        sent = call.value("pause_collection")
        subscription["pause_collection"] = (
            {"behavior": sent["behavior"], "resumes_at": sent.get("resumes_at")} if sent else None
        )


def resume_collection(world: World, subscription_id: str) -> None:
    """The moment that ``resumes_at`` names."""
    subscription = world.get("subscription", subscription_id)
    timing.fired(subscription, "resume_collection")
    if subscription["pause_collection"] is not None:
        subscription["pause_collection"] = None
        timing.plan(world, subscription)
        world.tell("customer.subscription.updated", subscription)


def pause(world: World, subscription: Obj, given: Mapping[str, Any]) -> None:
    """Pause a subscription: unused time is credited as asked, nothing is billed until it is resumed."""
    if subscription["status"] not in {"active", "past_due", "trialing"}:
        message = f"Subscriptions with status `{subscription['status']}` cannot be paused."
        raise invalid(message)
    if subscription["billing_mode"]["type"] != "flexible":
        message = "Only subscriptions with `billing_mode[type]=flexible` can be paused."
        raise invalid(message)
    unused = ((given.get("bill_for") or {}).get("unused_time_from") or {}).get("type", "now")
    if unused != "none" and subscription["status"] != "trialing":
        for item in subscription["items"]["data"]:
            at = world.now if unused == "now" else item["current_period_start"]
            changes.credit(world, subscription, item, at)
    park(world, subscription, "pause_requested")
    if given.get("invoicing_behavior") == "invoice":
        start = min(item["current_period_start"] for item in subscription["items"]["data"])
        billing.collect(world, billing.draft(world, subscription, "subscription_update", (), period=(start, world.now)))


def park(world: World, subscription: Obj, why: str) -> None:
    """Let a subscription be ``paused`` and tell it. ``why`` is one of ``status_details.paused.subscription.type``."""
    subscription["status"] = "paused"
    subscription["status_details"] = {
        "paused": {"subscription": {"type": why}, "transitioned_at": world.now, "type": "subscription"}
    }
    timing.plan(world, subscription)
    world.tell("customer.subscription.paused", subscription)
    world.signal("subscription_changed", subscription=subscription)


def resume(world: World, subscription: Obj, given: Mapping[str, Any]) -> None:
    """Resume a paused subscription: it stays paused until its invoice is paid, for 23 hours at most."""
    if subscription["status"] != "paused":
        message = f"Subscriptions with status `{subscription['status']}` cannot be resumed; it has to be `paused`."
        raise invalid(message)
    anchor = (given.get("billing_cycle_anchor") or {}).get("type", "now")
    now = world.now
    at = int(given.get("proration_date") or now)
    renewed, lines = [dict(item) for item in subscription["items"]["data"]], []
    for item in renewed:
        recurring = item["price"]["recurring"]
        cycle = (recurring["interval"], recurring["interval_count"])
        if anchor == "now":
            item["current_period_start"], item["current_period_end"] = now, periods.boundary(now, *cycle, 1)
            lines.append(billing.line(world, subscription, item))
        else:
            whole = periods.period(subscription["billing_cycle_anchor"], *cycle, now)
            item["current_period_start"], item["current_period_end"] = whole
            if given.get("proration_behavior", "create_prorations") != "none":
                lines.append(billing.stub(world, subscription, item, whole, at))
    invoice = billing.draft(world, subscription, "subscription_cycle", lines, period=(now, now))
    subscription["pending_update"] = {
        "billing_cycle_anchor": now if anchor == "now" else None,
        "expires_at": now + PENDING_UPDATE_SECONDS,
        "subscription_items": renewed,
        "trial_end": None,
        "trial_from_plan": None,
    }
    subscription["$pending"] = {
        "invoice": invoice["id"],
        "items": renewed,
        "billing_cycle_anchor": now if anchor == "now" else subscription["billing_cycle_anchor"],
        "trial_end": subscription["trial_end"],
        "status": "active",
    }
    timing.plan(world, subscription)
    billing.collect(world, invoice)
    world.tell("customer.subscription.updated", subscription)
