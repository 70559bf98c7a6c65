"""The plan: the older name of a recurring price, which subscription items still show beside it."""

from __future__ import annotations

from trueup.sandbox.world.difference import difference
from trueup.sandbox.world.world import Obj, World


def plan_of(price: Obj) -> Obj | None:
    """The plan that a price is, under the same id; None for one-time prices. Its tiers appear on ``expand``."""
    recurring = price["recurring"]
    if recurring is None:
        return None
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": price["livemode"],
        "metadata": dict(price["metadata"]),
        "meter": recurring["meter"],
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": price["tiers_mode"],
        "transform_usage": price["transform_quantity"],
        "trial_period_days": recurring["trial_period_days"],
        "usage_type": recurring["usage_type"],
    }


def tell_created(world: World, price: Obj) -> None:
    """Tell ``plan.created`` where the price is recurring, as Stripe does beside ``price.created``."""
    if plan := plan_of(price):
        world.write("plan.created", {"object": plan}, about=plan["id"])


def tell_updated(world: World, before: Obj | None, price: Obj) -> None:
    """Tell ``plan.updated`` where the plan that the price was before differs from the one that it is."""
    plan = plan_of(price)
    if before is not None and plan is not None and (changed := difference(before, plan)):
        world.write("plan.updated", {"object": plan, "previous_attributes": changed}, about=plan["id"])
