"""``/settings/team``: who is here, who was invited, and what one person may do and until when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from trueup.kernel.errors import Refused, TrueupError
from trueup.operators import ranks
from trueup.operators import service as operators
from trueup.operators.approvals import service as approvals
from trueup.operators.factors import service as factors
from trueup.operators.sessions import service as sessions
from trueup.operators.sso import service as sso
from trueup.operators.team import service as team
from trueup.operators.team.types import NewInvitation
from trueup.operators.types import Person, Role
from trueup.runtime import clock
from trueup.web.console.reader import acting
from trueup.web.console.settings.frame import Names, show
from trueup.web.console.team_words import KINDS, ROLES

SECTION = "settings-team"


def roles_given(request: HttpRequest) -> list[Role]:
    """The roles that a form names; what is no role is left out."""
    known = set(Role)
    return [Role(value) for value in request.POST.getlist("role") if value in known]


@require_safe
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/settings/team``: everybody who may sign in or once could, and who was invited."""
    return _listing(request)


def _listing(
    request: HttpRequest, *, error: TrueupError | None = None, given: dict[str, Any] | None = None
) -> HttpResponse:
    names, now = Names(), clock.now()
    people = sorted(operators.operators(), key=lambda one: (not one.is_active, (one.name or one.email).lower()))
    context: dict[str, Any] = {
        "people": [(one, [ROLES[role].label for role in one.roles], _within(one, now)) for one in people],
        "active": sum(one.is_active for one in people),
        "invitations": [
            (one, [ROLES[role].label for role in one.roles], names(one.made_by), one.expires_at <= now)
            for one in team.invitations()
        ],
        "roles": _choices(request, chosen=given["roles"] if given else ()),
        "given": given or {},
    }
    return show(request, SECTION, "team.html", context, error=error)


def _within(one: Person, now: datetime) -> str:
    """What to say of the span in which somebody has access; empty where there is nothing to say."""
    if one.access_from is not None and one.access_from > now:
        return "before"
    if one.access_until is not None:
        return "after" if one.access_until <= now else "within"
    return ""


def _choices(request: HttpRequest, *, chosen: Iterable[Role]) -> list[tuple[Role, Any, bool, bool]]:
    """Every role with its words, whether it is chosen, and whether it takes another's agreement."""
    return [
        (role, named, role in set(chosen), ranks.needs_another(acting(request), [role]))
        for role, named in ROLES.items()
    ]


@require_POST
def invite(request: HttpRequest) -> HttpResponseBase:
    """Ask somebody in; the link is shown once, on the page that answers."""
    email, name = request.POST.get("email", "")[:300], request.POST.get("name", "")[:300]
    given = {"email": email, "name": name, "roles": roles_given(request)}
    try:
        made = team.invite(email=email, name=name, roles=given["roles"], by=acting(request))  # type: ignore[arg-type]
    except Refused as error:
        return _listing(request, error=error, given=given)
    return _shown(request, made)


@require_POST
def renew(request: HttpRequest, invitation_id: int) -> HttpResponseBase:
    """Make a new link for somebody who was invited; it is shown once."""
    return _shown(request, team.renew_invitation(invitation_id=invitation_id, by=acting(request)))


@require_POST
def withdraw(request: HttpRequest, invitation_id: int) -> HttpResponseBase:
    """Take an invitation back."""
    gone = team.withdraw_invitation(invitation_id=invitation_id, by=acting(request))
    messages.success(request, _("The invitation of %(email)s is taken back.") % {"email": gone.email})
    return HttpResponseRedirect(reverse("console:settings-team"))


