"""How far an export reaches: up to which checkpoint, from which entry on, and what others outside said of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from trueup.audit.anchors.sending import TIMESTAMP
from trueup.audit.notes.keys import VerifierKey
from trueup.audit.notes.signed import parse_signatures
from trueup.audit.sealing import trees
from trueup.audit.signing import keys, rotation
from trueup.audit.witnesses import places
from trueup.kernel.errors import Refused
from trueup.kernel.records import Record

Connection = psycopg.Connection[tuple[Any, ...]]

PATIENCE: Final = timedelta(hours=1)
"""A checkpoint that witnesses cosigned is taken instead of the newest one if it is at most this much older."""
RECENT: Final = timedelta(days=31)

LAST_BEFORE: Final = b"select max(leaf_index) from audit_leaf where livemode = %(livemode)s and at < %(until)s"
FIRST_SINCE: Final = b"select min(leaf_index) from audit_leaf where livemode = %(livemode)s and at >= %(since)s"
MINIMUM: Final = b"select leaf_index from audit_minimum where livemode = %(livemode)s"
NEWEST: Final = b"""
select c.size from audit_checkpoint c
where c.livemode = %(livemode)s and c.note is not null and (
    not %(cosigned)s or exists (select from audit_cosignature s where s.livemode = c.livemode and s.size = c.size))
order by c.size desc limit 1
"""
COVERING: Final = b"""
select c.size from audit_checkpoint c
where c.livemode = %(livemode)s and c.note is not null and c.size >= %(least)s and (
    not %(cosigned)s or exists (select from audit_cosignature s where s.livemode = c.livemode and s.size = c.size))
