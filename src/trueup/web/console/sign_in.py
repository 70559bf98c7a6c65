"""Signing in and out: an email address and a password, then a second factor where there is one; or a passkey alone."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import LoginWebAuthnForm
from allauth.mfa.webauthn.internal import auth as webauthn
from allauth.mfa.webauthn.internal.flows import perform_passwordless_login
from django import forms
from django.contrib.auth import logout
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST
from typing_extensions import override

from trueup.operators import service as operators
from trueup.operators.errors import SignInThrottled
from trueup.operators.sessions import service as sessions
from trueup.operators.sessions.types import End
from trueup.operators.set_up import service as set_up
from trueup.operators.sso import service as sso
from trueup.operators.sso.types import Connection
from trueup.operators.types import Attempt
from trueup.runtime import clock
from trueup.web.console import sessions as ours
from trueup.web.console.adapters import ATTEMPT, safe_next
from trueup.web.console.entrance import can_use_passkeys
from trueup.web.console.page import preferences
from trueup.web.requests import client_address


def minutes_until(error: SignInThrottled) -> int:
    """How long somebody has to wait, in minutes, at least one."""
    return max(1, math.ceil((error.retry_at - clock.now()).total_seconds() / 60))


def _told_required(connection: Connection) -> str:
    """What is said to somebody whose domain comes in by its provider."""
    return _t("Addresses of your domain sign in with %(name)s.") % {"name": connection.name}


def sso_required(connection: Connection) -> ValidationError:
    """The same, as what is wrong with a form."""
    return ValidationError(_told_required(connection), code="sso_required")


def _may_come_without(user: Any) -> bool:
    """Whether somebody may come in without the provider of their domain."""
    person = operators.find_operator(user.get_username())
    return person is not None and sso.may_use_password(person)


class SignInForm(AuthenticationForm):
    """Email and password; one message for every failure, so that it does not tell which addresses exist."""

    username = forms.EmailField(
        label=_("Email"),
        max_length=254,
        error_messages={
            "invalid": _("Write the address as name@example.com."),
            "required": _("Enter your email address."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "username webauthn", "autofocus": True, "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        error_messages={"required": _("Enter your password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    attempt: Attempt | None = None
    throttled: SignInThrottled | None = None
    error_messages = {
        "throttled": _("Too many sign-ins have failed. Try again in %(minutes)d min."),
        "invalid_login": _("That email and password do not match. Check both and try again."),
        "inactive": _("That email and password do not match. Check both and try again."),
    }

    @override
    def clean(self) -> dict[str, Any]:
        """Look at the password only if not too many sign-ins failed before."""
        address = self.cleaned_data.get("username")
        if address and self.cleaned_data.get("password") and self.request is not None:
            try:
                self.attempt = operators.begin_sign_in(email=address, client=client_address(self.request))
            except SignInThrottled as error:
                self.throttled = error
                raise ValidationError(
                    self.error_messages["throttled"], code="throttled", params={"minutes": minutes_until(error)}
                ) from None
        required = sso.required_for(address) if address else None
        try:
            cleaned = super().clean()
        except ValidationError:
            if required is None:
                raise
            raise sso_required(required) from None
        # The same words for a right and a wrong password, so that they do not tell whose it is.
        if required is not None and not _may_come_without(self.get_user()):
            raise sso_required(required)
        return cleaned


class SignIn(LoginView):
    """``/sign-in``. ``next`` leads back to where the visitor wanted to go, on this host only."""

    template_name = "console/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    @override
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """While there is nobody who could sign in, the way leads to the set-up."""
        if request.method == "GET" and not request.user.is_authenticated and set_up.is_open():
            return HttpResponseRedirect(reverse("console:set-up"))
        return super().dispatch(request, *args, **kwargs)

    @override
    def get_default_redirect_url(self) -> str:
        """Where to go when the visitor wanted nothing in particular."""
        return safe_next(self.request, None)

    @override
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The form, the way back, why the visitor is here again, and the reader's preferences."""
        context = super().get_context_data(**kwargs) | {"prefs": preferences(self.request)}
        return context | {
            "over": over(self.request),
            "passkeys": can_use_passkeys(self.request),
            "providers": sso.offered(),
        }

    @override
    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Go on to the second factor, or in; the session opens under a new key."""
        user, attempt = form.get_user(), getattr(form, "attempt", None)
        # What a visitor did before under this session is no part of the sign-in.
        self.request.session.flush()
        self.request.session[ATTEMPT] = [] if attempt is None else list(attempt.ids)
        record_authentication(self.request, user, method="password")
        login = Login(user=user, redirect_url=self.get_redirect_url() or None)
        response: HttpResponse = perform_login(self.request, login)
        return response

    @override
    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show the form again with 422, or with 429 when it was not looked at; note the attempt if it was one."""
        address = form.cleaned_data.get("username", "")
        throttled = getattr(form, "throttled", None)
        if address and throttled is None and form.non_field_errors():
            operators.record_refused_sign_in(address)
        response = self.render_to_response(self.get_context_data(form=form))
        return refused(response, throttled)


