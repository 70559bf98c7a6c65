"""``/inbox``: what waits for the reader's answer, what they asked for themselves, and what came of the rest."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from trueup.kernel.errors import Refused, TrueupError
from trueup.kernel.records import Record
from trueup.operators.approvals import service as approvals
from trueup.operators.approvals.types import Approval, Standing
from trueup.operators.sso import service as sso
from trueup.operators.team import service as team
from trueup.operators.types import Role
from trueup.web.console.page import respond, shell
from trueup.web.console.reader import acting
from trueup.web.console.settings.frame import Names
from trueup.web.console.team_words import KINDS, ROLES, STANDINGS
from trueup.web.console.words import Label, Look

SETTLED = 20
"""How many of those that are over are shown."""


class Row(Record, frozen=True):
    """One request in words."""

    one: Approval
    kind: Label
    about: str
    about_url: str
    before: tuple[Label, ...]
    after: tuple[Label, ...]
    asked_by: str
    decided_by: str
    look: Look


def _row(one: Approval, names: Names) -> Row:
    about, url = f"{one.object_type} {one.object_id}", ""
    before: tuple[Label, ...] = ()
    after: tuple[Label, ...] = ()
    if one.kind == team.ROLES.name:
        person = team.member(int(one.object_id))
        about, url = person.name or person.email, reverse("console:settings-person", args=[person.id])
        before, after = (tuple(ROLES[Role(role)].label for role in one.change[side]) for side in ("before", "after"))
    elif one.kind == sso.SWITCH.name:
        about, url = _provider(one)
    return Row(
        one=one,
        kind=KINDS.get(one.kind, one.kind),
        about=about,
        about_url=url,
        before=before,
        after=after,
        asked_by=names(one.asked_by),
        decided_by=names(one.decided_by),
        look=STANDINGS[one.standing],
    )


def _provider(one: Approval) -> tuple[str, str]:
    """The provider that is to be switched on, with the domains that it would vouch for, and its page."""
    name = next((each.name for each in sso.connections() if str(each.id) == one.object_id), "")
    about = f"{name or one.object_id} ({', '.join(one.change['domains'])}, {one.change['issuer']})"
    return about, reverse("console:settings-sso-connection", args=[one.object_id]) if name else ""


@require_safe
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/inbox``: the oldest request first, because its time runs out first."""
    return _listing(request)


def _listing(
    request: HttpRequest, *, error: TrueupError | None = None, approval_id: int = 0, answer: str = ""
) -> HttpResponseBase:
    by, names = acting(request), Names()
    mine = approvals.waiting_for(by)
    asked = approvals.asked_by(by)
    # Whoever may answer a kind sees what came of it, and everybody what came of their own.
    over = [one for one in approvals.newest() if one.standing is not Standing.WAITING and approvals.concerns(one, by)]
    context: dict[str, Any] = {
        "waiting": [_row(one, names) for one in mine],
        "asked": [_row(one, names) for one in asked],
        "over": [_row(one, names) for one in over[:SETTLED]],
        "error": error,
        "failed_id": approval_id,
        "answer": answer,
    }
    status = 200 if error is None else error.status
    return respond(request, "console/inbox.html", context, frame=shell("inbox"), status=status)


@require_POST
def approve(request: HttpRequest, approval_id: int) -> HttpResponseBase:
    """Allow what somebody else asked for, which does it."""
    return _answered(request, approval_id, allowed=True)


@require_POST
def reject(request: HttpRequest, approval_id: int) -> HttpResponseBase:
    """Refuse what somebody else asked for."""
    return _answered(request, approval_id, allowed=False)


def _answered(request: HttpRequest, approval_id: int, *, allowed: bool) -> HttpResponseBase:
    approvals.get(approval_id)
    answer = request.POST.get("answer", "")
    do = approvals.approve if allowed else approvals.reject
    try:
        do(approval_id=approval_id, answer=answer, by=acting(request))
    except Refused as error:
        return _listing(request, error=error, approval_id=approval_id, answer=answer)
    messages.success(request, _("Approved, and done.") if allowed else _("Refused. Nothing was changed."))
    return HttpResponseRedirect(reverse("console:inbox"))


@require_POST
def cancel(request: HttpRequest, approval_id: int) -> HttpResponseBase:
    """Take back what one asked for oneself."""
    approvals.cancel(approval_id=approval_id, by=acting(request))
    messages.success(request, _("Taken back. Nothing was changed."))
    return HttpResponseRedirect(reverse("console:inbox"))
