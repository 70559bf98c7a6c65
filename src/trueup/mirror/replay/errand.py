"""Replays at work: a batch at a time, at the rate that each was given, by whichever worker comes first."""

from __future__ import annotations

import threading
from typing import Final

from trueup.mirror.replay import service
from trueup.runtime import clock
from trueup.runtime.drains import CONFLICTS, DATABASE_ERRORS, sqlstate
from trueup.runtime.errands import Errand

LONGEST: Final = 5.0
"""Seconds after which a round ends, so that whoever stops the worker does not wait."""


def run(stop: threading.Event) -> int:
    """Read events of replays again for some seconds; answers how many steps that were, 0 when no replay runs."""
    steps, until = 0, clock.monotonic() + LONGEST
    while not stop.is_set() and clock.monotonic() < until:
        try:
            taken = service.proceed()
        except DATABASE_ERRORS as error:
            if not sqlstate(error).startswith(CONFLICTS):
                raise
            # Another transaction got in the way; nothing was taken off the list.
            taken = (0, 0.05)
        if taken is None:
            return steps
        steps += 1
        _events, seconds = taken
        if seconds:
            stop.wait(min(seconds, max(0.0, until - clock.monotonic())))
    return steps


ERRAND: Final = Errand(name="replay", topic=service.TOPIC, run=run)
