"""Finding objects by what people know of them: an id, a type, a customer, a doubt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from trueup.kernel.records import Record
from trueup.mirror.order.types import Verdict
from trueup.mirror.statements import FIND, LOGGED, ONE_CUSTOMERS, SEARCH, TOLD
from trueup.mirror.store import VERDICTS
from trueup.mirror.types import ObjectKey
from trueup.runtime import arrays, database

Place = tuple[ObjectKey, int, str]
"""One version: of which object, when its event was created (Unix seconds), and the event's id."""


class Logged(NamedTuple):
    """When an event arrived, and when an erasure rewrote it."""

    received_at: datetime
    redacted_at: datetime | None


class Pointer(Record, frozen=True):
    """Which event told the current version of an object, and how far that can be trusted."""

    key: ObjectKey
    customer: str | None
    deleted: bool
    created: int
    event_id: str
    event_type: str
    verdict: Verdict


def _pointers(rows: Sequence[tuple[Any, ...]]) -> list[Pointer]:
    return [
        Pointer(
            key=ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3]),
            customer=row[4],
            deleted=row[5],
            created=row[6],
            event_id=row[7],
            event_type=row[8],
            verdict=VERDICTS[row[9]],
        )
        for row in rows
    ]


def find(object_id: str, *, object_type: str, accounts: Sequence[tuple[int, bool]]) -> list[Pointer]:
    """The objects with this id in these accounts, of any type where ``object_type`` is empty, by account and type."""
    values = {
        "account_id": arrays.int8s([account_id for account_id, _livemode in accounts]),
        "livemode": arrays.bools([livemode for _account_id, livemode in accounts]),
        "id": object_id,
        "type": object_type,
    }
    return _pointers(psycopg.Cursor(database.connection()).execute(FIND, values).fetchall())


def told_of(object_id: str, *, accounts: Sequence[tuple[int, bool]]) -> list[ObjectKey]:
    """The objects with this id in these accounts that are there or of which versions tell, by account and type.

    So one whose row was deleted by hand is found as long as its versions are there.
    """
    values = {
        "account_id": arrays.int8s([account_id for account_id, _livemode in accounts]),
        "livemode": arrays.bools([livemode for _account_id, livemode in accounts]),
        "id": object_id,
    }
    rows = psycopg.Cursor(database.connection()).execute(TOLD, values).fetchall()
    told = {ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=object_id) for row in rows}
    told |= {found.key for found in find(object_id, object_type="", accounts=accounts)}
    return sorted(told, key=lambda key: (key.account_id, key.livemode, key.object_type))


def search(
    places: Sequence[tuple[int, bool, str, str]],
    *,
    object_type: str,
    customer: str,
    verdict: Verdict | None,
    limit: int,
) -> list[Pointer]:
    """Objects by primary key, each account's from a place on: (account, mode, and the type and id before the first)."""
    source, only = "mirror_object", ""
    values: dict[str, Any] = {
        "account_id": arrays.int8s([place[0] for place in places]),
        "livemode": arrays.bools([place[1] for place in places]),
        "after_type": arrays.texts([place[2] for place in places]),
        "after_id": arrays.texts([place[3] for place in places]),
        "limit": limit,
    }
    if object_type:
        only += " and object_type = %(object_type)s"
        values["object_type"] = object_type
    if customer:
        source = ONE_CUSTOMERS
        values["customer"] = customer
    if verdict is not None:
        # The index of doubts has no row that is certain, and serves only where the statement says so too.
        only += " and verdict = %(verdict)s" + (" and verdict > 0" if verdict is not Verdict.CERTAIN else "")
        values["verdict"] = VERDICTS.index(verdict)
    statement = SEARCH.format(source=source, only=only).encode()
    return _pointers(psycopg.Cursor(database.connection()).execute(statement, values).fetchall())


def logged(places: Sequence[Place]) -> dict[Place, Logged]:
    """When these events (key, created, event id) arrived, and when they were redacted; those gone are left out."""
    by = {(key.account_id, key.livemode, event_id, second): (key, second, event_id) for key, second, event_id in places}
    values = {
        "account_id": arrays.int8s([row[0] for row in by]),
        "livemode": arrays.bools([row[1] for row in by]),
        "event_id": arrays.texts([row[2] for row in by]),
        "created": arrays.int8s([row[3] for row in by]),
    }
    rows = psycopg.Cursor(database.connection()).execute(LOGGED, values, binary=True).fetchall()
    return {by[row[0], row[1], row[2], row[3]]: Logged(row[4], row[5]) for row in rows}
