"""Whether what we show is what Stripe has: what stands wrong, what differs, how far everything was read."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from trueup.accounts import calls
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.inbox import dead_letters
from trueup.inbox import service as inbox
from trueup.inbox.alarms import service as alarms
from trueup.inbox.sweep import service as sweeps
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import NotFound
from trueup.mirror import service as mirror
from trueup.mirror.backfill import service as backfills
from trueup.mirror.backfill.types import Progress, Status
from trueup.mirror.reconcile import service as reconcile
from trueup.mirror.reconcile.types import Run
from trueup.mirror.reconcile.types import Status as RunStatus
from trueup.web.console.page import respond, respond_part, shell, wants_part
from trueup.web.console.words import CAUSES, DIFFERENCES, FETCH_REASONS, PHASES

SHOWN: Final = 20
"""Differences that the page lists; the command line has all of them."""
RUNS: Final = 5


@require_safe
def overview(request: HttpRequest) -> HttpResponseBase:
    """``/truth``: the numbers first, then what a person has to look at, then how far everything is."""
    drifts = reconcile.drift()
    found = reconcile.differences(limit=SHOWN)
    waiting = mirror.fetches()
    kinds: dict[str, int] = {}
    for one in drifts:
        for kind, count in one.kinds.items():
            kinds[kind] = kinds.get(kind, 0) + count
    swept = sweeps.sweeps()
    context: dict[str, Any] = {
        "stats": inbox.stats(),
        "alarms": alarms.standing(),
        "drifts": drifts,
        "drift": sum(kinds.values()),
        "kinds": [(DIFFERENCES[kind], count) for kind, count in sorted(kinds.items())],
        "compared_at": min((one.compared_at for one in drifts if one.compared_at is not None), default=None),
        "never_compared": any(one.compared_at is None for one in drifts),
        "differences": [(one, DIFFERENCES[one.kind], CAUSES[one.cause]) for one in found.data],
        "more": found.next is not None,
        "runs": [(run, PHASES[run.phase], _share(run)) for run in reconcile.runs(limit=RUNS).data],
        "running": RunStatus.RUNNING,
        "dead": dead_letters.groups(),
        "sweeps": swept,
        "missed": sum(one.missed_total for one in swept),
        "backfills": [(one, _read(one)) for one in backfills.all_progress().data],
        "limits": [one for one in calls.limits().data if not one.endpoint],
        "fetches": [(FETCH_REASONS.get(reason, reason), count) for reason, count in waiting.items()],
        "fetching": sum(waiting.values()),
        "readable": [account for account in accounts.accounts() if calls.can_read(account)],
        "backfilling": Status.RUNNING,
    }
    if wants_part(request):
        return respond_part(request, "console/parts/truth.html", context, frame=shell("truth"))
    return respond(request, "console/truth.html", context, frame=shell("truth"))


def _share(run: Run) -> int | None:
    """How much of a run's lists was compared, in percent; None while nobody can tell."""
    expected = reconcile.expected(run.id) if run.status is RunStatus.RUNNING else None
    return None if not expected else min(99, 100 * run.counts.objects // expected)


def _read(progress: Progress) -> int | None:
    """How much of a backfill was read, in percent; None while nobody can tell."""
    if progress.run.status is Status.COMPLETE:
        return 100
    return None if not progress.expected else min(99, 100 * progress.objects // progress.expected)


def _by(request: HttpRequest) -> Actor:
    return Actor(kind=ActorKind.OPERATOR, id=str(request.user.pk))


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
    backfills.start(account=_account(request), by=_by(request))
    return _back()


@require_POST
def compare(request: HttpRequest) -> HttpResponseBase:
    """``/truth/reconcile``: have the worker compare an account with Stripe, and repair what differs if asked to."""
    reconcile.start(account=_account(request), repair=request.POST.get("repair") == "1", by=_by(request))
    return _back()


@require_POST
def retry(request: HttpRequest) -> HttpResponseBase:
    """``/truth/retry``: give what one cause stopped another round of attempts."""
    dead_letters.retry(cause=request.POST.get("cause", "")[:200], by=_by(request))
    return _back()
