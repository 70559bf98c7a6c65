"""A backfill where events were lost: what Stripe dropped before the sweep read it, only its lists can still tell."""

from __future__ import annotations

import threading
from typing import Final

from trueup.accounts import calls
from trueup.accounts import service as accounts
from trueup.inbox.sweep import service as sweep
from trueup.inbox.sweep.types import BACKFILL_WANTED
from trueup.kernel.actor import system
from trueup.mirror.backfill import lists, service
from trueup.mirror.backfill.types import Run, Status
from trueup.runtime import logs
from trueup.runtime.errands import Errand

log = logs.get(__name__)

IDLE_SECONDS: Final = 60.0


def mend(stop: threading.Event) -> int:
    """Start a backfill of each account that lost events, and close the gap where a later one is complete.

    One that ended incomplete or was cancelled is not begun again: somebody has to look, and the alarm stands. Answers
    how many were started or closed.
    """
    done = 0
    for gap in sweep.gaps():
        if stop.is_set():
            break
        account = accounts.account(gap.account_id)
        run = service.last(account)
        if run is not None and run.started_at >= gap.wanted_at and _whole(run):
            if run.status is Status.COMPLETE:
                sweep.close_gap(account.id, began=run.started_at)
                log.info("backfill.gap_closed", account=account.slug, run=run.id)
                done += 1
        elif (run is None or run.status is not Status.RUNNING) and calls.can_read(account):
            started = service.start(account=account, by=system("sweep"))
            log.warning("backfill.gap_found", account=account.slug, run=started.id)
            done += 1
    return done


def _whole(run: Run) -> bool:
    """Whether a backfill was asked for all that is read usually."""
    return run.since is None and set(lists.DEFAULT) - {lists.CLOCK} <= set(run.types)


ERRAND: Final = Errand(name="mirror.backfill.gaps", topic=BACKFILL_WANTED, run=mend, idle_seconds=IDLE_SECONDS)
