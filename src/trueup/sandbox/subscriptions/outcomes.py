"""What invoices mean for their subscription: paid, failed, given up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.sandbox.assumptions import DUNNING_END
from trueup.sandbox.subscriptions import canceling, pending, timing
from trueup.sandbox.world.world import Obj, World


def paid(world: World, *, invoice: Obj) -> None:
    """An invoice was paid by any route. The latest one makes its subscription active again."""
    subscription = _of(world, invoice)
    if subscription is None:
        return
    _owe(world, subscription, owes=False)
    if (subscription.get("$pending") or {}).get("invoice") == invoice["id"]:
        pending.apply(world, subscription)
        return
    if subscription["latest_invoice"] != invoice["id"] or _unborn(world, subscription):
        return
    if subscription["status"] in {"past_due", "unpaid", "incomplete"}:
        subscription["status"] = "trialing" if _in_trial(world, subscription) else "active"
        timing.plan(world, subscription)
        _save_method(world, subscription, invoice)
        world.tell("customer.subscription.updated", subscription)


def payment_failed(world: World, *, invoice: Obj, intent: Obj | None = None) -> None:  # noqa: ARG001 - the signal's
    """An attempt failed: what is billed again is past due, what never began stays incomplete."""
    subscription = _of(world, invoice)
    if subscription is None:
        return
    if invoice["billing_reason"] != "subscription_create":
        _owe(world, subscription, owes=True)
    if (subscription.get("$pending") or {}).get("invoice") == invoice["id"] or subscription.get("$settling"):
        return
    if subscription["latest_invoice"] == invoice["id"] and subscription["status"] == "active":
        subscription["status"] = "past_due"
        world.tell("customer.subscription.updated", subscription)


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


def retries_exhausted(world: World, *, invoice: Obj) -> None:
    """The last attempt failed: what the account's settings say."""
    subscription = _of(world, invoice)
    if subscription is None or subscription["status"] not in {"past_due", "active"}:
        return
    policy = world.store.meta("dunning_end", DUNNING_END)
    if policy == "cancel":
        canceling.end(world, subscription, reason="payment_failed")
    elif policy == "mark_unpaid":
        subscription["status"] = "unpaid"
        timing.plan(world, subscription)
        world.tell("customer.subscription.updated", subscription)


def voided(world: World, *, invoice: Obj) -> None:
    """The latest invoice no longer counts: the one before it says how the subscription stands."""
    subscription = _of(world, invoice)
    if (
        subscription is None
        or subscription["status"] in timing.ENDED
        or subscription["latest_invoice"] != invoice["id"]
    ):
        return
    if subscription["status"] == "incomplete":
        canceling.expire(world, subscription)
        return
    if subscription["status"] not in {"past_due", "unpaid"}:
        return
    for older in world.select("invoice", parent__subscription_details__subscription=subscription["id"]):
        if older["id"] != invoice["id"] and older["status"] in {"paid", "open", "uncollectible"}:
            if older["status"] != "open":
                subscription["status"] = "active"
            break
    else:
        subscription["status"] = "active"
    if subscription["status"] == "active":
        _owe(world, subscription, owes=False)
        timing.plan(world, subscription)
        world.tell("customer.subscription.updated", subscription)


def uncollectible(world: World, *, invoice: Obj) -> None:
    """Giving up an invoice is the end of its debt: the subscription goes on."""
    subscription = _of(world, invoice)
    if (
        subscription is not None
        and subscription["latest_invoice"] == invoice["id"]
        and subscription["status"] in {"past_due", "unpaid"}
    ):
        subscription["status"] = "active"
        timing.plan(world, subscription)
        world.tell("customer.subscription.updated", subscription)


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


def _owe(world: World, subscription: Obj, *, owes: bool) -> None:
    """``customer.delinquent``: whether the latest invoice's payment failed."""
    customer = world.get("customer", subscription["customer"])
    if customer["delinquent"] is not owes:
        customer["delinquent"] = owes
        world.tell("customer.updated", customer)
