"""The alarms of comparing: that something differs from Stripe, and that not everything could be seen."""

from __future__ import annotations

from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import Alarm
from trueup.mirror.reconcile import store
from trueup.mirror.reconcile.types import Run


def drift(account_id: int) -> None:
    """Let the alarm stand while anything of an account is known to differ; may be part of a transaction."""
    found = []
    kinds = store.kinds().get(account_id, {})
    if kinds:
        named = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
        found.append(
            Alarm(
                code="drift",
                message=f"What we have differs from Stripe: {named}.",
                remedy="See trueup drift and docs/runbooks/drift.md; repair with: trueup reconcile --repair",
            )
        )
    alarms.settle(source="reconcile.drift", account_id=account_id, alarms=found)


def sight(run: Run, *, complete: bool) -> None:
    """Let the alarm stand while the newest run over a whole account could not see everything."""
    if run.customers is not None or not run.whole:
        return
    told = "; ".join(one.told for one in run.troubles) or "Some objects changed whenever they were looked at."
    unseen = Alarm(
        code="reconcile_incomplete",
        message=f"Not everything could be compared with Stripe: {told}",
        remedy="Give the key what it lacks, and run: trueup reconcile",
    )
    alarms.settle(source="reconcile.sight", account_id=run.account_id, alarms=[] if complete else [unseen])
