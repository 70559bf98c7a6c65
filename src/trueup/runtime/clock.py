"""The one place that reads a clock. Everything else takes ``now`` as an argument or asks here."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The present moment by this host's wall clock, aware, in UTC."""
    return datetime.now(UTC)


def unix() -> int:
    """The present moment as whole seconds since 1970; for signatures, which are checked to the second."""
    return int(time.time())


def monotonic() -> float:
    """Seconds on a clock that never steps back; only differences mean anything."""
    return time.monotonic()
