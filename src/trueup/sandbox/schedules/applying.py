"""What a phase makes of its subscription."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.payment_methods import methods
from trueup.sandbox.schedules import extras, phases, shapes
from trueup.sandbox.schedules.redeeming import Redeeming
from trueup.sandbox.subscriptions import billing, creating, settings, timing, updating
from trueup.sandbox.subscriptions import items as subscription_items
from trueup.sandbox.subscriptions import shapes as subscription_shapes
from trueup.sandbox.wire.errors import StripeError
from trueup.sandbox.world.world import Obj, World

Terms = dict[str, Any]


def begin(world: World, schedule: Obj) -> Obj:
    """Make the subscription of a schedule's first phase; the schedule is active from here on."""
    phase = schedule["phases"][0]
    terms: Terms = {name: value for name, value in terms_of(schedule, phase).items() if value is not None}
    mode, redeems = schedule["billing_mode"], Redeeming(world, phase, schedule["customer"], None)
    terms |= {
        "billing_mode": {"type": mode["type"], **({"flexible": mode["flexible"]} if mode["flexible"] else {})},
        "currency": phase["currency"],
        "customer": schedule["customer"],
        "discounts": redeems.whole(phase),
        "items": [_item(item, redeems) for item in phase["items"]],
        "metadata": {name: value for name, value in phase["metadata"].items() if value != ""},
        "proration_behavior": phase["proration_behavior"],
        "add_invoice_items": [
            {name: one[name] for name in ("price", "quantity", "metadata")} for one in phase["add_invoice_items"]
        ],
    }
    if phase["start_date"] < world.now:
        terms["backdate_start_date"] = phase["start_date"]
    if (trial_end := phase["trial_end"]) is not None and trial_end > world.now:
        terms["trial_end"] = trial_end
    if (at := shapes.cancels_at(schedule)) is not None:
        terms["cancel_at"] = at
    _drop_lost_method(world, schedule, terms)
    schedule["status"] = "active"
    shapes.enter(schedule, phase)
    call = Call(method="POST", path="/v1/subscriptions", ids={}, params=terms)
    subscription = creating.create(world, call, schedule=schedule["id"])
    schedule["subscription"] = subscription["id"]
    return subscription


def apply(  # noqa: PLR0917 - what a phase is applied to, and what it follows
    world: World,
    schedule: Obj,
    subscription: Obj,
    phase: Obj,
    former: Obj,
    was: Mapping[str, Any],
    *,
    behavior: str,
    enters: bool,
    collect: bool = False,
) -> None:
    """Let the subscription be as ``phase`` says, where ``former`` says otherwise, and tell it.

    ``was`` are the terms of ``former`` (see ``terms_of``). ``enters`` is whether the phase begins now, so that its
    one-off items are billed and its anchor and metadata count; else the phase itself was changed, and ``behavior`` says
    who pays for that. Where all periods end now nothing is prorated, and the renewal bills what the phase says. An
    invoice that has to be made at once is paid at once where ``collect`` says so, else it is a draft for an hour.
    """
    terms = _changed_terms(schedule, phase, former, was, enters=enters)
    _drop_lost_method(world, schedule, terms)
    redeems = Redeeming(world, phase, schedule["customer"], subscription)
    if phase["discounts"] != former["discounts"]:
        terms["discounts"] = redeems.whole(phase)
    given = _changes(subscription, phase, redeems) if phase["items"] != former["items"] else []
    end = shapes.cancels_at(schedule)
    added = [one for one in phase["add_invoice_items"] if enters or one not in former["add_invoice_items"]]
    trial_end = phase["trial_end"]
    trial = trial_end is not None and trial_end > world.now and trial_end != subscription["trial_end"]
    over = all(item["current_period_end"] <= world.now for item in subscription["items"]["data"])
    anew = enters and _anew(world, schedule, phase, former)
    if over and not trial:
        if end != subscription["cancel_at"]:
            _put_end(world, subscription, end)
        _turn_over(world, subscription, terms, given, added, phase, anew=anew)
        return
    if end != subscription["cancel_at"]:
        terms["cancel_at"] = end if end is not None else ""
    if trial:
        terms["trial_end"] = trial_end
    elif not enters and subscription["status"] == "trialing" and phase["trial_end"] != former["trial_end"]:
        terms["trial_end"] = "now"
    elif anew and subscription["status"] in timing.BILLED - {"trialing"}:
        terms["billing_cycle_anchor"] = {"type": "now"}
    if given:
        terms["items"] = given
    extras.add(world, subscription, phase, added)
    if terms or added:
        terms["proration_behavior"] = "none" if over else behavior
        updating.update(world, subscription, terms, by_schedule=True, collect=collect)


