"""Who looks after a customer."""

from __future__ import annotations

from datetime import datetime

from trueup.kernel.records import Record


class Owner(Record, frozen=True):
    """The person of ours who looks after a customer, since when, and who said so (``operator:7``)."""

    customer_id: str
    operator_id: int
    name: str
    """What to call the person: their name, else their address."""
    is_active: bool
    """Whether the person may still sign in."""
    since: datetime
    by: str
