"""A process that fills the audit log, or seals it, for ``bench.audit``: ``fill 100000``, ``seal``."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import django
import msgspec
import psycopg

from trueup.audit import composing, subjects
from trueup.audit.composing import Draft
from trueup.audit.sealing import sequencer
from trueup.audit.types import Action, Phase
from trueup.kernel.actor import Actor, ActorKind
from trueup.runtime import clock, installation

PIECE: Final = 20_000
BY: Final = Actor(kind=ActorKind.OPERATOR, id="7")


def drafts(first: int, count: int) -> Iterator[Draft]:
    """Entries of this moment, each of another customer; the subjects are the operator's own, so that one key does."""
    at = clock.now()
    for number in range(first, first + count):
        yield composing.compose(
            at=at + timedelta(microseconds=number - first),
            livemode=True,
            by=BY,
            action=Action.LINK_ADDED,
            object_type="customer",
            object_id=f"cus_{number:014d}",
            why="",
            origin="203.0.113.7",
            before=None,
            after={"kind": "user", "system": "app", "person_id": None},
            facts=(),
            subject="operator:7",
            phase=Phase.DONE,
            intent=None,
            request_id=f"req_{number:016x}",
        )


def fill(connection: psycopg.Connection[tuple[Any, ...]], entries: int) -> None:
    """Write so many entries with one personal value each, pending, in pieces."""
    for first in range(0, entries, PIECE):
        with connection.transaction():
            _piece(connection, first, min(PIECE, entries - first))


def _piece(connection: psycopg.Connection[tuple[Any, ...]], first: int, count: int) -> None:
    keys = subjects.keys_for(connection, ["operator:7"])
    row = connection.execute("select last_value from audit_logentry_id_seq").fetchone() or (0,)
    cursor, made = connection.cursor(), list(enumerate(drafts(first, count), start=row[0] + 1))
    names = list(made[0][1].columns)
    with cursor.copy(f"copy audit_unsealed (entry_id, {', '.join(names)}, told) from stdin".encode()) as copy:
        for entry_id, draft in made:
            told = msgspec.json.encode(draft.sealed(keys)).decode()
            copy.write_row((entry_id, *draft.columns.values(), told))
    # What records after this takes its numbers from the sequence.
    cursor.execute("select setval(pg_get_serial_sequence('audit_logentry', 'id'), %s)", (made[-1][0],))


def seal() -> None:
    """Run the sequencer until nothing is pending, and print how many entries it took in which time."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trueup.config.settings")
    django.setup()
    stop, started, total = threading.Event(), time.perf_counter(), 0
    while done := sequencer.seal_once(stop):
        total += done
    print(json.dumps({"entries": total, "seconds": time.perf_counter() - started}))


def main() -> None:
    """Do what the arguments say."""
    subjects.sealed_by(installation.sealer)
    if sys.argv[1] == "seal":
        seal()
        return
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        fill(connection, int(sys.argv[2]))


if __name__ == "__main__":
    main()
