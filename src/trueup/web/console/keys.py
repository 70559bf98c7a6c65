"""``/help/keyboard``: what every key does, and where those of the navigation lead."""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from django.http import HttpRequest, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.html import strip_tags
from django.views.decorators.http import require_safe

from trueup.web.console.page import respond, respond_part, shell, wants_part
from trueup.web.console.reader import may
from trueup.web.console.shortcuts import SHORTCUTS

_LINK: Final = re.compile(
    r'<a class="nav-link"[^>]*data-key="(?P<key>[^"]+)"[^>]*>.*?<span>(?P<label>.*?)</span>', re.DOTALL
)


def places(request: HttpRequest) -> list[tuple[str, str]]:
    """The keys of the navigation as this reader sees it, and where each leads: read from the very links."""
    shown = {one.value for one in may(request)}
    nav = render_to_string("console/parts/nav.html", {"shell": shell("help"), "may": shown}, request)
    return [(found["key"], unescape(strip_tags(found["label"]))) for found in _LINK.finditer(nav)]


@require_safe
def keyboard(request: HttpRequest) -> HttpResponseBase:
    """``/help/keyboard``: a drawer for htmx, else a page of its own."""
    context = {"shortcuts": SHORTCUTS, "places": places(request)}
    if wants_part(request):
        return respond_part(request, "console/parts/help_keyboard.html", context)
    return respond(request, "console/help_keyboard.html", context, frame=shell("help"))
