"""What stands before every view: nobody gets in without signing in, and nothing of what is shown is kept by a cache.

Access is denied by default: ``urls.py`` wraps each view with ``guarded``; only what is wrapped with ``public`` is open.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone

from trueup.kernel.errors import TrueupError, Unavailable
from trueup.runtime import database
from trueup.web.console import failures
from trueup.web.console.page import wants_part

View = Callable[..., HttpResponseBase]

NO_STORE: Final = "private, no-store"
"""Pages hold personal data: the browser's cache must not show them after signing out."""


def _zone(request: HttpRequest) -> ZoneInfo | None:
    name = request.COOKIES.get("tz", "")
    try:
        return ZoneInfo(name) if name and len(name) < 64 else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _call(view: View, request: HttpRequest, **arguments: Any) -> HttpResponseBase:
    try:
        with timezone.override(_zone(request) or timezone.get_default_timezone()):
            response = view(request, **arguments)
    except (OperationalError, InterfaceError, psycopg.OperationalError):
        # Statements on the hot path bypass Django, which then does not know that the connection is dead.
        database.close()
        response = failures.failed(
            request,
            Unavailable("The database does not answer.", hint="Nothing is lost. Try again in a moment."),
            frame=False,
        )
    except TrueupError as error:
        if error.status >= 500 and not isinstance(error, Unavailable):
            # Ours: the server's own handler reports it and shows the page for it.
            raise
        response = failures.failed(request, error)
    response.headers.setdefault("Cache-Control", NO_STORE)
    return response


def public(view: View) -> View:
    """A view that anybody may see."""

    @wraps(view)
    def wrapper(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        return _call(view, request, **arguments)

    return wrapper


def guarded(view: View) -> View:
    """A view for people who signed in; others are sent to the sign-in page and come back afterwards."""

    @wraps(view)
    def entered(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, **arguments)
        return _to_sign_in(request)

    @wraps(view)
    def wrapper(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        return _call(entered, request, **arguments)

    return wrapper


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    if not wants_part(request):
        return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
    # A redirect would put the sign-in page inside the part of the page that htmx replaces.
    htmx = getattr(request, "htmx", None)
    back = (htmx.current_url_abs_path if htmx else None) or request.get_full_path()
    response = HttpResponse(status=401)
    response["HX-Redirect"] = f"{resolve_url(settings.LOGIN_URL)}?next={quote(back)}"
    return response
