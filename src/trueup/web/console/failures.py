"""Pages for what went wrong: what happened, and what to do next. ``config.urls`` names the handlers at the end."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from trueup.kernel.errors import Forbidden, NotFound, Refused, TrueupError, Unavailable
from trueup.operators import permissions
from trueup.operators.errors import PermissionMissing
from trueup.runtime import database
from trueup.web.console.page import preferences, respond, shell, wants_part
from trueup.web.console.team_words import PERMISSIONS, ROLES


def failed(request: HttpRequest, error: TrueupError, *, frame: bool = True) -> HttpResponse:
    """The page, or the fragment for htmx, that tells a person about ``error``, with its status.

    ``frame`` asks for the navigation around it; it is left out where the database may be away, and for visitors.
    """
    if request.path.startswith("/api/"):
        # Addresses that the API does not know end here; a program gets the shape that it knows from the others.
        body = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
        return JsonResponse(body, status=error.status)
    context = {"error": _in_words(error), "heading": _heading(error.status)}
    part = wants_part(request)
    if part:
        response = render(request, "console/parts/failed.html", context, status=error.status)
        response["X-Fragment"] = "error"
        patch_vary_headers(response, ["HX-Request"])
        return response
    if frame and getattr(request, "user", None) is not None and request.user.is_authenticated:
        return respond(request, "console/failed.html", context, frame=shell(""), status=error.status)
    return render(request, "console/failed_alone.html", context | {"prefs": preferences(request)}, status=error.status)


def _in_words(error: TrueupError) -> TrueupError:
    """A missing permission as the pages call it; a program is told its name, and everything else is as it is."""
    if not isinstance(error, PermissionMissing):
        return error
    roles = ", ".join(str(ROLES[role].label) for role in permissions.roles_with(error.permission))
    return Forbidden(
        _("Your role does not include: %(what)s.") % {"what": PERMISSIONS[error.permission]},
        hint=_("It comes with: %(roles)s. Whoever manages people can give you one of these.") % {"roles": roles},
    )


def database_away(request: HttpRequest) -> HttpResponse:
    """The page for a database that does not answer; whatever connection there was is closed."""
    # Statements on the hot path bypass Django, which then does not know that the connection is dead.
    database.close()
    hint = _("Nothing is lost. Try again in a moment.")
    return failed(request, Unavailable(_("The database does not answer."), hint=hint), frame=False)


def _heading(status: int) -> str:
    headings = {
        HTTPStatus.BAD_REQUEST: _("That cannot be shown"),
        HTTPStatus.FORBIDDEN: _("You may not do this"),
        HTTPStatus.NOT_FOUND: _("Not found"),
        HTTPStatus.SERVICE_UNAVAILABLE: _("Back in a moment"),
    }
    return headings.get(HTTPStatus(status), _("Something went wrong"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler for 400."""
    del exception
    return failed(request, Refused(_("The request could not be understood.")), frame=False)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler for 403."""
    del exception
    return failed(request, Forbidden(_("Your account has no permission for this page.")))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's ``CSRF_FAILURE_VIEW``; the reason is for logs, not for readers."""
    del reason
    hint = _("Go back, reload the page and try again. Cookies have to be allowed for this address.")
    return failed(request, Forbidden(_("The form was too old, or came from somewhere else."), hint=hint), frame=False)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler for 404."""
    del exception
    hint = _("The address may be mistyped, or the page has moved.")
    return failed(request, NotFound(_("There is no page at this address."), hint=hint))


def broken(request: HttpRequest) -> HttpResponse:
    """Django's handler for 500; touches neither the database nor the session, since either may be the cause."""
    hint = _("It has been logged. Try again; if it stays, tell whoever runs Trueup when it happened.")
    return failed(request, TrueupError(_("Trueup made a mistake while preparing this page."), hint=hint), frame=False)
