"""The nouns of identity: links to the outside, people, suggestions, breaches, and what a merge or split does."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from trueup.customer.types import LinkKind, Mrr, Plan, Source, Stage
from trueup.kernel.records import Record


class Link(Record, frozen=True):
    """That a customer is the same as something elsewhere.

    ``customer_id`` is our id of the Stripe customer that the link is about, also where it was merged into another.
    ``rule`` names what told it: a metadata key, Stripe's ``email``, or nothing for one that was made by hand.
    ``since`` is when the Stripe object that tells it was made, although a later change of that may have brought the
    link; for one made by hand, when that was.
    ``by`` is who made it (``operator:7``), ``None`` for what was derived.
    """

    customer_id: str
    kind: LinkKind
    system: str | None
    """Which CRM, for links of that kind."""
    value: str
    source: Source
    rule: str | None
    person_id: str | None
    since: datetime
    by: str | None


class Summary(Record, frozen=True):
    """One customer as it stands before or after a merge or split."""

    id: str
    stripe_customer_id: str
    stripe_customer_ids: tuple[str, ...]
    name: str | None
    email: str | None
    stage: Stage
    billing_status: str | None
    mrr: tuple[Mrr, ...]
    plans: tuple[Plan, ...]
    links: tuple[Link, ...]


class Joined(Record, frozen=True):
    """What a merge or split does, or did.

    ``done`` is false for a preview. ``changed`` is false where everything is as asked already; nothing is written then.
    """

    action: str
    """``merge`` or ``split``."""
    done: bool
    changed: bool
    before: tuple[Summary, ...]
    after: tuple[Summary, ...]


class PersonCustomer(Record, frozen=True):
    """A customer that a person belongs to."""

    id: str
    stripe_customer_id: str
    name: str | None
    stage: Stage


class Person(Record, frozen=True):
    """Somebody who belongs to one or more customers, known by emails and by ids of your own users."""

    id: str
    livemode: bool
    emails: tuple[str, ...]
    user_ids: tuple[str, ...]
    customers: tuple[PersonCustomer, ...]


class Reason(Record, frozen=True):
    """Why two customers may be one; ``weight`` is its part of the score."""

    kind: str
    value: str
    weight: int
    sentence: str


class SuggestedCustomer(Record, frozen=True):
    """One of two customers that may be one."""

    id: str
    stripe_customer_id: str
    name: str | None
    email: str | None
    stage: Stage


class Suggestion(Record, frozen=True):
    """Two customers of one account and mode that may be one. Nothing is ever merged because of it alone."""

    account_id: int
    livemode: bool
    score: int
    """The sum of the weights; a higher one is surer."""
    first: SuggestedCustomer
    second: SuggestedCustomer
    reasons: tuple[Reason, ...]


class Breach(StrEnum):
    """How a customer's metadata breaks a rule."""

    REQUIRED = "required"
    """The key is missing or empty."""
    PATTERN = "pattern"
    """The value is not of the form."""
    UNIQUE = "unique"
    """Another customer of the same account and mode has the value too."""


class Violation(Record, frozen=True):
    """A metadata rule that a customer breaks; ``value`` is ``None`` where there is none."""

    customer_id: str
    stripe_customer_id: str
    name: str | None
    key: str
    breach: Breach
    value: str | None
    sentence: str
