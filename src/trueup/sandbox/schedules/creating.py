"""How a schedule comes to be: with the subscription that it will make, or for one that there is."""

from __future__ import annotations

from typing import Any, Final

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.schedules import phases, running, shapes, spans
from trueup.sandbox.subscriptions import timing
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

_ALONE: Final = ("billing_mode", "customer", "default_settings", "end_behavior", "phases", "start_date")


def create(world: World, call: Call) -> Obj:
    """Make a schedule, and begin it where its start has come. Raises Stripe's 400s."""
    refuse_pauses(call)
    if named := call.value("from_subscription"):
        for name in _ALONE:
            if call.given(name):
                message = f"You cannot set `{name}` if `from_subscription` is set."
                raise invalid(message, param=name)
        subscription = world.get("subscription", named, param="from_subscription")
        world.follow(subscription)
        return from_subscription(world, subscription, call.value("metadata"))
    if not call.value("customer"):
        message = "You must provide one of `customer` or `from_subscription`."
        raise invalid(message, param="customer", code="parameter_missing")
    customer = world.get("customer", call.value("customer"), param="customer")
    world.follow(customer)
    if not call.value("phases"):
        message = "Missing required param: phases."
        raise invalid(message, param="phases", code="parameter_missing")
    place = world.place()
    schedule = shapes.schedule(world, customer, {"metadata": metadata({}, call.value("metadata"))})
    _put_mode(world, schedule, call.value("billing_mode"))
    if end := call.value("end_behavior"):
        schedule["end_behavior"] = end
    if given := call.value("default_settings"):
        put_defaults(world, schedule, given, customer)
    begin = spans.moment(call.value("start_date", "now"), world.now, "start_date")
    terms = phases.Terms(customer=customer, mode=schedule["billing_mode"], defaults=schedule["default_settings"])
    schedule["phases"] = phases.read(world, call.value("phases"), terms, begin=begin, anchor=begin)
    check_ahead(world, schedule)
    _put_currency(customer, schedule["phases"][0]["currency"])
    if begin <= world.now:
        running.begin(world, schedule)
    else:
        running.plan(world, schedule)
    world.tell("subscription_schedule.created", schedule, place=place)
    return schedule


def from_subscription(world: World, subscription: Obj, given_metadata: Any = None) -> Obj:
    """A schedule of one phase, the current period, for a subscription that goes on as it is. Raises Stripe's 400s."""
    if subscription["schedule"]:
        message = (
            f"You cannot migrate a subscription that is already attached to a schedule: `{subscription['schedule']}`."
        )
        raise invalid(message, param="from_subscription")
    if subscription["status"] in timing.ENDED or subscription["status"] == "incomplete":
        message = f"You cannot migrate a subscription that is in the `{subscription['status']}` status."
        raise invalid(message, param="from_subscription")
    customer = world.get("customer", subscription["customer"])
    schedule = shapes.schedule(world, customer, {"metadata": metadata({}, given_metadata)})
    schedule["billing_mode"] = dict(subscription["billing_mode"])
    defaults = schedule["default_settings"]
    for name in shapes.SETTINGS:
        defaults[name] = subscription[name]
    defaults["invoice_settings"] |= {
        **subscription["invoice_settings"],
        "days_until_due": subscription["days_until_due"],
    }
    schedule["phases"] = [_present(world, subscription)]
    if subscription["cancel_at"] is not None:
        schedule["end_behavior"] = "cancel"
    schedule |= {"status": "active", "subscription": subscription["id"]}
    shapes.enter(schedule, schedule["phases"][0])
    running.plan(world, schedule)
    subscription["schedule"] = schedule["id"]
    world.tell("subscription_schedule.created", schedule)
    world.tell("customer.subscription.updated", subscription)
    return schedule


def put_defaults(world: World, schedule: Obj, given: Any, customer: Obj) -> None:
    """Lay a request's ``default_settings`` over a schedule's. Raises Stripe's 400s."""
    kept = schedule["default_settings"]
    found = {**kept, **phases.put_settings(world, given, customer, "default_settings")}
    if anchor := given.get("billing_cycle_anchor"):
        found["billing_cycle_anchor"] = anchor
    found["collection_method"] = found["collection_method"] or "charge_automatically"
    if invoice := given.get("invoice_settings"):
        found["invoice_settings"] = shapes.invoice_settings(invoice, kept["invoice_settings"])
    schedule["default_settings"] = found


def check_ahead(world: World, schedule: Obj) -> None:
    """Raise Stripe's 400 where a schedule's first phase that counts is over."""
    first = shapes.current(schedule) or schedule["phases"][0]
    if first["end_date"] < world.now or (schedule["status"] == "not_started" and first["end_date"] <= world.now):
        message = f"The end date of the current phase must be in the future: {first['end_date']} is in the past."
        raise invalid(message, param="phases[0][end_date]")


def refuse_pauses(call: Call) -> None:
    """Raise a 400 that says so: pauses cannot be scheduled here."""
    if call.value("pause_schedules"):
        message = "This sandbox does not know `pause_schedules`. Pause the subscription when it is time."
        raise invalid(message, param="pause_schedules")


def _present(world: World, subscription: Obj) -> Obj:
    """What a subscription is now, as a phase."""
    trial = subscription["status"] == "trialing"
    start = min(item["current_period_start"] for item in subscription["items"]["data"])
    end = subscription["cancel_at"] or (subscription["trial_end"] if trial else timing.ends(subscription))
    return shapes.phase(
        {
            "currency": subscription["currency"],
            "default_tax_rates": list(subscription["default_tax_rates"] or []),
            "discounts": _running(subscription["discounts"]),
            # A subscription that is paused or was never paid has periods that are over.
            "end_date": max(end, world.now + 1),
            "items": [
                shapes.item(
                    item["price"]["id"],
                    item["quantity"],
                    billing_thresholds=item["billing_thresholds"],
                    discounts=_running(item["discounts"]),
                    metadata=dict(item["metadata"]),
                )
                for item in subscription["items"]["data"]
            ],
            "start_date": start,
            "trial_end": subscription["trial_end"] if trial else None,
        }
    )


def _running(names: list[str]) -> list[Obj]:
    return [{"coupon": None, "discount": name, "promotion_code": None} for name in names]


def _put_mode(world: World, schedule: Obj, mode: Any) -> None:
    if mode and mode["type"] == "classic":
        schedule["billing_mode"] = {"flexible": None, "type": "classic", "updated_at": None}
    elif mode:
        shown = (mode.get("flexible") or {}).get("proration_discounts", "included")
        schedule["billing_mode"] = {
            "flexible": {"proration_discounts": shown},
            "type": "flexible",
            "updated_at": world.now,
        }


def _put_currency(customer: Obj, currency: str) -> None:
    if customer["currency"] not in {None, currency}:
        message = (
            "You cannot combine currencies on a single customer. This customer has an active subscription, "
            f"subscription schedule, discount, quote, or invoice item with currency {customer['currency']}"
        )
        raise invalid(message)
    customer["currency"] = currency
