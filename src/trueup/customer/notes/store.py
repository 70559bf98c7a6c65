"""Statements on notes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from trueup.kernel.actor import Actor
from trueup.runtime import database

COLUMNS: Final = "id, customer_id, text, at, edited_at, actor_kind, actor_id"


class Row(NamedTuple):
    """A note as it stands in its table."""

    id: int
    customer_id: str
    text: str
    at: datetime
    edited_at: datetime | None
    actor_kind: str
    actor_id: str


def of(ids: Sequence[str], *, before: int, limit: int) -> list[Row]:
    """Notes about these Stripe customers (our ids), the newest first, older than the note ``before``."""
    rows = database.execute(
        f"select {COLUMNS} from customer_note where customer_id = any(%(ids)s) and id < %(before)s"  # noqa: S608 - constants
        " order by id desc limit %(limit)s",
        {"ids": list(ids), "before": before, "limit": limit},
    ).fetchall()
    return [Row(*row) for row in rows]


def find(note_id: int) -> Row | None:
    """One note, held until the transaction ends."""
    row = database.execute(f"select {COLUMNS} from customer_note where id = %s for update", (note_id,)).fetchone()  # noqa: S608 - constants
    return None if row is None else Row(*row)


def insert(customer_id: str, text: str, *, by: Actor) -> Row:
    """A new note."""
    row = database.execute(
        f"insert into customer_note (customer_id, text, actor_kind, actor_id) values (%s, %s, %s, %s)"  # noqa: S608 - constants
        f" returning {COLUMNS}",
        (customer_id, text, by.kind.value, by.id),
    ).fetchone()
    assert row is not None  # noqa: S101 - what `returning` gives
    return Row(*row)


def update(note_id: int, text: str) -> Row:
    """Another text."""
    row = database.execute(
        f"update customer_note set text = %s, edited_at = clock_timestamp() where id = %s returning {COLUMNS}",  # noqa: S608 - constants
        (text, note_id),
    ).fetchone()
    assert row is not None  # noqa: S101 - what `returning` gives
    return Row(*row)


def delete(ids: Sequence[int]) -> None:
    """Forget notes."""
    database.execute("delete from customer_note where id = any(%(ids)s)", {"ids": list(ids)})
