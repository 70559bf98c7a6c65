"""What time it is for a customer, as facts tell it. Pure.

A customer on one of Stripe's test clocks lives by it and never by ours: its periods begin and its discounts end when
somebody advances the clock. Source: https://docs.stripe.com/billing/testing/test-clocks
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from trueup.mirror.types import MirrorObject
from trueup.mirror.upcast.shape import LATEST_SECOND, id_of, whole

TEST_CLOCK: Final = "test_helpers.test_clock"
"""Stripe's type name of a test clock."""

_ON_CLOCKS: Final = frozenset({"customer", "subscription", "subscription_schedule"})


def clock_of(told: MirrorObject) -> str | None:
    """The id of the test clock that an object lives by."""
    return id_of(told.data.get("test_clock")) if told.object_type in _ON_CLOCKS else None


def clock_time(objects: Iterable[MirrorObject]) -> int | None:
    """What time a customer's test clock shows, in unix seconds; ``None`` for a customer that is on none.

    ``objects`` are the customer's, and the clocks that they name. 0 when a clock is named and nothing has told of it
    yet. Stripe customers that are one may be on several clocks: then it is the latest.
    """
    named: set[str] = set()
    shown: dict[str, int] = {}
    for told in objects:
        clock = clock_of(told)
        if clock is not None:
            named.add(clock)
        if told.object_type == TEST_CLOCK:
            time = whole(told.data.get("frozen_time"))
            shown[told.object_id] = min(max(time or 0, 0), LATEST_SECOND)
    return max((shown.get(one, 0) for one in named), default=None)
