"""What others ask of the sequencer: how it stands, a new key, and to go on from an older state of the database."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any, Final

import psycopg

from trueup.audit import service as audit
from trueup.audit.sealing import attesting, memory, sequencer, trees
from trueup.audit.sealing.errors import SealingRefused
from trueup.audit.sealing.trees import StoredCheckpoint
from trueup.audit.signing import keys
from trueup.audit.signing.keys import SigningKey
from trueup.audit.types import Action
from trueup.audit.witnesses import rollback
from trueup.kernel.actor import Actor
from trueup.kernel.errors import TrueupError
from trueup.kernel.modes import mode_name
from trueup.kernel.records import Record
from trueup.runtime import clock, database

ROTATION_SECONDS: Final = 30.0
"""How long a rotation waits for the checkpoint that holds it."""
STATE: Final = b"""
select count(*), min(at), (select last_error from audit_sink where livemode = %(livemode)s and name = %(name)s)
from audit_unsealed where livemode = %(livemode)s
"""


class State(Record, frozen=True):
    """How sealing stands for a mode."""

    size: int
    """Entries that have a place in the tree."""
    signed: StoredCheckpoint | None
    """The newest signed checkpoint."""
    waiting: int
    """Entries without a place."""
    oldest_waiting: datetime | None
    unsigned_since: datetime | None
    """Since when the newest checkpoint waits to be signed; None while it is."""
    code: str
    """Why nothing is sealed or signed at the moment, as a stable code; empty while all is well."""
    problem: str
    """The same as a sentence."""


def state(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> State:
    """How sealing stands, as all hosts know it."""
    newest = trees.newest(connection, livemode=livemode)
    row = psycopg.Cursor(connection).execute(STATE, {"livemode": livemode, "name": sequencer.SIGNER}).fetchone()
    waiting, oldest, error = row or (0, None, None)
    code, _, problem = (error or "").partition(": ")
    return State(
        size=newest.size if newest else 0,
        signed=trees.newest_signed(connection, livemode=livemode),
        waiting=waiting,
        oldest_waiting=oldest,
        unsigned_since=newest.made_at if newest and newest.note is None else None,
        code=code,
        problem=problem,
    )


class Accepted(Record, frozen=True):
    """That the log goes on from an older state of the database."""

    entry_id: int
    """The entry that says so."""
    ahead: tuple[str, ...]
    """Names of the witnesses elsewhere that have said that they know more."""


def refusal(*, livemode: bool) -> str:
    """Why this host would seal nothing more of a mode, in a sentence; empty where the log continues what was signed.

    Looks at this moment, and waits for no worker.
    """
    try:
        attesting.check(livemode=livemode)
    except TrueupError as error:
        return error.message
    return ""


def accept_rollback(*, livemode: bool, why: str, by: Actor) -> Accepted:
    """Go on from what the database holds, although more, or another tree, was signed on this host before.

    What the signer remembers is kept in a file beside it and replaced by the newest signed checkpoint of the database.
    So does the witness of this home; those elsewhere that know more have to be told by whoever runs them, and are
    named in the answer. Recorded with both sizes and roots.
    """
    with memory.alone(livemode=livemode):
        try:
            before = memory.remembered(livemode=livemode)
        except SealingRefused:
            before = None
        with database.transaction() as connection:
            signed = trees.newest_signed(connection, livemode=livemode)
            entry_id = audit.record(
                connection,
                by=by,
                action=Action.ROLLBACK_ACCEPTED,
                object_type="audit_log",
                object_id=mode_name(livemode),
                livemode=livemode,
                why=why,
                before={"size": before.size, "root": before.root.hex()} if before else None,
                after={"size": signed.size, "root": signed.root.hex()} if signed else {"size": 0},
            )
            ahead = rollback.accept(connection, livemode=livemode)
        # The entry is there first: what is accepted without one would be forgotten.
        rollback.forget(livemode=livemode)
        memory.put_aside(livemode=livemode, at=clock.now())
        if signed and signed.note:
            memory.remember(signed.note.encode(), livemode=livemode)
    return Accepted(entry_id=entry_id, ahead=ahead)


def rotate(*, livemode: bool, why: str, by: Actor) -> SigningKey:
    """Announce the next signing key and have the present one sign the checkpoint that says so; returns the new key.

    From that checkpoint on both sign, for ``TRUEUP_AUDIT_KEY_OVERLAP_DAYS``, and the new one alone afterwards. If the
    last step fails, or takes too long, the announcement stands and the sequencer goes on with it: the key has no
    ``leaf_index`` then, or its checkpoint no signature yet.
    """
    keys.first(livemode=livemode)
    key = keys.following(livemode=livemode, by=by, why=why)
    until = clock.monotonic() + ROTATION_SECONDS
    while not _is_signed(key, livemode=livemode) and clock.monotonic() < until:
        if not sequencer.seal(livemode=livemode):
            # Another worker numbers it, or it waits behind what that one does.
            threading.Event().wait(0.1)
        key = next(one for one in keys.announced(database.connection(), livemode=livemode) if one.number == key.number)
    return key


def _is_signed(key: SigningKey, *, livemode: bool) -> bool:
    signed = trees.newest_signed(database.connection(), livemode=livemode)
    return key.leaf_index is not None and signed is not None and key.leaf_index < signed.size
