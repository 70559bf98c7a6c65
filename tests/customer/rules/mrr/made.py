"""Subscriptions with discounts, and what they bring in."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tests.customer.builders import DAY, NOW, item, price, subscription
from trueup.customer.rules.mrr.policy import DEFAULT, Policy
from trueup.customer.rules.revenue import Revenue, revenue

MONTH_LATER = NOW + 30 * DAY
"""NOW is 14 November 2023, 22:13:20 UTC."""


def coupon(percent: Any = None, amount: Any = None, *, duration: str = "forever", **more: Any) -> dict[str, Any]:
    told = {"id": "co_1", "object": "coupon", "percent_off": percent, "amount_off": amount, "duration": duration}
    return told | ({"currency": "usd"} if amount is not None else {}) | more


def discount(
    of: dict[str, Any] | str, *, start: int | None = NOW, end: int | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "id": "di_1",
        "object": "discount",
        "source": {"type": "coupon", "coupon": of},
        "start": start,
        "end": end,
    } | more


def data(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return subscription(more.pop("status", "active"), *items, **{"billing_cycle_anchor": NOW, **more}).data


def told(
    *subscriptions: dict[str, Any],
    at: int = NOW,
    customer: dict[str, Any] | None = None,
    known: dict[str, Any] | None = None,
    policy: Policy = DEFAULT,
) -> Revenue:
    return revenue(subscriptions, customer=customer or {}, find=(known or {}).get, at=at, policy=policy)


def usd(*subscriptions: dict[str, Any], **more: Any) -> Fraction:
    """The MRR in dollars' cents; everything has to be known, and nothing else may come in."""
    found = told(*subscriptions, **more)
    assert found.unknown == ()
    assert {mrr.currency for mrr in found.mrr} <= {"usd"}
    return sum((mrr.exact for mrr in found.mrr), Fraction(0))


__all__ = ["DAY", "MONTH_LATER", "NOW", "coupon", "data", "discount", "item", "price", "told", "usd"]
