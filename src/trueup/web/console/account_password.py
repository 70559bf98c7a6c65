"""``/account/password``: one's own password; and ``/account/confirm/factor``, the second factor once more."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from typing_extensions import override

from trueup.kernel.errors import Refused
from trueup.operators import service as operators
from trueup.operators.errors import SignInThrottled
from trueup.operators.factors.errors import FactorRefused
from trueup.operators.passwords import service as passwords
from trueup.web.console import sessions as ours
from trueup.web.console.account import factor_confirmed
from trueup.web.console.entrance import alone
from trueup.web.console.reader import acting
from trueup.web.console.sign_in import minutes_until, refused
from trueup.web.requests import client_address


class PasswordForm(forms.Form):
    """The password there is, and another written twice."""

    old = forms.CharField(
        label=gettext_lazy("The password you have"),
        strip=False,
        max_length=1000,
        error_messages={"required": gettext_lazy("Enter the password that you have.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    new = forms.CharField(
        label=gettext_lazy("New password, at least 10 characters"),
        strip=False,
        max_length=1000,
        error_messages={"required": gettext_lazy("Choose a password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("The new password once more"),
        strip=False,
        max_length=1000,
        error_messages={"required": gettext_lazy("Write the password once more.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    @override
    def clean(self) -> None:
        """Both new ones are one, and long enough."""
        super().clean()
        new, again = self.cleaned_data.get("new"), self.cleaned_data.get("again")
        if new and len(new) < operators.SHORTEST_PASSWORD:
            self.add_error("new", _("A password has at least %d characters.") % operators.SHORTEST_PASSWORD)
        elif new and again and new != again:
            self.add_error("again", _("This is not the same password."))


@require_http_methods(["GET", "HEAD", "POST"])
@factor_confirmed
def change(request: HttpRequest) -> HttpResponseBase:
    """``/account/password``: the old password and a new one; not for people who have no password."""
    if not passwords.has_password(ours.reader_id(request)):
        return HttpResponseRedirect(reverse("console:security"))
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _page(request, form)
    if not form.is_valid():
        return refused(_page(request, form), None)
    return _changed(request, form)


def _changed(request: HttpRequest, form: PasswordForm) -> HttpResponseBase:
    current, throttled = ours.current(request), None
    try:
        passwords.change(
            operator_id=ours.reader_id(request),
            old=form.cleaned_data["old"],
            new=form.cleaned_data["new"],
            client=client_address(request),
            but=None if current is None else current.id,
            by=acting(request),
        )
    except SignInThrottled as error:
        throttled, minutes = error, minutes_until(error)
        form.add_error(None, _("Too many sign-ins have failed. Try again in %(minutes)d min.") % {"minutes": minutes})
    except FactorRefused:
        form.add_error("old", _("That is not your password."))
    except Refused as error:
        form.add_error("new", error.message)
    else:
        # The key of this session is another from now on: whoever knew the old one is out.
        update_session_auth_hash(request, get_user_model().objects.get(pk=request.user.pk))
        messages.success(request, _("The password is changed, and your other sessions ended."))
        return HttpResponseRedirect(reverse("console:security"))
    return refused(_page(request, form), throttled)


def _page(request: HttpRequest, form: PasswordForm) -> HttpResponse:
    return alone(request, "console/password.html", {"form": form, "email": request.user.get_username()})
