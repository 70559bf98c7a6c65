"""Prices: every scheme that Stripe bills by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.catalog import amounts, bounds, plans
from trueup.sandbox.catalog.currencies import currency_of
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.kinds import KINDS
from trueup.sandbox.world.world import Obj, World

_LONGEST: Final = {"day": 1095, "week": 156, "month": 36, "year": 3}
"""Three years, in each interval. Source: https://docs.stripe.com/api/prices/create"""

_LONGEST_TRIAL: Final = 730
_DIGITS: Final = 12


# --- what others ask ------------------------------------------------------------------------------------------------


def line_amount(price: Obj, quantity: int, *, currency: str | None = None) -> int:
    """What a line of ``quantity`` costs, in whole minor units of ``currency`` (the price's own where not said).

    ``price`` is the object as ``world.get`` gives it, not as it is shown: its tiers are among what is not shown. Every
    scheme counts; fractions of a minor unit are rounded once, at the end. Raises Stripe's 400 where the payer names the
    amount, or where the price has none in that currency.
    """
    return amounts.whole(amounts.cost(_terms(price, currency), quantity))


def unit_amount(price: Obj, *, currency: str | None = None) -> Fraction:
    """What one costs (one package, where sold in packages), in minor units; 0 for tiers, which have no one price.

    Raises Stripe's 400s of ``line_amount``.
    """
    terms = _terms(price, currency)
    return amounts.fraction(terms.get("unit_amount"), terms.get("unit_amount_decimal"))


def by_id(world: World, price_id: str, *, param: str, active: bool = True) -> Obj:
    """A price that a parameter names. Raises Stripe's 400 where there is none, or where it is ``active`` no longer.

    Where it need not be active it may have been deleted, too, and is given as it was.
    """
    price = (None if active else kept(world, price_id)) or world.get("price", price_id, param=param)
    if active and not price["active"]:
        message = f"The price specified is inactive. This field only accepts active prices (`{price_id}`)."
        raise invalid(message, param=param)
    return price


def kept(world: World, price_id: str | None) -> Obj | None:
    """A price with what is not shown, one that was deleted as a plan as it was then; None where there never was one.

    Whoever has it goes on paying by it. Source: https://docs.stripe.com/api/plans/delete
    """
    price = world.find("price", price_id)
    return price.get("$terms") if price and price.get("deleted") else price


def delete(world: World, price: Obj) -> None:
    """Let a price be deleted, and remember its terms for those who have it. Tell its end before."""
    terms = dict(price)
    world.delete(price)
    stub = world.find("price", price["id"])
    if stub is not None:
        stub["$terms"] = terms


def _terms(price: Obj, currency: str | None) -> Mapping[str, Any]:
    options = price.get("$currency_options") or {}
    if currency is None or currency == price["currency"]:
        terms = {**price, "tiers": price.get("$tiers")}
    elif currency in options:
        terms = {**price, **options[currency]}
    else:
        known = ", ".join([price["currency"], *options])
        message = (
            f"The price specified only supports `{known}`. This doesn't match the expected currency: `{currency}`."
        )
        raise invalid(message)
    if terms["custom_unit_amount"] is not None:
        message = "The price specified has `custom_unit_amount` set and can only be used in Checkout and Payment Links."
        raise invalid(message)
    return terms


# --- making and changing --------------------------------------------------------------------------------------------


def create(world: World, params: Mapping[str, Any], *, product: str, at: str = "", price_id: str | None = None) -> Obj:
    """Make a price of a product and tell it.

    ``params`` are those of ``POST /v1/prices``, of a ``price_data`` or of ``default_price_data``; ``at`` is where they
    stand in the request. ``price_id`` is chosen where it comes from a plan. Raises Stripe's 400s.
    """
    currency = currency_of(params["currency"], param=_at(at, "currency"))
    tiered = params.get("billing_scheme") == "tiered"
    recurring = _recurring(world, params.get("recurring"), at)
    base = _amounts(params, tiered=tiered, at=at)
    transform = params.get("transform_quantity")
    if transform and tiered:
        raise invalid(
            "You cannot specify `transform_quantity` with a tiered price.", param=_at(at, "transform_quantity")
        )
    if transform:
        bounds.positive(transform["divide_by"], _at(at, "transform_quantity[divide_by]"))
    price = world.new(
        "price",
        {
            **({"id": price_id} if price_id else {}),
            "active": params.get("active", True),
            "billing_scheme": "tiered" if tiered else "per_unit",
            "created": world.own_now,
            "currency": currency,
            "custom_unit_amount": base["custom_unit_amount"],
            "livemode": False,
            "lookup_key": None,
            "metadata": metadata({}, params.get("metadata")),
            "nickname": params.get("nickname"),
            "product": product,
            "recurring": recurring,
            "tax_behavior": params.get("tax_behavior", "unspecified"),
            "tiers_mode": params.get("tiers_mode"),
            "transform_quantity": dict(transform) if transform else None,
            "type": "recurring" if recurring else "one_time",
            "unit_amount": base["unit_amount"],
            "unit_amount_decimal": base["unit_amount_decimal"],
            "$currency_options": _options(params.get("currency_options"), tiered=tiered, at=at),
            "$tiers": base.get("tiers"),
        },
    )
    if key := params.get("lookup_key"):
        _name(world, price, key, transfer=params.get("transfer_lookup_key", False))
    world.tell("price.created", price)
    plans.tell_created(world, price)
    return price


