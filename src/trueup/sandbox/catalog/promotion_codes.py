"""Promotion codes: the words by which customers redeem a coupon, and who may."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.catalog import bounds
from trueup.sandbox.catalog.currencies import currency_of
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

_CODE: Final = re.compile(r"[A-Za-z0-9\-]{1,500}")
_LENGTH: Final = 8


def create(world: World, params: Mapping[str, Any]) -> Obj:
    """Make a promotion code from the parameters of ``POST /v1/promotion_codes`` and tell it. Raises Stripe's 400s."""
    told = params["promotion"].get("coupon")
    if told is None:
        message = "Missing required param: promotion[coupon]."
        raise invalid(message, param="promotion[coupon]", code="parameter_missing")
    coupon = world.get("coupon", told, param="promotion[coupon]")
    customer = params.get("customer")
    if customer is not None:
        world.get("customer", customer, param="customer")
    code = params.get("code") or world.ids.text(_LENGTH).upper()
    if not _CODE.fullmatch(code):
        raise invalid("Promotion codes may only contain letters, digits and dashes.", param="code")
    most, expires = params.get("max_redemptions"), params.get("expires_at")
    _check_bounds(world, coupon, most=most, expires=expires)
    if not coupon["valid"]:
        raise invalid(f"Coupon expired: {coupon['id']}", param="promotion[coupon]", code="coupon_expired")
    active = params.get("active", True)
    if active:
        _alone(world, code, customer)
    restrictions = params.get("restrictions") or {}
    amount, currency = restrictions.get("minimum_amount"), restrictions.get("minimum_amount_currency")
    if (amount is None) is not (currency is None):
        name = "minimum_amount" if amount is None else "minimum_amount_currency"
        message = "You must pass `minimum_amount` and `minimum_amount_currency` together."
        raise invalid(message, param=f"restrictions[{name}]")
    if amount is not None:
        bounds.amount(amount, "restrictions[minimum_amount]")
    made = world.new(
        "promotion_code",
        {
            "active": active,
            "code": code,
            "created": world.own_now,
            "customer": customer,
            "customer_account": None,
            "expires_at": expires,
            "livemode": False,
            "max_redemptions": most,
            "metadata": metadata({}, params.get("metadata")),
            "promotion": {"coupon": coupon["id"], "type": "coupon"},
            "restrictions": {
                "first_time_transaction": restrictions.get("first_time_transaction", False),
                "minimum_amount": amount,
                "minimum_amount_currency": currency and currency_of(currency),
            },
            "times_redeemed": 0,
            "$code": code.upper(),
            "$currency_options": _options(restrictions.get("currency_options")),
        },
    )
    if expires is not None:
        world.schedule(expires, "promotion_code_expiry", made["id"])
    world.tell("promotion_code.created", made)
    return made


def update(world: World, code: Obj, params: Mapping[str, Any]) -> None:
    """Open or close a promotion code, change its metadata or further currencies, and tell it. Raises Stripe's 400s."""
    if "metadata" in params:
        code["metadata"] = metadata(code["metadata"], params["metadata"])
    more = _options((params.get("restrictions") or {}).get("currency_options"))
    code["$currency_options"] = {**code["$currency_options"], **more}
    if params.get("active") and not code["active"]:
        _reopen(world, code)
    if "active" in params:
        code["active"] = params["active"]
    world.tell("promotion_code.updated", code)


def redeem(world: World, code: Obj) -> None:
    """Count a redemption; the last one that is allowed closes the code."""
    code["times_redeemed"] += 1
    if _spent(code):
        code["active"] = False
    world.tell("promotion_code.updated", code)


def expire(world: World, code_id: str) -> None:
    """The timer at ``expires_at``: from here on the code cannot be redeemed."""
    code = world.find("promotion_code", code_id)
    if code is not None and code["active"]:
        code["active"] = False
        world.tell("promotion_code.updated", code)


