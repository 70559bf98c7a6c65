"""The stages that a sign-in passes beside allauth's own."""

from __future__ import annotations

from typing import Final

from allauth.account.authentication import get_authentication_records
from allauth.mfa.stages import AuthenticateStage
from django.http import HttpRequest
from typing_extensions import override

PROVIDER: Final = "provider"
"""What a session calls a second factor that somebody's provider asked for."""


class FactorStage(AuthenticateStage):  # type: ignore[misc]
    """Asks for a second factor, unless the provider that vouches for the person did, and is believed."""

    @override
    def _should_handle(self, request: HttpRequest) -> bool:
        records = get_authentication_records(request, self.login.user)
        if any((record.get("method"), record.get("type")) == ("mfa", PROVIDER) for record in records):
            return False
        return bool(super()._should_handle(request))