def update(world: World, price: Obj, params: Mapping[str, Any], plan: Obj | None = None) -> None:
    """Change what may change of a price and tell it. Raises Stripe's 400s.

    ``plan`` is the plan that the price was where the caller has changed it already.
    """
    plan = plan or plans.plan_of(price)
    if params.get("active") is False and price["active"]:
        product = world.find("product", price["product"])
        if product is not None and product.get("default_price") == price["id"]:
            raise invalid("This price cannot be archived because it is the default price of its product.")
    if "active" in params:
        price["active"] = params["active"]
    if "metadata" in params:
        price["metadata"] = metadata(price["metadata"], params["metadata"])
    if "nickname" in params:
        price["nickname"] = params["nickname"] or None
    if "tax_behavior" in params:
        _set_tax_behavior(price, params["tax_behavior"])
    if params.get("currency_options") == "":
        price["$currency_options"] = {}
    elif "currency_options" in params:
        more = _options(params["currency_options"], tiered=price["billing_scheme"] == "tiered", at="")
        price["$currency_options"] = {**(price.get("$currency_options") or {}), **more}
    if key := params.get("lookup_key"):
        _name(world, price, key, transfer=params.get("transfer_lookup_key", False))
    world.tell("price.updated", price)
    plans.tell_updated(world, plan, price)


def _set_tax_behavior(price: Obj, behavior: str) -> None:
    if price["tax_behavior"] not in {"unspecified", behavior}:
        message = "The `tax_behavior` of a price cannot be changed once it is set to `inclusive` or `exclusive`."
        raise invalid(message, param="tax_behavior")
    price["tax_behavior"] = behavior


def _name(world: World, price: Obj, key: str, *, transfer: bool) -> None:
    """Give a price its lookup key; with ``transfer`` the price that has it loses it, and is told."""
    for other in list(world.select("price", lookup_key=key)):
        if other["id"] == price["id"]:
            return
        if not transfer:
            raise invalid(f"A price (`{other['id']}`) already uses that lookup key.", param="lookup_key")
        other["lookup_key"] = None
        world.tell("price.updated", other)
    price["lookup_key"] = key


def _recurring(world: World, told: Mapping[str, Any] | None, at: str) -> Obj | None:
    if told is None:
        return None
    interval, count = told["interval"], told.get("interval_count", 1)
    usage, meter = told.get("usage_type", "licensed"), told.get("meter")
    bounds.positive(count, _at(at, "recurring[interval_count]"))
    if count > _LONGEST[interval]:
        message = f"You can specify at most {_LONGEST[interval]} {interval}s for `interval_count`."
        raise invalid(message, param=_at(at, "recurring[interval_count]"))
    if usage == "metered" and not meter:
        message = "You must specify a `meter` for prices with `usage_type=metered`."
        raise invalid(message, param=_at(at, "recurring[meter]"), code="parameter_missing")
    if meter and usage != "metered":
        message = "You can only specify `meter` for prices with `usage_type=metered`."
        raise invalid(message, param=_at(at, "recurring[meter]"))
    if meter and "billing.meter" in KINDS:
        world.get("billing.meter", meter, param=_at(at, "recurring[meter]"))
    bounds.positive(told.get("trial_period_days"), _at(at, "recurring[trial_period_days]"), most=_LONGEST_TRIAL)
    return {
        "interval": interval,
        "interval_count": count,
        "meter": meter,
        "trial_period_days": told.get("trial_period_days"),
        "usage_type": usage,
    }


