"""Errands: work of the worker that waits for others, such as calls to Stripe, and so may not run in a drain.

A drain holds its rows locked while it works; an errand takes a lease, lets go of the database, waits for the outside,
and writes down what came of it. Each runs in threads of its own.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from typing import Final

from trueup.kernel.errors import Broken
from trueup.kernel.records import Record
from trueup.runtime import clock, database, logs
from trueup.runtime.drains import DATABASE_ERRORS

log = logs.get(__name__)

LONGEST_PAUSE: Final = 5.0
"""Seconds between tries while an errand fails as a whole."""
FOLLOWING: Final = 12
"""Threads beyond an errand's first look so many times more seldom, should the first be held up by what it does."""
SPREAD: Final = 0.2
"""Rests differ by up to this part, so that errands begun together do not look all at once for ever."""


class Errand(Record, frozen=True):
    """What runs again and again.

    ``run`` does one bounded piece, at most some seconds long, and answers how many things it did; it is given the event
    that tells it to stop. After 0 it rests until ``topic`` is woken or about ``idle_seconds`` are over. Any number of
    workers and ``threads`` may run it at once; while there is nothing to do, one thread looks for all.
    """

    name: str
    topic: str
    run: Callable[[threading.Event], int]
    threads: int = 1
    idle_seconds: float = 5.0


_errands: dict[str, Errand] = {}


def subscribe(errand: Errand) -> Errand:
    """Register an errand by its name; called once at import of a package's ``tasks``."""
    known = _errands.get(errand.name)
    if known is not None and known != errand:
        raise Broken(f"Two errands are called {errand.name}.", code="errand_name_taken")
    _errands[errand.name] = errand
    return errand


def errands() -> tuple[Errand, ...]:
    """All errands, in the order they were subscribed."""
    return tuple(_errands.values())


def run(errand: Errand, *, bells: Sequence[threading.Event], number: int, stop: threading.Event) -> None:
    """Run an errand in its thread ``number`` until ``stop`` is set; whatever goes wrong, it goes on after a pause.

    ``bells`` has one event for each of its threads. Whoever finds something to do after a rest rings for the others.
    """
    wakes, others = bells[number], [bell for other, bell in enumerate(bells) if other != number]
    idle_seconds = errand.idle_seconds * (FOLLOWING if number else 1)
    failures, rested = 0, True
    while not stop.is_set():
        wakes.clear()
        started = clock.monotonic()
        try:
            done = errand.run(stop)
        except Exception as error:  # noqa: BLE001 - nobody would notice an errand that has ended
            failures += 1
            away = isinstance(error, DATABASE_ERRORS)
            log.warning("errand.failed", errand=errand.name, error=type(error).__name__, database=away, tries=failures)
            database.close()
            stop.wait(min(LONGEST_PAUSE, 0.1 * 2 ** min(failures, 6)))
            continue
        failures = 0
        if done and rested:
            for bell in others:
                bell.set()
        rested = not done
        if rested:
            seconds = idle_seconds * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - spreads, guards nothing
            wakes.wait(max(0.0, seconds - (clock.monotonic() - started)))
    database.close()
