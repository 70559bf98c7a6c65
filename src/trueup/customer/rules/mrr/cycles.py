"""When a subscription's item renews, in whole seconds of Stripe's time.

A month or year later is the same day of the month, or the month's last when it is shorter; the day comes back in the
next month that has it. Source: https://docs.stripe.com/billing/subscriptions/billing-cycle
"""

from __future__ import annotations

from calendar import monthrange
from datetime import MAXYEAR, MINYEAR
from typing import Any, Final, NamedTuple

from trueup.kernel.time import from_unix
from trueup.mirror.upcast.shape import LATEST_SECOND

_SECONDS: Final = {"day": 86_400, "week": 7 * 86_400}
_MONTHS: Final = {"month": 1, "year": 12}


class Cycle(NamedTuple):
    """Renewals before and after one that is known (``anchor``), every so many units of time.

    ``began`` is a renewal out of that order: the start of the current period, which may be a shorter one.
    """

    anchor: int
    unit: str
    every: int
    began: int | None = None

    def latest(self, at: int) -> int | None:
        """The last renewal at or before ``at``, also before the anchor; ``None`` when no calendar has it."""
        latest = self._nth(self._steps(at))
        if self.began is None or self.began > at:
            return latest
        return self.began if latest is None else max(latest, self.began)

    def first(self, at: int) -> int | None:
        """The first renewal in order at or after ``at``; ``None`` when no calendar has it."""
        if at > LATEST_SECOND:
            return None
        steps = self._steps(at)
        latest = self._nth(steps)
        return latest if latest == at else self._nth(steps + 1)

    def renewed(self, at: int) -> int | None:
        """The first renewal at or after ``at``, ``began`` among them; ``None`` when no calendar has it."""
        first = self.first(at)
        if self.began is None or self.began < at:
            return first
        return self.began if first is None else min(first, self.began)

    def _steps(self, at: int) -> int:
        """How many periods after the anchor the last renewal at or before ``at`` is."""
        seconds = _SECONDS.get(self.unit)
        if seconds is not None:
            return (at - self.anchor) // (seconds * self.every)
        known, asked = from_unix(self.anchor), from_unix(at)
        steps = ((asked.year - known.year) * 12 + asked.month - known.month) // (_MONTHS[self.unit] * self.every)
        nearest = self._nth(steps)
        return steps - 1 if nearest is not None and nearest > at else steps

    def _nth(self, steps: int) -> int | None:
        seconds = _SECONDS.get(self.unit)
        if seconds is not None:
            there = self.anchor + steps * seconds * self.every
            return there if 0 <= there <= LATEST_SECOND else None
        known = from_unix(self.anchor)
        year, month = divmod(known.year * 12 + known.month - 1 + steps * _MONTHS[self.unit] * self.every, 12)
        if not MINYEAR <= year <= MAXYEAR:
            return None
        day = min(known.day, monthrange(year, month + 1)[1])
        return int(known.replace(year=year, month=month + 1, day=day).timestamp())


def cycle_of(subscription: dict[str, Any], item: dict[str, Any], recurring: dict[str, Any]) -> Cycle | None:
    """How an item renews; ``None`` when the payloads do not tell.

    The end of the item's period is a renewal. ``billing_cycle_anchor`` is taken in its place when it leads to that same
    moment, for it remembers a 31st that a period ending in February has lost.
    """
    unit, count = recurring.get("interval"), recurring.get("interval_count", 1)
    if type(count) is not int or count < 1 or type(unit) is not str or not (unit in _SECONDS or unit in _MONTHS):
        return None
    began = _second(item.get("current_period_start"))
    end = _second(item.get("current_period_end"))
    anchor = _second(subscription.get("billing_cycle_anchor"))
    if anchor is not None:
        cycle = Cycle(anchor, unit, count, began)
        if end is None or cycle.first(end) == end:
            return cycle
    known = end if end is not None else _second(subscription.get("start_date"))
    return Cycle(known, unit, count, began) if known is not None else None


def _second(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= LATEST_SECOND else None
