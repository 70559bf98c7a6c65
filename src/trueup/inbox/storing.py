"""Storing facts that were asked for, by the intake's own statement: what it stores and what these store is one log."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import psycopg

from trueup.inbox.intake.statements import STORE
from trueup.inbox.types import Kind, Source
from trueup.kernel.records import Record
from trueup.runtime import arrays, database

UNSIGNED: Final = ""
"""What was asked for over TLS carries no signature."""


class Arrival(Record, frozen=True):
    """A fact for the log: ``created`` is in Unix seconds, ``body`` exactly what is kept."""

    account_id: int
    livemode: bool
    event_id: str
    created: int
    type: str
    kind: Kind
    body: bytes
    object_type: str | None = None
    object_id: str | None = None
    customer: str | None = None
    api_version: str | None = None


def store(arrivals: Sequence[Arrival], *, source: Source) -> list[tuple[int, bool, str, int]]:
    """Write facts into the log and its reader's queue, in the caller's transaction, and wake the reader.

    Answers the keys of those that were new: account, mode, event id, created. What is in the log already stays as it
    is, so repeating it changes nothing. Raises psycopg's errors for values that no text column takes.
    """
    if not arrivals:
        return []
    # In the order of their keys, as the intake does: two with the same facts wait for each other.
    rows = sorted(
        {(one.account_id, one.livemode, one.event_id, one.created): one for one in arrivals}.values(),
        key=lambda one: (one.account_id, one.livemode, one.event_id, one.created),
    )
    values = {
        "account_id": arrays.int8s([one.account_id for one in rows]),
        "livemode": arrays.bools([one.livemode for one in rows]),
        "event_id": arrays.texts([one.event_id for one in rows]),
        "created": arrays.int8s([one.created for one in rows]),
        "type": arrays.texts([one.type for one in rows]),
        "kind": arrays.texts([one.kind.value for one in rows]),
        "object_type": arrays.texts([one.object_type or "" for one in rows]),
        "object_id": arrays.texts([one.object_id or "" for one in rows]),
        "customer": arrays.texts([one.customer or "" for one in rows]),
        "api_version": arrays.texts([one.api_version or "" for one in rows]),
        "signature": arrays.texts([UNSIGNED for _one in rows]),
        "body_sha256": arrays.byteas([hashlib.sha256(one.body).digest() for one in rows]),
        "body": arrays.byteas([one.body for one in rows]),
        "source": source.value,
    }
    found = psycopg.Cursor(database.connection()).execute(STORE, values, binary=True).fetchall()
    return [(row[0], row[1], row[2], row[3]) for row in found]
