"""Four eyes: one person asks for something, and it is done when another allows it, in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.kernel.errors import Conflict, Forbidden, NotFound, Refused
from trueup.operators import service as operators
from trueup.operators.approvals import store
from trueup.operators.approvals.kinds import kind as kind_named
from trueup.operators.approvals.types import Approval, Standing
from trueup.runtime import clock, database

LIFETIME: Final = timedelta(hours=72)
"""So long a request waits for somebody's answer."""
LONGEST_WORDS: Final = 1000
LISTED: Final = 50


def ask(*, kind: str, object_type: str, object_id: str, change: Mapping[str, Any], why: str, by: Actor) -> Approval:
    """Ask for something that another person has to allow within ``LIFETIME``.

    ``change`` says what would be done, in ids, codes and settings. ``Conflict`` where the same was asked about the same
    object and waits still.
    """
    known = kind_named(kind)
    operators.require(by, known.asking)
    why = _words(why, needed=True)
    now = clock.now()
    with database.transaction() as connection:
        # Two who ask at once: the second waits, and is told of the first.
        connection.execute(
            "select pg_advisory_xact_lock(hashtext('operators approval'), hashtext(%s))",
            (f"{kind} {object_type}:{object_id}",),
        )
        earlier = store.waiting_about(kind=kind, object_type=object_type, object_id=object_id, lock=True)
        if earlier is not None:
            if earlier.expires_at > now:
                raise Conflict(
                    "This was asked for already, and waits for an answer.",
                    code="approval_waiting",
                    hint="Whoever asked can take it back; another can answer it. It is in the inbox.",
                )
            _settle(earlier, Standing.EXPIRED, Action.APPROVAL_EXPIRED, by=None)
        made = store.insert(
            kind=kind,
            object_type=object_type,
            object_id=object_id,
            change=change,
            why=why,
            asked_by=by,
            asked_at=now,
            expires_at=now + LIFETIME,
        )
        audit.record(
            connection,
            by=by,
            action=Action.APPROVAL_ASKED,
            object_type="approval",
            object_id=str(made.id),
            why=why,
            after=_facts(made) | {"change": dict(change), "expires_at": made.expires_at},
        )
    return made


def approve(*, approval_id: int, answer: str = "", by: Actor) -> Approval:
    """Allow what another person asked for, and do it; if it cannot be done any more nothing of this happened.

    Nobody allows what they asked for themselves, nor what a program of theirs did, and no program allows anything
    (``Forbidden``). Whoever asked has to be somebody who still may.
    """
    with database.transaction():
        found = _decidable(approval_id, by)
        known = kind_named(found.kind)
        if known.asking not in operators.permissions_of(found.asked_by):
            raise Conflict(
                "Whoever asked for this may not do so any more.",
                code="approval_asker_gone",
                hint="Refuse it; somebody else can ask again.",
            )
        given = _settle(found, Standing.APPROVED, Action.APPROVAL_GIVEN, by=by, answer=_words(answer))
        known.perform(given, by)
    return given


def reject(*, approval_id: int, answer: str, by: Actor) -> Approval:
    """Refuse what another person asked for, and say why."""
    words = _words(answer, needed=True)
    with database.transaction():
        found = _decidable(approval_id, by)
        return _settle(found, Standing.REJECTED, Action.APPROVAL_REFUSED, by=by, answer=words)


def cancel(*, approval_id: int, by: Actor) -> Approval:
    """Take back what one asked for oneself."""
    with database.transaction():
        found = _waiting(approval_id)
        operators.require(by, kind_named(found.kind).asking)
        if _person(by) != _person(found.asked_by):
            raise Forbidden("Somebody else asked for this.", code="approval_not_yours", hint="Refuse it instead.")
        return _settle(found, Standing.CANCELED, Action.APPROVAL_CANCELED, by=by)


def expire() -> int:
    """Note which requests ran out of time; returns how many. A worker does so every hour."""
    with database.transaction():
        over = store.run_out(now=clock.now())
        for one in over:
            _settle(one, Standing.EXPIRED, Action.APPROVAL_EXPIRED, by=None)
    return len(over)


def get(approval_id: int) -> Approval:
    """One request; ``NotFound`` where there is none."""
    found = store.find(approval_id)
    if found is None:
        raise NotFound(f"There is no request {approval_id}.", code="approval_unknown")
    return found


def waiting_for(by: Actor) -> list[Approval]:
    """The requests that this person may answer, the oldest first; their own are not among them."""
    may = operators.permissions_of(by)
    return [
        one
        for one in store.waiting(now=clock.now())
        if kind_named(one.kind).approving in may and _person(one.asked_by) != _person(by)
    ]


def asked_by(by: Actor) -> list[Approval]:
    """The requests of this person that wait for somebody else, the oldest first."""
    return [one for one in store.waiting(now=clock.now()) if _person(one.asked_by) == _person(by)]


def waiting_about(*, kind: str, object_type: str, object_id: str) -> Approval | None:
    """The request that waits about an object, if its time has not run out."""
    found = store.waiting_about(kind=kind, object_type=object_type, object_id=object_id)
    return found if found is not None and found.expires_at > clock.now() else None


def concerns(one: Approval, by: Actor) -> bool:
    """Whether somebody asked for this, or may answer what is of its kind."""
    return _person(one.asked_by) == _person(by) or kind_named(one.kind).approving in operators.permissions_of(by)


def newest(limit: int = LISTED) -> list[Approval]:
    """The newest requests, however they stand."""
    return store.newest(limit=limit)


def _words(text: str, *, needed: bool = False) -> str:
    words = text.strip()
    if needed and not words:
        raise Refused("Say why.", code="reason_missing", hint="Whoever reads it later wants to know.")
    if len(words) > LONGEST_WORDS:
        raise Refused(f"A reason has at most {LONGEST_WORDS} characters.", code="reason_too_long")
    return words


def _waiting(approval_id: int) -> Approval:
    found = store.find(approval_id, lock=True)
    if found is None:
        raise NotFound(f"There is no request {approval_id}.", code="approval_unknown")
    if found.standing is not Standing.WAITING or found.expires_at <= clock.now():
        raise Conflict("This waits for no answer any more.", code="approval_over", hint="Load the page again.")
    return found


def _decidable(approval_id: int, by: Actor) -> Approval:
    found = _waiting(approval_id)
    operators.require(by, kind_named(found.kind).approving)
    if by.kind not in {ActorKind.OPERATOR, ActorKind.COMMAND_LINE}:
        raise Forbidden("A program answers no request.", code="approval_needs_person", hint="Ask a person.")
    if _person(by) == _person(found.asked_by):
        raise Forbidden(
            "Somebody else has to answer what you asked for.", code="approval_own", hint="That is what it is for."
        )
    return found


def _person(of: Actor) -> tuple[str, str]:
    """Who acts in the end: the one behind a program, else the actor."""
    who = of.behind or of
    return who.kind.value, who.id


def _facts(one: Approval) -> dict[str, Any]:
    kind, id_ = _person(one.asked_by)
    return {"kind": one.kind, "object": f"{one.object_type}:{one.object_id}", "asked_by": f"{kind}:{id_}"}


def _settle(one: Approval, standing: Standing, action: Action, *, by: Actor | None, answer: str = "") -> Approval:
    settled = store.decide(one.id, standing, by=by, at=clock.now(), answer=answer)
    with database.transaction() as connection:
        audit.record(
            connection,
            by=by or system("approvals"),
            action=action,
            object_type="approval",
            object_id=str(one.id),
            why=answer,
            after=_facts(one),
        )
    return settled
