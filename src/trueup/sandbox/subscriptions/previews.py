"""Previews: the change is made, its invoice taken, and everything undone."""

from __future__ import annotations

from typing import Any, Final

from trueup.sandbox.answers.calls import Call, Instead
from trueup.sandbox.invoices import requests
from trueup.sandbox.invoices.preview import add_items, shown
from trueup.sandbox.subscriptions import billing, changes, creating, cycling, pausing, timing, updating
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.world import Obj, World


def preview(world: World, *, call: Call, customer: Obj | None) -> None:
    """Listens to ``POST /v1/invoices/create_preview``: answers with the invoice that would be, and undoes everything.

    Of a subscription that is to be changed it is the invoice that the change makes at once, else the next renewal's
    with what is pending then. Schedules are answered by their own package.
    """
    if call.value("schedule") or call.value("schedule_details"):
        return
    details = dict(call.value("subscription_details") or {})
    named = call.value("subscription")
    if named is None:
        invoice = _new(world, customer, call, details)
    else:
        subscription = world.get("subscription", named, param="subscription")
        world.follow(subscription)
        if customer is not None and subscription["customer"] != customer["id"]:
            message = f"The subscription {named} does not belong to the customer {customer['id']}."
            raise invalid(message, param="subscription")
        owner = world.get("customer", subscription["customer"])
        add_items(world, call, owner)
        invoice = _changed(world, subscription, details)
        if call.given("discounts"):
            requests.discount(world, invoice, call.params.get("discounts"), owner)
    raise Instead(shown(invoice))


def _changed(world: World, subscription: Obj, details: dict[str, Any]) -> Obj:
    """The invoice that a change makes at once, or the next renewal after it."""
    if details.pop("cancel_now", False):
        return _ended(world, subscription)
    before = subscription["latest_invoice"]
    if (pause := details.pop("pause", None)) is not None:
        pausing.pause(world, subscription, pause, collect=False)
        if subscription["latest_invoice"] == before:
            raise _nothing(subscription)
    elif details.pop("resume_at", None) is not None:
        pausing.resume(world, subscription, details, collect=False)
        if subscription["latest_invoice"] == before:
            raise _nothing(subscription)
    elif details:
        updating.update(world, subscription, {**details, "payment_behavior": "default_incomplete"}, collect=False)
    if subscription["latest_invoice"] != before:
        return world.get("invoice", subscription["latest_invoice"])
    return _renewal(world, subscription)


def _nothing(subscription: Obj) -> StripeError:
    message = f"No upcoming invoices for customer: {subscription['customer']}"
    return StripeError(message, status=404, code="invoice_upcoming_none", param="customer")


_OF_CHANGES: Final = frozenset(
    {"billing_cycle_anchor", "cancel_now", "pause", "proration_date", "resume_at", "start_date"}
)


def _new(world: World, customer: Obj | None, call: Call, details: dict[str, Any]) -> Obj:
    """The first invoice of a subscription that a request describes."""
    if customer is None:
        message = "Missing required param: customer."
        raise invalid(message, param="customer", code="parameter_missing")
    params = {
        **{name: value for name, value in details.items() if name not in _OF_CHANGES},
        "customer": customer["id"],
    }
    if (anchor := details.get("billing_cycle_anchor") or {}).get("type") == "timestamp":
        params["billing_cycle_anchor"] = anchor.get("timestamp")
    if details.get("start_date") is not None and details["start_date"] < world.now:
        params["backdate_start_date"] = details["start_date"]
    for name in ("discounts", "currency"):
        if call.value(name):
            params[name] = call.value(name)
    add_items(world, call, customer)
    made = creating.create(world, Call(method="POST", path="", ids={}, params=params), collect=False)
    return world.get("invoice", made["latest_invoice"])


def _ended(world: World, subscription: Obj) -> Obj:
    for item in subscription["items"]["data"]:
        changes.credit(world, subscription, item, world.now)
    start = min(item["current_period_start"] for item in subscription["items"]["data"])
    return billing.draft(world, subscription, "upcoming", (), period=(start, world.now))


def _renewal(world: World, subscription: Obj) -> Obj:
    """The invoice of the next renewal. Raises Stripe's 404 where there is none."""
    if subscription["status"] in {*timing.ENDED, "paused"}:
        raise _nothing(subscription)
    due = subscription["trial_end"] if subscription["status"] == "trialing" else timing.ends(subscription)
    ends = subscription["cancel_at"] is not None and subscription["cancel_at"] <= due
    if ends and not billing.has_pending(world, subscription):
        raise _nothing(subscription)
    if ends:
        start = min(item["current_period_start"] for item in subscription["items"]["data"])
        return billing.draft(world, subscription, "upcoming", (), period=(start, due), auto_advance=False, at=due)
    return cycling.next_invoice(world, subscription, due)
