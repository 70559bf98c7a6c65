"""The public nouns of lists of money as people read them: with the customer, the reason in words, and the revenue."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from trueup.customer.rules.declines import Explanation
from trueup.customer.types import Mrr
from trueup.kernel.money import Money
from trueup.kernel.records import Record
from trueup.mirror.types import ObjectKey

PAYMENTS = ("charge", "payment_intent")
"""Types of objects of the list of payments: charges, and payments that no charge tells of yet."""


class Customer(Record, frozen=True):
    """Whose something is: our id and Stripe's, and what to call it; the name is Stripe's id where none is known."""

    id: str
    stripe_customer_id: str
    name: str


class Row(Record, frozen=True):
    """One object of a list. Moments are in Stripe's time; ``None`` means unknown or not applicable.

    ``status``, ``amount``, ``due`` and ``reason`` are what ``mirror.amounts`` says of its type.
    """

    key: ObjectKey
    account_slug: str
    customer: Customer | None
    status: str
    amount: Money | None
    made: datetime
    due: datetime | None
    reason: str | None
    failure: Explanation | None
    """Why a payment failed; ``None`` for all that did not."""
    data: dict[str, Any]
    """The object's essence."""
    mrr: tuple[Mrr, ...] = ()
    """Of a subscription, where it was asked for."""


class Total(Record, frozen=True):
    """How many objects have a status, and how much they are together, one amount per currency, sorted by currency.

    ``more`` says that there are more than were counted, so that number and amounts are too small.
    """

    status: str
    number: int
    amounts: tuple[Money, ...]
    more: bool


class Lane(StrEnum):
    """What became of an invoice that could not be collected."""

    AT_RISK = "at_risk"
    """It is open: the money is not here, and not given up."""
    RECOVERED = "recovered"
    """It was paid after all."""
    LOST = "lost"
    """It was written off or voided."""


class Recovering(Record, frozen=True):
    """One invoice that could not be collected, as it stands now.

    ``first_failed_at`` and ``failures`` are told by events, and by the invoice alone where there are none.
    """

    row: Row
    first_failed_at: datetime
    last_failed_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    failure: Explanation | None
    certain: bool
    """Whether Stripe says that this failure was of this invoice; otherwise it was of the same amount, and later."""


class Recovery(Record, frozen=True):
    """What failed in a span of time: by lane how many invoices, and how much in each currency.

    ``cut`` says that more failed than was looked at: then all of it speaks of the newest failures alone.
    """

    totals: tuple[Total, ...]
    """One for each lane, in the order of ``Lane``; ``status`` is the lane."""
    cut: bool


class Month(Record, frozen=True):
    """What failed first in one month, in one currency, by what became of it; minor units."""

    begins: datetime
    at_risk: int
    recovered: int
    lost: int


class Months(Record, frozen=True):
    """Months by currency, the one in which most failed first.

    ``cut_at``: what failed before was not looked at, because so much failed since; else None.
    """

    by_currency: dict[str, tuple[Month, ...]]
    cut_at: datetime | None


class Week(Record, frozen=True):
    """What comes in one week: how many subscriptions, how much they cost in one currency, how many have no price."""

    begins: datetime
    number: int
    amount: int
    unknown: int


class UpcomingLine(Record, frozen=True):
    """One thing that an invoice to come asks for; ``proration`` says that it makes up for a change within a period."""

    description: str
    """As Stripe writes it, in the account's language."""
    quantity: int | None
    amount: Money | None
    begins: datetime | None
    ends: datetime | None
    proration: bool


class Upcoming(Record, frozen=True):
    """The invoice that would come, as Stripe works it out when it is asked. ``None`` is what it does not tell.

    ``total`` is ``subtotal`` less ``discount`` with ``tax``; ``from_balance`` is what the customer's balance adds to it
    (negative for a credit), and ``due`` what is left to pay. ``tax`` and ``discount`` are ``None`` where there is none.
    """

    subscription_id: str | None
    made_at: datetime | None
    attempted_at: datetime | None
    """When its payment is tried first; ``None`` where it is sent, to be paid until ``due_at``."""
    due_at: datetime | None
    automatic: bool
    """Whether it is charged by itself."""
    lines: tuple[UpcomingLine, ...]
    more: bool
    """Whether it has more lines than these."""
    subtotal: Money | None
    discount: Money | None
    tax: Money | None
    total: Money | None
    from_balance: Money | None
    due: Money | None
