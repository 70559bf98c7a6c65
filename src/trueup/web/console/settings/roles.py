"""``/settings/roles``: who may do what, as a table that everybody can read; and seeing the console as a role."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from trueup.kernel.errors import Refused, TrueupError
from trueup.operators import permissions
from trueup.operators.types import Role
from trueup.operators.viewing import service as viewings
from trueup.web.console import reader
from trueup.web.console.settings.frame import show
from trueup.web.console.team_words import AREAS, ROLES

SECTION = "settings-roles"
MINUTES = (10, 20, 30)


@require_safe
def table(request: HttpRequest) -> HttpResponseBase:
    """``/settings/roles``: a row a permission, a column a role."""
    return _table(request)


def _table(request: HttpRequest, *, error: TrueupError | None = None) -> HttpResponseBase:
    own = {Role(one) for one in request.user.roles}  # type: ignore[union-attr]
    rows = [
        (area, [(one, label, [one in permissions.TABLE[role] for role in ROLES]) for one, label in each])
        for area, each in AREAS
    ]
    context = {
        "roles": [(role, named, role in own) for role, named in ROLES.items()],
        "areas": rows,
        "minutes": MINUTES,
        "role": request.POST.get("role", ""),
        "why": request.POST.get("why", ""),
    }
    return show(request, SECTION, "roles.html", context, error=error)


@require_POST
def see_as(request: HttpRequest) -> HttpResponseBase:
    """See the console as a role from now on, for a while and with a reason."""
    chosen, minutes = request.POST.get("role", ""), request.POST.get("minutes", "")
    try:
        if chosen not in set(Role):
            raise Refused("There is no such role.", code="role_unknown")
        lifetime = timedelta(minutes=int(minutes) if minutes.isdecimal() and len(minutes) < 4 else max(MINUTES))
        why = request.POST.get("why", "")
        made = viewings.start(role=Role(chosen), why=why, lifetime=lifetime, by=reader.person(request))
    except Refused as error:
        return _table(request, error=error)
    request.session[reader.VIEWING] = made.id
    return HttpResponseRedirect(reverse("console:home"))


@require_POST
def see_as_oneself(request: HttpRequest) -> HttpResponseBase:
    """``/viewing/end``: see the console as oneself again."""
    kept = request.session.pop(reader.VIEWING, None)
    if isinstance(kept, int):
        viewings.end(viewing_id=kept, by=reader.person(request))
    return HttpResponseRedirect(reverse("console:settings-roles"))
