"""Bearer tokens with scopes."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from ninja.security import HttpBearer
from typing_extensions import override

from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Forbidden
from trueup.operators import service as operators
from trueup.operators.types import Scope


class Bearer(HttpBearer):
    """Lets a live token with the scope through; ``write`` includes ``read``. The actor is left on ``request.auth``."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._scope = scope

    @override
    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        """The token as an actor; raises ``Unauthenticated`` or ``Forbidden``."""
        del request
        known = operators.authenticate(token)
        if self._scope not in known.scopes and Scope.WRITE not in known.scopes:
            message = f"The token has no scope {self._scope.value}."
            raise Forbidden(
                message, code="scope_missing", hint="Make one with: trueup token create --scope " + self._scope.value
            )
        return Actor(kind=ActorKind.TOKEN, id=str(known.id))


READ: Final = Bearer(Scope.READ)
WRITE: Final = Bearer(Scope.WRITE)


def acting(request: HttpRequest) -> Actor:
    """The token that asks, as the bearer left it."""
    actor: Any = request.auth  # type: ignore[attr-defined]
    assert isinstance(actor, Actor)  # noqa: S101 - what the bearer returns; for the type checker
    return actor
