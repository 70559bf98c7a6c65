"""Whether somebody remembers more of the log than the database has: it was put back in time, or is another one.

Found by the witness of this home at every look, and by those elsewhere when they are asked. The signer stops then,
because what it would sign from there on would be a second history beside the first.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg

from trueup.audit.merkle.errors import TileInvalid
from trueup.audit.witnesses import places, sinks, tree
from trueup.kernel.modes import mode_name
from trueup.kernel.records import Record

OURS: Final = b"""
update audit_sink set size = null, failures = 0, last_error = null where livemode = %(livemode)s and kind = %(kind)s
"""
THEIRS: Final = b"""
update audit_sink set failures = 0, last_error = %(code)s || ': An operator accepted that the database went back.'
where livemode = %(livemode)s and split_part(last_error, ':', 1) = %(went_back)s and kind = %(elsewhere)s
returning name
"""


class WentBack(Record, frozen=True):
    """Who remembers more, or otherwise."""

    name: str
    """The name of the witness's key."""
    size: int
    """The largest tree that it saw."""


def went_back(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> WentBack | None:
    """Who remembers a log that the database's does not continue; None while nobody is known to.

    Reads the folder of this home's witness, and what those elsewhere said when they were asked last.
    """
    ours = _ours(connection, livemode=livemode)
    if ours is not None:
        return ours
    for sink in sinks.sinks(connection, livemode=livemode):
        if sink.kind == places.WITNESS and sink.code == sinks.WENT_BACK:
            return WentBack(name=sink.name, size=sink.size or 0)
    return None


def _ours(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> WentBack | None:
    witness = places.built_in()
    # The folder is read first: the database has each checkpoint before this witness has.
    for known in witness.all_known():
        if not known.origin.endswith(_ending(livemode=livemode)):
            continue
        newest = tree.newest(connection, livemode=livemode)
        if newest is None or known.size > newest.size or not newest.note.startswith(f"{known.origin}\n".encode()):
            return WentBack(name=witness.key.name, size=known.size)
        try:
            same = tree.root_at(connection, livemode=livemode, size=known.size) == known.root
        except TileInvalid:
            same = False
        if not same:
            return WentBack(name=witness.key.name, size=known.size)
    return None


def accept(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> tuple[str, ...]:
    """Let the database's log stand although others remember another one, once that is on record.

    In the caller's transaction; ``forget`` follows after its commit. Gives the names of the witnesses elsewhere that
    still know what was: they have to be told by whoever runs them, and what they say of it stops nobody any more.
    """
    values = {"livemode": livemode, "kind": places.BUILT_IN, "elsewhere": places.WITNESS}
    values |= {"code": sinks.ACCEPTED, "went_back": sinks.WENT_BACK}
    cursor = psycopg.Cursor(connection)
    cursor.execute(OURS, values)
    return tuple(sorted(name for (name,) in cursor.execute(THEIRS, values).fetchall()))


def forget(*, livemode: bool) -> tuple[str, ...]:
    """Let the witness of this home begin anew with the log of this mode; gives the files that keep what it knew."""
    witness = places.built_in()
    kept = [
        witness.forget(known.origin)
        for known in witness.all_known()
        if known.origin.endswith(_ending(livemode=livemode))
    ]
    return tuple(str(path) for path in kept if path is not None)


def _ending(*, livemode: bool) -> str:
    return f"/audit/{mode_name(livemode)}"
