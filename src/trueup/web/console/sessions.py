"""Which session a request belongs to, and that one which has ended lets nobody in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import psycopg
from django.conf import settings
from django.contrib.auth import logout
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from trueup.operators.sessions import service as sessions
from trueup.operators.sessions.types import WARNING, End, Session
from trueup.runtime import clock
from trueup.web.console import failures
from trueup.web.requests import client_address

NUMBER: Final = "trueup_session"
"""Where Django's session keeps the number of ours."""
_CURRENT: Final = "trueup_current_session"
_ENDED: Final = "trueup_ended"
BY_ITSELF: Final = "X-Tick"
"""The header of what a page asks for by itself every few seconds, which is no use of it by a person."""


def reader_id(request: HttpRequest) -> int:
    """The number of whoever signed in."""
    return int(request.user.pk or 0)


def current(request: HttpRequest) -> Session | None:
    """The reader's session; None for whoever did not sign in."""
    return getattr(request, _CURRENT, None)


def ended(request: HttpRequest) -> End | None:
    """Why the session that the request came with is over; None where there was none, or where it lives."""
    return getattr(request, _ENDED, None)


def device_of(request: HttpRequest) -> str:
    """What the browser says of itself."""
    return request.headers.get("User-Agent", "")


def begin(request: HttpRequest, operator_id: int, *, until: datetime | None = None) -> Session:
    """Open a session for somebody who signed in with this request; ``until`` ends it at the latest."""
    session = sessions.open_session(operator_id, client=client_address(request), device=device_of(request), until=until)
    request.session[NUMBER] = session.id
    setattr(request, _CURRENT, session)
    return session


def session_left(request: HttpRequest) -> dict[str, Any]:
    """For templates: how many seconds the session has left, and how many before its end the page says so."""
    session = current(request)
    if session is None:
        return {}
    left = int((session.ends_at - clock.now()).total_seconds())
    return {"session_now": True, "session_left": left, "session_warning": int(WARNING.total_seconds())}


class SessionMiddleware:
    """Looks up the session before anything is shown, and signs out whose has ended."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Go on as the person of a live session, or as a stranger."""
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not request.path_info.startswith("/api/"):
            try:
                _look_up(request)
            except (OperationalError, InterfaceError, psycopg.OperationalError):
                return failures.database_away(request)
        return self._get_response(request)


def _look_up(request: HttpRequest) -> None:
    if not request.user.is_authenticated:
        return
    number = request.session.get(NUMBER)
    if number is None:
        # Django signed them in and nobody noted it, as it was before sessions were kept here.
        begin(request, request.user.pk)
        return
    # A stream opens itself again whenever it broke, which is no use by a person either.
    counts = BY_ITSELF not in request.headers and "text/event-stream" not in request.headers.get("Accept", "")
    found = sessions.use(int(number), operator_id=request.user.pk, client=client_address(request), counts=counts)
    if isinstance(found, End):
        logout(request)
        setattr(request, _ENDED, found)
    else:
        setattr(request, _CURRENT, found)
