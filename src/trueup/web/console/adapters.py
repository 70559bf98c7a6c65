"""How allauth's way of signing in meets ours; ``config.settings`` names these classes.

Whoever signs in, with a password, a passkey or, later, by another system, goes through ``AccountAdapter``: there the
session begins and the sign-in is recorded.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from typing_extensions import override

from trueup.operators import service as operators
from trueup.operators.types import Attempt
from trueup.web.console import sessions

ATTEMPT: Final = "trueup_attempt"
"""Where Django's session keeps the numbers of the attempt until it has succeeded."""
SECOND_FACTOR: Final = "trueup_second_factor"
"""Where it keeps that the person showed a second factor."""

UNTIL: Final = "trueup_until"
"""Where it keeps until when, at the latest, a provider vouches for the person."""


def safe_next(request: HttpRequest, target: str | None) -> str:
    """Where to go after signing in: what was asked for, on this very host, or the first page."""
    if target and url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return target
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def enter(request: HttpRequest, operator_id: int, *, target: str | None = None) -> HttpResponse:
    """Sign in somebody who just chose their password, through every stage that a sign-in has."""
    user = get_user_model().objects.get(pk=operator_id)
    request.session.flush()
    record_authentication(request, user, method="password")
    response: HttpResponse = perform_login(request, Login(user=user, redirect_url=target))
    return response


def _shown(request: HttpRequest, user: AbstractBaseUser) -> tuple[str, str, int | None]:
    """How somebody signed in, as ``record_sign_in`` takes it: what they showed, the second factor, the provider."""
    records = get_authentication_records(request, user)
    factors = [str(record.get("type", "")) for record in records if record.get("method") == "mfa"]
    first: dict[str, Any] = next(
        (record for record in reversed(records) if record.get("method") != "mfa"), {"method": "passkey"}
    )
    factor = {"webauthn": "passkey"}.get(factors[-1], factors[-1]) if factors else ""
    return str(first["method"]), factor, first.get("connection")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Signs somebody in once every stage is passed."""

    @override
    def get_login_stages(self) -> list[str]:
        """A second factor, where the person has one. Addresses are not verified here, and nothing is mailed."""
        return ["trueup.web.console.stages.FactorStage"]

    @override
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up: people are made by people."""
        del request
        return False

    @override
    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: our pages tell what happened, in our words."""

    @override
    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Mail nothing."""

    @override
    def is_safe_url(self, url: str) -> bool:
        """Whether ``url`` stays on the host that was asked."""
        return url_has_allowed_host_and_scheme(url, {context.request.get_host()})

    @override
    def post_login(
        self, request: HttpRequest, user: AbstractBaseUser, *, redirect_url: str | None, **kwargs: Any
    ) -> HttpResponse:
        """Begin the session, and note who signed in and with what."""
        del kwargs
        ids = request.session.pop(ATTEMPT, None)
        method, factor, connection_id = _shown(request, user)
        request.session[SECOND_FACTOR] = bool(factor)
        until = request.session.pop(UNTIL, None)
        sessions.begin(request, user.pk, until=None if until is None else datetime.fromisoformat(until))
        attempt = Attempt(ids=tuple(ids)) if ids else None
        operators.record_sign_in(user.pk, attempt=attempt, method=method, factor=factor, connection_id=connection_id)
        return HttpResponseRedirect(safe_next(request, redirect_url))


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """What apps and passkeys are told about us. Codes are checked by ``operators.factors``, never by allauth."""

    @override
    def get_totp_issuer(self) -> str:
        """How an app calls this entry; the host tells installations apart."""
        return f"Trueup {context.request.get_host()}"

    @override
    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys are bound to the host name."""
        return {"id": context.request.get_host().partition(":")[0], "name": "Trueup"}

    @override
    def encrypt(self, text: str) -> str:
        """Refuse: nothing of allauth's own may keep a secret beside ``operators.factors``."""
        raise NotImplementedError

    @override
    def decrypt(self, encrypted_text: str) -> str:
        """Refuse, as above."""
        raise NotImplementedError
