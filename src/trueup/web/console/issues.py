"""``/issues``: what could not be read, by cause; what trying it again would come to; and giving it up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from trueup.customer import service as customers
from trueup.customer import worth
from trueup.inbox import dead_letters, struck
from trueup.inbox.types import DeadGroup, DeadLetter
from trueup.kernel.errors import NotFound, Refused, TrueupError
from trueup.kernel.money import Money
from trueup.kernel.records import Record
from trueup.mirror.replay import service as replays
from trueup.mirror.replay.types import Selection
from trueup.mirror.service import CustomerKey
from trueup.operators.permissions import Permission
from trueup.web.console import formats
from trueup.web.console.page import address, offset_asked, respond, respond_part, shell, wants_part
from trueup.web.console.reader import acting, may
from trueup.web.console.words import QUEUES, Label

PAGE: Final = 50
NAMED: Final = 8
"""Customers that an issue names."""
EVENTS: Final = "mirror"
"""The queue whose rows are events that a replay reads again."""
QUARANTINE: Final = dead_letters.QUARANTINE


class Issue(Record, frozen=True):
    """What one cause stopped, over all queues.

    ``customers`` is how many it concerns, and ``money`` what they pay a month; nothing where none is known.
    """

    cause: str
    error: str
    queues: tuple[tuple[str, Label, int], ...]
    rows: int
    customers: int
    money: tuple[Money, ...]
    first_at: datetime
    last_at: datetime
    accounts: tuple[str, ...]

    @property
    def events(self) -> int:
        """How many of the rows are events that a replay reads again."""
        return sum(number for queue, _label, number in self.queues if queue == EVENTS)


def issues(cause: str = "") -> list[Issue]:
    """All issues, what was struck last first; one alone, where its cause is given."""
    grouped: dict[str, list[DeadGroup]] = defaultdict(list)
    for group in dead_letters.groups():
        if not cause or group.cause == cause:
            grouped[group.cause].append(group)
    whom = struck.customers(cause) if grouped else {}
    return [_issue(groups, whom.get(code, set())) for code, groups in grouped.items()]


def _issue(groups: Sequence[DeadGroup], whom: Collection[CustomerKey]) -> Issue:
    newest = max(groups, key=lambda one: one.last_at)
    return Issue(
        cause=newest.cause,
        error=newest.error,
        queues=tuple((one.queue, QUEUES.get(one.queue, one.queue), one.rows) for one in groups),
        rows=sum(one.rows for one in groups),
        customers=len(whom),
        money=worth.a_month(whom),
        first_at=min(one.first_at for one in groups),
        last_at=newest.last_at,
        accounts=tuple(dict.fromkeys(slug for one in groups for slug in one.accounts)),
    )


@require_safe
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/issues``: by cause, what was struck last first."""
    found = issues()
    running = [one for one in replays.replays(limit=5).data if one.ended_at is None]
    context: dict[str, Any] = {
        "issues": found,
        "rows": sum(one.rows for one in found),
        "running": running,
        "money_shown": Permission.MONEY_READ in may(request),
    }
    frame = shell("issues")
    if wants_part(request):
        return respond_part(request, "console/parts/issues_list.html", context, frame=frame)
    return respond(request, "console/issues.html", context, frame=frame)


def _one(cause: str) -> Issue:
    found = issues(cause[:200])
    if not found:
        raise NotFound(
            _("Nothing is stuck for this cause any more."), code="cause_unknown", hint=_("It may have been mended.")
        )
    return found[0]


@require_safe
def detail(request: HttpRequest, cause: str) -> HttpResponseBase:
    """``/issues/{cause}``: the rows behind a cause, the newest first."""
    return _page(request, cause)


