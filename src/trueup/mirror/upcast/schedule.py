"""Subscription schedules and their phases."""

from __future__ import annotations

from typing import Any, Final

from trueup.mirror.upcast.catalog import price_of_plan
from trueup.mirror.upcast.shape import each, id_of
from trueup.mirror.upcast.subscription import billing_mode
from trueup.mirror.upcast.tax import rates_of

_SETTINGS: Final = ("billing_thresholds", "collection_method", "default_payment_method", "invoice_settings")


def subscription_schedule(data: dict[str, Any]) -> dict[str, Any]:
    """A schedule, the same dictionary when nothing is missing, else a new one with the new paths added.

    What it does in the end is ``end_behavior``, and what its phases share stands in ``default_settings`` (2019); phases
    have ``items`` with prices (2020-08-27) and ``discounts`` (2025-03-31.basil).
    """
    new: dict[str, Any] = {}
    if data.get("end_behavior") is None and data.get("renewal_behavior") is not None:
        new["end_behavior"] = data["renewal_behavior"]
    if type(data.get("billing_mode")) is not dict:
        new["billing_mode"] = billing_mode(data)
    settings = _settings(data)
    if settings is not None:
        new["default_settings"] = settings
    phases = data.get("phases")
    if type(phases) is list:
        changed = each(phases, _phase)
        if changed is not None:
            new["phases"] = changed
    return {**data, **new} if new else data


def _settings(data: dict[str, Any]) -> dict[str, Any] | None:
    told = data.get("default_settings")
    known = told if type(told) is dict else {}
    found: dict[str, Any] = {name: data[name] for name in _SETTINGS if name in data and name not in known}
    if "collection_method" not in known and found.get("collection_method") is None and "billing" in data:
        found["collection_method"] = data["billing"]
    return {**known, **found} if found else None


def _phase(phase: dict[str, Any]) -> dict[str, Any]:
    new: dict[str, Any] = {}
    items = phase.get("items", phase.get("plans"))
    if type(items) is list:
        changed = each(items, _phase_item)
        if changed is not None or "items" not in phase:
            new["items"] = changed if changed is not None else items
    if "discounts" not in phase and "coupon" in phase:
        one = phase["coupon"]
        new["discounts"] = [] if one is None else [{"coupon": one, "discount": None, "promotion_code": None}]
    rates = rates_of(phase)
    if rates is not None:
        new["default_tax_rates"] = rates
    if "proration_behavior" not in phase and type(phase.get("prorate")) is bool:
        new["proration_behavior"] = "create_prorations" if phase["prorate"] else "none"
    return {**phase, **new} if new else phase


def _phase_item(item: dict[str, Any]) -> dict[str, Any]:
    """A price to start with; every plan is a price of the same id, and every recurring price a plan."""
    price, plan = item.get("price"), item.get("plan")
    if price is None and plan is not None:
        return {**item, "price": price_of_plan(plan) if type(plan) is dict else plan}
    if plan is None and id_of(price) is not None:
        return {**item, "plan": id_of(price)}
    return item
