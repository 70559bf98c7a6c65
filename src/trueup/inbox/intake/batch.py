"""One batch of verified bodies on its way to disk: what is sent, and what became of each."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final

import msgspec
import psycopg

from trueup.inbox.intake import answers, arrays
from trueup.inbox.intake.answers import Answer
from trueup.inbox.intake.connection import Connection, Result, Statement
from trueup.inbox.intake.envelope import Envelope
from trueup.inbox.intake.statements import QUARANTINE, STORE
from trueup.inbox.types import Reason, Source
from trueup.runtime import logs

log = logs.get(__name__)

STATEMENTS: Final = (_STORE := Statement("store", STORE), _QUARANTINE := Statement("quarantine", QUARANTINE))
"""What a connection has to have prepared."""

LIMITS_EXCEEDED: Final = "54"
"""PostgreSQL's class of errors for a value that is too large for an index, say; psycopg calls them operational."""

_SOURCE: Final = Source.WEBHOOK.value.encode()

Key = tuple[int, bool, str, int]
"""What an event is unique on: account, mode, event id, created in Unix seconds."""


class Job(msgspec.Struct, gc=False):
    """A verified body; without an envelope it goes to the quarantine, for ``reason``.

    ``done`` is called once, in the loop, with what became of the body.
    """

    account_id: int
    livemode: bool
    signature: str
    body: bytes
    done: Callable[[Answer], None] | None
    envelope: Envelope | None = None
    reason: Reason = Reason.UNREADABLE
    detail: str = ""


Row = tuple[Key, Envelope, Job]


class Batch:
    """Bodies that are written together; each is told once what became of it."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._told: Counter[Answer] = Counter()

    def __len__(self) -> int:
        return len(self._jobs)

    async def write(self, connection: Connection) -> None:
        """Store the events and set the rest aside.

        Raises what ``Connection.run`` raises, but for a body that the database refuses: that one is set aside.
        """
        rows: list[Row] = [
            ((job.account_id, job.livemode, envelope.event_id, envelope.created), envelope, job)
            for job in self._jobs
            if (envelope := job.envelope) is not None
        ]
        # Two processes that store the same events take them in the same order, so that one waits for the other.
        rows.sort(key=itemgetter(0))
        if rows:
            try:
                await self._store(connection, rows)
            except psycopg.Error as error:
                if not body_at_fault(error):
                    raise
                # One body at fault must not take its neighbours with it.
                for row in rows:
                    await self._store_alone(connection, row)
        if len(rows) < len(self._jobs):
            for job in self._jobs:
                if job.envelope is None:
                    await self._quarantine(connection, job, job.reason, job.detail)

    def end(self) -> None:
        """Tell those who were told nothing that the database is away, and count all answers."""
        for job in self._jobs:
            if job.done is not None:
                self._tell(job, answers.DATABASE_AWAY)
        for answer, times in self._told.items():
            answers.counted(answer, times)

    async def _store(self, connection: Connection, rows: Sequence[Row]) -> None:
        result = await connection.run(_STORE, _values(rows))
        if result.ntuples == len(rows):
            for _key, _envelope, job in rows:
                self._tell(job, answers.STORED)
            return
        fresh = _keys(result)
        for key, _envelope, job in rows:
            self._tell(job, answers.STORED if key in fresh else answers.DUPLICATE)
            fresh.discard(key)  # Twins inside one batch: only the first is new.

    async def _store_alone(self, connection: Connection, row: Row) -> None:
        try:
            await self._store(connection, [row])
        except psycopg.Error as error:
            if not body_at_fault(error):
                raise
            # A body with a NUL character in its id, for one: JSON allows it, a text column does not.
            detail = f"{type(error).__name__} {error.sqlstate or ''}".strip()
            await self._quarantine(connection, row[2], Reason.REFUSED_BY_DATABASE, detail)

    async def _quarantine(self, connection: Connection, job: Job, reason: Reason, detail: str) -> None:
        values = {
            "account_id": arrays.int8(job.account_id),
            "reason": reason.value.encode(),
            "detail": detail.encode(),
            "signature": job.signature.replace("\x00", "").encode(),
            "body_sha256": hashlib.sha256(job.body).digest(),
            "body": job.body,
        }
        result = await connection.run(_QUARANTINE, values)
        duplicate = not result.ntuples
        log.warning("intake.quarantined", account=job.account_id, reason=reason.value, duplicate=duplicate)
        self._tell(job, answers.QUARANTINED_AGAIN if duplicate else answers.QUARANTINED)

    def _tell(self, job: Job, answer: Answer) -> None:
        done, job.done = job.done, None
        if done is not None:
            self._told[answer] += 1
            try:
                done(answer)
            except Exception as error:  # noqa: BLE001 - one sender's connection is nothing to the others
                log.error("intake.answer_failed", error=type(error).__name__)


def _values(rows: Sequence[Row]) -> dict[str, bytes]:
    keys = [key for key, _, _ in rows]
    envelopes = [envelope for _, envelope, _ in rows]
    jobs = [job for _, _, job in rows]
    bodies = [job.body for job in jobs]
    return {
        "account_id": arrays.int8s([key[0] for key in keys]),
        "livemode": arrays.bools([key[1] for key in keys]),
        "event_id": arrays.texts([key[2] for key in keys]),
        "created": arrays.int8s([key[3] for key in keys]),
        "type": arrays.texts([envelope.type for envelope in envelopes]),
        "kind": arrays.texts([envelope.kind for envelope in envelopes]),
        "object_type": arrays.texts([envelope.object_type or "" for envelope in envelopes]),
        "object_id": arrays.texts([envelope.object_id or "" for envelope in envelopes]),
        "customer": arrays.texts([envelope.customer or "" for envelope in envelopes]),
        "api_version": arrays.texts([envelope.api_version or "" for envelope in envelopes]),
        "signature": arrays.texts([job.signature for job in jobs]),
        "body_sha256": arrays.byteas([hashlib.sha256(body).digest() for body in bodies]),
        "body": arrays.byteas(bodies),
        "source": _SOURCE,
    }


def _keys(result: Result) -> set[Key]:
    """The keys that the statement answered, from binary."""
    found = set()
    for row in range(result.ntuples):
        account_id, livemode, event_id, created = (result.get_value(row, column) or b"" for column in range(4))
        found.add(
            (
                int.from_bytes(account_id, "big", signed=True),
                livemode == b"\x01",
                event_id.decode(),
                int.from_bytes(created, "big", signed=True),
            )
        )
    return found


def body_at_fault(error: psycopg.Error) -> bool:
    """Whether the database refuses what a body says, and would refuse it again.

    Not an outage, however psycopg files it.
    """
    if isinstance(error, (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError, psycopg.InternalError)):
        return True
    return (error.sqlstate or "").startswith(LIMITS_EXCEEDED)
