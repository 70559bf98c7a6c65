"""``/settings/language``: the reader's own language and time zone."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trueup.kernel.errors import Refused, TrueupError
from trueup.operators.team import service as team
from trueup.runtime import clock
from trueup.web.console import formats
from trueup.web.console.reader import acting, person
from trueup.web.console.settings.frame import show

SECTION = "settings-language"


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponseBase:
    """``/settings/language``; a POST chooses. What is left empty follows the browser."""
    if request.method != "POST":
        return _page(request)
    language, zone = request.POST.get("language", ""), request.POST.get("zone", "").strip()[:64]
    try:
        if language and language not in dict(settings.LANGUAGES):
            raise Refused(_("The console is not written in that language."), code="language_unknown")
        team.set_preferences(language=language, zone=zone, by=acting(request))
    except Refused as error:
        return _page(request, error=error, zone=zone)
    messages.success(request, _("Saved."))
    return HttpResponseRedirect(reverse("console:settings-language"))


def _page(request: HttpRequest, *, error: TrueupError | None = None, zone: str | None = None) -> HttpResponseBase:
    chosen = team.member(int(person(request).id))
    context = {
        "language": chosen.language,
        "languages": settings.LANGUAGES,
        "zone": chosen.zone if zone is None else zone,
        "zones": formats.zones(),
        "example": clock.now(),
    }
    return show(request, SECTION, "language.html", context, error=error)
