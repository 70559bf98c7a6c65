"""How a subscription begins: its terms, its first invoice, and what comes of the first payment."""

from __future__ import annotations

from typing import Any, Final

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.assumptions import SCHEDULED_INVOICES_WAIT
from trueup.sandbox.catalog import prices
from trueup.sandbox.invoices import finalizing
from trueup.sandbox.invoices import items as invoice_items
from trueup.sandbox.subscriptions import (
    billing,
    cycling,
    failures,
    items,
    periods,
    setting_up,
    settings,
    shapes,
    timing,
)
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

_LONGEST_TRIAL_DAYS: Final = 730


def create(world: World, call: Call, *, collect: bool = True, schedule: str | None = None) -> Obj:
    """Make a subscription with its first invoice, paid as ``payment_behavior`` says. Raises Stripe's 400s and 402s.

    Without ``collect`` the invoice stays a draft, for previews. One that ``schedule`` begins is active at once.
    """
    customer = world.get("customer", call.value("customer") or "", param="customer")
    world.follow(customer)
    place = world.place()
    subscription = shapes.subscription(world, customer, {"schedule": schedule})
    given = call.value("items") or []
    if not given:
        message = "Missing required param: items."
        raise invalid(message, param="items", code="parameter_missing")
    given = [_named(world, one, f"items[{index}]") for index, one in enumerate(given)]
    _put_mode(world, subscription, call)
    _put_currency(world, subscription, customer, call, given)
    settings.put(world, subscription, call)
    _put_trial(world, subscription, call, given)
    _put_anchor(world, subscription, call, given)
    shapes.put_items(
        subscription,
        [
            items.made(world, subscription, one, f"items[{index}]", _first(world, subscription, one, f"items[{index}]"))
            for index, one in enumerate(given)
        ],
    )
    items.check(subscription["items"]["data"], subscription["billing_mode"])
    _put_end(subscription, call)
    settings.put_discounts(world, subscription, call.value("discounts"), amount=billing.worth(world, subscription))
    _start(world, subscription, call, collect=collect)
    timing.plan(world, subscription)
    world.tell("customer.subscription.created", subscription, place=place)
    cycling.notice(world, subscription)
    world.signal("subscription_changed", subscription=subscription)
    return subscription


def _named(world: World, given: Any, at: str) -> Any:
    """An item of the request that names its price, which is made here where the request describes one."""
    return {**given, "price": items.price_of(world, given, at, currency=None)["id"], "price_data": None}


# --- terms ------------------------------------------------------------------------------------------------------------


def _put_mode(world: World, subscription: Obj, call: Call) -> None:
    mode = call.value("billing_mode")
    if mode and mode["type"] == "classic":
        subscription["billing_mode"] = {"flexible": None, "type": "classic", "updated_at": None}
    elif mode:
        discounts = (mode.get("flexible") or {}).get("proration_discounts", "included")
        subscription["billing_mode"] = {
            "flexible": {"proration_discounts": discounts},
            "type": "flexible",
            "updated_at": world.now,
        }


def _put_currency(world: World, subscription: Obj, customer: Obj, call: Call, given: list[Any]) -> None:
    price = items.price_of(world, given[0], "items[0]", currency=None)
    currency = call.value("currency") or price["currency"]
    if customer["currency"] not in {None, currency}:
        message = (
            "You cannot combine currencies on a single customer. This customer has an active subscription, "
            f"subscription schedule, discount, quote, or invoice item with currency {customer['currency']}"
        )
        raise invalid(message)
    subscription["currency"] = customer["currency"] = currency


