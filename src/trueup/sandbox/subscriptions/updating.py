"""Changing a subscription: what is set, what it costs, and what becomes of it where the payment fails."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.assumptions import FIXED_WHILE_INCOMPLETE, PENDING_UPDATE_SECONDS
from trueup.sandbox.invoices import finalizing
from trueup.sandbox.subscriptions import (
    billing,
    creating,
    cycling,
    failures,
    pausing,
    rebilling,
    settings,
    shapes,
    timing,
)
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

_ENDING: Final = frozenset({"cancel_at", "cancel_at_period_end"})
_SCHEDULED: Final = _ENDING | {"items", "trial_end"}
_FREE_WHEN_CANCELED: Final = frozenset({"metadata", "cancellation_details"})
_PENDING: Final = frozenset(
    "expand payment_behavior proration_behavior proration_date billing_cycle_anchor items trial_end trial_from_plan"
    " add_invoice_items off_session discounts metadata cancel_at_period_end".split()
)


def update(
    world: World, subscription: Obj, given: Mapping[str, Any], *, by_schedule: bool = False, collect: bool = True
) -> Obj:
    """Change a subscription as ``POST /v1/subscriptions/{id}`` does with these parameters.

    ``by_schedule`` is for the schedule that manages it. Without ``collect`` the invoice stays a draft. Raises Stripe's
    400s; 402 for ``error_if_incomplete``, where everything is undone by the caller.
    """
    call = Call(method="POST", path="", ids={}, params=given)
    _check(subscription, call, by_schedule=by_schedule)
    behavior = call.value("payment_behavior", "allow_incomplete")
    shapes.refresh(world, subscription)
    former = copy.deepcopy(subscription)
    settings.put(world, subscription, call)
    if call.given("discounts"):
        worth = billing.worth(world, subscription)
        settings.put_discounts(world, subscription, call.value("discounts"), amount=worth)
    pausing.put_collection(subscription, call)
    _put_end(world, subscription, call)
    if details := call.value("cancellation_details"):
        kept = subscription["cancellation_details"]
        subscription["cancellation_details"] = {**kept, **{name: value or None for name, value in details.items()}}
    customer = world.get("customer", subscription["customer"])
    for index, one in enumerate(call.value("add_invoice_items") or []):
        creating.add_item(world, customer, subscription, one, f"add_invoice_items[{index}]")
    invoice = rebilling.rebill(world, subscription, former, call)
    if invoice is not None and invoice["status"] == "draft" and collect:
        _collect(world, subscription, former, invoice, behavior, off_session=bool(call.value("off_session")))
    timing.plan(world, subscription)
    world.tell("customer.subscription.updated", subscription)
    cycling.notice(world, subscription)
    world.signal("subscription_changed", subscription=subscription)
    return subscription


def _check(subscription: Obj, call: Call, *, by_schedule: bool) -> None:
    if subscription["status"] in timing.ENDED and set(call.params) - _FREE_WHEN_CANCELED:
        message = (
            "A canceled subscription can only update its cancellation_details and metadata."
            if subscription["status"] == "canceled"
            else "An incomplete_expired subscription can only update its metadata."
        )
        raise invalid(message, code="invalid_canceled_subscription_fields")
    if subscription["status"] == "incomplete" and (fixed := FIXED_WHILE_INCOMPLETE & set(call.params)):
        message = (
            f"You cannot update {', '.join(sorted(fixed))} of a subscription whose status is `incomplete`: its first "
            "invoice has to be paid before."
        )
        raise invalid(message, param=min(fixed))
    if subscription["schedule"] and not by_schedule and (sent := _SCHEDULED & set(call.params)):
        what = "cancelation behavior" if sent & _ENDING else "scheduled fields"
        message = (
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and updating any "
            f"{what} directly is not allowed. Please update the schedule instead."
        )
        raise invalid(message)
    if call.value("payment_behavior") == "pending_if_incomplete":
        other = sorted(set(call.params) - _PENDING)
        if other:
            message = (
                "When `payment_behavior` is set to `pending_if_incomplete`, you can only pass supported params. You "
                f"passed unsupported param(s): {', '.join(other)}."
            )
            raise invalid(message, param="payment_behavior")
        if subscription["collection_method"] != "charge_automatically":
            message = "`payment_behavior` can only be set when `collection_method` is `charge_automatically`."
            raise invalid(message, param="payment_behavior")


def _put_end(world: World, subscription: Obj, call: Call) -> None:
    """``cancel_at_period_end`` and ``cancel_at``, and taking them back."""
    if call.value("cancel_at_period_end") is not None and call.value("cancel_at") is not None:
        message = "You may only specify one of these parameters: cancel_at_period_end, cancel_at."
        raise invalid(message, param="cancel_at_period_end")
    at: int | None = subscription["cancel_at"]
    if call.given("cancel_at"):
        asked = call.value("cancel_at")
        if asked in {"min_period_end", "max_period_end", "max_billed_until"}:
            choose = min if asked == "min_period_end" else max
            asked = choose(item["current_period_end"] for item in subscription["items"]["data"])
        if asked is not None and asked <= world.now:
            message = "The timestamp for `cancel_at` must be in the future."
            raise invalid(message, param="cancel_at")
        at, subscription["cancel_at_period_end"] = asked, False
    elif call.given("cancel_at_period_end"):
        asked_end = bool(call.value("cancel_at_period_end"))
        if asked_end:
            at = timing.ends(subscription)
        elif subscription["cancel_at_period_end"]:
            at = None
        subscription["cancel_at_period_end"] = asked_end
    if at == subscription["cancel_at"]:
        return
    subscription["cancel_at"] = at
    subscription["canceled_at"] = None if at is None else world.now
    kept = subscription["cancellation_details"]
    subscription["cancellation_details"] = (
        {**kept, "reason": "cancellation_requested"} if at is not None else dict.fromkeys(kept)
    )


# --- payment ----------------------------------------------------------------------------------------------------------


def _collect(world: World, subscription: Obj, former: Obj, invoice: Obj, behavior: str, *, off_session: bool) -> None:
    """Have the invoice of a change paid, as ``payment_behavior`` says."""
    if subscription["collection_method"] != "charge_automatically":
        return
    if behavior == "default_incomplete" and invoice["amount_due"]:
        finalizing.finalize(world, invoice)
        _owes(subscription)
        return
    if invoice["amount_due"] and billing.method(world, subscription) is None and behavior == "error_if_incomplete":
        raise failures.no_method()
    waits = behavior == "pending_if_incomplete"
    subscription["$settling"] = True
    billing.collect(world, invoice, off_session=off_session)
    subscription.pop("$settling", None)
    if invoice["status"] == "paid":
        return
    if behavior == "error_if_incomplete":
        raise failures.refusal(world, invoice)
    if waits:
        _wait(world, subscription, former, invoice)
    else:
        _owes(subscription)


def _owes(subscription: Obj) -> None:
    if subscription["status"] in {"active", "trialing"}:
        subscription["status"] = "past_due"


def _wait(world: World, subscription: Obj, former: Obj, invoice: Obj) -> None:
    """Take the change back until its invoice is paid, or until the period that it is about is over."""
    latest = world.now + PENDING_UPDATE_SECONDS
    pending = {
        "billing_cycle_anchor": subscription["billing_cycle_anchor"]
        if subscription["billing_cycle_anchor"] != former["billing_cycle_anchor"]
        else None,
        # The period of a paused subscription may be over.
        "expires_at": min(latest, ends) if (ends := timing.ends(former)) > world.now else latest,
        "subscription_items": subscription["items"]["data"],
        "trial_end": subscription["trial_end"] if subscription["trial_end"] != former["trial_end"] else None,
        "trial_from_plan": None,
    }
    subscription["pending_update"] = pending
    subscription["$pending"] = {
        "invoice": invoice["id"],
        "items": subscription["items"]["data"],
        "billing_cycle_anchor": subscription["billing_cycle_anchor"],
        "trial_end": subscription["trial_end"],
        "status": subscription["status"],
        "debited": subscription.get("$debited"),
    }
    subscription["$debited"] = former.get("$debited", {})
    shapes.put_items(subscription, former["items"]["data"])
    for name in ("billing_cycle_anchor", "trial_end", "status"):
        subscription[name] = former[name]
