"""The public nouns of alarms."""

from __future__ import annotations

from datetime import datetime, timedelta

from trueup.kernel.records import Record


class Alarm(Record, frozen=True):
    """What stands wrong, as whoever watches it says.

    ``code`` is stable and from a bounded set; ``message`` is one sentence that says what, and ``remedy`` what to do.
    Neither may hold a secret or personal data.
    """

    code: str
    message: str
    remedy: str


class RaisedAlarm(Alarm, frozen=True):
    """An alarm from when it was raised to when it ended. One that comes again is another, with another ``id``."""

    id: int
    source: str
    """Who watches: ``sweep.snapshot``, for one."""
    account_id: int | None
    account_slug: str
    """Empty where it is about the installation and not about one account."""
    since: datetime
    acknowledged_by: str
    """Who said that they are on it, such as ``operator:7``; empty for nobody."""
    acknowledged_name: str
    """What to call them: a person's name, else their address; empty for nobody, and for who is no person of ours."""
    acknowledged_at: datetime | None
    note: str
    """What they wrote for the others; personal data of the class ``free_text``."""

    @property
    def on_it(self) -> str:
        """Who is on it, as far as a name is known; empty for nobody."""
        return self.acknowledged_name or self.acknowledged_by


class StandingAlarm(RaisedAlarm, frozen=True):
    """An alarm that stands at this moment."""

    seen_at: datetime
    """When whoever watches last looked and found it still wrong."""


class PastAlarm(RaisedAlarm, frozen=True):
    """An alarm that ended."""

    ended_at: datetime

    @property
    def lasted(self) -> timedelta:
        """For how long it stood."""
        return self.ended_at - self.since