order by c.size limit 1
"""
COSIGNATURES: Final = b"""
select line from audit_cosignature where livemode = %(livemode)s and size = %(size)s order by key_name
"""
ANCHORS: Final = b"""
with within as (
    select *, row_number() over (
        partition by kind, destination, date_trunc('month', made_at at time zone 'UTC') order by size desc, id desc
    ) as nth, max(made_at) over () as newest
    from audit_anchor where livemode = %(livemode)s and size <= %(size)s
)
select id, size, kind, destination, evidence, made_at from within
where nth = 1 or (kind = %(timestamp)s and made_at > newest - %(recent)s) order by size, id
"""
MONTHLY: Final = b"""
select distinct on (date_trunc('month', signed_at at time zone 'UTC')) size
from audit_checkpoint where livemode = %(livemode)s and note is not null and size <= %(size)s
order by date_trunc('month', signed_at at time zone 'UTC'), size desc
"""
NOTES: Final = b"""
select size, note from audit_checkpoint
where livemode = %(livemode)s and note is not null and size = any(%(sizes)s) order by size
"""


class Anchor(Record, frozen=True):
    """What somebody outside gave back for a checkpoint."""

    id: int
    size: int
    kind: str
    destination: str
    evidence: bytes
    made_at: datetime

    @property
    def path(self) -> str:
        """Its name in an export."""
        return f"anchors/{self.size}-{self.kind}-{self.id}{'.tsr' if self.kind == TIMESTAMP else ''}"


class Scope(Record, frozen=True):
    """What an export holds of a log."""

    livemode: bool
    origin: str
    size: int
    root: bytes
    checkpoint: bytes
    """The note, with the lines of the witnesses."""
    dropped: int
    """Entries before this one were dropped by retention."""
    minimum: int
    """The first entry that the export holds; of earlier ones it has the hashes."""
    policy: bytes
    log_keys: tuple[str, ...]
    witness_keys: tuple[str, ...]
    """Of those witnesses that cosigned the checkpoint and are known here."""
    older: tuple[tuple[int, bytes], ...]
    """Notes of checkpoints up to this one: the last of each month, and those that anchors speak of."""
    anchors: tuple[Anchor, ...]
    """The newest of each kind, destination and month, and all timestamps of the last 31 days."""


def of(connection: Connection, *, livemode: bool, since: datetime | None, until: datetime | None) -> Scope:
    """What an export of the entries from ``since`` up to ``until`` holds; without them of all that there are.

    It begins with the first entry of the span in the tree and ends with the first signed checkpoint that has the last
    one, so it may hold a few entries around it. ``Refused`` where nothing is signed, or nothing is in the span.
    """
    size = _size(connection, livemode=livemode, until=until)
    found = trees.of_size(connection, size, livemode=livemode) if size is not None else None
    if found is None or found.note is None:
        raise Refused(
            "There is no signed checkpoint to export.",
            code="audit_nothing_signed",
            hint="A worker signs within seconds; see `trueup audit status`.",
        )
    values = {"livemode": livemode, "size": found.size, "since": since}
    dropped = _number(connection, MINIMUM, values) or 0
    first = _number(connection, FIRST_SINCE, values) if since else 0
    minimum = max(dropped, first if first is not None else found.size)
    if minimum >= found.size:
        raise Refused("There are no entries in that span.", code="audit_nothing_there", hint="Name a longer one.")
    lines = [str(line).rstrip("\n") for (line,) in _rows(connection, COSIGNATURES, values)]
    anchors = tuple(
        Anchor(**dict(zip(Anchor.__struct_fields__, row, strict=True)) | {"evidence": bytes(row[4])})
        for row in _rows(connection, ANCHORS, values | {"recent": RECENT, "timestamp": TIMESTAMP})
    )
    sizes = {size for (size,) in _rows(connection, MONTHLY, values)} | {one.size for one in anchors}
    witnesses = _cosigners(lines)
    return Scope(
        livemode=livemode,
        origin=keys.origin(connection, livemode=livemode),
        size=found.size,
        root=found.root,
        checkpoint="".join([found.note, *(f"{line}\n" for line in lines)]).encode(),
        dropped=dropped,
        minimum=minimum,
        policy=rotation.policy(connection, livemode=livemode, witnesses=witnesses),
        log_keys=tuple(str(one.key) for one in keys.announced(connection, livemode=livemode)),
        witness_keys=tuple(str(key) for key in witnesses),
        older=tuple(
            (size, note.encode())
            for size, note in _rows(connection, NOTES, values | {"sizes": sorted(sizes - {found.size})})
        )
        + (((found.size, found.note.encode()),) if any(one.size == found.size for one in anchors) else ()),
        anchors=anchors,
    )


def _size(connection: Connection, *, livemode: bool, until: datetime | None) -> int | None:
    """The size of the checkpoint to end with: one that witnesses cosigned, unless that leaves out too much."""
    values: dict[str, Any] = {"livemode": livemode, "cosigned": False}
    statement = NEWEST
    if until is not None:
        last = _number(connection, LAST_BEFORE, values | {"until": until})
        statement, values["least"] = COVERING, (last or 0) + 1
    signed = _number(connection, statement, values)
    cosigned = _number(connection, statement, values | {"cosigned": True})
    if signed is None or cosigned is None:
        return signed
    dates = [
        one.signed_at
        for size in (signed, cosigned)
        if (one := trees.of_size(connection, size, livemode=livemode)) and one.signed_at
    ]
    return cosigned if max(dates) - min(dates) <= PATIENCE else signed


def _cosigners(lines: list[str]) -> list[VerifierKey]:
    """The keys of the witnesses that wrote these lines, as far as they are known here."""
    said = {(one.name, one.key_id) for line in lines for one in parse_signatures(f"{line}\n")}
    known = [places.built_in().key, *(one.key for one in places.elsewhere())]
    return [key for key in dict.fromkeys(known) if (key.name, key.key_id) in said]


def _rows(connection: Connection, statement: bytes, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    return psycopg.Cursor(connection).execute(statement, values).fetchall()


def _number(connection: Connection, statement: bytes, values: dict[str, Any]) -> int | None:
    rows = _rows(connection, statement, values)
    return rows[0][0] if rows else None
