"""What stands outside the tree and should not: entries without a place, places without an entry, a false minimum."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import psycopg

from trueup.audit.sealing import memory, trees
from trueup.audit.sealing.errors import SealingRefused
from trueup.audit.store import LOG
from trueup.audit.types import Action
from trueup.audit.verifying.types import Problem, Wrong

# An entry waits in one row, and leaves it for the log and its leaf at once. One of a version before stood in the log
# while it waited, and has a row without a body: no moment has an entry in neither.
UNPLACED: Final = b"""
select e.id from audit_logentry e
where e.livemode = %(livemode)s
  and not exists (select from audit_leaf l where l.entry_id = e.id and l.at = e.at and l.livemode = e.livemode)
  and not exists (
    select from audit_unsealed u
    where u.body is null and u.entry_id = e.id and u.at = e.at and u.livemode = e.livemode)
order by e.id
"""
ORPHANED: Final = b"""
select u.entry_id from audit_unsealed u
where u.livemode = %(livemode)s and u.body is null
  and not exists (
    select from audit_logentry e where e.id = u.entry_id and e.at = u.at and e.livemode = u.livemode)
order by u.entry_id
"""
MINIMUM: Final = b"select coalesce((select leaf_index from audit_minimum where livemode = %(livemode)s), 0)"
DROPPED: Final = f"""
select e.body from {LOG} e where e.livemode = %(livemode)s and e.action = %(action)s order by e.id desc
""".encode()  # noqa: S608 - our own text


def minimum(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> int:
    """The first leaf whose entry is kept."""
    row = psycopg.Cursor(connection).execute(MINIMUM, {"livemode": livemode}).fetchone()
    return int(row[0]) if row else 0


def check(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> list[Problem]:
    """What is loose at the moment."""
    values = {"livemode": livemode}
    unplaced = psycopg.Cursor(connection).execute(UNPLACED, values).fetchall()
    orphaned = psycopg.Cursor(connection).execute(ORPHANED, values).fetchall()
    return [
        *(
            Problem(
                code=Wrong.ENTRY_UNPLACED,
                position=entry_id,
                sentence=f"The entry {entry_id} has no place in the tree and does not wait for one.",
            )
            for (entry_id,) in unplaced
        ),
        *(
            Problem(
                code=Wrong.PENDING_ORPHANED,
                position=entry_id,
                sentence=f"The entry {entry_id}, which waits for a place in the tree, is missing.",
            )
            for (entry_id,) in orphaned
        ),
    ]


def check_minimum(connection: psycopg.Connection[tuple[Any, ...]], kept: int, *, livemode: bool) -> list[Problem]:
    """Whether an entry says that what is below the first kept leaf was dropped."""
    values = {"livemode": livemode, "action": Action.MONTHS_DROPPED.value}
    rows = psycopg.Cursor(connection).execute(DROPPED, values).fetchall() if kept else []
    told = [_minimum(bytes(body)) for (body,) in rows]
    if not kept or kept in told:
        return []
    sentence = f"Entries below leaf {kept} count as dropped, and no entry says so."
    return [Problem(code=Wrong.MINIMUM_CHANGED, position=kept, sentence=sentence)]


def check_memory(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> list[Problem]:
    """Whether the tree continues what this host signed; nothing where it never did."""
    try:
        signed = memory.remembered(livemode=livemode)
    except SealingRefused:
        return []
    if signed is None:
        return []
    # Read after what is remembered, which no tree is signed before it has: it may grow meanwhile.
    size = trees.leaves(connection, livemode=livemode)
    if signed.size > size:
        sentence = f"This host signed a tree of {signed.size} entries, and the database has {size}."
        return [Problem(code=Wrong.WENT_BACK, position=signed.size, sentence=sentence)]
    stored = trees.of_size(connection, signed.size, livemode=livemode)
    if stored is None or stored.root != signed.root:
        sentence = f"This host signed another root at {signed.size} entries than the database has."
        return [Problem(code=Wrong.TREE_CHANGED, position=signed.size, sentence=sentence)]
    return []


def _minimum(body: bytes) -> int:
    try:
        return int(msgspec.json.decode(body)["after"]["minimum"])
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
        return -1
