"""What invoices mean for their subscription: paid, failed, given up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.sandbox.assumptions import DUNNING_END
from trueup.sandbox.subscriptions import canceling, pausing, pending, timing
from trueup.sandbox.world.world import Obj, World


def paid(world: World, *, invoice: Obj) -> None:
    """An invoice was paid by any route. The latest one makes its subscription active again."""
    _owe(world, invoice, owes=False)
    subscription = _of(world, invoice)
    if subscription is None:
        return
    if pending.waits_for(subscription, invoice):
        pending.apply(world, subscription)
        return
    if subscription["latest_invoice"] != invoice["id"] or _unborn(world, subscription):
        return
    if subscription["status"] in {"past_due", "unpaid", "incomplete"}:
        _recover(world, subscription)
        _save_method(world, subscription, invoice)
        world.tell("customer.subscription.updated", subscription)


def payment_failed(world: World, *, invoice: Obj, intent: Obj | None = None) -> None:  # noqa: ARG001 - the signal's
    """An attempt failed: what is billed again is past due, what never began stays incomplete.

    What resumes with the attempt resumes as past due.
    """
    subscription = _of(world, invoice)
    if subscription is not None and pending.waits_for(subscription, invoice):
        waiting = subscription["$pending"]
        if waiting.get("resumes") and not waiting["on_success"]:
            pending.apply(world, subscription, status="past_due")
    elif (
        subscription is not None
        and not subscription.get("$settling")
        and subscription["latest_invoice"] == invoice["id"]
        and subscription["status"] == "active"
    ):
        if _first_failure(world, invoice) and world.store.meta("pause_on_first_failure", ""):
            pausing.park(world, subscription, "first_payment_failure")
        else:
            subscription["status"] = "past_due"
            world.tell("customer.subscription.updated", subscription)
    if world.cause.request is None:
        _owe(world, invoice, owes=True)


def overdue(world: World, *, invoice: Obj) -> None:
    """An invoice that was sent was not paid in time."""
    subscription = _of(world, invoice)
    if (
        subscription is not None
        and subscription["status"] == "active"
        and subscription["latest_invoice"] == invoice["id"]
    ):
        subscription["status"] = "past_due"
        world.tell("customer.subscription.updated", subscription)
    _owe(world, invoice, owes=True)


def retries_exhausted(world: World, *, invoice: Obj) -> None:
    """The last attempt failed: what the account's settings say."""
    subscription = _of(world, invoice)
    if subscription is None or subscription["status"] not in {"past_due", "active"}:
        return
    policy = world.store.meta("dunning_end", DUNNING_END)
    if policy == "pause":
        if subscription["billing_mode"]["type"] == "flexible" and not subscription["schedule"]:
            pausing.park(world, subscription, "final_payment_failure")
            return
        policy = "cancel"
    if policy == "cancel":
        canceling.end(world, subscription, reason="payment_failed")
    elif policy == "mark_unpaid":
        subscription["status"] = "unpaid"
        timing.plan(world, subscription)
        world.tell("customer.subscription.updated", subscription)


def voided(world: World, *, invoice: Obj) -> None:
    """The latest invoice no longer counts: the newest that still does says how the subscription stands."""
    subscription = _of(world, invoice)
    if subscription is None:
        return
    if pending.waits_for(subscription, invoice):
        pending.drop(world, subscription)
        return
    if subscription["latest_invoice"] != invoice["id"]:
        return
    if subscription["status"] == "incomplete":
        canceling.expire(world, subscription)
    elif subscription["status"] in {"past_due", "unpaid"} and not _stands_open(world, subscription):
        _recover(world, subscription)
        world.tell("customer.subscription.updated", subscription)


def _stands_open(world: World, subscription: Obj) -> bool:
    """Whether the newest invoice that is neither void nor a draft waits for its payment."""
    for older in world.select("invoice", parent__subscription_details__subscription=subscription["id"]):
        if older["status"] in {"paid", "open", "uncollectible"}:
            return bool(older["status"] == "open")
    return False


def uncollectible(world: World, *, invoice: Obj) -> None:
    """Giving up an invoice is the end of its debt: the subscription goes on."""
    if world.cause.request is not None:
        _owe(world, invoice, owes=False)
    subscription = _of(world, invoice)
    if subscription is None:
        return
    if pending.waits_for(subscription, invoice):
        pending.apply(world, subscription)
    elif subscription["latest_invoice"] == invoice["id"] and subscription["status"] in {"past_due", "unpaid"}:
        _recover(world, subscription)
        world.tell("customer.subscription.updated", subscription)


def _recover(world: World, subscription: Obj) -> None:
    subscription["status"] = "trialing" if _in_trial(world, subscription) else "active"
    timing.plan(world, subscription)


def _first_failure(world: World, invoice: Obj) -> bool:
    return world.cause.request is None and invoice["attempt_count"] == 1


def _of(world: World, invoice: Mapping[str, Any]) -> Obj | None:
    details = (invoice["parent"] or {}).get("subscription_details")
    subscription = world.find("subscription", details["subscription"]) if details else None
    if subscription is None or subscription.get("deleted") or subscription["status"] in timing.ENDED:
        return None
    return subscription


def _unborn(world: World, subscription: Obj) -> bool:
    """Whether the subscription is being made or changed by the very request that has its invoice paid."""
    return bool(subscription.get("$settling")) or (
        subscription["status"] == "incomplete"
        and subscription["created"] == world.now
        and not subscription.get("$timers")
    )


def _in_trial(world: World, subscription: Obj) -> bool:
    return subscription["trial_end"] is not None and subscription["trial_end"] > world.now


def _save_method(world: World, subscription: Obj, invoice: Obj) -> None:
    """``save_default_payment_method: on_subscription`` keeps what a person paid with."""
    if subscription["payment_settings"]["save_default_payment_method"] != "on_subscription":
        return
    for payment in world.select("invoice_payment", invoice=invoice["id"]):
        intent = world.find("payment_intent", payment["payment"].get("payment_intent"))
        if intent is not None and intent["status"] == "succeeded" and intent["payment_method"]:
            subscription["default_payment_method"] = intent["payment_method"]
            return


def _owe(world: World, invoice: Obj, *, owes: bool) -> None:
    """``customer.delinquent``: whether the last that came of any invoice was that Stripe was not paid in time.

    Only what Stripe tried by itself counts against the customer. Source: the description of that field.
    """
    customer = world.find("customer", invoice["customer"])
    if customer is not None and not customer.get("deleted") and customer["delinquent"] is not owes:
        customer["delinquent"] = owes
        world.tell("customer.updated", customer)
