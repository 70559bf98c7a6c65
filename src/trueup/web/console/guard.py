"""What stands before every view: nobody gets in without signing in and the permission that the page needs.

Access is denied by default: ``urls.py`` wraps each view with ``guarded`` and names its permission; only what is wrapped
with ``public`` is open, and ``personal`` is for everybody who signed in. Nothing of what is shown is kept by a cache.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, cast
from urllib.parse import urlencode

import psycopg
from django.conf import settings
from django.contrib.auth import logout
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url

from trueup.kernel.errors import TrueupError, Unavailable
from trueup.operators.errors import PermissionMissing
from trueup.operators.permissions import Permission
from trueup.web.console import failures, locale, sessions
from trueup.web.console.entrance import Standing, standing
from trueup.web.console.page import wants_part
from trueup.web.console.reader import may, require_own_eyes

View = Callable[..., HttpResponseBase]

PUBLIC: Final = "public"
PERSONAL: Final = "personal"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

NO_STORE: Final = "private, no-store"
"""Pages hold personal data: the browser's cache must not show them after signing out."""


def _call(view: View, request: HttpRequest, **arguments: Any) -> HttpResponseBase:
    try:
        with locale.chosen(request):
            response = view(request, **arguments)
    except (OperationalError, InterfaceError, psycopg.OperationalError):
        response = failures.database_away(request)
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

    return _declared(wrapper, PUBLIC)


def personal(view: View, *, before_factor: bool = False, while_viewing: bool = False) -> View:
    """A view for everybody who signed in, whatever they may do: it is about themselves.

    ``before_factor`` opens it to people who still have to set up a second factor; ``while_viewing`` lets whoever sees
    the console as a role change something with it.
    """
    return _declared(_entered(view, None, before_factor=before_factor, while_viewing=while_viewing), PERSONAL)


def guarded(permission: Permission, view: View, *, changing: Permission | None = None) -> View:
    """A view for people who signed in and have the permission; ``changing`` is needed beside it for a POST.

    Others are sent to the sign-in page and come back afterwards, or are told who may.
    """
    return _declared(_entered(view, permission, changing), permission.value, changing.value if changing else "")


def _declared(view: View, permission: str, changing: str = "") -> View:
    """Note at the view what it needs, for the test that walks all of them."""
    view.permission, view.changing = permission, changing  # type: ignore[attr-defined]
    return view


def _entered(
    view: View,
    permission: Permission | None,
    changing: Permission | None = None,
    *,
    before_factor: bool = False,
    while_viewing: bool = False,
) -> View:
    @wraps(view)
    def entered(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        stands = standing(request)
        if stands is Standing.FACTOR_NOT_SHOWN:
            # Somebody who has only the password is a stranger; nothing but a whole sign-in changes that.
            logout(request)
            return _to_sign_in(request)
        if stands is Standing.FACTOR_MISSING and not before_factor:
            return _to(request, "console:security")
        if request.method not in SAFE and not while_viewing:
            require_own_eyes(request)
        wanted = {permission, changing if request.method not in SAFE else None} - {None}
        for missing in wanted - may(request):
            raise PermissionMissing(cast("Permission", missing))
        return view(request, **arguments)

    @wraps(view)
    def wrapper(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        return _call(entered, request, **arguments)

    return wrapper


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    ended = sessions.ended(request)
    return _to(request, settings.LOGIN_URL, **({} if ended is None else {"over": ended.value}))


def _to(request: HttpRequest, name: str, **query: str) -> HttpResponseBase:
    """Send the reader to another page first, which leads back to this one."""
    part = wants_part(request)
    # A redirect would put that page inside the part of the page that htmx replaces.
    htmx = getattr(request, "htmx", None) if part else None
    back = (htmx.current_url_abs_path if htmx else None) or request.get_full_path()
    target = f"{resolve_url(name)}?{urlencode({'next': back, **query}, safe='/')}"
    if not part:
        return HttpResponseRedirect(target)
    response = HttpResponse(status=401)
    response["HX-Redirect"] = target
    return response
