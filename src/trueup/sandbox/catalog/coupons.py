"""Coupons: what they take off, and for how long they may be redeemed."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.assumptions import AMOUNT_MOST
from trueup.sandbox.catalog.bounds import named, positive
from trueup.sandbox.catalog.currencies import currency_of
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.world import Obj, World

_LONGEST_NAME: Final = 40
_MOST_MONTHS: Final = 1200
_FARTHEST: Final = 5 * 366 * 86_400


def create(world: World, params: Mapping[str, Any]) -> Obj:
    """Make a coupon from the parameters of ``POST /v1/coupons`` and tell it. Raises Stripe's 400s."""
    chosen = params.get("id")
    named(chosen)
    known = world.find("coupon", chosen)
    if known is not None and not known.get("deleted"):
        raise StripeError("Coupon already exists.", code="resource_already_exists", param="id")
    duration = params.get("duration", "once")
    fields = {
        "amount_off": params.get("amount_off"),
        "created": world.own_now,
        "currency": currency_of(params["currency"]) if params.get("amount_off") and "currency" in params else None,
        "duration": duration,
        "duration_in_months": params.get("duration_in_months"),
        "livemode": False,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": metadata({}, params.get("metadata")),
        "name": params.get("name"),
        "percent_off": _percent(params.get("percent_off")),
        "redeem_by": params.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
        "$applies_to": _applies_to(world, params.get("applies_to")),
        "$currency_options": _options(params.get("currency_options")),
    }
    _check(fields, now=world.own_now)
    coupon = world.new("coupon", {"id": chosen, **fields} if chosen else fields)
    if coupon["redeem_by"] is not None:
        world.schedule(coupon["redeem_by"], "coupon_expiry", coupon["id"])
    world.tell("coupon.created", coupon)
    return coupon


def update(world: World, coupon: Obj, params: Mapping[str, Any]) -> None:
    """Change a coupon's name, metadata or further currencies and tell it. Raises Stripe's 400s."""
    if "metadata" in params:
        coupon["metadata"] = metadata(coupon["metadata"], params["metadata"])
    if "name" in params:
        coupon["name"] = params["name"]
        _check_name(coupon["name"])
    if "currency_options" in params:
        coupon["$currency_options"] = {**coupon["$currency_options"], **_options(params["currency_options"])}
    world.tell("coupon.updated", coupon)


def delete(world: World, coupon: Obj) -> Obj:
    """Forget a coupon; what Stripe answers. Discounts that it has given already go on, its promotion codes do not."""
    world.unschedule("coupon_expiry", coupon["id"])
    _close_codes(world, coupon["id"])
    world.tell("coupon.deleted", coupon)
    return world.delete(coupon)


def redeem(world: World, coupon: Obj) -> None:
    """Count a redemption; the last one that is allowed ends the coupon and its promotion codes."""
    coupon["times_redeemed"] += 1
    if coupon["max_redemptions"] is not None and coupon["times_redeemed"] >= coupon["max_redemptions"]:
        _end(world, coupon)
    world.tell("coupon.updated", coupon)


def expire(world: World, coupon_id: str) -> None:
    """The timer at ``redeem_by``: from here on the coupon cannot be redeemed."""
    coupon = world.find("coupon", coupon_id)
    if coupon is not None and not coupon.get("deleted") and coupon["valid"]:
        _end(world, coupon)
        world.tell("coupon.updated", coupon)


def _end(world: World, coupon: Obj) -> None:
    coupon["valid"] = False
    _close_codes(world, coupon["id"])


def _close_codes(world: World, coupon_id: str) -> None:
    """Close the promotion codes of a coupon: one is active only while its coupon is valid.

    Source: https://docs.stripe.com/api/promotion_codes
    """
    for code in list(world.select("promotion_code", promotion__coupon=coupon_id)):
        if code["active"]:
            code["active"] = False
            world.tell("promotion_code.updated", code)


def _percent(told: str | None) -> float | None:
    """A percentage above 0 and at most 100, as JSON has numbers; computed with only after it is text again."""
    if told is None:
        return None
    if not 0 < Fraction(told) <= 100:
        raise invalid("Invalid percent_off: must be greater than 0 and at most 100.", param="percent_off")
    return float(told)


def _check(coupon: Mapping[str, Any], *, now: int) -> None:
    """What one parameter asks of another."""
    amount, percent = coupon["amount_off"], coupon["percent_off"]
    if (amount is None) is (percent is None):
        message = (
            "You must pass either `percent_off` or `amount_off`."
            if amount is None
            else "You may only specify one of these parameters: amount_off, percent_off."
        )
        raise invalid(message, param="percent_off")
    positive(amount, "amount_off", most=AMOUNT_MOST)
    if amount is not None and coupon["currency"] is None:
        message = "You must pass `currency` when passing `amount_off`."
        raise invalid(message, param="currency", code="parameter_missing")
    if coupon["$currency_options"] and amount is None:
        raise invalid("You can only pass `currency_options` with `amount_off`.", param="currency_options")
    months = coupon["duration_in_months"]
    if coupon["duration"] == "repeating" and months is None:
        message = "You must pass `duration_in_months` when `duration` is `repeating`."
        raise invalid(message, param="duration_in_months", code="parameter_missing")
    if coupon["duration"] != "repeating" and months is not None:
        message = "You can only pass `duration_in_months` when `duration` is `repeating`."
        raise invalid(message, param="duration_in_months")
    positive(months, "duration_in_months", most=_MOST_MONTHS)
    positive(coupon["max_redemptions"], "max_redemptions")
    if coupon["redeem_by"] is not None and not now < coupon["redeem_by"] <= now + _FARTHEST:
        raise invalid("`redeem_by` must be in the future and at most five years away.", param="redeem_by")
    _check_name(coupon["name"])


def _check_name(name: str | None) -> None:
    if name is not None and len(name) > _LONGEST_NAME:
        raise invalid(f"Invalid string: {name}; must be at most {_LONGEST_NAME} characters", param="name")


def _applies_to(world: World, told: Mapping[str, Any] | None) -> Obj | None:
    if not told or not told.get("products"):
        return None
    return {
        "products": [
            world.get("product", product, param=f"applies_to[products][{at}]")["id"]
            for at, product in enumerate(told["products"])
        ]
    }


def _options(told: Mapping[str, Mapping[str, int]] | None) -> Obj:
    found: Obj = {}
    for code, option in (told or {}).items():
        at = f"currency_options[{code}]"
        positive(option["amount_off"], f"{at}[amount_off]", most=AMOUNT_MOST)
        found[currency_of(code, param=at)] = {"amount_off": option["amount_off"]}
    return found


def shown_options(coupon: Obj) -> Obj:
    """What ``expand`` shows as ``currency_options``: the coupon's own currency, then the others."""
    own = {coupon["currency"]: {"amount_off": coupon["amount_off"]}} if coupon["currency"] else {}
    options: Obj = coupon.get("$currency_options") or {}
    return {**own, **options}
