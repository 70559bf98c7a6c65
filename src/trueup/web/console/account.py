"""``/account``: what a person signs in with, where they are signed in, and that they are who they say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Final
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from trueup.operators.errors import SignInThrottled
from trueup.operators.factors import service as factors
from trueup.operators.factors.errors import FactorRefused
from trueup.operators.passwords import service as passwords
from trueup.operators.sessions import service as sessions
from trueup.operators.sessions.types import WARNING
from trueup.operators.sso import service as sso
from trueup.runtime import clock
from trueup.web.console import sessions as ours
from trueup.web.console.adapters import safe_next
from trueup.web.console.devices import device_name
from trueup.web.console.entrance import Standing, alone, can_use_passkeys, is_demanded, standing
from trueup.web.console.page import respond, shell
from trueup.web.console.reader import acting
from trueup.web.console.sign_in import minutes_until, refused
from trueup.web.requests import client_address

FRESH: Final = timedelta(minutes=15)
"""So long after somebody showed who they are they may change what they sign in with."""


def is_fresh(request: HttpRequest, *, method: str = "") -> bool:
    """Whether the reader showed their password or a factor a moment ago; ``method`` names which of them counts."""
    records = get_authentication_records(request, request.user)
    shown = [float(record["at"]) for record in records if method in {"", record["method"]}]
    return bool(shown) and clock.now().timestamp() - max(shown) < FRESH.total_seconds()


def confirmed(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view for which the reader shows once more who they are, unless they did a moment ago."""

    @wraps(view)
    def wrapper(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        if is_fresh(request):
            return view(request, **arguments)
        back = request.get_full_path() if request.method == "GET" else reverse("console:security")
        return HttpResponseRedirect(f"{reverse('console:confirm')}?{urlencode({'next': back}, safe='/')}")

    return wrapper


def factor_confirmed(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view for which whoever has a second factor shows it once more, unless they did a moment ago."""

    @wraps(view)
    def wrapper(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        if not factors.has_factor(ours.reader_id(request)) or is_fresh(request, method="mfa"):
            return view(request, **arguments)
        query = urlencode({"next": request.path}, safe="/")
        return HttpResponseRedirect(f"{reverse('console:confirm-factor')}?{query}")

    return wrapper


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponseBase:
    """``/account/confirm``: the password once more; ``next`` leads back."""
    target = request.POST.get("next") or request.GET.get("next") or reverse("console:security")
    context = {
        "next": safe_next(request, target),
        "email": request.user.get_username(),
        "password": passwords.has_password(ours.reader_id(request)),
        "factor": factors.has_factor(ours.reader_id(request)),
        "providers": sso.connections_of(ours.reader_id(request)),
    }
    if request.method != "POST":
        return alone(request, "console/confirm.html", context)
    password, client = request.POST.get("password", "")[:1000], client_address(request)
    try:
        factors.check_password(operator_id=ours.reader_id(request), password=password, client=client)
    except SignInThrottled as error:
        problem = _("Too many sign-ins have failed. Try again in %(minutes)d min.") % {"minutes": minutes_until(error)}
        return refused(alone(request, "console/confirm.html", context | {"problem": problem}), error)
    except FactorRefused:
        problem = _("That is not your password.")
        return refused(alone(request, "console/confirm.html", context | {"problem": problem}), None)
    record_authentication(request, request.user, method="password", reauthenticated=True)
    return HttpResponseRedirect(safe_next(request, target))


@require_safe
def security(request: HttpRequest) -> HttpResponseBase:
    """``/account/security``: second factors and sessions; or the choice of a first factor for whoever needs one."""
    known = factors.factors(ours.reader_id(request))
    if standing(request) is Standing.FACTOR_MISSING:
        context = {"passkeys": can_use_passkeys(request), "next": safe_next(request, request.GET.get("next"))}
        return alone(request, "console/factor_needed.html", context)
    current = ours.current(request)
    here = None if current is None else current.id
    found = [
        {"session": one, "name": device_name(one.device), "here": one.id == here}
        for one in sessions.sessions(ours.reader_id(request))
    ]
    found.sort(key=lambda one: not one["here"])
    return respond(
        request,
        "console/security.html",
        {
            "factors": known,
            "sessions": found,
            "passkeys": can_use_passkeys(request),
            "demanded": is_demanded(request),
            "password": passwords.has_password(ours.reader_id(request)),
        },
        frame=shell("account"),
    )


@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponseBase:
    """``/account/sessions/{id}/end``."""
    sessions.revoke(session_id=session_id, operator_id=ours.reader_id(request), by=acting(request))
    return HttpResponseRedirect(reverse("console:security") + "#sessions")


@require_POST
def end_others(request: HttpRequest) -> HttpResponseBase:
    """``/account/sessions/end-others``: every one but this."""
    current = ours.current(request)
    but = None if current is None else current.id
    sessions.revoke_all(operator_id=ours.reader_id(request), but=but, by=acting(request))
    return HttpResponseRedirect(reverse("console:security") + "#sessions")


@require_http_methods(["GET", "HEAD", "POST"])
def remaining(request: HttpRequest) -> HttpResponse:
    """``/account/session``: how many seconds the session has left; a POST counts as using it."""
    current = ours.current(request)
    if current is None:
        return JsonResponse({"left": 0})
    now = clock.now()
    left, most = current.ends_at - now, current.last_at - now
    return JsonResponse(
        {
            "left": int(left.total_seconds()),
            "most": int(most.total_seconds()),
            "warning": int(WARNING.total_seconds()),
        }
    )