def _put_trial(world: World, subscription: Obj, call: Call, given: list[Any]) -> None:
    end, days = call.value("trial_end"), call.value("trial_period_days")
    if end is not None and days is not None:
        message = "You may only specify one of these parameters: trial_end, trial_period_days."
        raise invalid(message, param="trial_end")
    if days is None and end is None and call.value("trial_from_plan"):
        price = items.price_of(world, given[0], "items[0]", currency=None)
        days = price["recurring"]["trial_period_days"]
    if days is not None:
        if not 0 <= days <= _LONGEST_TRIAL_DAYS:
            message = f"The maximum number of trial period days is {_LONGEST_TRIAL_DAYS} (2 years)."
            raise invalid(message, param="trial_period_days")
        end = world.now + days * timing.DAY if days else None
    if end in {None, "now"}:
        return
    if end <= world.now:
        message = "Invalid timestamp: must be an integer Unix timestamp in the future."
        raise invalid(message, param="trial_end")
    subscription |= {"status": "trialing", "trial_start": world.now, "trial_end": end, "billing_cycle_anchor": end}


def _put_anchor(world: World, subscription: Obj, call: Call, given: list[Any]) -> None:
    start = call.value("backdate_start_date")
    if start is not None:
        if start > world.now:
            message = "`backdate_start_date` must be in the past."
            raise invalid(message, param="backdate_start_date")
        subscription["start_date"] = start
        if subscription["trial_end"] is None and subscription["billing_mode"]["type"] == "flexible":
            subscription["billing_cycle_anchor"] = start
    anchor, config = call.value("billing_cycle_anchor"), call.value("billing_cycle_anchor_config")
    if anchor is None and config is None:
        return
    recurring = items.price_of(world, given[0], "items[0]", currency=None)["recurring"]
    begin = subscription["trial_end"] or world.now
    if config is not None:
        full = {name: config.get(name) for name in ("day_of_month", "hour", "minute", "month", "second")}
        subscription["billing_cycle_anchor_config"] = full
        anchor = periods.configured(begin, full, recurring["interval"])
    elif anchor < world.now:
        message = "Invalid timestamp: `billing_cycle_anchor` must be in the future."
        raise invalid(message, param="billing_cycle_anchor")
    latest = periods.boundary(begin, recurring["interval"], recurring["interval_count"], 1)
    if anchor > latest:
        message = f"`billing_cycle_anchor` cannot be later than next natural billing date ({latest}) for plan"
        raise invalid(message, param="billing_cycle_anchor")
    subscription["billing_cycle_anchor"] = anchor


def _first(world: World, subscription: Obj, given: Any, at: str) -> tuple[int, int]:
    """An item's first period: the trial, what is left until the anchor, or a whole one."""
    if subscription["trial_end"] is not None:
        return world.now, subscription["trial_end"]
    recurring = items.price_of(world, given, at, currency=subscription["currency"])["recurring"]
    anchor, cycle = subscription["billing_cycle_anchor"], (recurring["interval"], recurring["interval_count"])
    start, end = periods.period(anchor, *cycle, world.now)
    return max(start, subscription["start_date"]), end


def _put_end(subscription: Obj, call: Call) -> None:
    at = call.value("cancel_at")
    if call.value("cancel_at_period_end"):
        subscription["cancel_at_period_end"] = True
        at = timing.ends(subscription)
    elif at in {"min_period_end", "max_period_end", "max_billed_until"}:
        choose = min if at == "min_period_end" else max
        at = choose(item["current_period_end"] for item in subscription["items"]["data"])
    if at is not None:
        if at <= subscription["created"]:
            message = "The timestamp for `cancel_at` must be in the future."
            raise invalid(message, param="cancel_at")
        subscription["cancel_at"] = at
        subscription["canceled_at"] = subscription["created"]
        if subscription["trial_end"] is None:
            for item in subscription["items"]["data"]:
                item["current_period_end"] = min(item["current_period_end"], at)
        subscription["cancellation_details"]["reason"] = "cancellation_requested"


# --- the first invoice ------------------------------------------------------------------------------------------------


