"""Moments that somebody names, kept within the calendar."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

EARLIEST: Final = datetime(1, 1, 2, tzinfo=UTC)
LATEST: Final = datetime(9999, 12, 30, tzinfo=UTC)
"""A moment beyond these is as good as them, and a second or a zone more would leave the calendar."""


def within(moment: datetime) -> datetime:
    """The moment in UTC, between ``EARLIEST`` and ``LATEST``; one without an offset is in UTC."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    # They are compared by their years: near the ends of the calendar a moment cannot be written in another zone.
    if aware.year <= EARLIEST.year:
        return EARLIEST
    return LATEST if aware.year >= LATEST.year else aware.astimezone(UTC)