def terms_of(schedule: Obj, phase: Obj) -> Terms:
    """The settings of a subscription in a phase: its own, else those of the schedule; None where neither says."""
    defaults = schedule["default_settings"]
    found: Terms = {name: phase[name] if phase[name] is not None else defaults[name] for name in shapes.SETTINGS}
    found["default_tax_rates"] = phase["default_tax_rates"] or None
    own = {name: value for name, value in (phase["invoice_settings"] or {}).items() if value is not None}
    invoice = {**defaults["invoice_settings"], **own}
    days = invoice.pop("days_until_due")
    found["days_until_due"] = days if found["collection_method"] == "send_invoice" else None
    found["invoice_settings"] = {name: value for name, value in invoice.items() if value is not None}
    return found


# --- the terms --------------------------------------------------------------------------------------------------------


def _changed_terms(schedule: Obj, phase: Obj, former: Obj, was: Mapping[str, Any], *, enters: bool) -> Terms:
    terms: Terms = {}
    for name, value in terms_of(schedule, phase).items():
        if value != was[name]:
            terms[name] = "" if value is None else value
    if terms.get("days_until_due") == "":
        del terms["days_until_due"]
    if "invoice_settings" in terms:
        gone = dict.fromkeys(was["invoice_settings"].keys() - terms["invoice_settings"].keys())
        terms["invoice_settings"] = {**gone, **terms["invoice_settings"]}
    if phase["metadata"] and (enters or phase["metadata"] != former["metadata"]):
        terms["metadata"] = phase["metadata"]
    return terms


def _drop_lost_method(world: World, schedule: Obj, terms: Terms) -> None:
    """A method that the customer no longer has is not used."""
    if named := terms.get("default_payment_method"):
        try:
            kept = methods.get(world, named, status=400)["customer"] == schedule["customer"]
        except StripeError:
            kept = False
        if not kept:
            terms["default_payment_method"] = ""


# --- items ------------------------------------------------------------------------------------------------------------


def _item(item: Obj, redeems: Redeeming, former: Obj | None = None) -> Terms:
    """An item of a phase as a request would say it; ``former`` is the item that becomes it."""
    given = {"price": item["price"], "metadata": item["metadata"], "$scheduled": True}
    if item["quantity"] is not None:
        given["quantity"] = item["quantity"]
    if former is None:
        return {**given, "discounts": redeems.of_item(item, None)} if item["discounts"] else given
    gone = dict.fromkeys(former["metadata"].keys() - item["metadata"].keys(), "")
    given |= {"id": former["id"], "metadata": {**gone, **item["metadata"]}}
    if item["discounts"] or former["discounts"]:
        given["discounts"] = redeems.of_item(item, former)
    if item["quantity"] is None and former["quantity"] is not None:
        given["quantity"] = None
    return given


def _changes(subscription: Obj, phase: Obj, redeems: Redeeming) -> list[Terms]:
    """What makes a phase's items of the subscription's, as a request would say.

    An item stays for its price. The others change their price in their order; what is left over goes or comes.
    """
    held = {item["price"]["id"]: item for item in subscription["items"]["data"]}
    named = {item["price"] for item in phase["items"]}
    spare = [item for price, item in held.items() if price not in named]
    given = [
        _item(item, redeems, held.get(item["price"]) or (spare.pop(0) if spare else None)) for item in phase["items"]
    ]
    return [{"id": item["id"], "deleted": True} for item in spare] + given


def _anew(world: World, schedule: Obj, phase: Obj, former: Obj) -> bool:
    """Whether the billing cycle begins with the phase: it says so, or its items have other intervals."""
    anchor = phase["billing_cycle_anchor"] or schedule["default_settings"]["billing_cycle_anchor"]
    return anchor == "phase_start" or not set(phases.cycles_of(world, phase)) <= set(phases.cycles_of(world, former))


def _turn_over(  # noqa: PLR0917 - private, and called once
    world: World, subscription: Obj, terms: Terms, given: list[Terms], added: list[Obj], phase: Obj, *, anew: bool
) -> None:
    """Change a subscription whose periods all end now, before it renews."""
    now = world.now
    start = min(item["current_period_start"] for item in subscription["items"]["data"])
    call = Call(method="POST", path="", ids={}, params=terms)
    settings.put(world, subscription, call)
    if given:
        found = subscription_items.changed(world, subscription, given, lambda _price, _item=None: (start, now))
        subscription_shapes.put_items(subscription, found)
    if "discounts" in terms:
        worth = billing.worth(world, subscription)
        settings.put_discounts(world, subscription, terms["discounts"], amount=worth)
    if anew:
        subscription["billing_cycle_anchor"] = now
    extras.add(world, subscription, phase, added)
    timing.plan(world, subscription)
    world.tell("customer.subscription.updated", subscription)
    world.signal("subscription_changed", subscription=subscription)


def _put_end(world: World, subscription: Obj, end: int | None) -> None:
    """Set or clear ``cancel_at`` of a subscription whose periods all end now."""
    reason = None if end is None else "cancellation_requested"
    subscription |= {
        "cancel_at": end,
        "cancel_at_period_end": False,
        "canceled_at": None if end is None else world.now,
        "cancellation_details": {**subscription["cancellation_details"], "reason": reason},
    }
