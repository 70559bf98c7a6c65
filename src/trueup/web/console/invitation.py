"""``/invitation/…``: where somebody who was invited chooses a password and comes in."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from typing_extensions import override

from trueup.kernel.errors import Refused
from trueup.operators import service as operators
from trueup.operators.sso import service as sso
from trueup.operators.team import service as team
from trueup.web.console.page import preferences
from trueup.web.console.team_words import ROLES


class WelcomeForm(forms.Form):
    """A name and a password, written twice."""

    name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        help_text=gettext_lazy("At least ten characters. A sentence is easier to remember than signs."),
        error_messages={"required": gettext_lazy("Choose a password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("The password once more"),
        strip=False,
        error_messages={"required": gettext_lazy("Write the password once more.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    @override
    def clean(self) -> None:
        """Both passwords are one, and long enough."""
        super().clean()
        first, second = self.cleaned_data.get("password"), self.cleaned_data.get("again")
        if first and len(first) < operators.SHORTEST_PASSWORD:
            self.add_error("password", _("A password has at least %d characters.") % operators.SHORTEST_PASSWORD)
        elif first and second and first != second:
            self.add_error("again", _("This is not the same password."))


@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest, secret: str) -> HttpResponseBase:
    """Show who was invited as what; a POST makes the person, who then signs in as everybody does."""
    found = team.invitation(secret)
    form = WelcomeForm(request.POST or None, initial={"name": found.name})
    error: Refused | None = None
    if request.method == "POST" and form.is_valid():
        try:
            team.accept_invitation(
                secret=secret, password=form.cleaned_data["password"], name=form.cleaned_data["name"]
            )
        except Refused as refused:
            error = refused
        else:
            messages.success(request, _("Welcome. Sign in with the password that you just chose."))
            return HttpResponseRedirect(reverse("console:sign-in"))
    context = {
        "invitation": found,
        "roles": [ROLES[role] for role in found.roles],
        "form": form,
        "required": sso.required_for(found.email),
        "error": error,
        "prefs": preferences(request),
    }
    status = error.status if error else 422 if form.errors else 200
    return render(request, "console/invitation.html", context, status=status)
