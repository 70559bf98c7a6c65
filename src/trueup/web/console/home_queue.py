"""The queue of a home: what waits for somebody, with one thing to do about each row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext, pgettext

from trueup.customer.listing import service as lists
from trueup.customer.listing.types import Filters
from trueup.customer.owners import service as owners
from trueup.customer.owners.types import Owner
from trueup.customer.types import CustomerRow, Mrr, Stage
from trueup.inbox import dead_letters
from trueup.inbox.alarms import service as alarms
from trueup.kernel.records import Record
from trueup.operators.approvals import service as approvals
from trueup.operators.approvals.types import Approval
from trueup.operators.permissions import Permission
from trueup.operators.team import service as team
from trueup.runtime import clock
from trueup.web.console import formats
from trueup.web.console.reader import acting, may, person
from trueup.web.console.settings.frame import Names
from trueup.web.console.team_words import KINDS
from trueup.web.console.telling import told
from trueup.web.console.words import QUEUES, Label

ROWS: Final = 8
OWING: Final[dict[str, Label]] = {
    "past_due": _lazy("Owes a payment"),
    "unpaid": _lazy("Unpaid, and no longer tried"),
    "incomplete": _lazy("First payment not made"),
}
"""What the status of whoever owes means, in a few words."""
_P: Final = Permission


class Row(Record, frozen=True):
    """One thing that waits. ``url`` leads to it; ``act`` is where its button posts ``fields``, empty for a link."""

    title: str
    below: str
    what: str
    detail: str
    url: str
    action: str
    action_url: str
    at: datetime | None
    mrr: tuple[Mrr, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    """What a button posts; none for a link."""


class Queue(Record, frozen=True):
    """Rows under a heading; ``all_url`` has all of them."""

    title: str
    rows: tuple[Row, ...]
    all_url: str
    of_customers: bool
    """Whether the rows are customers, with money."""
    when: str
    """The heading of the rows' moments."""


def _customers(
    request: HttpRequest,
    title: str,
    rows: Sequence[CustomerRow],
    *,
    all_url: str,
    when: str,
    moment: str = "last_event_at",
    own_first: bool = False,
) -> Queue:
    owned = owners.of([row.id for row in rows])
    me = request.user.pk
    if own_first:
        rows = sorted(rows, key=lambda row: row.id not in owned or owned[row.id].operator_id != me)
    told = tuple(_customer(request, row, owned.get(row.id), moment=getattr(row, moment)) for row in rows[:ROWS])
    return Queue(title=title, rows=told, all_url=all_url, of_customers=True, when=when)


def _customer(request: HttpRequest, row: CustomerRow, owner: Owner | None, *, moment: datetime | None) -> Row:
    shown = (row.name or row.email or row.stripe_customer_id) if _P.PERSONAL_CONTACT in may(request) else None
    url = reverse("console:customer", args=[row.id])
    action, action_url, fields = pgettext("action", "Open"), url, tuple[tuple[str, str], ...]()
    if row.stage is Stage.PAST_DUE and _P.MONEY_READ in may(request):
        action, action_url = _("Look at payments"), reverse("console:customer-billing", args=[row.id])
    elif owner is None and _P.CUSTOMERS_CHANGE in may(request):
        action, action_url = _("Take it"), reverse("console:customers-owner")
        fields = (("id", row.id), ("owner", "me"), ("back", reverse("console:home")))
    return Row(
        title=shown or row.stripe_customer_id,
        below=row.plan_label or "",
        what=_what(row),
        detail=_("Owner: %(name)s") % {"name": owner.name} if owner is not None else _("Nobody looks after it"),
        url=url,
        action=action,
        action_url=action_url,
        fields=fields,
        at=moment,
        mrr=row.mrr,
    )


def _what(row: CustomerRow) -> str:
    if row.stage is Stage.TRIALING and row.trial_end is not None:
        told = formats.distance(row.trial_end, now=clock.now())
        if row.payment_method_on_file is False:
            return _("Trial ends %(when)s, and no payment method is on file") % {"when": told}
        return _("Trial ends %(when)s") % {"when": told}
    return str(OWING.get(row.billing_status or "", OWING["past_due"]))


