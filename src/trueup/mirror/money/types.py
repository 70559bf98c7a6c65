"""The public nouns of lists of money."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from trueup.kernel.records import Record
from trueup.mirror.types import ObjectKey

CustomerKey = tuple[int, bool, str]
"""Account, mode, and Stripe's customer id."""


class Order(StrEnum):
    """By what a list is ordered."""

    NEWEST = "newest"
    OLDEST = "oldest"
    DUE = "due"
    """What has to be done first comes first. For statuses that few objects have: their rows are sorted."""
    LARGEST = "largest"
    """The largest amount first, whatever its currency. As for ``DUE``."""


class Which(Record, frozen=True):
    """Which objects: all that is given has to hold.

    Moments are in unix seconds of Stripe's time, amounts in minor units, both ends of amounts included.
    """

    types: tuple[str, ...]
    statuses: tuple[str, ...] = ()
    """Of ``mirror.amounts``; all where there is none."""
    account_id: int | None = None
    currency: str = ""
    since: int | None = None
    """Made at this moment or later."""
    until: int | None = None
    """Made before this moment."""
    amount_from: int | None = None
    amount_to: int | None = None
    reason: str = ""
    object_id: str = ""
    number: str = ""
    """An invoice's, as ``mirror.amounts`` has it folded."""
    customers: tuple[CustomerKey, ...] | None = None
    """Of these Stripe customers; of all where this is ``None``."""


class Listed(Record, frozen=True):
    """A row of a list: the columns of ``mirror.amounts``, whose the object is, and its essence."""

    key: ObjectKey
    customer: str | None
    status: str
    currency: str | None
    amount: int | None
    made: int
    due: int | None
    reason: str | None
    data: dict[str, Any]


class Sum(Record, frozen=True):
    """How many objects of one status and currency there are, and their amounts together in minor units.

    ``more`` says that there are more than were counted.
    """

    status: str
    currency: str | None
    number: int
    amount: int
    more: bool


class Reason(Record, frozen=True):
    """How often one reason was told, and of how much money in one currency."""

    reason: str | None
    currency: str | None
    number: int
    amount: int


class Failed(Record, frozen=True):
    """An invoice that could not be collected at least once, as it stands now; ``last`` is its newest failure."""

    key: ObjectKey
    status: str
    currency: str | None
    amount: int
    first: int
    last: int
    failures: int


class FailedSum(Record, frozen=True):
    """What failed first in one span of time, of one currency and status: the amounts together, and how often it did."""

    place: int
    """0 for the first span."""
    currency: str | None
    status: str
    amount: int
    failures: int
    oldest: int
    """The first failure that was looked at, in unix seconds."""


class Span(Record, frozen=True):
    """What comes of subscriptions in one span of time: how many, how much, and how many have no known price."""

    place: int
    """0 for the first span."""
    currency: str | None
    number: int
    amount: int
    unknown: int
