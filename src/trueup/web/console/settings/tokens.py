"""``/settings/tokens``: programs that use the API, what each may do, and when it did so last."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Refused, TrueupError
from trueup.operators.tokens import service as tokens
from trueup.operators.types import NewToken, Scope
from trueup.runtime import clock
from trueup.web.console.reader import acting
from trueup.web.console.settings.frame import Names, show
from trueup.web.console.team_words import SCOPES
from trueup.web.console.words import Label, Look

SECTION = "settings-tokens"
LIFETIMES: Final = (30, 90, 365)
"""Days that a new token may be good for; none is for ever."""
OVERLAPS: Final[dict[int, Label]] = {
    0: gettext_lazy("not at all"),
    1: gettext_lazy("an hour"),
    24: gettext_lazy("a day"),
    168: gettext_lazy("a week"),
}
"""Hours for which the old secret stays good."""
_LIVE: Final = Look(label=gettext_lazy("Live"), tone="good", icon="circle-check")
_SOON: Final = Look(label=gettext_lazy("Ends soon"), tone="warn", icon="hourglass")
_OVER: Final = Look(label=gettext_lazy("Expired"), tone="", icon="clock-alert")
_REVOKED: Final = Look(label=gettext_lazy("Revoked"), tone="", icon="circle-slash")
SOON: Final = timedelta(days=14)


@require_http_methods(["GET", "HEAD", "POST"])
def listing(request: HttpRequest) -> HttpResponseBase:
    """``/settings/tokens``: all tokens; a POST makes one, and shows its secret once."""
    if request.method != "POST":
        return _listing(request)
    days = request.POST.get("days", "")
    given: dict[str, Any] = {
        "name": request.POST.get("name", "")[:200],
        "scopes": [Scope(one) for one in request.POST.getlist("scope") if one in set(Scope)],
        "days": int(days) if days.isdecimal() and int(days[:4]) in LIFETIMES else None,
    }
    lifetime = None if given["days"] is None else timedelta(days=given["days"])
    try:
        made = tokens.create_token(name=given["name"], scopes=given["scopes"], lifetime=lifetime, by=acting(request))
    except Refused as error:
        return _listing(request, error=error, given=given)
    return _shown(request, made)


def _listing(
    request: HttpRequest, *, error: TrueupError | None = None, given: dict[str, Any] | None = None
) -> HttpResponseBase:
    names, now = Names(), clock.now()
    rows = []
    for one in tokens.tokens():
        look = _LIVE
        if one.revoked_at is not None:
            look = _REVOKED
        elif one.expires_at is not None:
            look = _OVER if one.expires_at <= now else _SOON if one.expires_at - now < SOON else _LIVE
        maker = None if one.made_by_id is None else Actor(kind=ActorKind.OPERATOR, id=str(one.made_by_id))
        labels = [SCOPES[scope].label for scope in one.scopes]
        rows.append((one, labels, names(maker), look, look in {_LIVE, _SOON}))
    context: dict[str, Any] = {
        "live": [row for row in rows if row[4]],
        "ended": [row for row in rows if not row[4]],
        "scopes": [(scope, named, scope in (given or {}).get("scopes", ())) for scope, named in SCOPES.items()],
        "lifetimes": LIFETIMES,
        "overlaps": OVERLAPS,
        "given": given or {"days": 90},
    }
    return show(request, SECTION, "tokens.html", context, error=error)


@require_POST
def rotate(request: HttpRequest, token_id: int) -> HttpResponseBase:
    """Give a token a new secret, which is shown once; the old one stays good for as long as was chosen."""
    hours = request.POST.get("overlap", "")
    overlap = timedelta(hours=int(hours) if hours.isdecimal() and int(hours[:4]) in OVERLAPS else 24)
    try:
        return _shown(request, tokens.rotate_token(token_id=token_id, overlap=overlap, by=acting(request)))
    except Refused as error:
        return _listing(request, error=error)


@require_POST
def revoke(request: HttpRequest, token_id: int) -> HttpResponseBase:
    """End a token at once."""
    gone = tokens.revoke_token(token_id=token_id, by=acting(request))
    messages.success(request, _("%(name)s is revoked.") % {"name": gone.name})
    return HttpResponseRedirect(reverse("console:settings-tokens"))


def _shown(request: HttpRequest, made: NewToken) -> HttpResponseBase:
    return show(request, SECTION, "token.html", {"made": made})
