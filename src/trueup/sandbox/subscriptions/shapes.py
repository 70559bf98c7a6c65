"""What subscriptions and their items look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.sandbox.catalog import plans
from trueup.sandbox.world.world import Obj, World, listed, render

ID_LENGTH = 14


def subscription(world: World, customer: Obj, fields: Mapping[str, Any]) -> Obj:
    """A new subscription without items; ``fields`` lie over its defaults."""
    made = world.new(
        "subscription",
        {
            "application": None,
            "application_fee_percent": None,
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
            "billing_cycle_anchor": world.now,
            "billing_cycle_anchor_config": None,
            "billing_mode": {
                "flexible": {"proration_discounts": "included"},
                "type": "flexible",
                "updated_at": world.now,
            },
            "billing_schedules": [],
            "billing_thresholds": None,
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "cancellation_details": {"comment": None, "feedback": None, "feedback_option": None, "reason": None},
            "collection_method": "charge_automatically",
            "created": world.now,
            "currency": None,
            "customer": customer["id"],
            "customer_account": None,
            "days_until_due": None,
            "default_payment_method": None,
            "default_source": None,
            "default_tax_rates": [],
            "description": None,
            "discounts": [],
            "ended_at": None,
            "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
            "items": None,
            "latest_invoice": None,
            "livemode": False,
            "metadata": {},
            "next_pending_invoice_item_invoice": None,
            "on_behalf_of": None,
            "pause_collection": None,
            "payment_settings": {
                "payment_method_options": None,
                "payment_method_types": None,
                "save_default_payment_method": "off",
            },
            "pending_invoice_item_interval": None,
            "pending_setup_intent": None,
            "pending_update": None,
            "schedule": None,
            "start_date": world.now,
            "status": "incomplete",
            "status_details": None,
            "test_clock": customer["test_clock"],
            "transfer_data": None,
            "trial_end": None,
            "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
            "trial_start": None,
            **fields,
        },
    )
    made["items"] = listed(f"/v1/subscription_items?subscription={made['id']}", [], total=True)
    return made


def item(world: World, of: Obj, price: Obj, quantity: int | None, period: tuple[int, int]) -> Obj:
    """A new item; it is part of its subscription and stored within it."""
    return {
        "id": "si_" + world.ids.text(ID_LENGTH),
        "object": "subscription_item",
        "billed_until": None,
        "billing_thresholds": None,
        "created": world.now,
        "current_period_end": period[1],
        "current_period_start": period[0],
        "discounts": [],
        "metadata": {},
        "plan": plans.plan_of(price),
        "price": priced(price),
        "quantity": quantity,
        "subscription": of["id"],
        "tax_rates": [],
    }


def priced(price: Obj) -> Obj:
    """A price as items show it."""
    return render(price)


def put_items(of: Obj, items: list[Obj]) -> None:
    """Let a subscription have these items, and be found by them and their prices."""
    of["items"] = {**of["items"], "data": items, "total_count": len(items)}
    of["$items"] = [one["id"] for one in items]
    of["$prices"] = sorted({one["price"]["id"] for one in items})


def refreshed(world: World, of: Obj) -> Obj:
    """A subscription as it is read: its items show their prices as those are now."""
    items = [_refreshed(world, item) for item in of["items"]["data"]]
    return {**of, "items": {**of["items"], "data": items}}


def refresh(world: World, of: Obj) -> None:
    """Let the items show their prices as those are now, which is told with whatever the subscription tells next."""
    items = [_refreshed(world, item) for item in of["items"]["data"]]
    if items != of["items"]["data"]:
        put_items(of, items)


def _refreshed(world: World, item: Obj) -> Obj:
    price = world.find("price", item["price"]["id"])
    if price is None or price.get("deleted"):
        return item
    shown = priced(price)
    return item if shown == item["price"] else {**item, "plan": plans.plan_of(price), "price": shown}
