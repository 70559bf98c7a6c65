"""Seeing the console as another role: a leave with a reason, for at most half an hour, that changes nothing.

Whoever looks acts as an actor of the kind ``role`` with themselves behind it, so that services refuse every change and
the audit log names both.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Forbidden, Refused
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.operators.types import Role
from trueup.operators.viewing import store
from trueup.operators.viewing.types import Viewing
from trueup.runtime import clock, database

LONGEST: Final = timedelta(minutes=30)
LONGEST_WORDS: Final = 1000


def start(*, role: Role, why: str, lifetime: timedelta = LONGEST, by: Actor) -> Viewing:
    """Let a person see the console as a role, and say why; at most for ``LONGEST``. Only for oneself."""
    operators.require(by, Permission.IMPERSONATE)
    if by.kind is not ActorKind.OPERATOR:
        raise Forbidden("Only a person sees the console.", code="viewing_needs_person")
    words = why.strip()
    if not words or len(words) > LONGEST_WORDS:
        raise Refused("Say why, in at most 1000 characters.", code="reason_missing")
    if not timedelta() < lifetime <= LONGEST:
        raise Refused("Seeing as another role lasts thirty minutes at most.", code="viewing_too_long")
    now = clock.now()
    with database.transaction() as connection:
        made = store.insert(int(by.id), role=role, why=words, started_at=now, expires_at=now + lifetime)
        audit.record(
            connection,
            by=by,
            action=Action.VIEWING_STARTED,
            object_type="viewing",
            object_id=str(made.id),
            why=words,
            after={"role": role.value, "expires_at": made.expires_at},
        )
    return made


def active(viewing_id: int, *, by: Actor) -> Viewing | None:
    """The leave with this id while it holds: it is this person's, not over, and they still may."""
    found = store.live(viewing_id, int(by.id), now=clock.now())
    if found is None or Permission.IMPERSONATE not in operators.permissions_of(by):
        return None
    return found


def end(*, viewing_id: int, by: Actor) -> None:
    """See the console as oneself again; nothing happens where the leave is over."""
    with database.transaction() as connection:
        found = store.live(viewing_id, int(by.id), now=clock.now())
        if found is None:
            return
        store.end(viewing_id, now=clock.now())
        audit.record(
            connection,
            by=by,
            action=Action.VIEWING_ENDED,
            object_type="viewing",
            object_id=str(viewing_id),
            before={"role": found.role.value},
        )