def check(
    world: World, code: Obj, customer: Obj, *, param: str, amount: int | None = None, currency: str | None = None
) -> None:
    """Raise Stripe's 400 where ``customer`` may not redeem ``code``.

    ``amount`` in ``currency`` is what the purchase costs before discounts; not known, the minimum is not asked for.
    """
    if not code["active"]:
        message = f"This promotion code is expired or inactive: {code['code']}"
        raise invalid(message, param=param, code="coupon_expired")
    if code["customer"] not in {None, customer["id"]}:
        message = "This promotion code cannot be redeemed because it is restricted to another customer."
        raise invalid(message, param=param)
    restrictions = code["restrictions"]
    if restrictions["first_time_transaction"] and has_bought(world, customer["id"]):
        message = "This promotion code cannot be redeemed because the associated customer has prior transactions."
        raise invalid(message, param=param)
    least = _least(code, currency)
    if amount is not None and least is not None and amount < least:
        message = "This promotion code cannot be redeemed because the minimum amount is not met."
        raise invalid(message, param=param)


def shown_options(code: Obj) -> Obj:
    """What ``expand`` shows as ``restrictions.currency_options``: the minimum's own currency, then the others."""
    told = code["restrictions"]
    currency = told["minimum_amount_currency"]
    own = {currency: {"minimum_amount": told["minimum_amount"]}} if currency else {}
    options: Obj = code["$currency_options"]
    return {**own, **options}


def has_bought(world: World, customer: str) -> bool:
    """Whether a customer has a successful payment or an invoice that is not void.

    Source: https://docs.stripe.com/billing/subscriptions/coupons#configure-promotion-codes
    """
    return any(charge["paid"] for charge in world.select("charge", customer=customer)) or any(
        invoice["status"] not in {"draft", "void"} for invoice in world.select("invoice", customer=customer)
    )


def _least(code: Obj, currency: str | None) -> int | None:
    restrictions = code["restrictions"]
    if currency is None or restrictions["minimum_amount_currency"] == currency:
        least: int | None = restrictions["minimum_amount"]
        return least
    options = code["$currency_options"]
    return options[currency]["minimum_amount"] if currency in options else None


def _spent(code: Obj) -> bool:
    return code["max_redemptions"] is not None and bool(code["times_redeemed"] >= code["max_redemptions"])


def _reopen(world: World, code: Obj) -> None:
    coupon = world.find("coupon", code["promotion"]["coupon"])
    past = code["expires_at"] is not None and code["expires_at"] <= world.own_now
    if _spent(code) or past or coupon is None or coupon.get("deleted") or not coupon["valid"]:
        message = "This promotion code cannot be activated because it or its coupon has expired or is fully redeemed."
        raise invalid(message, param="active")
    _alone(world, code["code"], code["customer"])


def _alone(world: World, code: str, customer: str | None) -> None:
    """No two active codes are the same word, whatever its case, for one customer or for everyone."""
    for other in world.select("promotion_code", _code=code.upper()):
        if other["active"] and (customer is None or other["customer"] in {None, customer}):
            raise invalid(f"An active promotion code with `code: {code}` already exists.", param="code")


def _check_bounds(world: World, coupon: Obj, *, most: int | None, expires: int | None) -> None:
    bounds.positive(most, "max_redemptions")
    if most is not None and coupon["max_redemptions"] is not None and most > coupon["max_redemptions"]:
        message = "A promotion code's `max_redemptions` cannot be greater than its coupon's."
        raise invalid(message, param="max_redemptions")
    if expires is not None and expires <= world.own_now:
        raise invalid("`expires_at` must be in the future.", param="expires_at")
    if expires is not None and coupon["redeem_by"] is not None and expires > coupon["redeem_by"]:
        message = "A promotion code's `expires_at` cannot be after its coupon's `redeem_by`."
        raise invalid(message, param="expires_at")


def _options(told: Mapping[str, Mapping[str, int]] | None) -> Obj:
    found: Obj = {}
    for code, option in (told or {}).items():
        at = f"restrictions[currency_options][{code}]"
        least = option.get("minimum_amount", 0)
        bounds.amount(least, f"{at}[minimum_amount]")
        found[currency_of(code, param=at)] = {"minimum_amount": least}
    return found
