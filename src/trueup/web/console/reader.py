"""Who reads a page: what they may do, and whom what they ask for is done by.

Somebody who sees the console as a role is shown what the role is shown. What they ask for is done by an actor of the
kind ``role`` with them behind it, so that the services refuse every change.
"""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest

from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Forbidden
from trueup.operators import permissions
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.operators.viewing import service as viewings
from trueup.operators.viewing.types import Viewing
from trueup.web import looking

VIEWING: Final = "viewing"
"""Where a session keeps the leave to see the console as a role."""
_KNOWN: Final = "trueup_permissions"
_SEEN: Final = "trueup_viewing"


def person(request: HttpRequest) -> Actor:
    """The person who reads, whatever role they see the console as; only for whoever signed in."""
    return Actor(kind=ActorKind.OPERATOR, id=str(request.user.pk))


def viewing(request: HttpRequest) -> Viewing | None:
    """The leave by which the reader sees the console as a role, asked once a request; None for everybody else."""
    if not hasattr(request, _SEEN):
        kept = request.session.get(VIEWING) if hasattr(request, "session") and request.user.is_authenticated else None
        setattr(request, _SEEN, viewings.active(kept, by=person(request)) if isinstance(kept, int) else None)
    found: Viewing | None = getattr(request, _SEEN)
    return found


def acting(request: HttpRequest) -> Actor:
    """The reader as the actor of what they ask for; only for whoever signed in."""
    seen, actor = viewing(request), person(request)
    if seen is not None:
        actor = Actor(kind=ActorKind.ROLE, id=seen.role.value, behind=actor)
    setattr(request, looking.READER, actor)
    return actor


def may(request: HttpRequest) -> frozenset[Permission]:
    """What the reader may do, asked once a request; nothing for whoever did not sign in."""
    known: frozenset[Permission] | None = getattr(request, _KNOWN, None)
    if known is None:
        known = frozenset()
        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            # Asked even where nothing is done: whoever is shown a page is the reader of the access log.
            acting(request)
            known, seen = operators.permissions_of(person(request)), viewing(request)
            known = known if seen is None else permissions.shown_as(seen.role, known)
        setattr(request, _KNOWN, known)
    return known


def forget(request: HttpRequest) -> None:
    """Ask anew what the reader may do, for what goes on while that may change."""
    for name in (_KNOWN, _SEEN):
        if hasattr(request, name):
            delattr(request, name)


def require_own_eyes(request: HttpRequest) -> None:
    """Go on only if the reader sees the console as themselves: whoever sees it as a role changes nothing."""
    if viewing(request) is not None:
        raise Forbidden(
            "You see the console as a role, and change nothing meanwhile.",
            code="viewing_read_only",
            hint="End that first, with the button at the top of the page.",
        )
