"""``/set-up``: the first person makes themselves owner, with a code that only the host knows."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from trueup.kernel.errors import Conflict, Refused
from trueup.operators import service as operators
from trueup.operators.errors import SignInThrottled
from trueup.operators.set_up import service as set_up
from trueup.operators.set_up.errors import SetUpRefused
from trueup.web.console.adapters import enter
from trueup.web.console.entrance import alone
from trueup.web.console.sign_in import minutes_until, refused
from trueup.web.requests import client_address


class SetUpForm(forms.Form):
    """The code, and who the owner is."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        error_messages={"required": _("Enter the code that Trueup printed when it started.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True, "spellcheck": "false"}),
    )
    email = forms.EmailField(
        label=_("Your email"),
        max_length=254,
        error_messages={
            "invalid": _("Write the address as name@example.com."),
            "required": _("Enter your email address."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "username", "spellcheck": "false"}),
    )
    name = forms.CharField(
        label=_("Your name"), max_length=200, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password = forms.CharField(
        label=_("Password, at least 10 characters"),
        strip=False,
        max_length=200,
        error_messages={"required": _("Choose a password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_password(self) -> str:
        """Refuse one that is too short before anything else is looked at."""
        password = str(self.cleaned_data["password"])
        if len(password) < operators.SHORTEST_PASSWORD:
            raise forms.ValidationError(
                _t("A password has at least %(least)d characters.") % {"least": operators.SHORTEST_PASSWORD}
            )
        return password


@require_http_methods(["GET", "HEAD", "POST"])
def first_run(request: HttpRequest) -> HttpResponseBase:
    """The page, open for as long as nobody may sign in; afterwards it leads to the sign-in."""
    if not set_up.is_open():
        return HttpResponseRedirect(reverse("console:sign-in"))
    form = SetUpForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        response = alone(request, "console/set_up.html", {"form": form})
        return response if request.method != "POST" else refused(response, None)
    return _create(request, form)


def _create(request: HttpRequest, form: SetUpForm) -> HttpResponseBase:
    given: dict[str, Any] = form.cleaned_data
    throttled = None
    try:
        person = set_up.create_owner(
            given=given["code"],
            email=given["email"],
            name=given["name"],
            password=given["password"],
            client=client_address(request),
        )
    except SignInThrottled as error:
        throttled = error
        minutes = minutes_until(error)
        form.add_error(None, _t("Too many codes were wrong. Try again in %(minutes)d min.") % {"minutes": minutes})
    except SetUpRefused:
        form.add_error("code", _t("That is not the code. Look where Trueup was started; it prints one."))
    except Conflict:
        return HttpResponseRedirect(reverse("console:sign-in"))
    except Refused as error:
        form.add_error(None, error.message)
    else:
        return enter(request, person.id, target=reverse("console:security"))
    return refused(alone(request, "console/set_up.html", {"form": form}), throttled)
