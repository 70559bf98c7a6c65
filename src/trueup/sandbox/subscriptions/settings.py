"""The fields of a subscription that a request sets and nothing else follows from."""

from __future__ import annotations

from typing import Any, Final

from trueup.sandbox.answers.calls import Call
from trueup.sandbox.answers.merging import metadata
from trueup.sandbox.catalog import discounts
from trueup.sandbox.payment_methods import methods
from trueup.sandbox.wire.errors import invalid
from trueup.sandbox.world.world import Obj, World

_PLAIN: Final = (
    "application_fee_percent",
    "billing_thresholds",
    "default_source",
    "default_tax_rates",
    "description",
    "on_behalf_of",
    "pending_invoice_item_interval",
    "transfer_data",
)


def put(world: World, subscription: Obj, call: Call) -> None:
    """Set what was sent. Raises Stripe's 400s for a method of another customer, or terms that contradict each other."""
    for name in _PLAIN:
        if call.given(name):
            subscription[name] = call.value(name, [] if name == "default_tax_rates" else None)
    if call.given("metadata"):
        subscription["metadata"] = metadata(subscription["metadata"], call.params["metadata"])
    if call.given("default_payment_method"):
        _put_method(world, subscription, call.value("default_payment_method"))
    if sent := call.value("payment_settings"):
        kept = dict(subscription["payment_settings"])
        for name, value in sent.items():
            kept[name] = value or None
        subscription["payment_settings"] = kept
    if sent := call.value("invoice_settings"):
        subscription["invoice_settings"] = {**subscription["invoice_settings"], **sent}
    if sent := call.value("trial_settings"):
        subscription["trial_settings"] = {"end_behavior": dict(sent["end_behavior"])}
    _put_collection(subscription, call)


def _put_method(world: World, subscription: Obj, named: str | None) -> None:
    if named is None:
        subscription["default_payment_method"] = None
        return
    customer = world.get("customer", subscription["customer"])
    found = methods.get(world, named, param="default_payment_method", status=400)
    if found["customer"] != customer["id"]:
        message = (
            f"The customer does not have a payment method with the ID {named}. "
            "The payment method must be attached to the customer."
        )
        raise invalid(message, param="default_payment_method", code="resource_missing")
    subscription["default_payment_method"] = found["id"]


def _put_collection(subscription: Obj, call: Call) -> None:
    method = call.value("collection_method") or subscription["collection_method"]
    days = call.value("days_until_due", subscription["days_until_due"])
    if method == "charge_automatically" and call.value("days_until_due") is not None:
        message = "You cannot set `days_until_due` when `collection_method` is `charge_automatically`."
        raise invalid(message, param="days_until_due")
    if method == "send_invoice" and days is None:
        message = "You must set `days_until_due` when `collection_method` is `send_invoice`."
        raise invalid(message, param="days_until_due")
    subscription["collection_method"] = method
    subscription["days_until_due"] = days if method == "send_invoice" else None


def put_discounts(world: World, subscription: Obj, given: Any, *, amount: int) -> None:
    """Replace the subscription's discounts by a request's. Raises Stripe's 400s.

    One for a single invoice stays until the next invoice that costs anything uses it up. ``amount`` is what a period
    costs in minor units: some promotion codes ask for more.
    """
    subscription["discounts"] = _replaced(world, subscription, None, subscription["discounts"], given, amount)


def item_discounts(world: World, subscription: Obj, item: Obj, given: Any, at: str) -> list[str]:
    """The discounts that an item has after a request's ``items[n][discounts]``; those left out end."""
    return _replaced(world, subscription, item["id"], item["discounts"], given, None, f"{at}[discounts]")


def _replaced(  # noqa: PLR0917 - private, and called twice
    world: World,
    subscription: Obj,
    item: str | None,
    former: list[str],
    given: Any,
    amount: int | None,
    under: str = "discounts",
) -> list[str]:
    customer = world.get("customer", subscription["customer"])
    kept: list[str] = []
    for index, one in enumerate(given or []):
        at = f"{under}[{index}]"
        if named := one.get("discount"):
            if named not in former:
                message = f"No such discount: '{named}'"
                raise invalid(message, param=f"{at}[discount]", code="resource_missing")
            kept.append(named)
            continue
        made = discounts.start(
            world,
            customer=customer,
            coupon=one.get("coupon"),
            promotion_code=one.get("promotion_code"),
            subscription=subscription["id"],
            subscription_item=item,
            param=f"{at}[coupon]" if one.get("coupon") else f"{at}[promotion_code]",
            amount=amount,
            currency=subscription["currency"],
        )
        kept.append(made["id"])
    for name in former:
        if name not in kept:
            discounts.end(world, name)
    return kept
