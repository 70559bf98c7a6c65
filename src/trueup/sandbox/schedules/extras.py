"""The one-off items that phases add to an invoice."""

from __future__ import annotations

from collections.abc import Iterable

from trueup.sandbox.catalog import discounts
from trueup.sandbox.invoices import items as invoice_items
from trueup.sandbox.subscriptions import cycling
from trueup.sandbox.wire.errors import StripeError
from trueup.sandbox.world.world import Obj, World


def add(world: World, subscription: Obj, phase: Obj, added: Iterable[Obj]) -> None:
    """Let a phase's ``add_invoice_items`` wait for the subscription's next invoice.

    Their period is that of the items as they are when a renewal that is due now has happened.
    """
    customer = world.get("customer", subscription["customer"])
    _, rolled, _ = cycling.roll(subscription, world.now)
    for one in added:
        start = _moment(
            one["period"]["start"], max(item["current_period_start"] for item in rolled), phase["start_date"]
        )
        end = _moment(one["period"]["end"], min(item["current_period_end"] for item in rolled), phase["end_date"])
        discountable = one["discountable"]
        item = invoice_items.create(
            world,
            customer=customer,
            currency=subscription["currency"],
            period=(start, max(start, end)),
            price=world.get("price", one["price"]),
            quantity=one["quantity"],
            subscription=subscription["id"],
            discountable=True if discountable is None else discountable,
            metadata={name: value for name, value in one["metadata"].items() if value != ""},
        )
        item["discounts"] = _redeemed(world, customer, one["discounts"], item)


def _moment(said: Obj, item_period: int, phase: int) -> int:
    if said["type"] == "timestamp":
        return int(said["timestamp"])
    return phase if said["type"] in {"phase_start", "phase_end"} else int(item_period)


def _redeemed(world: World, customer: Obj, wanted: Iterable[Obj], item: Obj) -> list[str]:
    found = []
    for one in wanted:
        if one["discount"]:
            continue  # A running discount belongs to what it was given to.
        try:
            made = discounts.start(
                world,
                customer=customer,
                coupon=one["coupon"],
                promotion_code=one["promotion_code"],
                invoice_item=item["id"],
                param="discounts",
                currency=item["currency"],
            )
        except StripeError:
            continue  # It could be redeemed when the phase was described, and no longer can.
        found.append(made["id"])
    return found