def to_answer(request: HttpRequest) -> Queue | None:
    """What others ask for and the reader may allow, the oldest first: it stands before any other queue."""
    waiting, names = approvals.waiting_for(acting(request)), Names()
    rows = tuple(
        Row(
            title=_about(one),
            below=str(KINDS.get(one.kind, one.kind)),
            what=one.why or _("No reason was given"),
            detail=_("asked by %(by)s") % {"by": names(one.asked_by)},
            url=reverse("console:inbox"),
            action=pgettext("action", "Answer"),
            action_url=reverse("console:inbox"),
            at=one.expires_at,
        )
        for one in waiting[:ROWS]
    )
    return Queue(
        title=_("Waiting for your answer"),
        rows=rows,
        all_url=reverse("console:inbox"),
        of_customers=False,
        when=_("Until"),
    )


def _about(one: Approval) -> str:
    if one.kind == team.ROLES.name:
        person = team.member(int(one.object_id))
        return person.name or person.email
    return f"{one.object_type} {one.object_id}"


def trials_ending(request: HttpRequest) -> Queue | None:
    """Trials that end next, the reader's own first."""
    if _P.CUSTOMERS_READ not in may(request):
        return None
    until = clock.now() + timedelta(days=7)
    rows, _next = lists.rows(Filters(trial_ends_before=until), sort="trial_end", limit=50)
    running = [row for row in rows if row.trial_end is not None and row.trial_end >= clock.now()]
    url = f"{reverse('console:customers')}?trial=7&sort=trial_end"
    return _customers(
        request, _("Trials ending"), running, all_url=url, when=_("Ends"), moment="trial_end", own_first=True
    )


def past_due(request: HttpRequest) -> Queue | None:
    """Whoever owes, the most revenue first."""
    if _P.CUSTOMERS_READ not in may(request):
        return None
    rows, _next = lists.rows(Filters(stage=Stage.PAST_DUE), sort="-mrr", limit=ROWS)
    url = f"{reverse('console:customers')}?stage=past_due&sort=-mrr"
    return _customers(request, _("Past due, the most revenue first"), rows, all_url=url, when=_("Last event"))


def newly_past_due(request: HttpRequest) -> Queue | None:
    """Whoever owes, with the newest event first."""
    if _P.CUSTOMERS_READ not in may(request):
        return None
    rows, _next = lists.rows(Filters(stage=Stage.PAST_DUE), limit=ROWS)
    url = f"{reverse('console:customers')}?stage=past_due"
    return _customers(request, _("Past due, the newest first"), rows, all_url=url, when=_("Last event"))


def stuck(request: HttpRequest) -> Queue | None:
    """What could not be read, by cause."""
    if _P.EVENTS_READ not in may(request):
        return None
    again = _P.EVENTS_REPLAY in may(request)
    rows = tuple(
        Row(
            title=one.cause,
            below=str(QUEUES.get(one.queue, one.queue)),
            what=ngettext("%(n)s row", "%(n)s rows", one.rows) % {"n": formats.number(one.rows)},
            detail=told(one.error),
            url=reverse("console:issue", args=[one.cause]),
            action=_("Replay…") if again else _("Look"),
            action_url=reverse("console:issue-preflight" if again else "console:issue", args=[one.cause]),
            at=one.last_at,
        )
        for one in dead_letters.groups()[:ROWS]
    )
    return Queue(
        title=_("Set aside, by cause"),
        rows=rows,
        all_url=reverse("console:issues"),
        of_customers=False,
        when=_("Last"),
    )


def trouble(request: HttpRequest) -> Queue | None:
    """What stands wrong, with what to do; what nobody is on first."""
    if _P.TRUTH_READ not in may(request):
        return None
    url, me = reverse("console:alarms"), str(person(request).id)
    standing = sorted(alarms.standing(), key=lambda one: bool(one.acknowledged_by))
    # What others are on waits for nobody; as long as something does wait, it says so beside it.
    waits = any(one.acknowledged_by in {"", f"operator:{me}"} for one in standing)
    rows = tuple(
        Row(
            title=told(one.message),
            below=one.account_slug,
            what=told(one.remedy),
            detail=_("%(who)s is on it") % {"who": one.on_it} if one.acknowledged_by else _("Nobody is on it"),
            url=f"{url}#alarm-{one.id}",
            action=_("Look"),
            action_url=f"{url}#alarm-{one.id}",
            at=one.since,
        )
        for one in (standing[:ROWS] if waits else ())
    )
    return Queue(title=_("Alarms"), rows=rows, all_url=url, of_customers=False, when=_("Since"))
