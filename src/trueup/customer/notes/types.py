"""What people write down about customers."""

from __future__ import annotations

from datetime import datetime

from trueup.kernel.records import Record


class Note(Record, frozen=True):
    """One note. ``by`` is who wrote it (``operator:7``), ``author`` what to call them; empty for a program."""

    id: int
    customer_id: str
    """Our id of the Stripe customer that it was written about, also where that was merged into another since."""
    text: str
    at: datetime
    edited_at: datetime | None
    by: str
    author: str
