"""The public nouns of the access log."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from trueup.kernel.records import Record

CustomerKey = tuple[int, bool, str]
"""Account, mode, and Stripe's id."""


class What(StrEnum):
    """What somebody saw of a customer."""

    PAGE = "page"
    """A page of the console about this customer."""
    API = "api"
    """An answer of the API about this customer."""
    EXPORT = "export"
    """A file with a list that this customer is in."""
    PAYLOAD = "payload"
    """An object or event of this customer, as Stripe sent it."""


class Look(Record, frozen=True):
    """That somebody looked at a customer, within an hour."""

    id: int
    actor: str
    """Who, as ``operator:7``."""
    behind: str
    """Who really looked, where that is another; empty else."""
    account_id: int
    livemode: bool
    customer: str
    """Stripe's id."""
    what: tuple[What, ...]
    first_at: datetime
    last_at: datetime
    """Both are within one hour."""
    times: int
    """How often in that hour."""
    origin: str
    """From where the last time; empty where that is not known, or was erased."""


class Looks(Record, frozen=True):
    """Which looks: all that is given has to hold."""

    actor: str = ""
    """A kind such as ``token``, or somebody, such as ``operator:7``."""
    customer: str = ""
    """Stripe's id."""
    what: What | None = None
    since: datetime | None = None
    """From this moment on."""
    until: datetime | None = None
    """Before this moment."""
