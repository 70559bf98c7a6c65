"""Time as aware UTC. Intervals are half-open: the start belongs to them, the end does not."""

from __future__ import annotations

from datetime import UTC, datetime


def aware(moment: datetime) -> datetime:
    """The same moment in UTC; a naive datetime raises ``ValueError``, because its zone would be a guess."""
    if moment.utcoffset() is None:
        message = f"{moment!r} has no time zone"
        raise ValueError(message)
    return moment.astimezone(UTC)


def from_unix(seconds: int) -> datetime:
    """Stripe's timestamps are whole seconds since 1970 in UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC)
