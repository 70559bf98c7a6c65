"""Which discounts of a phase can be redeemed when it begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trueup.sandbox.catalog import discounts, prices
from trueup.sandbox.subscriptions import billing
from trueup.sandbox.wire.errors import StripeError
from trueup.sandbox.world.world import Obj, World

Named = Mapping[str, Any]


def try_all(
    world: World, customer: str, named: Sequence[Named], currency: str, *, param: str, amount: int | None = None
) -> None:
    """Raise Stripe's 400 where these coupons and promotion codes could not be redeemed now, all; none is redeemed.

    ``amount`` is what they would be redeemed for, in minor units of ``currency``. ``param`` is the last one's.
    """

    def imagined(other: World) -> Obj:
        made: Obj = {}
        for one in named:
            made = discounts.start(
                other,
                customer=other.get("customer", customer),
                coupon=one["coupon"],
                promotion_code=one["promotion_code"],
                subscription="sub_imagined",
                param=param,
                amount=amount,
                currency=currency,
            )
        return made

    world.imagine(imagined)


def worth(world: World, phase: Obj) -> int:
    """What a period of a phase costs before discounts, in minor units."""
    found = [
        (prices.by_id(world, item["price"], param="items", active=False), item["quantity"] or 0)
        for item in phase["items"]
    ]
    return sum(prices.line_amount(price, quantity, currency=phase["currency"]) for price, quantity in found)


class Redeeming:
    """The discounts of one phase that begins, of the subscription's, where there is one already.

    What could be redeemed when the phase was described and no longer can is left out.
    """

    def __init__(self, world: World, phase: Obj, customer: str, subscription: Obj | None) -> None:
        self._world, self._customer, self._subscription = world, customer, subscription
        self._currency: str = phase["currency"]
        # A code that asks for a minimum is held against what was bought and against what is going to be.
        self._worth = worth(world, phase)
        if subscription is not None:
            self._worth = min(self._worth, billing.worth(world, subscription))
        self._tried: list[Named] = []

    def whole(self, phase: Obj) -> list[dict[str, Any]]:
        """The phase's own, as a request for its subscription would name them."""
        return self._of(phase["discounts"], self._subscription, self._worth)

    def of_item(self, item: Obj, former: Obj | None) -> list[dict[str, Any]]:
        """Those of an item of the phase, that ``former`` becomes."""
        return self._of(item["discounts"], former, None)

    def _of(self, wanted: Sequence[Named], holder: Obj | None, amount: int | None) -> list[dict[str, Any]]:
        """A coupon or code whose discount the holder has already goes on."""
        held = [discounts.active(self._world, name) for name in (holder["discounts"] if holder else ())]
        running, found = [one for one in held if one is not None], []
        for one in wanted:
            runs = next((discount for discount in running if _is(discount, one)), None)
            if runs is not None:
                running.remove(runs)
                found.append({"discount": runs["id"]})
            elif not one["discount"] and self._can(one, amount):
                found.append({name: value for name, value in one.items() if value})
        return found

    def _can(self, one: Named, amount: int | None) -> bool:
        try:
            tried = [*self._tried, one]
            try_all(self._world, self._customer, tried, self._currency, param="discounts", amount=amount)
        except StripeError:
            return False
        self._tried = tried
        return True


def _is(discount: Obj, named: Named) -> bool:
    """Whether a discount is what a phase names."""
    if named["discount"]:
        return bool(discount["id"] == named["discount"])
    if named["promotion_code"]:
        return bool(discount["promotion_code"] == named["promotion_code"])
    return discount["promotion_code"] is None and discount["source"]["coupon"] == named["coupon"]
