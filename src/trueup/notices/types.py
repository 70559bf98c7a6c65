"""The public nouns of notices: rules, what changed, and what is or was sent of it.

Times are aware UTC; hours are those of a rule's zone, 0 to 23.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trueup.kernel.actor import Actor
from trueup.kernel.money import Money
from trueup.kernel.records import Record


class Kind(StrEnum):
    """What can happen to a customer that somebody is told of."""

    STARTED = "started"
    """A subscription is active that was not before: it is new, or its trial ended well."""
    TRIALING = "trialing"
    TRIAL_ENDING = "trial_ending"
    """A trial ends within ``rules.TRIAL_ENDING``."""
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    RECOVERED = "recovered"
    """Active again after it was past due, unpaid or paused."""
    PAUSED = "paused"
    CANCEL_SCHEDULED = "cancel_scheduled"
    """It will end by itself."""
    CANCEL_WITHDRAWN = "cancel_withdrawn"
    """It will not end after all."""
    CANCELED = "canceled"
    STAGE = "stage"
    """The stage of the customer, over all its subscriptions, is another one."""
    PAYMENT_FAILED = "payment_failed"


class Channel(StrEnum):
    """Where a notice goes."""

    EMAIL = "email"
    SLACK = "slack"
    """An incoming webhook of Slack."""
    WEBHOOK = "webhook"
    """Signed JSON, as Standard Webhooks has it."""


class Pace(StrEnum):
    """When a notice goes."""

    IMMEDIATE = "immediate"
    HOURLY = "hourly"
    DAILY = "daily"


class Status(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    """Not due yet, or to be tried again."""
    SENT = "sent"
    FAILED = "failed"
    """Set aside: it was refused for good, or tried too often."""
    DROPPED = "dropped"
    """Whoever it was for may not be told any more."""


class Rule(Record, frozen=True):
    """Who is told of what, where and when. ``operator_id`` is the person, None for a team.

    ``target`` is what may be shown of where it goes: an address of mail, or the host of a webhook.
    """

    id: int
    operator_id: int | None
    name: str
    kinds: frozenset[Kind]
    account_id: int | None
    only_mine: bool
    """Only customers that the person looks after."""
    at_least: Decimal | None
    """The least amount in major units of whatever currency it is in: what failed, else the monthly revenue."""
    channel: Channel
    target: str
    pace: Pace
    hour: int
    """At which a daily one goes."""
    zone: str
    quiet_from: int | None
    quiet_until: int | None
    """Immediate ones wait from the one hour until the other; both or neither."""
    with_names: bool
    """Whether a team's messages name the customer and its address."""
    language: str
    paused: bool
    made_by: Actor
    created_at: datetime


class Draft(Record, frozen=True):
    """A rule as somebody asks for it. ``target`` is an address of mail or a URL; empty keeps the one there is."""

    name: str
    kinds: frozenset[Kind]
    channel: Channel
    target: str = ""
    account_id: int | None = None
    only_mine: bool = False
    at_least: Decimal | None = None
    pace: Pace = Pace.IMMEDIATE
    hour: int = 8
    zone: str = "UTC"
    quiet_from: int | None = None
    quiet_until: int | None = None
    with_names: bool = False
    language: str = ""
    paused: bool = False


class Saved(Record, frozen=True):
    """A rule that was saved; ``secret`` signs a new webhook's messages, and cannot be read again."""

    rule: Rule
    secret: str = ""


class Change(Record, frozen=True):
    """Something that happened to a customer. ``at`` is in Stripe's time; ``fact`` is the event that told it."""

    id: int
    customer_id: str
    account_id: int
    livemode: bool
    kind: Kind
    subject: str
    """The subscription, or the object of the payment; the customer's id at Stripe for a stage."""
    before: str
    after: str
    """Stripe's words for the status, ours for the stage, a moment in unix seconds for an end; may be empty."""
    amount: Money | None
    at: datetime
    fact: str


class Attempt(Record, frozen=True):
    """What came of a message: whether it was taken, and what the receiver said in its own words."""

    taken: bool
    words: str


class Delivery(Record, frozen=True):
    """A message to one place about one change or several."""

    id: int
    rule_id: int
    rule_name: str
    operator_id: int | None
    channel: Channel
    target: str
    status: Status
    due_at: datetime
    attempts: int
    settled_at: datetime | None
    """When it was sent, set aside or dropped."""
    error: str
    """A sentence of ours, or empty."""
    answer: str
    """What the receiver said in its own words; it may be about somebody."""
    changes: int
