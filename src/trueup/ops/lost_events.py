"""Events that Stripe dropped before anybody had read them are made good by a backfill."""

from __future__ import annotations

import threading
from typing import Final

from trueup.accounts import calls
from trueup.accounts import service as accounts
from trueup.inbox.sweep import service as sweeps
from trueup.inbox.sweep.types import BACKFILL_WANTED, Gap
from trueup.kernel.actor import system
from trueup.mirror.backfill import service as backfill
from trueup.mirror.backfill.types import Run, Status
from trueup.runtime import logs
from trueup.runtime.errands import Errand

log = logs.get(__name__)

BY: Final = system("lost_events")


def make_good(stop: threading.Event) -> int:
    """Start the backfills that are needed, and close the gaps of those that came to their end.

    Answers 0, since nothing is left to do at once. A backfill that began before the loss was seen does not count, nor
    one of some types or since a day. One that was cancelled, or that could not read everything, is a person's to look
    at: it is not started again, and the alarm stands. Repeating it changes nothing.
    """
    for gap in sweeps.gaps():
        if stop.is_set():
            break
        account = accounts.account(gap.account_id)
        run = backfill.last(account)
        if run is None or not _counts(run, gap):
            if calls.can_read(account) and (run is None or run.status is not Status.RUNNING):
                backfill.start(account=account, by=BY)
                log.warning("lost_events.backfill_started", account=account.id)
        elif run.status is Status.COMPLETE:
            sweeps.close_gap(account.id, began=run.started_at)
    return 0


def _counts(run: Run, gap: Gap) -> bool:
    """Whether a backfill tells what the lost events said."""
    return run.started_at >= gap.wanted_at and backfill.reads(run)


ERRAND: Final = Errand(name="lost_events", topic=BACKFILL_WANTED, run=make_good, idle_seconds=60.0)
