"""Legal holds: while one stands nothing of its subject, or of anybody, is erased, and no month is dropped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from trueup.audit import service as audit
from trueup.audit.retention.naming import require_subject
from trueup.audit.types import Action
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Conflict, NotFound, Refused
from trueup.kernel.records import Record
from trueup.runtime import clock, database

ALONE: Final = "select pg_advisory_xact_lock(hashtext('audit retention'))"
"""Whoever places a hold waits for an erasure that is under way, and the other way round."""
PLACE: Final = """
insert into audit_hold (name, subject, why, placed_at) values (%(name)s, %(subject)s, %(why)s, %(at)s) returning id
"""
RELEASE: Final = """
update audit_hold set released_at = %(at)s where id = %(id)s and released_at is null returning name, subject
"""
FIND: Final = "select id, name, subject, why, placed_at, released_at from audit_hold"


class Hold(Record, frozen=True):
    """A legal hold."""

    id: int
    name: str
    """What the case is called."""
    subject: str
    """Whose values it keeps, such as ``customer:cus_1``; empty for the whole log."""
    why: str
    placed_at: datetime
    released_at: datetime | None

    @property
    def keeps(self) -> str:
        """What it keeps, for people."""
        return self.subject or "the whole log"


class Held(Conflict):
    """A legal hold forbids it."""

    code = "audit_held"

    def __init__(self, what: str, by: Iterable[Hold]) -> None:
        numbers = ", ".join(f"{one.id} (of {one.keeps})" for one in by)
        super().__init__(
            f"A legal hold forbids {what}: {numbers}.",
            hint="`trueup audit holds list` shows them; one that is over is ended with `trueup audit holds release`.",
        )


def place(*, name: str, why: str, by: Actor, subject: str = "") -> Hold:
    """Place a hold on a subject's values, or on the whole log. On return nothing that it keeps is erased any more."""
    if not name.strip() or not why.strip():
        raise Refused("A hold has a name and a reason.", code="audit_hold_unnamed", hint="Name the case, and say why.")
    if subject:
        require_subject(subject)
    at = clock.now()
    with database.transaction() as connection:
        database.execute(ALONE)
        row = database.execute(PLACE, {"name": name, "subject": subject, "why": why, "at": at}).fetchone()
        placed = Hold(id=row[0] if row else 0, name=name, subject=subject, why=why, placed_at=at, released_at=None)
        audit.record(
            connection,
            by=by,
            action=Action.HOLD_PLACED,
            object_type="hold",
            object_id=str(placed.id),
            why=why,
            after={"name": name, "subject": subject},
        )
    return placed


def release(hold_id: int, *, why: str, by: Actor) -> Hold:
    """End a hold; ``NotFound`` where none of that number stands."""
    if not why.strip():
        raise Refused("A hold is not ended without a reason.", code="audit_hold_unnamed", hint="Say why.")
    with database.transaction() as connection:
        database.execute(ALONE)
        row = database.execute(RELEASE, {"id": hold_id, "at": clock.now()}).fetchone()
        if row is None:
            raise NotFound(
                f"No legal hold {hold_id} stands.",
                code="audit_hold_unknown",
                hint="`trueup audit holds list` shows those that do.",
            )
        audit.record(
            connection,
            by=by,
            action=Action.HOLD_RELEASED,
            object_type="hold",
            object_id=str(hold_id),
            why=why,
            before={"name": row[0], "subject": row[1]},
        )
        return next(_holds("where id = %(id)s", {"id": hold_id}))


def standing(subject: str | None = None) -> list[Hold]:
    """The holds that stand, oldest first; with a subject those that keep it: its own, and those of the whole log."""
    covers = "" if subject is None else "and subject in ('', %(subject)s)"
    return list(_holds(f"where released_at is null {covers} order by id", {"subject": subject}))


def all_holds() -> list[Hold]:
    """Every hold there was, oldest first."""
    return list(_holds("order by id", {}))


def _holds(which: str, values: dict[str, Any]) -> Iterator[Hold]:
    for row in database.execute(f"{FIND} {which}", values).fetchall():
        yield Hold(**dict(zip(Hold.__struct_fields__, row, strict=True)))
