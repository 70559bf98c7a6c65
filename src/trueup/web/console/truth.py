"""Whether what we show is what Stripe has: what stands wrong, what differs, how far everything was read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from trueup.accounts import calls
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.audit.anchors import health as audit_health
from trueup.audit.anchors.health import Health
from trueup.inbox import dead_letters
from trueup.inbox import service as inbox
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import StandingAlarm
from trueup.inbox.sweep import service as sweeps
from trueup.inbox.sweep.types import SweepRow
from trueup.inbox.types import Kind as EventKind
from trueup.kernel.errors import NotFound
from trueup.mirror import service as mirror
from trueup.mirror.backfill import service as backfills
from trueup.mirror.backfill.types import Progress, Status
from trueup.mirror.reconcile import service as reconcile
from trueup.mirror.reconcile.types import STATE, Kind
from trueup.runtime import database
from trueup.web.console import comparisons, differences
from trueup.web.console.page import respond, respond_part, shell, wants_part
from trueup.web.console.reader import acting
from trueup.web.console.words import (
    AUDIT_LIGHTS,
    AUDIT_PROBLEMS,
    FETCH_REASONS,
    QUEUES,
    WEBHOOKS,
    WEBHOOKS_FINE,
    Label,
    Look,
    differing,
)

SHOWN: Final = 10
"""Differences that the page lists; they have a page of their own."""
RUNS: Final = 5


@require_safe
def overview(request: HttpRequest) -> HttpResponseBase:
    """``/truth``: the numbers first, then what a person has to look at, then how far everything is."""
    drifts = reconcile.drift()
    found = reconcile.differences(objects_first=True, limit=SHOWN)
    waiting = mirror.fetches()
    counted = reconcile.counted()
    states = sum(one.number for one in counted if one.type == STATE)
    drift = sum(one.number for one in counted)
    kinds = {kind: sum(one.number for one in counted if one.kind is kind) for kind in Kind}
    swept = sweeps.sweeps()
    stuck = dead_letters.groups()
    aside = [one for one in stuck if one.queue != dead_letters.QUARANTINE]
    quarantined = [one for one in stuck if one.queue == dead_letters.QUARANTINE]
    standing = alarms.standing()
    context: dict[str, Any] = {
        "stats": inbox.stats(),
        "alarms": standing,
        "alarms_open": sum(not one.acknowledged_by for one in standing),
        "alarms_taken": sum(bool(one.acknowledged_by) for one in standing),
        "drift": drift,
        "drift_objects": drift - states,
        "drift_states": states,
        "kinds": ", ".join(differing(kind, number) for kind, number in kinds.items() if number),
        "compared_at": min((one.compared_at for one in drifts if one.compared_at is not None), default=None),
        "never_compared": any(one.compared_at is None for one in drifts),
        "rows": differences.rows(found.data),
        "runs": comparisons.lines(reconcile.runs(limit=RUNS).data),
        "aside": [(one, QUEUES.get(one.queue, one.queue)) for one in aside],
        "aside_rows": sum(one.rows for one in aside),
        "quarantined": quarantined,
        "quarantined_rows": sum(one.rows for one in quarantined),
        "sweeps": [(one, webhooks_look(one, standing)) for one in swept],
        "backup_at": _backup_at(),
        "logs": [_log(livemode=livemode) for livemode in (True, False)],
        "missed": sum(one.missed_total for one in swept),
        "backfills": [(one, share_read(one)) for one in _backfills()],
        "limits": [one for one in calls.limits().data if not one.endpoint],
        "fetches": [(FETCH_REASONS.get(reason, reason), count) for reason, count in waiting.items()],
        "fetching": sum(waiting.values()),
        "readable": [account for account in accounts.accounts() if calls.can_read(account)],
        "backfilling": Status.RUNNING,
    }
    if wants_part(request):
        return respond_part(request, "console/parts/truth.html", context, frame=shell("truth"))
    return respond(request, "console/truth.html", context, frame=shell("truth"))


def _backfills() -> list[Progress]:
    """One backfill of each account: the newest that reads everything, unless one of less runs."""
    found: dict[str, Progress] = {}
    for one in backfills.all_progress().data:
        if one.account not in found or one.run.status is Status.RUNNING:
            found[one.account] = one
    return list(found.values())


def share_read(progress: Progress) -> int | None:
    """How much of a backfill was read, in percent; None while nobody can tell."""
    if progress.run.status is Status.COMPLETE:
        return 100
    return None if not progress.expected else min(99, 100 * progress.objects // progress.expected)


def webhooks_look(sweep: SweepRow, standing: Sequence[StandingAlarm]) -> Look | None:
    """How an account's webhooks stand, which a sweep that is up to date does not tell; None for thin events."""
    if sweep.kind is not EventKind.SNAPSHOT:
        return None
    codes = {one.code for one in standing if one.account_slug == sweep.account_slug}
    return next((look for code, look in WEBHOOKS.items() if code in codes), WEBHOOKS_FINE)


def _log(*, livemode: bool) -> tuple[Health, Look, list[Label]]:
    """How the audit log of a mode stands, its look, and what is wrong in words."""
    found = audit_health.health(database.connection(), livemode=livemode)
    told = [AUDIT_PROBLEMS[one.code] for one in found.problems if one.code in AUDIT_PROBLEMS]
    return found, AUDIT_LIGHTS[found.light], told


def _backup_at() -> datetime | None:
    """The moment that the newest backup shows, by the audit log; None where none was ever made or restored."""
    for entry in audit.entries(database.connection(), object_type="backup", limit=1):
        return datetime.fromisoformat(entry.after["taken_at"])
    return None


def _account(request: HttpRequest) -> Account:
    """The account that a form names; ``NotFound`` for one that there is not."""
    slug = request.POST.get("account", "")
    found = next((one for one in accounts.accounts() if one.slug == slug), None)
    if found is None:
        raise NotFound("There is no such account.", code="account_unknown", hint="Load the page again.")
    return found


def _back() -> HttpResponseBase:
    return HttpResponseRedirect(reverse("console:truth"))


@require_POST
def backfill(request: HttpRequest) -> HttpResponseBase:
    """``/truth/backfill``: have the worker read all of an account's objects; one that runs is joined."""
    backfills.start(account=_account(request), by=acting(request))
    return _back()


@require_POST
def compare(request: HttpRequest) -> HttpResponseBase:
    """``/truth/reconcile``: have the worker compare an account with Stripe, and repair what differs if asked to."""
    reconcile.start(account=_account(request), repair=request.POST.get("repair") == "1", by=acting(request))
    return _back()


@require_POST
def retry(request: HttpRequest) -> HttpResponseBase:
    """``/truth/retry``: give what one cause stopped another round of attempts."""
    dead_letters.retry(cause=request.POST.get("cause", "")[:200], by=acting(request))
    return _back()
