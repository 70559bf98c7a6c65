"""Signing in and out with an email address and a password."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth import logout
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from typing_extensions import override

from trueup.operators import service as operators
from trueup.operators.errors import SignInThrottled
from trueup.operators.types import Attempt
from trueup.runtime import clock
from trueup.web.console.page import preferences
from trueup.web.requests import client_address


class SignInForm(AuthenticationForm):
    """Email and password; one message for every failure, so that it does not tell which addresses exist."""

    username = forms.EmailField(
        label=_("Email"),
        max_length=254,
        error_messages={
            "invalid": _("Write the address as name@example.com."),
            "required": _("Enter your email address."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True, "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        error_messages={"required": _("Enter your password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    attempt: Attempt | None = None
    throttled_until: datetime | None = None
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
                self.throttled_until = error.retry_at
                minutes = max(1, math.ceil((error.retry_at - clock.now()).total_seconds() / 60))
                raise ValidationError(
                    self.error_messages["throttled"], code="throttled", params={"minutes": minutes}
                ) from None
        return super().clean()


class SignIn(LoginView):
    """``/sign-in``. ``next`` leads back to where the visitor wanted to go, on this host only."""

    template_name = "console/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    @override
    def get_default_redirect_url(self) -> str:
        """Where to go when the visitor wanted nothing in particular."""
        return reverse("console:customers")

    @override
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The form, the way back, and the reader's preferences."""
        return super().get_context_data(**kwargs) | {"prefs": preferences(self.request)}

    @override
    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Open the session under a new key, and note who did."""
        response = super().form_valid(form)
        operators.record_sign_in(form.get_user().pk, attempt=getattr(form, "attempt", None))
        return response

    @override
    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show the form again with 422, or with 429 when it was not looked at; note the attempt if it was one."""
        address = form.cleaned_data.get("username", "")
        until = getattr(form, "throttled_until", None)
        if address and until is None and form.non_field_errors():
            operators.record_refused_sign_in(address)
        response = self.render_to_response(self.get_context_data(form=form))
        response.status_code = 422
        if until is not None:
            response.status_code = 429
            response["Retry-After"] = str(max(1, math.ceil((until - clock.now()).total_seconds())))
        return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """``/sign-out``: end the session; POST only, so that no link or image can sign somebody out."""
    if request.user.is_authenticated:
        operators.record_sign_out(request.user.pk)
    logout(request)
    return HttpResponseRedirect(reverse("console:sign-in"))
