"""The phases that a request describes: checked, dated, in Stripe's shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from trueup.kernel.records import Record
from trueup.sandbox.assumptions import SCHEDULE_PHASES
from trueup.sandbox.catalog import prices
from trueup.sandbox.payment_methods import methods
from trueup.sandbox.schedules import redeeming, shapes, spans
from trueup.sandbox.subscriptions import items as subscription_items
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

Given = Mapping[str, Any]

_PERIOD: Final = {
    "end": {"timestamp": None, "type": "min_item_period_end"},
    "start": {"timestamp": None, "type": "max_item_period_start"},
}
_MOST_ITEMS: Final = 20


class Terms(Record, frozen=True):
    """What the phases of one schedule have in common.

    ``known`` are the prices and discounts that the schedule has already, which may have been withdrawn since.
    """

    customer: Obj
    mode: Mapping[str, Any]
    defaults: Mapping[str, Any]
    known: frozenset[str] = frozenset()
    currency: str | None = None


def read(world: World, given: Sequence[Given], terms: Terms, *, begin: int, anchor: int) -> list[Obj]:
    """The phases that a request describes, of which the first begins at ``begin``; ``anchor`` is the subscription's.

    Prices that are described and not named are made. Raises Stripe's 400s.
    """
    if len(given) > SCHEDULE_PHASES:
        message = f"A subscription schedule may have at most {SCHEDULE_PHASES} current and future phases."
        raise invalid(message, param="phases")
    currency, found, cycles = terms.currency, [], []
    for index, one in enumerate(given):
        at = f"phases[{index}]"
        if one.get("currency") and currency not in {None, one["currency"]}:
            message = f"All phases of a subscription schedule must have one currency: `{currency}`."
            raise invalid(message, param=f"{at}[currency]")
        priced = _priced(world, one, terms, one.get("currency") or currency, at)
        currency = currency or one.get("currency") or str(priced[0]["currency"])
        recurring = priced[0]["recurring"]
        cycles.append((recurring["interval"], recurring["interval_count"]))
        found.append(_phase(world, one, terms, priced, currency, at))
    whole = [{**one, "billing_cycle_anchor": _anchor(one, terms)} for one in given]
    dated = spans.spans(whole, cycles, begin=begin, anchor=anchor, now=world.now)
    for index, (one, phase, (start, end)) in enumerate(zip(given, found, dated, strict=True)):
        phase |= {"start_date": start, "end_date": end}
        _put_trial(world, one, phase, terms, f"phases[{index}]")
    return found


def cycles_of(world: World, phase: Obj) -> list[spans.Cycle]:
    """How often the items of a phase are billed, the first item's first."""
    found = [prices.by_id(world, item["price"], param="items", active=False)["recurring"] for item in phase["items"]]
    return [(one["interval"], one["interval_count"]) for one in found]


def names_in(phases: Iterable[Obj]) -> frozenset[str]:
    """The ids of the prices and discounts that phases name."""
    found: set[str] = set()
    for phase in phases:
        for holder in (phase, *phase["items"], *phase["add_invoice_items"]):
            found |= {str(one) for named in holder["discounts"] for one in named.values() if one}
            if "price" in holder:
                found.add(holder["price"])
    return frozenset(found)


def put_settings(world: World, given: Given, customer: Obj, at: str) -> Obj:
    """The settings that a request sent for a phase or for all. Raises Stripe's 400 for another customer's method."""
    found = shapes.settings(given)
    if named := found.get("default_payment_method"):
        method = methods.get(world, named, param=f"{at}[default_payment_method]", status=400)
        if method["customer"] != customer["id"]:
            message = (
                f"The customer does not have a payment method with the ID {named}. "
                "The payment method must be attached to the customer."
            )
            raise invalid(message, param=f"{at}[default_payment_method]", code="resource_missing")
        found["default_payment_method"] = method["id"]
    if "automatic_tax" in given:
        found["automatic_tax"] = shapes.automatic_tax(given["automatic_tax"])
    return found


# --- one phase --------------------------------------------------------------------------------------------------------


def _phase(  # noqa: PLR0917 - private, and called once
    world: World, one: Given, terms: Terms, priced: Sequence[Obj], currency: str, at: str
) -> Obj:
    phase = shapes.phase(
        {
            "add_invoice_items": [
                _extra(world, extra, terms, f"{at}[add_invoice_items][{n}]")
                for n, extra in enumerate(one.get("add_invoice_items") or [])
            ],
            "billing_cycle_anchor": one.get("billing_cycle_anchor"),
            "currency": currency,
            "default_tax_rates": list(one.get("default_tax_rates") or []),
            "items": [
                _item(world, item, price, terms, f"{at}[items][{n}]")
                for n, (item, price) in enumerate(zip(one["items"], priced, strict=True))
            ],
            "metadata": dict(one.get("metadata") or {}),
            "proration_behavior": one.get("proration_behavior") or "create_prorations",
            **put_settings(world, one, terms.customer, at),
        }
    )
    cost = redeeming.worth(world, phase)
    phase["discounts"] = _discounts(world, one.get("discounts"), terms, currency, f"{at}[discounts]", amount=cost)
    if one.get("invoice_settings"):
        phase["invoice_settings"] = {"issuer": None, **shapes.invoice_settings(one["invoice_settings"])}
    _check_collection(phase, terms, at)
    return phase


def _anchor(one: Given, terms: Terms) -> str:
    return str(one.get("billing_cycle_anchor") or terms.defaults["billing_cycle_anchor"])


