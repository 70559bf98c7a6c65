"""Which keys sign the log of a mode: those that its own entries announced, in their order.

Everybody with the database agrees on them, and so on the log's name, which is theirs. Whoever trusts the first key
finds the others by the entries, each in a checkpoint that the key before it has signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from trueup.audit import service as audit
from trueup.audit.notes.keys import VerifierKey, parse_key
from trueup.audit.signing.errors import SigningKeyMissing
from trueup.audit.signing.provider import Signer, provider
from trueup.audit.types import Action
from trueup.kernel.actor import Actor, system
from trueup.kernel.modes import mode_name
from trueup.kernel.records import Record
from trueup.runtime import clock, configuration, database, installation

BY: Final = system("sequencer")

KEYS: Final = b"""
select k.number, k.verifier_key, k.entry_id, k.announced_at, l.leaf_index
from audit_signingkey k left join audit_leaf l using (entry_id)
where k.livemode = %s order by k.number
"""
NAMES: Final = b"select verifier_key from audit_signingkey order by number, livemode desc limit 1"
ADD: Final = """
insert into audit_signingkey (livemode, number, verifier_key, entry_id, announced_at)
values (%(livemode)s, %(number)s, %(verifier_key)s, %(entry_id)s, %(at)s)
"""


class SigningKey(Record, frozen=True):
    """A key of the log."""

    number: int
    """From 1, in the order they were announced."""
    key: VerifierKey
    entry_id: int
    """The entry that announced it."""
    announced_at: datetime
    leaf_index: int | None
    """That entry's place in the tree; None while it has none."""

    def is_placed(self, size: int) -> bool:
        """Whether it signs checkpoints of this size: its announcement is in them, or nothing came before it."""
        return self.number == 1 or (self.leaf_index is not None and self.leaf_index < size)


def announced(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> list[SigningKey]:
    """The keys of the log of this mode, oldest first; none before anything was recorded in it."""
    return [
        SigningKey(number=number, key=parse_key(line), entry_id=entry_id, announced_at=at, leaf_index=leaf_index)
        for number, line, entry_id, at, leaf_index in psycopg.Cursor(connection).execute(KEYS, (livemode,)).fetchall()
    ]


def origin(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> str:
    """The name of the log of this mode: that of its keys, or, before there are any, the one that they will have.

    It begins with what told this installation apart when its first key was made, and stays when that changes.
    """
    row = psycopg.Cursor(connection).execute(NAMES).fetchone()
    own = parse_key(row[0]).name.partition("/")[0] if row else installation.identifier()
    return f"{own}/audit/{mode_name(livemode)}"


def first(*, livemode: bool) -> None:
    """Make and announce the first key of the log of this mode, where it has none; safe to repeat, by many at once."""
    if announced(database.connection(), livemode=livemode):
        return
    with database.transaction() as connection:
        # The loser of a race finds the winner's key once it has the lock, and makes none that nobody would know.
        connection.execute("select pg_advisory_xact_lock(hashtext('audit_signingkey'))")
        if not announced(connection, livemode=livemode):
            held = provider().signers(livemode=livemode)
            signer = held[-1] if held else provider().make(livemode=livemode)
            _announce(connection, [], signer, livemode=livemode, by=BY, why="")


def following(*, livemode: bool, by: Actor, why: str) -> SigningKey:
    """Announce the next key of the log of this mode, made now or before; from its entry's place on it signs too.

    ``SigningKeyMissing`` where the present key is not held here: nobody could sign what announces the next.
    """
    with database.transaction() as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext('audit_signingkey'))")
        known = announced(connection, livemode=livemode)
        held_of(known[-1:], livemode=livemode)
        taken = {one.key.public_key for one in known}
        fresh = [signer for signer in provider().signers(livemode=livemode) if signer.public_key not in taken]
        signer = fresh[-1] if fresh else provider().make(livemode=livemode)
        return _announce(connection, known, signer, livemode=livemode, by=by, why=why)


def signing(
    known: Sequence[SigningKey], *, size: int, signed_size: int, now: datetime, overlap: timedelta | None = None
) -> list[SigningKey]:
    """The keys that sign the checkpoint of this size, newest first, where the newest signed one has ``signed_size``.

    A key signs from the checkpoint on that holds the entry that announces it, and the one before goes on until the
    overlap ends, at the least until it has signed that same checkpoint.
    """
    days = timedelta(days=configuration.current().audit_key_overlap_days) if overlap is None else overlap
    chosen: list[SigningKey] = []
    for one in reversed(known):
        placed = one.is_placed(size)
        after = chosen[-1] if chosen else None
        ended = (
            after is not None
            and after.leaf_index is not None
            and after.leaf_index < signed_size
            and now >= after.announced_at + days
        )
        if placed and ended:
            break
        if placed:
            chosen.append(one)
    return chosen


def held_of(wanted: Sequence[SigningKey], *, livemode: bool) -> list[tuple[VerifierKey, Signer]]:
    """Those keys that this host can sign with, in that order; ``SigningKeyMissing`` if it has not the first of them."""
    held = {signer.public_key: signer for signer in provider().signers(livemode=livemode)}
    if wanted and wanted[0].key.public_key not in held:
        raise SigningKeyMissing(
            f"The log is signed with the key {wanted[0].key.key_id:08x}, which is not held here.",
            hint="Bring the key files of the host that signed before to TRUEUP_AUDIT_DIR/keys.",
        )
    return [(one.key, held[one.key.public_key]) for one in wanted if one.key.public_key in held]


def _announce(
    connection: psycopg.Connection[tuple[Any, ...]],
    known: Sequence[SigningKey],
    signer: Signer,
    *,
    livemode: bool,
    by: Actor,
    why: str,
) -> SigningKey:
    key = VerifierKey(name=origin(connection, livemode=livemode), public_key=signer.public_key)
    at = clock.now()
    entry_id = audit.record(
        connection,
        by=by,
        action=Action.SIGNING_KEY_ROTATED if known else Action.SIGNING_KEY_MADE,
        object_type="signing_key",
        object_id=f"{key.key_id:08x}",
        livemode=livemode,
        why=why,
        before={"key": str(known[-1].key)} if known else None,
        after={"key": str(key)},
        at=at,
    )
    number = len(known) + 1
    row = {"livemode": livemode, "number": number, "verifier_key": str(key), "entry_id": entry_id, "at": at}
    database.execute(ADD, row)
    return SigningKey(number=number, key=key, entry_id=entry_id, announced_at=at, leaf_index=None)