def _amounts(told: Mapping[str, Any], *, tiered: bool, at: str, option: bool = False) -> Obj:
    """The amounts of a price, or of an ``option`` of it in another currency."""
    tiers, custom = told.get("tiers"), told.get("custom_unit_amount")
    named = [n for n in ("unit_amount", "unit_amount_decimal", "custom_unit_amount") if told.get(n) is not None]
    if tiered:
        if named:
            message = f"You cannot specify `{named[0]}` when `billing_scheme` is `tiered`."
            raise invalid(message, param=_at(at, named[0]))
        if not tiers or (not option and not told.get("tiers_mode")):
            name = "tiers_mode" if tiers else "tiers"
            raise invalid(f"Missing required param: {_at(at, name)}.", param=_at(at, name), code="parameter_missing")
        return {
            "custom_unit_amount": None,
            "unit_amount": None,
            "unit_amount_decimal": None,
            "tiers": _tiers(tiers, at),
        }
    if tiers or told.get("tiers_mode"):
        name = "tiers" if tiers else "tiers_mode"
        raise invalid(f"You can only specify `{name}` when `billing_scheme` is `tiered`.", param=_at(at, name))
    if len(named) > 1:
        message = f"You may only specify one of these parameters: {', '.join(named)}."
        raise invalid(message, param=_at(at, named[0]))
    if not named:
        message = f"Missing required param: {_at(at, 'unit_amount')}."
        raise invalid(message, param=_at(at, "unit_amount"), code="parameter_missing")
    if custom is not None:
        return {"custom_unit_amount": _custom(custom, at), "unit_amount": None, "unit_amount_decimal": None}
    unit, decimal = _pair(told, "unit_amount", at)
    return {"custom_unit_amount": None, "unit_amount": unit, "unit_amount_decimal": decimal}


def _custom(told: Mapping[str, Any], at: str) -> Obj:
    if not told["enabled"]:
        raise invalid("`enabled` must be true.", param=_at(at, "custom_unit_amount[enabled]"))
    found = {name: told.get(name) for name in ("maximum", "minimum", "preset")}
    for name, value in found.items():
        if value is not None:
            bounds.amount(value, _at(at, f"custom_unit_amount[{name}]"))
    return found


def _tiers(told: Sequence[Mapping[str, Any]], at: str) -> list[Obj]:
    found, last = [], 0
    for index, tier in enumerate(told):
        here = _at(at, f"tiers[{index}]")
        upto = None if tier["up_to"] == "inf" else int(tier["up_to"])
        end = index == len(told) - 1
        if end is not (upto is None):
            message = "The last tier must have `up_to` set to `inf`." if end else "Only the last tier may be `inf`."
            raise invalid(message, param=f"{here}[up_to]")
        if upto is not None and upto <= last:
            raise invalid("Tiers must be in ascending order of `up_to`.", param=f"{here}[up_to]")
        flat, flat_decimal = _pair(tier, "flat_amount", here)
        unit, unit_decimal = _pair(tier, "unit_amount", here)
        if flat_decimal is None and unit_decimal is None:
            message = "Each tier must have at least one of `unit_amount` or `flat_amount`."
            raise invalid(message, param=here)
        found.append(
            {
                "flat_amount": flat,
                "flat_amount_decimal": flat_decimal,
                "unit_amount": unit,
                "unit_amount_decimal": unit_decimal,
                "up_to": upto,
            }
        )
        last = upto or last
    return found


def _pair(told: Mapping[str, Any], name: str, at: str) -> tuple[int | None, str | None]:
    """An amount twice, as Stripe shows it: whole where it is whole, and as a decimal."""
    whole, decimal = told.get(name), told.get(f"{name}_decimal")
    if whole is None and decimal is None:
        return None, None
    if whole is not None and decimal is not None:
        message = f"You may only specify one of these parameters: {name}, {name}_decimal."
        raise invalid(message, param=_at(at, name))
    shown = amounts.plain(str(whole if decimal is None else decimal))
    bounds.amount(math.floor(Fraction(shown)), _at(at, name if decimal is None else f"{name}_decimal"))
    if len(shown.partition(".")[2]) > _DIGITS:
        message = f"Invalid decimal: {shown}; must contain at maximum {_DIGITS} decimal places."
        raise invalid(message, param=_at(at, f"{name}_decimal"))
    return (None if "." in shown else int(shown)), shown


def _options(told: Mapping[str, Mapping[str, Any]] | None, *, tiered: bool, at: str) -> Obj:
    found: Obj = {}
    for code, option in (told or {}).items():
        here = _at(at, f"currency_options[{code}]")
        base = _amounts(option, tiered=tiered, at=here, option=True)
        found[currency_of(code, param=here)] = {
            "tax_behavior": option.get("tax_behavior", "unspecified"),
            **base,
        }
    return found


def shown_options(price: Obj) -> Obj:
    """What ``expand`` shows as ``currency_options``: the price's own currency, then the others."""
    own = {name: price[name] for name in ("custom_unit_amount", "tax_behavior", "unit_amount", "unit_amount_decimal")}
    if price.get("$tiers"):
        own["tiers"] = price["$tiers"]
    options: Obj = price.get("$currency_options") or {}
    return {price["currency"]: own, **options}


def _at(at: str, name: str) -> str:
    """The parameter's name as Stripe writes it where it stands in another."""
    head, bracket, rest = name.partition("[")
    return f"{at}[{head}]{bracket}{rest}" if at else name