def _lines(world: World, subscription: Obj, call: Call) -> list[Obj | None]:
    """What the first invoice bills: whole periods, or parts where the anchor lies ahead or the start lies back."""
    found: list[Obj | None] = []
    prorates = call.value("proration_behavior", "create_prorations") != "none"
    trial, flexible = subscription["trial_end"] is not None, subscription["billing_mode"]["type"] == "flexible"
    for item in subscription["items"]["data"]:
        if trial:
            found.append(billing.line(world, subscription, item, trial=True))
            continue
        if prorates:
            found += _back(world, subscription, item, split=flexible)
        if prorates or subscription["billing_cycle_anchor"] <= world.now:
            found.append(billing.line(world, subscription, item, in_part=prorates or not flexible))
    return found


def _back(world: World, subscription: Obj, item: Obj, *, split: bool) -> list[Obj | None]:
    """Lines from a start that lies back to the item's period: one for each period, or for all together."""
    anchor, recurring = subscription["billing_cycle_anchor"], item["price"]["recurring"]
    parts, at = [], subscription["start_date"]
    while at < item["current_period_start"]:
        whole = periods.period(anchor, recurring["interval"], recurring["interval_count"], at)
        end = min(whole[1], item["current_period_start"])
        ended = {**item, "current_period_start": at, "current_period_end": end}
        parts.append(billing.line(world, subscription, ended))
        at = end
    if not split and parts and (last := parts[-1]) is not None:
        last |= {"amount": sum(one["amount"] for one in parts if one is not None)}
        last |= {"subtotal": last["amount"], "period": {**last["period"], "start": subscription["start_date"]}}
        return [last]
    return parts


def _start(world: World, subscription: Obj, call: Call, *, collect: bool) -> None:
    """Bill the beginning and set the status by what comes of it."""
    _add_items(world, subscription, call)
    now, behavior = world.now, call.value("payment_behavior", "allow_incomplete")
    if behavior == "pending_if_incomplete":
        message = "`payment_behavior` cannot be `pending_if_incomplete` when creating a subscription."
        raise invalid(message, param="payment_behavior")
    trialing = subscription["status"] == "trialing"
    by_charge = subscription["collection_method"] == "charge_automatically"
    invoice = billing.draft(
        world, subscription, "subscription_create", _lines(world, subscription, call), period=(now, now)
    )
    if not collect:
        return
    if not by_charge or (subscription["schedule"] and SCHEDULED_INVOICES_WAIT):
        subscription["status"] = "trialing" if trialing else "active"
        invoice["$waited"] = True
        if trialing and not invoice["amount_due"]:
            finalizing.finalize(world, invoice)
        return
    if not invoice["amount_due"]:
        finalizing.finalize(world, invoice)
        subscription["status"] = "trialing" if trialing else "active"
        setting_up.begin(world, subscription)
        return
    if behavior == "default_incomplete":
        finalizing.finalize(world, invoice)
        return
    if billing.method(world, subscription) is None:
        raise failures.no_method()
    billing.collect(world, invoice, off_session=bool(call.value("off_session")))
    if invoice["status"] == "paid":
        subscription["status"] = "trialing" if trialing else "active"
    elif behavior == "error_if_incomplete":
        raise failures.refusal(world, invoice)


def _add_items(world: World, subscription: Obj, call: Call) -> None:
    customer = world.get("customer", subscription["customer"])
    for index, one in enumerate(call.value("add_invoice_items") or []):
        add_item(world, customer, subscription, one, f"add_invoice_items[{index}]")


def add_item(world: World, customer: Obj, subscription: Obj, given: Any, at: str) -> None:
    """A one-off item for the subscription's next invoice. Raises Stripe's 400s."""
    if data := given.get("price_data"):
        price = prices.create(world, data, product=data["product"], at=f"{at}[price_data]")
    else:
        price = world.get("price", given.get("price") or "", param=f"{at}[price]")
    if price["recurring"] is not None:
        message = (
            "The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`."
        )
        raise invalid(message, param=f"{at}[price]")
    invoice_items.create(
        world,
        customer=customer,
        currency=subscription["currency"],
        period=(world.now, max(item["current_period_end"] for item in subscription["items"]["data"])),
        price=price,
        quantity=given.get("quantity", 1),
        subscription=subscription["id"],
        metadata=metadata({}, given.get("metadata")),
    )
