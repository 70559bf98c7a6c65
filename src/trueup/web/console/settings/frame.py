"""What all pages of the settings share: their own navigation, forms that were refused, and what is shown once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import TrueupError
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.web.console.page import respond, shell
from trueup.web.console.reader import may
from trueup.web.console.words import Label

SECTIONS: Final[tuple[tuple[str, Label, Permission | None], ...]] = (
    ("settings-team", _("Team"), Permission.PEOPLE_READ),
    ("settings-roles", _("Roles"), None),
    ("settings-sso", _("Single sign-on"), Permission.PEOPLE_READ),
    ("settings-tokens", _("API tokens"), Permission.TOKENS_MANAGE),
    ("settings-accounts", _("Accounts"), Permission.ACCOUNTS_READ),
    ("settings-branding", _("Branding"), Permission.SETTINGS_READ),
    ("settings-notifications", _("Notifications"), Permission.SETTINGS_READ),
    ("account-notifications", _("My notifications"), None),
    ("settings-language", _("Language and zone"), None),
    ("settings-configuration", _("Configuration"), Permission.SETTINGS_READ),
)
"""The name of each page's address, what it is called, and what it takes; None is for everybody."""


def sections(request: HttpRequest) -> list[tuple[str, Label]]:
    """The pages that the reader may open."""
    return [(name, label) for name, label, needed in SECTIONS if needed is None or needed in may(request)]


def show(
    request: HttpRequest,
    section: str,
    template: str,
    context: Mapping[str, Any],
    *,
    error: TrueupError | None = None,
) -> HttpResponse:
    """A page of the settings; with ``error`` it says what was refused, and answers with its status."""
    full = {"sections": sections(request), "section": section, "error": error, **context}
    status = 200 if error is None else error.status
    return respond(request, f"console/settings/{template}", full, frame=shell("settings"), status=status)


class Names:
    """What to call actors on a page; people are looked up once."""

    def __init__(self) -> None:
        self._people = {str(one.id): one.name or one.email for one in operators.operators()}

    def __call__(self, who: Actor | None) -> str:
        """Somebody's name; a program's maker stands behind it, and Trueup itself is called so."""
        if who is None:
            return ""
        if who.kind is ActorKind.OPERATOR:
            return self._people.get(who.id, who.id)
        if who.behind is not None:
            return self(who.behind)
        return "Trueup" if who.kind is ActorKind.SYSTEM else who.id


def first(request: HttpRequest) -> HttpResponseBase:
    """``/settings``: the first page that the reader may open."""
    return HttpResponseRedirect(reverse(f"console:{sections(request)[0][0]}"))
