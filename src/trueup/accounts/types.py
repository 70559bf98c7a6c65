"""The public nouns of accounts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from trueup.kernel.records import Record


class Access(StrEnum):
    """What Trueup may do with an account."""

    WATCH = "watch"
    """Read only: nothing that writes to Stripe is offered."""
    ACT = "act"
    """Commands may change Stripe."""


class Account(Record, frozen=True):
    """A Stripe account in one mode, without its secrets."""

    id: int
    slug: str
    """Ours, in the webhook address: lower-case letters, digits and hyphens."""
    name: str
    livemode: bool
    access: Access
    stripe_account_id: str | None
    """Stripe's ``acct_…``, once known."""
    parent_id: int | None
    """The platform that a connected account belongs to."""
    api_base: str | None
    has_api_key: bool
    created_at: datetime


class WebhookSecret(Record, frozen=True):
    """A signing secret's public face."""

    id: int
    account_id: int
    hint: str
    """Its last four characters."""
    created_at: datetime
    retired_at: datetime | None
