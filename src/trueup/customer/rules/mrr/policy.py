"""The switches of MRR, and which subscriptions count under them.

Which way each vendor turns a switch, and why ours is turned as it is: ``docs/metrics.md``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from trueup.kernel.records import Record
from trueup.mirror.upcast.shape import LATEST_SECOND


class Discounts(StrEnum):
    """Which coupons lower MRR, by their duration."""

    RECURRING = "recurring"
    """Forever and repeating: one cheaper invoice is not a lower run rate."""
    ALL = "all"
    """Those of a single invoice too, for as long as that invoice's period."""
    FOREVER = "forever"
    """What ends by itself leaves MRR alone."""
    NONE = "none"
    """MRR at list prices."""


class DiscountEnd(StrEnum):
    """When a discount that ends stops counting."""

    PERIOD_END = "period_end"
    """At the first renewal on or after its end: an invoice is discounted whole."""
    IMMEDIATE = "immediate"
    """At its end."""


class Cancellation(StrEnum):
    """When a subscription that is told to end stops counting."""

    PERIOD_END = "period_end"
    """When it has ended."""
    REQUEST = "request"
    """As soon as it is told to."""


class PastDue(StrEnum):
    """Whether a subscription in dunning counts."""

    COUNT = "count"
    EXCLUDE = "exclude"


class PausedCollection(StrEnum):
    """Whether a subscription that nothing is collected for counts."""

    ZERO = "zero"
    COUNT = "count"


class Metered(StrEnum):
    """How metered use counts. Only ``exclude`` is computed: the others need the history of usage."""

    EXCLUDE = "exclude"
    LAST_PERIOD = "last_period"
    TRAILING_3 = "trailing3"


class WeekBasis(StrEnum):
    """How many months a week is."""

    YEAR_OF_365_DAYS = "365/84"
    """84/365, so that seven daily prices are a weekly one."""
    YEAR_OF_52_WEEKS = "52/12"
    """12/52."""


class Policy(Record, frozen=True, forbid_unknown_fields=True):
    """One choice for each switch; the defaults are ours. A report keeps the policy it was made with."""

    discounts: Discounts = Discounts.RECURRING
    discount_end: DiscountEnd = DiscountEnd.PERIOD_END
    cancel_recognition: Cancellation = Cancellation.PERIOD_END
    past_due: PastDue = PastDue.COUNT
    paused_collection: PausedCollection = PausedCollection.ZERO
    metered: Metered = Metered.EXCLUDE
    week_basis: WeekBasis = WeekBasis.YEAR_OF_365_DAYS
    require_first_payment: bool = False
    """Whether MRR begins only when a first invoice with an amount is paid."""
    coalesce_minutes: int = 60
    """Changes of a customer no further apart than this are one movement."""
    trial_grace_days: int = 7
    """How long after a trial its first payment still converts it; MRR does not depend on it."""
    zero_decimal: frozenset[str] | None = None
    """Currencies without a minor unit, lower case; ``None`` for those that ``kernel.money`` knows."""
    three_decimal: frozenset[str] | None = None


DEFAULT: Final = Policy()


def counted_from(subscription: dict[str, Any], policy: Policy) -> int | None:
    """From when on a subscription brings MRR, in unix seconds: 0 for all along, ``None`` for not at all.

    It has to be active or past_due, and neither paused nor, by policy, leaving; one whose pause ends by itself brings
    MRR from that end on. Trialing, unpaid, canceled, incomplete, incomplete_expired, paused and statuses that Stripe
    may add bring none. Source: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
    """
    status = subscription.get("status")
    if status != "active" and (status != "past_due" or policy.past_due is PastDue.EXCLUDE):
        return None
    if policy.cancel_recognition is not Cancellation.PERIOD_END and is_leaving(subscription):
        return None
    return collected_from(subscription) if policy.paused_collection is PausedCollection.ZERO else 0


def collected_from(subscription: dict[str, Any]) -> int | None:
    """From when on invoices of a subscription are collected, in unix seconds: 0 for all along, ``None`` for not at all.

    ``resumes_at`` is by its definition when collecting begins again, whether or not an event tells of it.
    Source: https://docs.stripe.com/api/subscriptions/object#subscription_object-pause_collection-resumes_at
    """
    pause = subscription.get("pause_collection")
    if type(pause) is not dict:
        return 0
    resumes = pause.get("resumes_at")
    return resumes if type(resumes) is int and 0 <= resumes <= LATEST_SECOND else None


def is_leaving(subscription: dict[str, Any]) -> bool:
    """Whether a subscription is told to end by itself, at the end of its period or at another moment."""
    return subscription.get("cancel_at_period_end") is True or type(subscription.get("cancel_at")) is int


def is_paused(subscription: dict[str, Any], policy: Policy, at: int) -> bool:
    """Whether a subscription that does not count at ``at`` is only interrupted, so that its customer has not left.

    Stripe stops one whose last attempt to collect failed, too (``final_payment_failure``); that customer has left.
    Source: https://docs.stripe.com/billing/subscriptions/pause-payment
    """
    status = subscription.get("status")
    if status == "paused":
        return pause_reason(subscription) != "final_payment_failure"
    if status not in {"active", "past_due"} or policy.paused_collection is not PausedCollection.ZERO:
        return False
    collected = collected_from(subscription)
    return collected is None or at < collected


def pause_reason(subscription: dict[str, Any]) -> str | None:
    """Why Stripe paused a subscription (2026-09-30.endive), as Stripe spells it."""
    told: Any = subscription
    for field in ("status_details", "paused", "subscription", "type"):
        told = told.get(field) if type(told) is dict else None
    return told if type(told) is str else None
