"""``/account/security``: adding and removing an authenticator app, passkeys and recovery codes."""

from __future__ import annotations

import base64
from typing import Any, Final

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from allauth.mfa.webauthn.internal import auth as webauthn
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from trueup.operators.factors import service as factors
from trueup.operators.factors.errors import FactorRefused
from trueup.web.console import sessions as ours
from trueup.web.console.account import confirmed
from trueup.web.console.adapters import SECOND_FACTOR, safe_next
from trueup.web.console.entrance import alone, can_use_passkeys
from trueup.web.console.reader import acting
from trueup.web.console.sign_in import refused

SECRET: Final = "trueup_app_secret"  # noqa: S105 - a key of Django's session
"""Where Django's session keeps the secret of an app that is being added."""


def _own(request: HttpRequest) -> dict[str, Any]:
    current = ours.current(request)
    here = None if current is None else current.id
    return {"operator_id": ours.reader_id(request), "by": acting(request), "but": here}


def _entered(request: HttpRequest, codes: tuple[str, ...]) -> HttpResponseBase:
    """Go on with a factor that was just shown: to the recovery codes, once, or back."""
    # Whoever held this session's key before has it no more.
    request.session.cycle_key()
    request.session[SECOND_FACTOR] = True
    target = safe_next(request, request.POST.get("next") or reverse("console:security"))
    if not codes:
        return HttpResponseRedirect(target)
    return alone(request, "console/recovery_codes.html", {"codes": codes, "next": target})


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed
def app(request: HttpRequest) -> HttpResponseBase:
    """``/account/security/app``: a secret as a picture and as text, and the code that the app makes of it."""
    if request.method != "POST":
        request.session[SECRET] = factors.new_secret()
        return _app_page(request)
    secret = request.session.get(SECRET)
    if not secret:
        return HttpResponseRedirect(reverse("console:security"))
    try:
        codes = factors.add_app(secret=secret, code=request.POST.get("code", "")[:64], **_own(request))
    except FactorRefused:
        problem = _("That is not the code that the app shows now. Check the clock of the device and try the next code.")
        return refused(_app_page(request, problem=problem), None)
    del request.session[SECRET]
    return _entered(request, codes)


def _app_page(request: HttpRequest, *, problem: str = "") -> HttpResponse:
    secret, adapter = str(request.session[SECRET]), get_adapter()
    address = adapter.build_totp_url(request.user, secret)
    picture = base64.b64encode(adapter.build_totp_svg(address).encode()).decode()
    context = {
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "address": address,
        "picture": f"data:image/svg+xml;base64,{picture}",
        "problem": problem,
        "next": safe_next(request, request.POST.get("next") or request.GET.get("next") or reverse("console:security")),
    }
    return alone(request, "console/factor_app.html", context)


@require_POST
@confirmed
def remove_app(request: HttpRequest) -> HttpResponseBase:
    """``/account/security/app/remove``."""
    factors.remove_app(**_own(request))
    return _after_removal(request)


def _after_removal(request: HttpRequest) -> HttpResponseBase:
    if not factors.has_factor(ours.reader_id(request)):
        request.session.pop(SECOND_FACTOR, None)
    return HttpResponseRedirect(reverse("console:security"))


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed
def passkey(request: HttpRequest) -> HttpResponseBase:
    """``/account/security/passkey``: with ``options`` in the query, as JSON, what to ask the browser for."""
    if request.method != "POST":
        if "options" in request.GET:
            return JsonResponse({"creation_options": webauthn.begin_registration(request.user, passwordless=True)})
        return _passkey_page(request)
    posted = request.POST.copy()
    # Every passkey is asked for its owner, so that it can stand for password and factor at once.
    posted["passwordless"] = "on"
    form = AddWebAuthnForm(user=request.user, data=posted)
    if not form.is_valid():
        problem = _("The browser did not make a passkey that can be used. Try again, or use another device.")
        return refused(_passkey_page(request, problem=problem), None)
    codes = factors.add_passkey(
        name=request.POST.get("name", ""), credential=form.cleaned_data["credential"], **_own(request)
    )
    return _entered(request, codes)


def _passkey_page(request: HttpRequest, *, problem: str = "") -> HttpResponse:
    target = request.POST.get("next") or request.GET.get("next") or reverse("console:security")
    context = {"problem": problem, "next": safe_next(request, target), "passkeys": can_use_passkeys(request)}
    return alone(request, "console/factor_passkey.html", context)


@require_POST
def rename_passkey(request: HttpRequest, passkey_id: int) -> HttpResponseBase:
    """``/account/security/passkey/{id}/rename``."""
    name = request.POST.get("name", "")
    factors.rename_passkey(operator_id=ours.reader_id(request), passkey_id=passkey_id, name=name, by=acting(request))
    return HttpResponseRedirect(reverse("console:security"))


@require_POST
@confirmed
def remove_passkey(request: HttpRequest, passkey_id: int) -> HttpResponseBase:
    """``/account/security/passkey/{id}/remove``."""
    factors.remove_passkey(passkey_id=passkey_id, **_own(request))
    return _after_removal(request)


@require_http_methods(["GET", "HEAD", "POST"])
@confirmed
def codes(request: HttpRequest) -> HttpResponseBase:
    """``/account/security/codes``: new recovery codes in the place of the former ones, shown this once."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("console:security") + "#codes")
    made = factors.make_codes(operator_id=ours.reader_id(request), by=acting(request))
    return alone(request, "console/recovery_codes.html", {"codes": made, "next": reverse("console:security")})
