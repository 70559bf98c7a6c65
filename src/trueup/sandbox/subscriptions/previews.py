"""Previews: the change is made, its invoice taken, and everything undone."""

from __future__ import annotations

from typing import Any

from trueup.sandbox.answers.calls import Call, Instead
from trueup.sandbox.invoices.preview import add_items, shown
from trueup.sandbox.subscriptions import billing, changes, creating, cycling, pausing, timing, updating
from trueup.sandbox.wire.errors import invalid
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
        add_items(world, call, world.get("customer", subscription["customer"]))
        invoice = _changed(world, subscription, details)
    raise Instead(shown(invoice))


def _changed(world: World, subscription: Obj, details: dict[str, Any]) -> Obj:
    if details.pop("cancel_now", False):
        return _ended(world, subscription)
    before = subscription["latest_invoice"]
    resumes = details.pop("resume_at", None)
    if resumes is not None and subscription["status"] == "paused":
        pausing.resume(world, subscription, {})
    elif details:
        updating.update(world, subscription, details, collect=False)
    if subscription["latest_invoice"] != before:
        return world.get("invoice", subscription["latest_invoice"])
    return _renewal(world, subscription)


def _new(world: World, customer: Obj | None, call: Call, details: dict[str, Any]) -> Obj:
    if customer is None:
        message = "Missing required param: customer."
        raise invalid(message, param="customer", code="parameter_missing")
    params = {
        **{name: value for name, value in details.items() if name not in {"cancel_now", "proration_date", "resume_at"}},
        "customer": customer["id"],
    }
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
    """The invoice of the next renewal."""
    if subscription["status"] in timing.ENDED:
        message = "No upcoming invoices for customer: " + str(subscription["customer"])
        raise invalid(message, code="invoice_upcoming_none")
    due = subscription["trial_end"] if subscription["status"] == "trialing" else timing.ends(subscription)
    if (
        subscription["cancel_at"] is not None
        and subscription["cancel_at"] <= due
        and not billing.has_pending(world, subscription)
    ):
        message = "No upcoming invoices for customer: " + str(subscription["customer"])
        raise invalid(message, code="invoice_upcoming_none")
    return cycling.next_invoice(world, subscription, due)
