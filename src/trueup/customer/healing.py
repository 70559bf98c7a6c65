"""Differences from Stripe that end without a comparison, looked at again while the worker has nothing to compare.

Objects first (``mirror.reconcile.healing``), then the states that follow from them. Where a process is in the list of
what is open is its own memory: a process that starts anew begins anew, and what it closes twice is closed once.
"""

from __future__ import annotations

import threading
from typing import Final

from trueup.customer import comparing, reconcile
from trueup.mirror.reconcile import healing, service
from trueup.mirror.reconcile.healing import MOST
from trueup.mirror.types import ObjectKey
from trueup.runtime import clock, database, logs
from trueup.runtime.errands import Errand

log = logs.get(__name__)

SECONDS: Final = 15.0
"""Between two looks of a process."""


class Watch:
    """Where the looks of one process have come to, and when the next is due (by the monotonic clock)."""

    def __init__(self) -> None:
        """Begin with the first of what is open, at once."""
        self._due = 0.0
        self._objects: ObjectKey | None = None
        self._states: ObjectKey | None = None

    def work(self, stop: threading.Event) -> int:
        """Work on a run that is due, else look again if it is time; answers how many things were done."""
        done = reconcile.work(stop)
        if done or stop.is_set() or clock.monotonic() < self._due:
            return done
        self._due = clock.monotonic() + SECONDS
        return self.look()

    def look(self) -> int:
        """Look at the next of what is open, and close what is right by now; answers how many differences ended."""
        objects = healing.objects(self._objects)
        self._objects = objects.last
        states = healing.states(self._states)
        self._states = states[-1].key if len(states) == MOST else None
        healed, accounts = objects.healed, set[int]()
        for one in states:
            with database.transaction():
                if _is_right(one.key) and healing.heal(one):
                    healed += 1
                    accounts.add(one.key.account_id)
        healing.settle(accounts)
        if healed:
            log.info("reconcile.healed", number=healed)
        return healed


def _is_right(state: ObjectKey) -> bool:
    """Whether the state of a customer is what follows from its objects, and none of these is known to differ."""
    key = (state.account_id, state.livemode, state.object_id)
    (members,) = comparing.units([key])
    theirs = [member[2] for member in members]
    if healing.objects_differ(state.account_id, theirs, livemode=state.livemode):
        return False
    return reconcile.is_right(key)


ERRAND: Final = Errand(name="customer.reconcile", topic=service.TOPIC, run=Watch().work, idle_seconds=2.0)
