"""Making the files beside the database say what it says, and the database what an erasure said.

Both are repeated until they succeed: at once after an erasure, and each minute.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from trueup.audit.retention import copies
from trueup.audit.retention.copies import Erasure, KeptKey
from trueup.runtime import clock, database

LATE: Final = timedelta(days=1)
"""How long a transaction may have been under way when it commits what it told of somebody who was erased meanwhile."""

STAND: Final = b"""
select (select count(*) from audit_subjectkey), (select max(key_id) from audit_subjectkey),
       (select count(*) from audit_erasure), (select max(id) from audit_erasure)
"""
SEALED: Final = b"select key_id, subject, sealed from audit_subjectkey"
ERASURES: Final = b"select at, subject, through from audit_erasure order by id"
HEAL: Final = """
with erased as (
    select subject, max(through) as through from audit_erasure
    where %(since)s::timestamptz is null or at >= %(since)s group by subject
), keys as (
    delete from audit_subjectkey k using erased e where k.subject = e.subject and k.key_id <= e.through returning 1
), disclosures as (
    delete from audit_disclosure d using erased e where d.subject = e.subject and d.key_id <= e.through returning 1
)
select (select count(*) from keys) + (select count(*) from disclosures)
"""

_written: list[tuple[Any, ...]] = []
"""How the database stood, and which files there were, when this process last found them to agree."""


def write_out(connection: psycopg.Connection[tuple[Any, ...]] | None = None) -> int:
    """Make the files say what the database does, which is this thread's or the one given.

    Gives how many keys and erasures were added to them or taken out. ``Unavailable`` where they cannot be written,
    ``Broken`` where they cannot be read. Safe to repeat.
    """
    place = copies.folder()
    cursor = psycopg.Cursor(connection or database.connection())
    stand = cursor.execute(STAND).fetchone() or ()
    if _written == [_agreed(stand)]:
        return 0
    if not any(stand) and not place.exists():
        return 0
    with copies.held(place):
        stand = cursor.execute(STAND).fetchone() or ()
        recorded = [_erasure(row) for row in cursor.execute(ERASURES).fetchall()]
        known = copies.ledger(place)
        missing = [one for one in recorded if one not in set(known)]
        # The ledger goes first: whoever finds a key missing from the copy finds out why.
        if missing:
            copies.append(place, missing)
        gone = copies.destroyed([*known, *recorded])
        before = copies.keys(place)
        now = {KeptKey(key_id=row[0], subject=row[1], sealed=bytes(row[2])) for row in cursor.execute(SEALED)}
        after = copies.left(before | now, gone)
        if after != before or not (place / copies.KEYS).exists():
            copies.replace_keys(place, after)
        _written[:] = [_agreed(stand)]
    return len(missing) + len(after ^ before)


def heal(*, everything: bool = False) -> int:
    """Erase what was committed late under a key that an erasure destroyed; gives how many rows. Safe to repeat.

    Looks at the erasures of the last day, or at ``everything``. Values that wait for the sequencer are left to it: it
    lets go of those whose key is gone.
    """
    since: datetime | None = None if everything else clock.now() - LATE
    with database.transaction():
        row = database.execute(HEAL, {"since": since}).fetchone()
    return int(row[0]) if row else 0


def _erasure(row: tuple[Any, ...]) -> Erasure:
    return Erasure(at=row[0], subject=row[1], through=row[2])


def _agreed(stand: tuple[Any, ...]) -> tuple[Any, ...]:
    """What tells that nothing changed since, on either side."""
    place = copies.folder()
    files = []
    for name in (copies.KEYS, copies.LEDGER):
        try:
            about = (place / name).stat()
            files.append((about.st_ino, about.st_size, about.st_mtime_ns))
        except OSError:
            files.append((0, 0, 0))
    return (str(place), *stand, *files)
