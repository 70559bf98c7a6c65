"""Dunning: when a payment that failed is tried again, and when it is given up."""

from __future__ import annotations

import json
from typing import Any, Final

from trueup.sandbox.assumptions import HARD_DECLINES, RETRY_DAYS
from trueup.sandbox.world.world import Obj, World

_DAY: Final = 86_400


def days(world: World) -> tuple[int, ...]:
    """Days after the first failure at which payment is tried again: the account's ``retry_policy`` (JSON), or ours."""
    kept = world.store.meta("retry_policy", "")
    return tuple(json.loads(kept)) if kept else RETRY_DAYS


def failed(world: World, invoice: Obj, error: Obj | None, method: str | None) -> None:
    """Note a failure and plan the next attempt. ``error`` is the intent's, ``method`` the id of what was charged.

    The first failure begins the schedule. A decline that is final (``HARD_DECLINES``) bars its method.
    """
    code = (error or {}).get("decline_code") or (error or {}).get("code")
    invoice["$barred"] = method if code in HARD_DECLINES else None
    if not retried(invoice):
        invoice["next_payment_attempt"] = None
        return
    if "$failed_first" not in invoice:
        invoice["$failed_first"] = world.now
        invoice["$retries"] = 0
    plan(world, invoice)


def retried(invoice: Obj) -> bool:
    """Whether Stripe tries again by itself: not what does not advance, nor a subscription's first payment.

    The first payment of a subscription that a schedule began (``$waited``) is tried again: that is active without it.
    """
    return bool(
        invoice["auto_advance"]
        and invoice["collection_method"] == "charge_automatically"
        and (invoice["billing_reason"] != "subscription_create" or invoice.get("$waited"))
    )


def plan(world: World, invoice: Obj) -> None:
    """Set the next attempt, the first of the schedule that is yet to come; none where it is over."""
    schedule, used = days(world), invoice["$retries"]
    while used < len(schedule) and invoice["$failed_first"] + schedule[used] * _DAY <= world.now:
        used += 1
    invoice["$retries"] = used
    if used < len(schedule):
        invoice["next_payment_attempt"] = invoice["$failed_first"] + schedule[used] * _DAY
        world.schedule(invoice["next_payment_attempt"], "retry", invoice["id"])
    else:
        invoice["next_payment_attempt"] = None
        world.unschedule("retry", invoice["id"])


def exhausted(invoice: Obj) -> bool:
    """Whether the schedule was begun and is over."""
    return "$failed_first" in invoice and invoice["next_payment_attempt"] is None


def stop(world: World, invoice: Obj) -> None:
    """Try no more; harmless where nothing was planned."""
    invoice["next_payment_attempt"] = None
    world.unschedule("retry", invoice["id"])


def barred(invoice: Obj, method: dict[str, Any] | None) -> bool:
    """Whether a method must not be charged again for this invoice."""
    return method is not None and invoice.get("$barred") == method["id"]
