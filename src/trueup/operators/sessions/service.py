"""What others may ask about sessions: who is signed in from where, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import NotFound
from trueup.operators import service as operators
from trueup.operators import store as people
from trueup.operators.permissions import Permission
from trueup.operators.sessions import rules, store
from trueup.operators.sessions.types import End, Session
from trueup.runtime import clock, database

LONGEST_DEVICE: Final = 300
KEPT: Final = timedelta(days=30)
"""So long after it was opened a session is remembered, for whoever asks where a person signed in."""


def open_session(operator_id: int, *, client: str, device: str, until: datetime | None = None) -> Session:
    """A new session of somebody who just signed in; sessions of long ago are forgotten.

    ``until`` ends it at the latest, for somebody whose provider vouches no longer than that.
    """
    now = clock.now()
    with database.transaction():
        store.forget_before(now - KEPT)
        return store.insert(operator_id, client=client, device=device[:LONGEST_DEVICE], now=now, until=until)


def use(session_id: int, *, operator_id: int, client: str, counts: bool = True) -> Session | End:
    """The session, used now; or why it has ended, from this moment on at the latest.

    ``counts`` is False for what a page asks by itself: it keeps nobody signed in.
    """
    now = clock.now()
    found = store.find(session_id, operator_id=operator_id)
    if found is None:
        return End.REVOKED
    session, why = found
    why = why or _over(session)
    if why is not None:
        store.end(session.id, why=why, now=now)
        return why
    if counts and now - session.used_at >= rules.NOTED:
        store.note_use(session.id, client=client, now=now)
        found = store.find(session_id, operator_id=operator_id)
        return session if found is None else found[0]
    return session


def _over(session: Session) -> End | None:
    return rules.over(ends_at=session.ends_at, last_at=session.last_at, now=clock.now())


def sessions(operator_id: int) -> list[Session]:
    """The live sessions of a person, the last used first."""
    return [session for session in store.live(operator_id) if _over(session) is None]


def end_session(session_id: int, *, why: End = End.SIGNED_OUT) -> None:
    """End a session as its person does by signing out; signing out is recorded as that. It may have ended already."""
    store.end(session_id, why=why, now=clock.now())


def revoke(*, session_id: int, operator_id: int, by: Actor) -> None:
    """End one session of a person at once. One's own, or with ``people.manage`` anybody's; else ``NotFound``."""
    _require_own(operator_id, by)
    with database.transaction() as connection:
        found = store.find(session_id, operator_id=operator_id)
        if found is None or not store.end(session_id, why=End.REVOKED, now=clock.now()):
            raise NotFound("There is no such session any more.", code="session_unknown")
        audit.record(
            connection,
            by=by,
            action=Action.SESSIONS_REVOKED,
            object_type="operator",
            object_id=str(operator_id),
            after={"sessions": 1},
        )


def revoke_all(*, operator_id: int, but: int | None = None, by: Actor) -> int:
    """End every session of a person at once, except ``but``; returns how many. Permissions as for ``revoke``."""
    _require_own(operator_id, by)
    with database.transaction() as connection:
        ended = people.end_sessions(operator_id, why=End.REVOKED.value, now=clock.now(), but=but)
        if ended:
            audit.record(
                connection,
                by=by,
                action=Action.SESSIONS_REVOKED,
                object_type="operator",
                object_id=str(operator_id),
                after={"sessions": ended},
            )
    return ended


def _require_own(operator_id: int, by: Actor) -> None:
    if by.kind is not ActorKind.OPERATOR or by.id != str(operator_id):
        operators.require(by, Permission.PEOPLE_MANAGE)
