"""What others may ask about notes, and write down.

Texts are personal data of the class ``free_text``: surfaces ask for ``personal.free_text`` before they show any. The
audit log says that a note was written, changed or removed, and never what it says, so that removing one leaves nothing
of it behind.
"""

from __future__ import annotations

from typing import Final

from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.customer.identity import merged
from trueup.customer.notes import store
from trueup.customer.notes.types import Note
from trueup.customer.store import own_id
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Forbidden, NotFound, Refused
from trueup.mirror.service import CustomerKey
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import database
from trueup.runtime.pages import Number, Page, decode_cursor, encode_cursor

LARGEST_PAGE: Final = 200
LONGEST: Final = 10_000
NEWEST: Final = 2**63 - 1


def notes(id: str, *, limit: int = 50, after: str | None = None) -> Page[Note]:  # noqa: A002 - the field's name
    """Notes about a customer by any of its ids, the newest first, those of all Stripe customers that are one.

    ``NotFound`` for an unknown customer. ``total`` is None.
    """
    leader = merged.one(id).leader
    group = merged.groups([leader]).get(leader)
    ids = [own_id(key) for key in ((leader,) if group is None else group.keys)]
    limit = max(1, min(limit, LARGEST_PAGE))
    (before,) = decode_cursor(after, tuple[Number]) if after else (NEWEST,)
    rows = store.of(ids, before=before, limit=limit + 1)
    following = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    return Page(data=_told(rows[:limit]), next=following, total=None)


def add(*, id: str, text: str, by: Actor) -> Note:  # noqa: A002 - the field's name
    """Write a note about a customer by any of its ids.

    ``Refused`` for an empty text and one of more than ``LONGEST`` characters, ``NotFound`` for an unknown customer.
    """
    operators.require(by, Permission.CUSTOMERS_CHANGE)
    kept = _text(text)
    with database.transaction() as connection:
        key = merged.one(id).key
        row = store.insert(own_id(key), kept, by=by)
        audit.record(
            connection,
            by=by,
            action=Action.NOTE_ADDED,
            object_type="customer",
            object_id=row.customer_id,
            livemode=key[1],
            after={"note_id": row.id},
        )
    return _told([row])[0]


def change(*, note_id: int, text: str, by: Actor) -> Note:
    """Write a note anew; only who wrote it may (``Forbidden``). The same text changes nothing."""
    operators.require(by, Permission.CUSTOMERS_CHANGE)
    kept = _text(text)
    with database.transaction() as connection:
        row = _found(note_id)
        if (row.actor_kind, row.actor_id) != (by.kind.value, by.id):
            raise Forbidden("Only who wrote a note changes it.", code="note_of_another", hint="Write one of your own.")
        if row.text != kept:
            row = store.update(note_id, kept)
            audit.record(
                connection,
                by=by,
                action=Action.NOTE_CHANGED,
                object_type="customer",
                object_id=row.customer_id,
                livemode=_key(row)[1],
                after={"note_id": note_id},
            )
    return _told([row])[0]


def remove(*, note_id: int, by: Actor) -> None:
    """Remove a note, whoever wrote it; ``NotFound`` where there is none."""
    operators.require(by, Permission.CUSTOMERS_CHANGE)
    with database.transaction() as connection:
        row = _found(note_id)
        store.delete([note_id])
        audit.record(
            connection,
            by=by,
            action=Action.NOTE_REMOVED,
            object_type="customer",
            object_id=row.customer_id,
            livemode=_key(row)[1],
            before={"note_id": note_id},
        )


def _found(note_id: int) -> store.Row:
    row = store.find(note_id) if 0 < note_id <= NEWEST else None
    if row is None:
        raise NotFound(f"There is no note {note_id}.", code="note_unknown", hint="It may have been removed.")
    return row


def _key(row: store.Row) -> CustomerKey:
    """The Stripe customer of a note; one that is known no more counts as live, the stricter of the two."""
    try:
        return merged.one(row.customer_id).key
    except NotFound:
        return (0, True, "")


def _text(text: str) -> str:
    kept = text.replace("\x00", "").strip()
    if not kept or len(kept) > LONGEST:
        raise Refused(f"A note has 1 to {LONGEST} characters.", code="note_length")
    return kept


def _told(rows: list[store.Row]) -> tuple[Note, ...]:
    people = {str(one.id): one.name or one.email for one in operators.operators()} if rows else {}
    return tuple(
        Note(
            id=row.id,
            customer_id=row.customer_id,
            text=row.text,
            at=row.at,
            edited_at=row.edited_at,
            by=f"{row.actor_kind}:{row.actor_id}",
            author=people.get(row.actor_id, "") if row.actor_kind == ActorKind.OPERATOR.value else "",
        )
        for row in rows
    )