def refused(response: HttpResponse, throttled: SignInThrottled | None) -> HttpResponse:
    """The answer with 422, or with 429 and how long to wait."""
    response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    if throttled is not None:
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response["Retry-After"] = str(max(1, math.ceil((throttled.retry_at - clock.now()).total_seconds())))
    return response


def over(request: HttpRequest) -> str:
    """Why somebody has to sign in again, in a sentence; empty for whoever comes by themselves."""
    told = {
        End.IDLE.value: _t("You were signed out because nobody used this session for a while."),
        End.ABSOLUTE.value: _t("You were signed out because this session had lasted as long as it may."),
        End.REVOKED.value: _t("This session was ended from elsewhere."),
        End.CREDENTIALS.value: _t("You were signed out because your password or second factor changed."),
    }
    return told.get(request.GET.get("over", ""), "")


@require_http_methods(["GET", "HEAD", "POST"])
def passkey(request: HttpRequest) -> HttpResponseBase:
    """``/sign-in/passkey``: what to ask the browser for, as JSON; and with its answer, in.

    The passkey proves the device and, by a finger or a number, its owner: two factors at once.
    """
    if request.user.is_authenticated:
        return HttpResponseRedirect(safe_next(request, None))
    if request.method != "POST":
        return JsonResponse({"request_options": webauthn.begin_authentication()})
    client = client_address(request)
    try:
        attempt = operators.begin_sign_in(email="passkey:any", client=client)
    except SignInThrottled as error:
        return _passkey_failed(request, _t("Too many sign-ins have failed. Try again later."), error)
    form = LoginWebAuthnForm(data=request.POST)
    if not form.is_valid():
        return _passkey_failed(request, _t("That passkey is not known here. Sign in with your password."), None)
    used: Authenticator = form.cleaned_data["credential"]
    problem = _passkey_not_enough(used.user)
    if problem:
        operators.record_refused_sign_in(used.user.get_username())
        return _passkey_failed(request, problem, None)
    target = safe_next(request, request.POST.get("next"))
    request.session.flush()
    request.session[ATTEMPT] = list(attempt.ids)
    response: HttpResponseBase = perform_passwordless_login(request, used, Login(user=used.user, redirect_url=target))
    return response


def _passkey_not_enough(user: Any) -> str:
    """Why a passkey that fits lets somebody in all the same not; empty where it does."""
    if not user.is_active:
        return _t("That passkey is not known here. Sign in with your password.")
    required = sso.required_for(user.get_username())
    return "" if required is None or _may_come_without(user) else _told_required(required)


def _passkey_failed(request: HttpRequest, message: str, throttled: SignInThrottled | None) -> HttpResponse:
    view = SignIn()
    view.setup(request)
    form = SignInForm(request)
    context = view.get_context_data(form=form) | {"problem": message}
    return refused(view.render_to_response(context), throttled)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """``/sign-out``: end the session; POST only, so that no link or image can sign somebody out."""
    if request.user.is_authenticated:
        session = ours.current(request)
        if session is not None:
            sessions.end_session(session.id)
        operators.record_sign_out(request.user.pk)
    logout(request)
    return HttpResponseRedirect(reverse("console:sign-in"))
