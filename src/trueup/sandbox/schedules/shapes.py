"""What schedules and their phases look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trueup.sandbox.world.world import Obj, World

SETTINGS: Final = (
    "application_fee_percent",
    "billing_thresholds",
    "collection_method",
    "default_payment_method",
    "description",
    "on_behalf_of",
    "transfer_data",
)
"""What a phase may set and a schedule's ``default_settings`` set for phases that do not."""

_INVOICE: Final = ("account_tax_ids", "custom_fields", "days_until_due", "description", "footer")


def schedule(world: World, customer: Obj, fields: Mapping[str, Any]) -> Obj:
    """A new schedule without phases; ``fields`` lie over its defaults."""
    return world.new(
        "subscription_schedule",
        {
            "application": None,
            "billing_mode": {
                "flexible": {"proration_discounts": "included"},
                "type": "flexible",
                "updated_at": world.now,
            },
            "canceled_at": None,
            "completed_at": None,
            "current_phase": None,
            "customer": customer["id"],
            "customer_account": None,
            "default_settings": {
                "application_fee_percent": None,
                "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
                "billing_cycle_anchor": "automatic",
                "billing_thresholds": None,
                "collection_method": "charge_automatically",
                "default_payment_method": None,
                "description": None,
                "invoice_settings": {**dict.fromkeys(_INVOICE), "issuer": {"type": "self"}},
                "on_behalf_of": None,
                "transfer_data": None,
            },
            "end_behavior": "release",
            "metadata": {},
            "pause_schedules": [],
            "phases": [],
            "released_at": None,
            "released_subscription": None,
            "status": "not_started",
            "subscription": None,
            "test_clock": customer["test_clock"],
            **fields,
        },
    )


def phase(fields: Mapping[str, Any]) -> Obj:
    """A phase that sets nothing by itself; ``fields`` lie over its defaults."""
    return {
        "add_invoice_items": [],
        "application_fee_percent": None,
        "billing_cycle_anchor": None,
        "billing_thresholds": None,
        "collection_method": None,
        "currency": None,
        "default_payment_method": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "end_date": None,
        "invoice_settings": None,
        "items": [],
        "metadata": {},
        "on_behalf_of": None,
        "proration_behavior": "create_prorations",
        "start_date": None,
        "transfer_data": None,
        "trial_end": None,
        **fields,
    }


def item(price: str, quantity: int | None, **fields: Any) -> Obj:
    """An item of a phase."""
    return {
        "billing_thresholds": None,
        "discounts": [],
        "metadata": {},
        "plan": price,
        "price": price,
        "quantity": quantity,
        "tax_rates": [],
        **fields,
    }


def settings(given: Mapping[str, Any]) -> Obj:
    """Those of ``SETTINGS`` that a request sent, as schedules show them."""
    found: Obj = {name: given[name] or None for name in SETTINGS if name in given}
    if fee := found.get("application_fee_percent"):
        found["application_fee_percent"] = float(fee)
    if limits := found.get("billing_thresholds"):
        found["billing_thresholds"] = {"amount_gte": None, "reset_billing_cycle_anchor": None, **limits}
    if transfer := found.get("transfer_data"):
        percent = transfer.get("amount_percent")
        found["transfer_data"] = {
            "amount_percent": None if percent is None else float(percent),
            "destination": transfer["destination"],
        }
    return found


def automatic_tax(given: Mapping[str, Any]) -> Obj:
    """The request's ``automatic_tax``: kept and shown; taxes are not computed."""
    liability = given.get("liability") or ({"type": "self"} if given["enabled"] else None)
    return {"disabled_reason": None, "enabled": given["enabled"], "liability": liability}


def invoice_settings(given: Mapping[str, Any], former: Mapping[str, Any] | None = None) -> Obj:
    """A request's ``invoice_settings`` over former ones."""
    found: Obj = {**dict.fromkeys(_INVOICE), "issuer": {"type": "self"}, **(former or {})}
    return found | {name: value or None for name, value in given.items()}


def current(of: Obj) -> Obj | None:
    """The phase that an active schedule is in."""
    at = of["current_phase"]
    return None if at is None else next(one for one in of["phases"] if one["start_date"] == at["start_date"])


def enter(of: Obj, found: Obj) -> None:
    """Let a phase be the current one."""
    of["current_phase"] = {"end_date": found["end_date"], "start_date": found["start_date"]}


def ends(of: Obj) -> int:
    """When the last phase ends."""
    return int(of["phases"][-1]["end_date"])


def cancels_at(of: Obj) -> int | None:
    """When the schedule will cancel its subscription, as ``cancel_at`` of that shows."""
    return ends(of) if of["end_behavior"] == "cancel" else None
