"""Pauses: of collection only, and of the subscription itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.assumptions import PENDING_UPDATE_SECONDS, RESUME_SECONDS
from trueup.sandbox.invoices import finalizing
from trueup.sandbox.subscriptions import billing, changes, failures, pending, periods, shapes, timing
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


def pause(world: World, subscription: Obj, given: Mapping[str, Any], *, collect: bool = True) -> None:
    """Pause a subscription: unused time is credited as asked, nothing is billed until it is resumed.

    Without ``collect`` the invoice stays a draft, for previews. Raises Stripe's 400s for those that cannot pause.
    Source: https://docs.stripe.com/billing/subscriptions/pause
    """
    _check_pause(subscription)
    unused = ((given.get("bill_for") or {}).get("unused_time_from") or {}).get("type", "now")
    if unused != "none":
        for item in subscription["items"]["data"]:
            at = world.now if unused == "now" else item["current_period_start"]
            changes.credit(world, subscription, item, at)
    start = min(item["current_period_start"] for item in subscription["items"]["data"])
    shapes.put_items(
        subscription, [{**item, "current_period_end": world.now} for item in subscription["items"]["data"]]
    )
    subscription.pop("$pending", None)
    subscription["pending_update"] = None
    if given.get("invoicing_behavior") == "invoice" and billing.has_pending(world, subscription):
        invoice = billing.draft(world, subscription, "subscription_update", (), period=(start, world.now))
        if collect:
            billing.collect(world, invoice)
    park(world, subscription, "pause_requested")


def _check_pause(subscription: Obj) -> None:
    if subscription["status"] not in {"active", "past_due", "unpaid"}:
        message = f"Subscriptions with status `{subscription['status']}` cannot be paused."
        raise invalid(message)
    if subscription["billing_mode"]["type"] != "flexible":
        message = "Only subscriptions with `billing_mode[type]=flexible` can be paused."
        raise invalid(message)
    if subscription["collection_method"] != "charge_automatically":
        message = "Only subscriptions with `collection_method=charge_automatically` can be paused."
        raise invalid(message)
    if subscription["schedule"]:
        message = "Subscriptions with an attached schedule cannot be paused."
        raise invalid(message)


def park(world: World, subscription: Obj, why: str) -> None:
    """Let a subscription be ``paused`` and tell it. ``why`` is one of ``status_details.paused.subscription.type``."""
    subscription["status"] = "paused"
    subscription["status_details"] = {
        "paused": {"subscription": {"type": why}, "transitioned_at": world.now, "type": "subscription"}
    }
    timing.plan(world, subscription)
    world.tell("customer.subscription.updated", subscription)
    world.tell("customer.subscription.paused", subscription)
    world.signal("subscription_changed", subscription=subscription)


def resume(world: World, subscription: Obj, given: Mapping[str, Any], *, collect: bool = True) -> None:
    """Resume a paused subscription: at once where nothing is to be billed, else when its invoice is paid.

    With ``resume_on_payment_attempt`` nothing is charged here and a payment that fails resumes it as ``past_due``; with
    ``resume_on_payment_success`` it is charged now, and again by the schedule of retries. Without ``collect`` the
    invoice stays a draft, for previews. Raises Stripe's 400s.
    Source: https://docs.stripe.com/billing/subscriptions/pause#payment-behavior
    """
    on_success = given.get("payment_behavior") == "resume_on_payment_success"
    _check_resume(world, subscription, on_success=on_success)
    now = world.now
    anew = (given.get("billing_cycle_anchor") or {}).get("type", "now") == "now"
    anchor = now if anew else subscription["billing_cycle_anchor"]
    renewed = [_period(item, anchor, now) for item in subscription["items"]["data"]]
    lines = _lines(world, {**subscription, "billing_cycle_anchor": anchor}, renewed, given, anew=anew)
    subscription["$pending"] = {
        "invoice": None,
        "resumes": True,
        "on_success": on_success,
        "items": renewed,
        "billing_cycle_anchor": anchor,
        "trial_end": subscription["trial_end"],
        "status": "active",
    }
    if not lines and not (anew and billing.has_pending(world, subscription)):
        pending.apply(world, subscription)
        return
    subscription["pending_update"] = {
        "billing_cycle_anchor": now if anew else None,
        "expires_at": now + (RESUME_SECONDS if on_success else PENDING_UPDATE_SECONDS),
        "subscription_items": renewed,
        "trial_end": None,
        "trial_from_plan": None,
    }
    invoice = billing.draft(
        world, subscription, "subscription_cycle", lines, period=(now, now), auto_advance=on_success
    )
    subscription["$pending"]["invoice"] = invoice["id"]
    timing.plan(world, subscription)
    if not collect:
        return
    if on_success:
        billing.collect(world, invoice)
    else:
        finalizing.finalize(world, invoice)
    world.tell("customer.subscription.updated", subscription)


def _check_resume(world: World, subscription: Obj, *, on_success: bool) -> None:
    if subscription["status"] != "paused":
        message = f"Subscriptions with status `{subscription['status']}` cannot be resumed; it has to be `paused`."
        raise invalid(message)
    if subscription["collection_method"] != "charge_automatically":
        message = "Only subscriptions with `collection_method=charge_automatically` can be resumed."
        raise invalid(message)
    if subscription["pending_update"]:
        message = "This subscription is being resumed already: its invoice has to be paid."
        raise invalid(message)
    if on_success and subscription["billing_mode"]["type"] != "flexible":
        message = "`resume_on_payment_success` is only available with `billing_mode[type]=flexible`."
        raise invalid(message, param="payment_behavior")
    if on_success and billing.method(world, subscription) is None:
        raise failures.no_method()


def _period(item: Obj, anchor: int, now: int) -> Obj:
    recurring = item["price"]["recurring"]
    start, end = periods.period(anchor, recurring["interval"], recurring["interval_count"], now)
    return {**item, "current_period_start": start, "current_period_end": end}


def _lines(world: World, subscription: Obj, renewed: list[Obj], given: Mapping[str, Any], *, anew: bool) -> list[Obj]:
    """What resuming bills: whole periods from now on, or what is left of those that the anchor gives."""
    if anew:
        found = [billing.line(world, subscription, item) for item in renewed]
    elif given.get("proration_behavior", "create_prorations") == "none":
        found = []
    else:
        at = int(given.get("proration_date") or world.now)
        found = [
            billing.part(
                world,
                subscription,
                item,
                (item["current_period_start"], item["current_period_end"]),
                (max(at, item["current_period_start"]), item["current_period_end"]),
            )
            for item in renewed
        ]
    return [line for line in found if line is not None]
