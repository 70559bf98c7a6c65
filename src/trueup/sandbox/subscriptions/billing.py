"""The invoices of a subscription: which lines they have, and how they are brought to payment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from trueup.sandbox.assumptions import uses_up_discounts
from trueup.sandbox.catalog import discounts, prices
from trueup.sandbox.invoices import drafts, finalizing, lines, paying
from trueup.sandbox.payment_methods import methods
from trueup.sandbox.subscriptions import items, periods, prorations
from trueup.sandbox.world.world import Obj, World


def price(world: World, item: Obj) -> Obj:
    """An item's price as it is stored, with what is not shown; one that was deleted as it was."""
    return prices.kept(world, item["price"]["id"]) or world.get("price", item["price"]["id"])


def line(world: World, subscription: Obj, item: Obj, *, trial: bool = False, in_part: bool = True) -> Obj | None:
    """The line for an item's current period; None for what is billed by usage.

    A period shorter than the price's, before an anchor or an end that is set, is charged in part unless ``in_part`` is
    false.
    """
    found = price(world, item)
    if found["recurring"]["usage_type"] == "metered":
        return None
    if not trial and in_part:
        now = (item["current_period_start"], item["current_period_end"])
        whole = periods.whole(subscription["billing_cycle_anchor"], item)
        if now != whole:
            return part(world, subscription, item, whole, now)
    return lines.of_price(
        world,
        price=found,
        quantity=items.quantity_of(item),
        period=(item["current_period_start"], item["current_period_end"]),
        subscription=subscription,
        item=item["id"],
        trial=trial,
        discounts=item["discounts"],
    )


def part(world: World, subscription: Obj, item: Obj, whole: tuple[int, int], period: tuple[int, int]) -> Obj | None:
    """The line for some time of an item that costs its price for ``whole``; None for what is billed by usage."""
    found = price(world, item)
    if found["recurring"]["usage_type"] == "metered":
        return None
    amount = prices.line_amount(found, items.quantity_of(item))
    return lines.of_proration(
        world,
        amount=prorations.prorated(amount, start=whole[0], end=whole[1], at=whole[1] - (period[1] - period[0])),
        price=found,
        quantity=items.quantity_of(item),
        period=period,
        subscription=subscription,
        item=item["id"],
    )


def draft(
    world: World,
    subscription: Obj,
    reason: str,
    found: Sequence[Obj | None],
    *,
    period: tuple[int, int],
    auto_advance: bool = True,
    at: int | None = None,
    **settings: Any,
) -> Obj:
    """Make an invoice of the subscription and let it be the latest. A discount that is for one invoice is used up.

    ``at`` is when it will be made, where that is not now: discounts that end until then are not on it.
    """
    customer = world.get("customer", subscription["customer"])
    invoice = drafts.create(
        world,
        customer=customer,
        subscription=subscription,
        billing_reason=reason,
        lines=[one for one in found if one is not None],
        period_start=period[0],
        period_end=period[1],
        auto_advance=auto_advance,
        collection_method=subscription["collection_method"],
        days_until_due=subscription["days_until_due"],
        discounts=_discounts(world, subscription, world.now if at is None else at),
        currency=subscription["currency"],
        **settings,
    )
    subscription["latest_invoice"] = invoice["id"]
    if uses_up_discounts(invoice["subtotal"]):
        _use_up(world, subscription)
    return invoice


def _discounts(world: World, subscription: Obj, at: int) -> list[str]:
    """The subscription's discounts that run at a moment."""
    found = ((one, discounts.active(world, one)) for one in subscription["discounts"])
    return [one for one, discount in found if discount is not None and (discount["end"] or at + 1) > at]


def _use_up(world: World, subscription: Obj) -> None:
    """End the discounts that were for one invoice; a free one, as of a trial, leaves them for the next."""
    for name in [*subscription["discounts"], *(d for i in subscription["items"]["data"] for d in i["discounts"])]:
        found = discounts.active(world, name)
        if found is not None and discounts.coupon_of(world, name)["duration"] == "once":
            discounts.end(world, name)


def collect(world: World, invoice: Obj, *, attempt: Any = "first", off_session: bool = True) -> Obj:
    """Finalise an invoice now and, where it is charged automatically, attempt to pay it. Never raises on a decline."""
    finalizing.finalize(world, invoice)
    if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
        paying.pay(world, invoice, attempt=attempt, off_session=off_session)
    return invoice


def method(world: World, subscription: Obj) -> Obj | None:
    """What the subscription would be paid with."""
    customer = world.get("customer", subscription["customer"])
    return methods.default_for(world, customer, subscription, None)


def has_pending(world: World, subscription: Obj) -> bool:
    """Whether something of the subscription waits for its next invoice."""
    return next(pending(world, subscription), None) is not None


def pending(world: World, subscription: Obj) -> Iterator[Obj]:
    """The invoice items of the subscription that wait for its next invoice."""
    for item in world.select("invoiceitem", _waiting=subscription["customer"]):
        parent = (item.get("parent") or {}).get("subscription_details") or {}
        if parent.get("subscription") == subscription["id"]:
            yield item


def gross(world: World, item: Obj) -> int:
    """What an item costs for a whole period, before discounts, in minor units; metered ones nothing."""
    return prices.line_amount(price(world, item), items.quantity_of(item))


def worth(world: World, subscription: Obj) -> int:
    """What all items cost for a whole period each, before discounts, in minor units."""
    return sum(gross(world, item) for item in subscription["items"]["data"])
