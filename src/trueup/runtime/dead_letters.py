"""Dead letters: rows that their readers set aside, over all queues, grouped by what stopped them.

A package registers each of its queues as a ``Shelf`` where it declares it, so that whoever asks sees all of them,
without a package knowing those above it. A *cause* is a code made from the error alone: its class or code, and a digest
of its message without the ids and numbers in it. The same fault has the same cause whichever row it struck.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import psycopg

from trueup.kernel.errors import Broken
from trueup.kernel.records import Record
from trueup.runtime.queues import Queue
from trueup.runtime.wake import wake

EXAMPLES: Final = 3
"""Rows that a group names, the newest first."""


class Shelf(Record, frozen=True):
    """A queue whose rows can be set aside, and how to name them.

    ``kind`` and ``named`` are SQL over the queue's columns: what a row speaks of, and its id at Stripe. ``topic`` is
    woken when rows are tried again; ``since`` is the column with the time a row was written.
    """

    name: str
    queue: Queue
    topic: str
    since: str
    kind: str
    named: str


class Named(Record, frozen=True):
    """What a row speaks of: an event, a customer, an object; by Stripe's id."""

    account_id: int
    livemode: bool
    kind: str
    id: str


class Group(Record, frozen=True):
    """Rows of one shelf that the same fault stopped.

    ``rows`` counts them and ``things`` what they speak of; ``first_at`` and ``last_at`` are when the first and the last
    of them was set aside. ``error`` is the newest row's.
    """

    cause: str
    shelf: str
    rows: int
    things: int
    first_at: datetime
    last_at: datetime
    error: str
    examples: tuple[Named, ...]


class Letter(Record, frozen=True):
    """One row that was set aside."""

    row: int
    cause: str
    shelf: str
    told: Named
    attempts: int
    since: datetime
    set_aside_at: datetime
    error: str


def cause_of(error: str) -> str:
    """SQL that makes the cause from the SQL of an error. Ids and numbers in it count as nothing."""
    code = (
        f"left(lower(regexp_replace(regexp_replace(split_part({error}, ':', 1), '([a-z0-9])([A-Z])', '\\1_\\2', 'g'),"
        " '[^A-Za-z0-9]+', '_', 'g')), 60)"
    )
    told = f"regexp_replace(left({error}, 400), '\\m\\w*(\\d|_\\w*[A-Z])\\w*\\M', '*', 'g')"
    return f"({code} || '-' || left(md5({told}), 6))"


CAUSE: Final = cause_of("coalesce(last_error, 'unknown')")

_shelves: dict[str, Shelf] = {}


def register(shelf: Shelf) -> Shelf:
    """Register a queue by the name of its shelf, once, where it is declared. Another of the same name is refused."""
    known = _shelves.get(shelf.name)
    if known is not None and known != shelf:
        raise Broken(f"Two shelves are called {shelf.name}.", code="shelf_name_taken")
    _shelves[shelf.name] = shelf
    return shelf


def shelves() -> tuple[Shelf, ...]:
    """All shelves, in the order they were registered."""
    return tuple(_shelves.values())


def groups(connection: psycopg.Connection[tuple[Any, ...]]) -> list[Group]:
    """What was set aside on all shelves, by shelf and cause; the newest first."""
    found: list[Group] = []
    for shelf in shelves():
        sql = f"""
            with aside as (
                select id, account_id, livemode, {shelf.kind} as kind, {shelf.named} as named, set_aside_at,
                       coalesce(last_error, '') as error, {CAUSE} as cause,
                       row_number() over (partition by {CAUSE} order by set_aside_at desc, id desc) as place
                from {shelf.queue.table} where set_aside_at is not null
            )
            select cause, count(*), count(distinct (account_id, livemode, kind, named)), min(set_aside_at),
                   max(set_aside_at), max(error) filter (where place = 1),
                   array_agg(account_id order by place) filter (where place <= {EXAMPLES}),
                   array_agg(livemode order by place) filter (where place <= {EXAMPLES}),
                   array_agg(kind order by place) filter (where place <= {EXAMPLES}),
                   array_agg(named order by place) filter (where place <= {EXAMPLES})
            from aside group by cause
        """  # noqa: S608 - names from our own constants
        for row in psycopg.Cursor(connection).execute(sql.encode()).fetchall():
            named = tuple(
                Named(account_id=one[0], livemode=one[1], kind=one[2], id=one[3]) for one in zip(*row[6:], strict=True)
            )
            found.append(
                Group(
                    cause=row[0],
                    shelf=shelf.name,
                    rows=row[1],
                    things=row[2],
                    first_at=row[3],
                    last_at=row[4],
                    error=row[5],
                    examples=named,
                )
            )
    return sorted(found, key=lambda group: (group.last_at, group.cause), reverse=True)


def letters(
    connection: psycopg.Connection[tuple[Any, ...]],
    shelf: Shelf,
    *,
    cause: str,
    before: tuple[datetime, int] | None,
    limit: int,
) -> list[Letter]:
    """The rows of a cause on one shelf, the newest first, before a place (when set aside, row)."""
    sql = f"""
        select id, {CAUSE}, account_id, livemode, {shelf.kind}, {shelf.named}, attempts, {shelf.since}, set_aside_at,
               coalesce(last_error, '')
        from {shelf.queue.table}
        where set_aside_at is not null and {CAUSE} = %(cause)s
          and (%(at)s::timestamptz is null or (set_aside_at, id) < (%(at)s, %(row)s))
        order by set_aside_at desc, id desc limit %(limit)s
    """  # noqa: S608 - names from our own constants
    at, row = before or (None, 0)
    values = {"cause": cause, "at": at, "row": row, "limit": limit}
    return [
        Letter(
            row=row[0],
            cause=row[1],
            shelf=shelf.name,
            told=Named(account_id=row[2], livemode=row[3], kind=row[4], id=row[5]),
            attempts=row[6],
            since=row[7],
            set_aside_at=row[8],
            error=row[9],
        )
        for row in psycopg.Cursor(connection).execute(sql.encode(), values).fetchall()
    ]


def retry(connection: psycopg.Connection[tuple[Any, ...]], shelf: Shelf, *, cause: str | None) -> int:
    """Give the rows of a cause (all of them without one) another round of attempts, and wake their reader."""
    sql = (
        f"update {shelf.queue.table} set set_aside_at = null, attempts = 0, due_at = now() "  # noqa: S608 - our names
        f"where set_aside_at is not null and (%(cause)s::text is null or {CAUSE} = %(cause)s)"
    )
    count = psycopg.Cursor(connection).execute(sql.encode(), {"cause": cause}).rowcount
    if count:
        wake(connection, shelf.topic)
    return count


def discard(connection: psycopg.Connection[tuple[Any, ...]], shelf: Shelf, *, cause: str) -> list[tuple[Any, ...]]:
    """Take the rows of a cause off the shelf; returns them: the queue's columns, and the error."""
    sql = (
        f"delete from {shelf.queue.table} where set_aside_at is not null and {CAUSE} = %(cause)s "  # noqa: S608
        f"returning {', '.join(shelf.queue.columns)}, coalesce(last_error, '')"
    )
    return psycopg.Cursor(connection).execute(sql.encode(), {"cause": cause}).fetchall()
