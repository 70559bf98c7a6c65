"""Sending a browser to a provider, and saying why somebody does not come in."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from trueup.operators.errors import SignInThrottled
from trueup.operators.sso import signing_in
from trueup.operators.sso.errors import SsoRefused
from trueup.operators.sso.types import Connection, Kind, Purpose
from trueup.web.console.entrance import alone
from trueup.web.console.sessions import reader_id
from trueup.web.console.sign_in import minutes_until, refused
from trueup.web.console.sso_words import REASONS

ASKED: Final = "trueup_sso"
"""Where Django's session keeps the numbers of what this browser asked providers."""
MOST_ASKED: Final = 5
"""So many windows may be at providers at once; the oldest is forgotten."""


def addresses(request: HttpRequest, connection: Connection) -> tuple[str, str]:
    """Our callback and what we are called at a provider, as whoever sets it up there enters them."""
    oidc = connection.kind is Kind.OIDC
    callback = reverse("console:sso-callback" if oidc else "console:sso-acs", args=[connection.id])
    entity = reverse("console:sso-metadata", args=[connection.id])
    return (
        request.build_absolute_uri(callback),
        connection.client_id if oidc else request.build_absolute_uri(entity),
    )


def begin(request: HttpRequest, connection: Connection, purpose: Purpose, target: str) -> HttpResponseBase:
    """Send the browser to the provider, and remember that this browser asked."""
    callback, entity = addresses(request, connection)
    inside = reader_id(request) if request.user.is_authenticated else None
    try:
        begun = signing_in.begin(
            connection=connection,
            purpose=purpose,
            callback=callback,
            entity=entity,
            target=target,
            operator_id=inside,
        )
    except SsoRefused as error:
        return turned_away(request, error, connection)
    request.session[ASKED] = [*request.session.get(ASKED, []), begun.request_id][-MOST_ASKED:]
    return HttpResponseRedirect(begun.url)


def turned_away(request: HttpRequest, error: SsoRefused | SignInThrottled, connection: Connection) -> HttpResponse:
    """The page that says why an answer let nobody in, and what to do."""
    if isinstance(error, SignInThrottled):
        told = _("Too many sign-ins have failed. Try again in %(minutes)d min.") % {"minutes": minutes_until(error)}
        return refused(alone(request, "console/sso_refused.html", {"told": told, "connection": connection}), error)
    words = REASONS[error.reason]
    context = {"told": words.label, "hint": words.hint, "code": error.reason.value, "connection": connection}
    return alone(request, "console/sso_refused.html", context, status=error.status)
