"""Bearer tokens with scopes."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from ninja.security import HttpBearer
from typing_extensions import override

from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Forbidden
from trueup.operators import service as operators
from trueup.operators.errors import PermissionMissing
from trueup.operators.permissions import Permission
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Scope


class Bearer(HttpBearer):
    """Lets a live token with the scope through, and leaves the actor on ``request.auth``.

    ``write`` includes ``read``, and nothing includes the others. Behind a token stands the person who made it: it does
    nothing that they may not do themselves by now.
    """

    def __init__(self, scope: Scope | None, needed: tuple[Permission, ...] = ()) -> None:
        super().__init__()
        self.scope = scope
        self.needed = needed

    def needing(self, needed: tuple[Permission, ...]) -> Bearer:
        """The same, for an operation that takes these permissions as well."""
        return Bearer(self.scope, needed)

    @override
    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        """The token as an actor; raises ``Unauthenticated`` or ``Forbidden``."""
        del request
        known = tokens.authenticate(token)
        enough = {self.scope, Scope.WRITE} if self.scope is Scope.READ else {self.scope}
        if self.scope is not None and enough.isdisjoint(known.scopes):
            message = f"The token has no scope {self.scope.value}."
            raise Forbidden(
                message, code="scope_missing", hint="Make one with: trueup token create --scope " + self.scope.value
            )
        maker = None if known.made_by_id is None else Actor(kind=ActorKind.OPERATOR, id=str(known.made_by_id))
        actor = Actor(kind=ActorKind.TOKEN, id=str(known.id), behind=maker)
        if maker is not None:
            # A scope without a maker has all that its operations take; what a maker may do changes.
            for missing in set(self.needed) - operators.permissions_of(actor):
                raise PermissionMissing(missing)
        return actor


READ: Final = Bearer(Scope.READ)
WRITE: Final = Bearer(Scope.WRITE)
AUDIT: Final = Bearer(Scope.AUDIT)
PEOPLE: Final = Bearer(Scope.PEOPLE)
TOKENS: Final = Bearer(Scope.TOKENS)
ANY: Final = Bearer(None)
"""For what a program asks about its own token."""


def acting(request: HttpRequest) -> Actor:
    """The token that asks, as the bearer left it."""
    actor: Any = request.auth  # type: ignore[attr-defined]
    assert isinstance(actor, Actor)  # noqa: S101 - what the bearer returns; for the type checker
    return actor