def _page(request: HttpRequest, cause: str, *, error: TrueupError | None = None) -> HttpResponseBase:
    issue = _one(cause)
    after = request.GET.get("after") or None
    page = dead_letters.letters(issue.cause, limit=PAGE, after=after)
    start = offset_asked(request) if after else 0
    whom = list(struck.customers(issue.cause).get(issue.cause, set()))[:NAMED]
    contact = Permission.PERSONAL_CONTACT in may(request)
    names = customers.names(whom) if whom else {}
    context: dict[str, Any] = {
        "issue": issue,
        "found": page,
        "letters": [(one, _row_url(one)) for one in page.data],
        "named": [(key[2], names.get(key, "") if contact else key[2]) for key in whom if key in names],
        "unnamed": issue.customers - len(whom),
        "first": start + 1,
        "last": start + len(page.data),
        "next_url": address(request, after=page.next, skip=str(start + len(page.data))) if page.next else "",
        "first_url": address(request, after=None, skip=None) if after else "",
        "money_shown": Permission.MONEY_READ in may(request),
        "error": error,
        "quarantined": any(queue == QUARANTINE for queue, _label, _rows in issue.queues),
    }
    status = 200 if error is None else error.status
    return respond(request, "console/issue.html", context, frame=shell("issues"), status=status)


def _row_url(letter: DeadLetter) -> str:
    """Where a row's event or customer is shown; empty where nowhere."""
    if letter.kind == "event":
        return reverse("console:event", args=[letter.id])
    return reverse("console:customer", args=[letter.id]) if letter.kind == "customer" else ""


@require_safe
def preflight(request: HttpRequest, cause: str) -> HttpResponseBase:
    """``/issues/{cause}/preflight``: what reading the rows of a cause again would come to, tried and taken back."""
    issue = _one(cause)
    context: dict[str, Any] = {
        "issue": issue,
        "preview": replays.preview(Selection(cause=issue.cause)) if issue.events else None,
        "others": [(label, number) for queue, label, number in issue.queues if queue != EVENTS],
        "rate": replays.USUAL_RATE,
    }
    if wants_part(request):
        return respond_part(request, "console/parts/issue_preflight.html", context)
    return respond(request, "console/issue_preflight.html", context, frame=shell("issues"))


@require_POST
def replay(request: HttpRequest, cause: str) -> HttpResponseBase:
    """``/issues/{cause}/replay``: read the events of a cause again in the worker, and give other rows another round."""
    issue, by = _one(cause), acting(request)
    try:
        started = None
        if issue.events:
            started = replays.start(Selection(cause=issue.cause), why=request.POST.get("why", ""), by=by)
        if issue.rows > issue.events:
            # Rows of the events among them get another round too; the replay passes over what waits to be read.
            moved = dead_letters.retry(cause=issue.cause, by=by)
            number = sum(moved.rows.values())
            told = ngettext("%(n)s row gets another try.", "%(n)s rows get another try.", number)
            messages.success(request, told % {"n": formats.number(number)})
    except Refused as error:
        return _page(request, cause, error=error)
    if started is None:
        return HttpResponseRedirect(reverse("console:issues"))
    return HttpResponseRedirect(reverse("console:replay", args=[started.id]))


@require_POST
def discard(request: HttpRequest, cause: str) -> HttpResponseBase:
    """``/issues/{cause}/discard``: give up what a cause stopped, with a reason and its code typed once more."""
    issue = _one(cause)
    try:
        if request.POST.get("confirm", "").strip() != issue.cause:
            raise Refused(
                _("The cause was not typed as it stands here."),
                code="confirmation_missing",
                hint=_("Copy it, so that nothing is given up by mistake."),
            )
        dead_letters.discard(cause=issue.cause, why=request.POST.get("why", ""), by=acting(request))
    except Refused as error:
        return _page(request, cause, error=error)
    told = ngettext("%(n)s row was given up.", "%(n)s rows were given up.", issue.rows)
    messages.success(request, told % {"n": formats.number(issue.rows)})
    return HttpResponseRedirect(reverse("console:issues"))
