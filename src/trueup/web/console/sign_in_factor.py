"""The second step of signing in: a code of an authenticator app, a recovery code, or a passkey."""

from __future__ import annotations

from typing import cast

from allauth.account.internal.flows.login import record_authentication
from allauth.account.stages import LoginStage, LoginStageController
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth as webauthn
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trueup.kernel.errors import Refused
from trueup.operators import service as operators
from trueup.operators.errors import SignInThrottled
from trueup.operators.factors import service as factors
from trueup.operators.factors.errors import FactorRefused
from trueup.web.console.adapters import safe_next
from trueup.web.console.entrance import alone, can_use_passkeys
from trueup.web.console.sign_in import minutes_until, refused
from trueup.web.requests import client_address


@require_http_methods(["GET", "HEAD", "POST"])
def factor(request: HttpRequest) -> HttpResponseBase:
    """``/sign-in/factor``, for whoever gave the right password a moment ago; everybody else starts over.

    With ``options`` in the query it tells, as JSON, what to ask the browser's passkeys for.
    """
    if request.user.is_authenticated:
        return HttpResponseRedirect(safe_next(request, None))
    stage = LoginStageController.enter(request, AuthenticateStage.key)
    user = None if stage is None else stage.login.user
    if stage is None or user is None or not user.is_active:
        return HttpResponseRedirect(reverse("console:sign-in"))
    if request.method == "POST":
        return _shown(request, stage, user)
    if "options" in request.GET:
        return JsonResponse({"request_options": webauthn.begin_authentication(user)})
    return _page(request, user.pk)


def _shown(request: HttpRequest, stage: LoginStage, user: AbstractBaseUser) -> HttpResponseBase:
    """Go in with a factor that is right, and stay with one that is not."""
    try:
        kind = used(request, user)
    except (SignInThrottled, FactorRefused) as error:
        return not_used(request, user, error)
    record_authentication(request, user, method="mfa", type=kind)
    response: HttpResponseBase = stage.exit()
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponseBase:
    """``/account/confirm/factor``: the same for whoever is in already; ``next`` leads back."""
    user = cast("AbstractBaseUser", request.user)
    if request.method != "POST":
        if "options" in request.GET:
            return JsonResponse({"request_options": webauthn.begin_authentication(user)})
        return _page(request, user.pk)
    try:
        kind = used(request, user)
    except (SignInThrottled, FactorRefused) as error:
        return not_used(request, user, error)
    record_authentication(request, user, method="mfa", type=kind, reauthenticated=True)
    return HttpResponseRedirect(safe_next(request, request.POST.get("next") or reverse("console:security")))


def not_used(request: HttpRequest, user: AbstractBaseUser, error: Refused) -> HttpResponse:
    """Note a factor that was refused, and ask again."""
    if isinstance(error, SignInThrottled):
        message = _("Too many codes were wrong. Try again in %(minutes)d min.") % {"minutes": minutes_until(error)}
        return refused(_page(request, user.pk, problem=message), error)
    operators.record_refused_sign_in(user.get_username())
    message = _("That is not right, or was used already. Wait for the next code and try again.")
    return refused(_page(request, user.pk, problem=message), None)


def used(request: HttpRequest, user: AbstractBaseUser) -> str:
    """Check what was posted: the kind of factor that it is."""
    client = client_address(request)
    if "credential" not in request.POST:
        return factors.check_code(operator_id=user.pk, code=request.POST.get("code", "")[:64], client=client)
    attempt = factors.begin_passkey(operator_id=user.pk, client=client)
    form = AuthenticateWebAuthnForm(user=user, data=request.POST)
    if not form.is_valid():
        raise FactorRefused("That passkey did not answer as it should.")
    factors.note_passkey_used(form.cleaned_data["credential"].pk, attempt=attempt)
    return "passkey"


def _page(request: HttpRequest, operator_id: int, *, problem: str = "") -> HttpResponse:
    known = factors.factors(operator_id)
    inside = request.user.is_authenticated
    context = {
        "factors": known,
        "problem": problem,
        "passkeys": bool(known.passkeys) and can_use_passkeys(request),
        "inside": inside,
        "here": reverse("console:confirm-factor" if inside else "console:sign-in-factor"),
        "next": safe_next(request, request.POST.get("next") or request.GET.get("next")) if inside else "",
    }
    return alone(request, "console/sign_in_factor.html", context)
