"""``/sign-in/sso/…``: to a provider and back, for signing in, for showing once more who one is, and to try it."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from trueup.kernel.errors import NotFound
from trueup.operators.errors import PermissionMissing, SignInThrottled
from trueup.operators.permissions import Permission
from trueup.operators.sso import saml_metadata, signing_in
from trueup.operators.sso import service as sso
from trueup.operators.sso.errors import SsoRefused
from trueup.operators.sso.types import Connection, Kind, Outcome, Purpose
from trueup.web.console import sso_test
from trueup.web.console.adapters import UNTIL, safe_next
from trueup.web.console.reader import may
from trueup.web.console.sessions import reader_id
from trueup.web.console.sso_asking import ASKED, addresses, begin, turned_away
from trueup.web.console.stages import PROVIDER
from trueup.web.requests import client_address


@require_safe
def sign_in(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """``/sign-in/sso/7``: to the provider; ``next`` leads to where the visitor wanted to go."""
    target = safe_next(request, request.GET.get("next"))
    if request.user.is_authenticated:
        return HttpResponseRedirect(target)
    return begin(request, sso.connection(connection_id), Purpose.SIGN_IN, target)


@require_safe
def confirm(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """``/account/confirm/sso/7``: to the provider, which asks once more who one is."""
    target = safe_next(request, request.GET.get("next") or reverse("console:security"))
    return begin(request, sso.connection(connection_id), Purpose.CONFIRM, target)


@require_safe
def callback(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """``/sign-in/sso/7/callback``: what a provider of OpenID Connect sends the browser back with."""
    connection = _speaking(connection_id, Kind.OIDC)
    try:
        outcome = signing_in.answered(
            connection=connection,
            query=request.GET.dict(),
            own=_own(request),
            client=client_address(request),
        )
    except (SsoRefused, SignInThrottled) as error:
        return turned_away(request, error, connection)
    return _goes_on(request, outcome)


@csrf_exempt
@require_POST
def acs(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """``/sign-in/sso/7/acs``: what a SAML provider lets the browser post.

    It comes from another site, so the browser keeps our cookie back; it asks again by itself, with a ticket. In the
    place of a token, the answer is held against what this very browser asked. What the provider calls ``RelayState``
    leads nowhere: where to go afterwards is kept here.
    """
    connection = _speaking(connection_id, Kind.SAML)
    try:
        ticket = signing_in.received(
            connection=connection, posted=request.POST.get("SAMLResponse", ""), client=client_address(request)
        )
    except (SsoRefused, SignInThrottled) as error:
        return turned_away(request, error, connection)
    response = HttpResponse(status=303)
    response["Location"] = f"{reverse('console:sso-finish', args=[connection.id])}?ticket={ticket}"
    return response


@require_safe
def finish(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """``/sign-in/sso/7/finish``: the browser itself, with the ticket of its answer."""
    connection = _speaking(connection_id, Kind.SAML)
    try:
        outcome = signing_in.collected(
            connection=connection,
            ticket=request.GET.get("ticket", ""),
            own=_own(request),
            client=client_address(request),
        )
    except (SsoRefused, SignInThrottled) as error:
        return turned_away(request, error, connection)
    return _goes_on(request, outcome)


@require_safe
def metadata(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """``/sign-in/sso/7/metadata``: what a SAML provider is told of us."""
    connection = _speaking(connection_id, Kind.SAML)
    address, entity = addresses(request, connection)
    return HttpResponse(saml_metadata.ours(entity=entity, callback=address), "application/samlmetadata+xml")


def _speaking(connection_id: int, kind: Kind) -> Connection:
    found = sso.connection(connection_id)
    if found.kind is not kind:
        raise NotFound(f"There is no provider {connection_id}.", code="sso_connection_unknown")
    return found


def _own(request: HttpRequest) -> frozenset[int]:
    return frozenset(request.session.get(ASKED, []))


def _goes_on(request: HttpRequest, outcome: Outcome) -> HttpResponseBase:
    purpose = outcome.pending.purpose
    if purpose is Purpose.SIGN_IN:
        return _enters(request, outcome)
    # The other two are for whoever asked, and only while they are in.
    if not request.user.is_authenticated or outcome.pending.operator_id != reader_id(request):
        return HttpResponseRedirect(reverse("console:sign-in"))
    if purpose is Purpose.CONFIRM:
        user = cast("AbstractBaseUser", request.user)
        _note(request, user, outcome, reauthenticated=True)
        return HttpResponseRedirect(safe_next(request, outcome.pending.next))
    if Permission.SSO_MANAGE not in may(request):
        raise PermissionMissing(Permission.SSO_MANAGE)
    return sso_test.page(request, outcome)


def _enters(request: HttpRequest, outcome: Outcome) -> HttpResponseBase:
    """Go on to the second factor, or in; the session opens under a new key."""
    if outcome.person is None:
        raise NotFound("There is nobody to sign in.", code="operator_unknown")
    user = get_user_model().objects.get(pk=outcome.person.id)
    # What a visitor did before under this session is no part of the sign-in.
    request.session.flush()
    until: datetime | None = outcome.said.until
    if until is not None:
        request.session[UNTIL] = until.isoformat()
    _note(request, user, outcome)
    response: HttpResponseBase = perform_login(request, Login(user=user, redirect_url=outcome.pending.next or None))
    return response


def _note(
    request: HttpRequest, user: AbstractBaseUser, outcome: Outcome, *, reauthenticated: bool | None = None
) -> None:
    extra = {"connection": outcome.connection.id, "reauthenticated": reauthenticated}
    record_authentication(request, user, method="sso", **extra)
    if outcome.two_factors:
        record_authentication(request, user, method="mfa", type=PROVIDER, reauthenticated=reauthenticated)
