"""The public nouns of alarms."""

from __future__ import annotations

from datetime import datetime

from trueup.kernel.records import Record


class Alarm(Record, frozen=True):
    """What stands wrong, as whoever watches it says.

    ``code`` is stable and from a bounded set; ``message`` is one sentence that says what, and ``remedy`` what to do.
    Neither may hold a secret or personal data.
    """

    code: str
    message: str
    remedy: str


class StandingAlarm(Alarm, frozen=True):
    """An alarm that stands at this moment."""

    source: str
    """Who watches: ``sweep.snapshot``, for one."""
    account_id: int | None
    account_slug: str
    """Empty where it is about the installation and not about one account."""
    since: datetime
    seen_at: datetime
    """When whoever watches last looked and found it still wrong."""