def _priced(world: World, one: Given, terms: Terms, currency: str | None, at: str) -> list[Obj]:
    """The prices of a phase's items. Raises Stripe's 400s."""
    if not one["items"]:
        message = f"Missing required param: {at}[items]."
        raise invalid(message, param=f"{at}[items]", code="parameter_missing")
    found = []
    for index, item in enumerate(one["items"]):
        named = item.get("price") or item.get("plan")
        price = subscription_items.price_of(
            world, {**item, "$scheduled": named in terms.known}, f"{at}[items][{index}]", currency=currency
        )
        currency = currency or str(price["currency"])
        found.append(price)
    subscription_items.check([{"price": price} for price in found], terms.mode)
    return found


def _item(world: World, item: Given, price: Obj, terms: Terms, at: str) -> Obj:
    metered = price["recurring"]["usage_type"] == "metered"
    quantity = item.get("quantity", None if metered else 1)
    if metered and quantity is not None:
        message = "You cannot set the quantity for metered plans."
        raise invalid(message, param=f"{at}[quantity]")
    if quantity is not None and quantity < 0:
        message = "Invalid non-negative integer"
        raise invalid(message, param=f"{at}[quantity]", code="parameter_invalid_integer")
    return shapes.item(
        price["id"],
        quantity,
        billing_thresholds=item.get("billing_thresholds") or None,
        discounts=_discounts(world, item.get("discounts"), terms, price["currency"], f"{at}[discounts]"),
        metadata=dict(item.get("metadata") or {}),
        tax_rates=list(item.get("tax_rates") or []),
    )


def _extra(world: World, extra: Given, terms: Terms, at: str) -> Obj:
    """One of ``add_invoice_items``."""
    if data := extra.get("price_data"):
        price = prices.create(world, data, product=data["product"], at=f"{at}[price_data]")
    else:
        named = extra.get("price") or ""
        price = prices.by_id(world, named, param=f"{at}[price]", active=named not in terms.known)
    if price["recurring"] is not None:
        message = (
            "The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`."
        )
        raise invalid(message, param=f"{at}[price]")
    if (quantity := extra.get("quantity", 1)) < 0:
        message = "Invalid non-negative integer"
        raise invalid(message, param=f"{at}[quantity]", code="parameter_invalid_integer")
    period = extra.get("period") or _PERIOD
    for name in ("start", "end"):
        if period[name]["type"] == "timestamp" and period[name].get("timestamp") is None:
            message = f"Missing required param: {at}[period][{name}][timestamp]."
            raise invalid(message, param=f"{at}[period][{name}][timestamp]", code="parameter_missing")
    return {
        "discountable": extra.get("discountable"),
        "discounts": _discounts(world, extra.get("discounts"), terms, price["currency"], f"{at}[discounts]"),
        "metadata": dict(extra.get("metadata") or {}),
        "period": {name: {"timestamp": None, **period[name]} for name in ("end", "start")},
        "price": price["id"],
        "quantity": quantity,
        "tax_rates": list(extra.get("tax_rates") or []),
    }


def _discounts(
    world: World, given: Any, terms: Terms, currency: str, at: str, *, amount: int | None = None
) -> list[Obj]:
    """The coupons, codes and running discounts of a phase. Raises Stripe's 400 for what could not be redeemed now."""
    if len(given or ()) > _MOST_ITEMS:
        message = f"You may have at most {_MOST_ITEMS} discounts."
        raise invalid(message, param=at)
    found, fresh = [], list[Given]()
    for index, one in enumerate(given or []):
        named = {name: one.get(name) for name in ("coupon", "discount", "promotion_code")}
        if named["discount"]:
            world.get("discount", named["discount"], param=f"{at}[{index}][discount]")
        elif not terms.known & {value for value in named.values() if value}:
            field = "promotion_code" if named["promotion_code"] else "coupon"
            fresh.append(named)
            param = f"{at}[{index}][{field}]"
            redeeming.try_all(world, terms.customer["id"], fresh, currency, param=param, amount=amount)
        found.append(named)
    return found


def _check_collection(phase: Obj, terms: Terms, at: str) -> None:
    method = phase["collection_method"] or terms.defaults["collection_method"]
    days = (phase["invoice_settings"] or {}).get("days_until_due")
    if method == "send_invoice" and days is None and terms.defaults["invoice_settings"]["days_until_due"] is None:
        message = "You must set `days_until_due` when `collection_method` is `send_invoice`."
        raise invalid(message, param=f"{at}[invoice_settings][days_until_due]")
    if method == "charge_automatically" and days is not None:
        message = "You cannot set `days_until_due` when `collection_method` is `charge_automatically`."
        raise invalid(message, param=f"{at}[invoice_settings][days_until_due]")


def _put_trial(world: World, one: Given, phase: Obj, terms: Terms, at: str) -> None:
    """The trial of a phase, which lies within it. Raises Stripe's 400s."""
    said = one.get("trial_end")
    end = None if said is None else spans.moment(said, world.now, f"{at}[trial_end]")
    if one.get("trial"):
        if end not in {None, phase["end_date"]}:
            message = "`trial_end` must be the end of the phase where `trial` is true."
            raise invalid(message, param=f"{at}[trial_end]")
        end = phase["end_date"]
        phase["trial"] = True
    if end is None:
        return
    if said != "now" and not phase["start_date"] < end <= phase["end_date"]:
        message = "The trial of a phase must end within the phase."
        raise invalid(message, param=f"{at}[trial_end]")
    if _anchor(one, terms) == "phase_start":
        message = "`billing_cycle_anchor` cannot be `phase_start` for a phase that has a trial."
        raise invalid(message, param=f"{at}[billing_cycle_anchor]")
    phase["trial_end"] = end
