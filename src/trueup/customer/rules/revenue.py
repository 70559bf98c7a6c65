"""What subscriptions bring in per month, exactly.

The definition, each of its switches and their reasons: ``docs/metrics.md``. This is the door to ``rules.mrr``.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import gcd
from typing import Any, NamedTuple

from trueup.customer.rules.mrr.discounts import Find
from trueup.customer.rules.mrr.policy import DEFAULT, Policy
from trueup.customer.rules.mrr.prices import months, per_period
from trueup.customer.rules.mrr.tally import Tally, Turn
from trueup.customer.types import Mrr
from trueup.kernel.money import Rounding, rounded
from trueup.mirror.upcast.shape import LATEST_SECOND, mapping


class Revenue(NamedTuple):
    """MRR of some subscriptions at a moment.

    ``mrr`` has one entry per currency, sorted by currency, zeros left out. ``changes_at`` is the first moment after
    that one, in unix seconds, at which the same objects give another answer, because a discount begins or ends or a
    pause does, and ``None`` when only a new fact can change it. ``changed`` is the last such moment up to that one, and
    its cause. ``unknown`` says in sentences what could not be counted, sorted.
    """

    mrr: tuple[Mrr, ...]
    changes_at: int | None
    changed: Turn | None
    unknown: tuple[str, ...]


def revenue(
    subscriptions: Iterable[dict[str, Any]],
    *,
    customer: dict[str, Any],
    find: Find,
    at: int,
    policy: Policy = DEFAULT,
) -> Revenue:
    """MRR of one customer's subscriptions, each in the newest shape, as they stand at ``at`` (unix seconds).

    ``find`` gives the data of a price, coupon or discount that is only named by its id. A fold has no clock: it asks
    for the moment that it was given, and ``changes_at`` says when it has to ask again.
    """
    tally = Tally()
    at = min(max(at, 0), LATEST_SECOND)
    for subscription in subscriptions:
        tally.add(subscription, find=find, at=at, customer=customer, policy=policy)
    found = tuple(mrr_of(currency, total) for currency, total in sorted(tally.totals.items()) if total[0])
    return Revenue(found, tally.changes_at, tally.changed, tuple(sorted(tally.unknown)))


def monthly(price: dict[str, Any], quantity: int | None) -> tuple[int, int] | None:
    """Minor units per month of a licensed recurring price, as (numerator, positive denominator), before discounts.

    Packages and tiers count. ``None`` where price and quantity alone do not tell: one-time and metered prices, tiers
    that are left out, and what a customer chooses to pay.
    """
    recurring = mapping(price.get("recurring"))
    period = months(recurring)
    if quantity is None or period is None or recurring.get("usage_type") == "metered":
        return None
    amount = per_period(price, quantity)
    return None if amount is None else (amount[0] * period[1], amount[1] * period[0])


def added(total: tuple[int, int] | None, part: tuple[int, int]) -> tuple[int, int]:
    """The sum of two fractions with positive denominators, not reduced."""
    if total is None:
        return part
    return total[0] * part[1] + part[0] * total[1], total[1] * part[1]


def mrr_of(currency: str, total: tuple[int, int]) -> Mrr:
    """A fraction of minor units per month in lowest terms, and rounded for display."""
    divisor = gcd(*total)
    numerator, denominator = total[0] // divisor, total[1] // divisor
    minor = numerator if denominator == 1 else rounded(Fraction(numerator, denominator), Rounding.HALF_AWAY)
    return Mrr(currency=currency, numerator=numerator, denominator=denominator, minor=minor)