def _shown(request: HttpRequest, made: NewInvitation) -> HttpResponse:
    link = request.build_absolute_uri(reverse("console:invitation", args=[made.secret]))
    context = {"invitation": made.invitation, "link": link}
    return show(request, SECTION, "invited.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, operator_id: int) -> HttpResponseBase:
    """``/settings/team/7``: one person; a POST gives them other roles, or asks another owner to."""
    found = team.member(operator_id)
    if request.method != "POST":
        return _person(request, found)
    wanted, why = roles_given(request), request.POST.get("why", "")
    try:
        came = team.give_roles(operator_id=operator_id, roles=wanted, why=why, by=acting(request))
    except Refused as error:
        return _person(request, found, error=error, wanted=wanted, why=why)
    if came.approval is None:
        messages.success(request, _("The roles are changed."))
    else:
        messages.info(request, _("Another owner was asked. It is done as soon as one of them agrees."))
    return _back(operator_id)


def _person(
    request: HttpRequest,
    found: Person,
    *,
    error: TrueupError | None = None,
    wanted: Iterable[Role] | None = None,
    why: str = "",
) -> HttpResponse:
    by, names = acting(request), Names()
    waiting = approvals.waiting_about(kind=team.ROLES.name, object_type="operator", object_id=str(found.id))
    high = not ranks.HIGH.isdisjoint(found.roles)
    context: dict[str, Any] = {
        "person": found,
        "names": [ROLES[role].label for role in found.roles],
        # Of a half-open span the last moment tells the last day.
        "last_day": None if found.access_until is None else found.access_until - timedelta(seconds=1),
        "within": _within(found, clock.now()),
        "roles": _choices(request, chosen=found.roles if wanted is None else wanted),
        "asks": any(ranks.needs_another(by, [role]) for role in ranks.HIGH),
        "locked": high and _below(request),
        "own": by.id == str(found.id),
        "factors": factors.factors(found.id),
        "sessions": sessions.sessions(found.id),
        "providers": sso.connections_of(found.id),
        "waiting": waiting,
        "waiting_kind": KINDS.get(waiting.kind, waiting.kind) if waiting else "",
        "waiting_by": names(waiting.asked_by) if waiting else "",
        "waiting_roles": [ROLES[Role(one)].label for one in waiting.change["after"]] if waiting else [],
        "why": why,
    }
    return show(request, SECTION, "person.html", context, error=error)


def _below(request: HttpRequest) -> bool:
    """Whether the reader may not change owners and admins."""
    try:
        ranks.require(acting(request), ranks.HIGH)
    except Refused:
        return True
    return False


@require_POST
def access(request: HttpRequest, operator_id: int) -> HttpResponseBase:
    """Let a person in from one day on and up to another, both in the reader's zone; the last one counts whole."""
    found = team.member(operator_id)
    try:
        since, last = (_day(request.POST.get(name, "")) for name in ("since", "until"))
        until = None if last is None else last + timedelta(days=1)
        team.limit_access(operator_id=operator_id, since=since, until=until, by=acting(request))
    except Refused as error:
        return _person(request, found, error=error)
    messages.success(request, _("The span of access is changed."))
    return _back(operator_id)


def _day(text: str) -> datetime | None:
    try:
        return timezone.make_aware(datetime.strptime(text, "%Y-%m-%d")) if text else None  # noqa: DTZ007 - made aware
    except ValueError:
        raise Refused(_("That is not a day."), code="day_invalid", hint=_("Write it as 2026-11-30.")) from None


@require_POST
def deactivate(request: HttpRequest, operator_id: int) -> HttpResponseBase:
    """Shut a person out."""
    return _switched(request, operator_id, active=False)


@require_POST
def activate(request: HttpRequest, operator_id: int) -> HttpResponseBase:
    """Let a person in again."""
    return _switched(request, operator_id, active=True)


def _switched(request: HttpRequest, operator_id: int, *, active: bool) -> HttpResponseBase:
    found = team.member(operator_id)
    switch = team.activate if active else team.deactivate
    try:
        switch(operator_id=operator_id, by=acting(request))
    except Refused as error:
        return _person(request, found, error=error)
    told = _("They may sign in again.") if active else _("They are signed out everywhere, and their tokens ended.")
    messages.success(request, told)
    return _back(operator_id)


@require_POST
def end_sessions(request: HttpRequest, operator_id: int) -> HttpResponseBase:
    """Sign a person out everywhere; they may sign in again."""
    team.member(operator_id)
    sessions.revoke_all(operator_id=operator_id, by=acting(request))
    messages.success(request, _("They are signed out everywhere."))
    return _back(operator_id)


@require_POST
def reset_factors(request: HttpRequest, operator_id: int) -> HttpResponseBase:
    """Forget the second factors of somebody who lost theirs."""
    found = team.member(operator_id)
    try:
        factors.reset(operator_id=operator_id, by=acting(request))
    except Refused as error:
        return _person(request, found, error=error)
    messages.success(request, _("Their second factors are forgotten. They sign in and set up another."))
    return _back(operator_id)


@require_POST
def unlink(request: HttpRequest, operator_id: int) -> HttpResponseBase:
    """Forget what providers call a person; their next sign-in links them anew."""
    found = team.member(operator_id)
    try:
        sso.unlink(operator_id=operator_id, by=acting(request))
    except Refused as error:
        return _person(request, found, error=error)
    messages.success(request, _("Their next sign-in with a provider links them anew."))
    return _back(operator_id)


def _back(operator_id: int) -> HttpResponseBase:
    return HttpResponseRedirect(reverse("console:settings-person", args=[operator_id]))
