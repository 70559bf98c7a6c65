"""``/settings/branding``: the accent and the logo, and the stylesheet that every page takes them from."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from trueup.kernel.errors import NotFound, Refused, TrueupError
from trueup.operators.branding import service as branding
from trueup.web.console.reader import acting
from trueup.web.console.settings.frame import show

SECTION = "settings-branding"
OURS: Final = "#2447b5"
"""What a form shows where no accent was chosen: near our own."""
KEPT: Final = "public, max-age=300, stale-while-revalidate=86400"
"""Both hold nothing of a customer, and are asked for with every page."""


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponseBase:
    """``/settings/branding``; a POST chooses the accent, or takes our own again."""
    if request.method != "POST":
        return _page(request)
    accent = "" if request.POST.get("do") == "reset" else request.POST.get("accent", "")[:20]
    try:
        branding.set_accent(accent=accent, by=acting(request))
    except Refused as error:
        return _page(request, error=error, accent=accent)
    messages.success(request, _("The accent is changed."))
    return HttpResponseRedirect(reverse("console:settings-branding"))


def _page(request: HttpRequest, *, error: TrueupError | None = None, accent: str = "") -> HttpResponseBase:
    now = branding.branding()
    context = {"branding": now, "accent": accent or now.accent or OURS, "tones": branding.tones()}
    return show(request, SECTION, "branding.html", context, error=error)


@require_POST
def logo(request: HttpRequest) -> HttpResponseBase:
    """Give a logo, or take it away."""
    given = request.FILES.get("logo")
    content = b"" if given is None or request.POST.get("do") == "remove" else given.read(branding.LARGEST_LOGO + 1)
    try:
        if given is None and request.POST.get("do") != "remove":
            raise Refused(_("Choose a file first."), code="logo_missing")
        branding.set_logo(content=content, by=acting(request))
    except Refused as error:
        return _page(request, error=error)
    messages.success(request, _("The logo is changed."))
    return HttpResponseRedirect(reverse("console:settings-branding"))


@require_safe
def stylesheet(request: HttpRequest) -> HttpResponseBase:
    """``/branding.css``: the tokens that differ from ours; empty where nothing was chosen."""
    del request
    context = {"tones": branding.tones(), "branding": branding.branding()}
    response = HttpResponse(render_to_string("console/settings/branding.css", context), content_type="text/css")
    response["Cache-Control"] = KEPT
    return response


@require_safe
def picture(request: HttpRequest) -> HttpResponseBase:
    """``/branding/logo``: the picture as it was given."""
    del request
    content, kind = branding.logo(), branding.branding().logo_type
    if not content or not kind:
        raise NotFound(_("There is no logo."), code="logo_unknown")
    response = HttpResponse(content, content_type=kind)
    response["Cache-Control"] = KEPT
    # Whoever opens it by itself gets a picture and nothing that runs.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
