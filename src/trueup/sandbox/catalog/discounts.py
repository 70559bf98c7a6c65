"""Discounts: coupons that have been given to a customer, a subscription, one of its items or an invoice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from trueup.kernel.time import months_after
from trueup.sandbox.catalog import amounts, coupons, promotion_codes
from trueup.sandbox.wire.errors import StripeError, invalid
from trueup.sandbox.world.world import Obj, World, render


def start(
    world: World,
    *,
    customer: Obj,
    coupon: str | None = None,
    promotion_code: str | None = None,
    subscription: str | None = None,
    subscription_item: str | None = None,
    invoice: str | None = None,
    invoice_item: str | None = None,
    checkout_session: str | None = None,
    param: str,
    amount: int | None = None,
    currency: str | None = None,
) -> Obj:
    """Give a discount from a coupon or a promotion code, count the redemption, and tell it.

    Without a subscription, an item or an invoice it is the customer's, instead of the one that it has. The caller puts
    its id into the ``discounts`` of whatever else it is for. One of ``repeating`` ends by itself (see ``end``), one of
    ``once`` has to be ended by whoever used it. ``param`` names the parameter in Stripe's 400s: for what does not
    exist, has expired, may not be redeemed by this customer, asks for a larger ``amount`` (before discounts), or is not
    in ``currency``.
    """
    code = None
    if promotion_code is not None:
        code = world.get("promotion_code", promotion_code, param=param)
        coupon = code["promotion"]["coupon"]
    if coupon is None:
        raise invalid("You must pass a `coupon` or a `promotion_code`.", param=param)
    found = world.get("coupon", coupon, param=param)
    if code is not None:
        promotion_codes.check(world, code, customer, param=param, amount=amount, currency=currency)
    _check(found, currency, param)
    owned = any((subscription, subscription_item, invoice, invoice_item, checkout_session))
    if not owned and customer["discount"] is not None:
        end(world, customer["discount"]["id"])
    discount = world.new(
        "discount",
        {
            "checkout_session": checkout_session,
            "customer": customer["id"],
            "customer_account": None,
            "end": _end_of(found, world.now),
            "invoice": invoice,
            "invoice_item": invoice_item,
            "promotion_code": promotion_code,
            "source": {"coupon": found["id"], "type": "coupon"},
            "start": world.now,
            "subscription": subscription,
            "subscription_item": subscription_item,
            "$coupon": dict(found),
        },
    )
    del discount["livemode"]
    if discount["end"] is not None and not (invoice or invoice_item):
        world.schedule(discount["end"], "discount_end", discount["id"])
    world.tell("customer.discount.created", discount)
    coupons.redeem(world, found)
    if code is not None:
        promotion_codes.redeem(world, code)
    if not owned:
        customer["discount"] = render(discount)
    return discount


def end(world: World, discount_id: str) -> None:
    """End a discount and tell it: it leaves its customer, subscription and items. Harmless where it has ended.

    Those are told at the end of the change, or before by the caller. Invoices that it was for keep it.
    """
    discount = active(world, discount_id)
    if discount is None:
        return
    world.unschedule("discount_end", discount_id)
    world.tell("customer.discount.deleted", discount)
    discount["deleted"] = True
    customer = world.find("customer", discount["customer"])
    if customer is not None and (customer.get("discount") or {}).get("id") == discount_id:
        customer["discount"] = None
    subscription = world.find("subscription", discount["subscription"])
    if subscription is not None and not subscription.get("deleted"):
        for holder in (subscription, *subscription["items"]["data"]):
            if discount_id in (holder.get("discounts") or ()):
                holder["discounts"] = [one for one in holder["discounts"] if one != discount_id]


def active(world: World, discount_id: str | None) -> Obj | None:
    """The discount, None where there is none or it has ended."""
    discount = world.find("discount", discount_id)
    return None if discount is None or discount.get("deleted") else discount


def coupon_of(world: World, discount_id: str) -> Obj:
    """The coupon that a discount takes off by, also where it was deleted since; as stored, for ``shares``.

    Raises Stripe's 404 where there never was such a discount.
    """
    discount = world.get("discount", discount_id, deleted=True)
    coupon = world.find("coupon", discount["source"]["coupon"])
    kept: Obj = discount["$coupon"]
    return kept if coupon is None or coupon.get("deleted") or coupon["created"] != kept["created"] else coupon


def shares(amounts_of: Sequence[int], coupon: Obj, currency: str) -> list[int]:
    """What a coupon takes off each of the lines that cost ``amounts_of``, in minor units of ``currency``.

    Each is 0 or more and at most its line; together they are what the coupon takes off altogether. Each is rounded
    down, and what remains goes to the last. ``coupon`` is the stored one (``coupon_of``). Give only lines that
    ``applies_to`` lets through. Source: sandbox specification B.4.
    """
    return amounts.split(amounts.taken_off(amounts_of, coupon, currency), amounts_of)


def applies_to(coupon: Obj, product: str | None) -> bool:
    """Whether a coupon takes anything off a line of this product."""
    limited = coupon.get("$applies_to")
    return limited is None or product in limited["products"]


def expire(world: World, discount_id: str) -> None:
    """The timer at a discount's end."""
    discount = active(world, discount_id)
    if discount is not None:
        end(world, discount_id)


def _end_of(coupon: Obj, start_at: int) -> int | None:
    """So many months of the calendar after the start for ``repeating``; the others have no end of their own."""
    if coupon["duration"] != "repeating":
        return None
    return int(months_after(datetime.fromtimestamp(start_at, UTC), coupon["duration_in_months"]).timestamp())


def _check(coupon: Obj, currency: str | None, param: str) -> None:
    if not coupon["valid"]:
        raise StripeError(f"Coupon expired: {coupon['id']}", code="coupon_expired", param=param)
    if coupon["amount_off"] is not None and currency is not None and amounts.amount_off(coupon, currency) is None:
        ours = coupon["currency"]
        message = f"The coupon `{coupon['id']}` cannot be applied because it is in `{ours}`, not in `{currency}`."
        raise invalid(message, param=param)
