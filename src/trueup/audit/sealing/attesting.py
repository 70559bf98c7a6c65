"""The second and third step of sealing: sign the newest checkpoint, and store the note.

Outside any transaction, because a key may be far away. Before anything is signed the stored tree has to continue the
newest note in the database, and what the signer remembers by itself; else nothing is signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from trueup.audit.merkle.errors import ProofInvalid, TileInvalid
from trueup.audit.merkle.proofs import consistency_proof, verify_consistency
from trueup.audit.notes.checkpoints import Checkpoint, parse_checkpoint, render_checkpoint
from trueup.audit.notes.errors import NoteInvalid, SignatureInvalid
from trueup.audit.notes.signatures import sign, verified
from trueup.audit.notes.signed import Note, parse_note, render_note
from trueup.audit.sealing import memory, numbering, trees
from trueup.audit.sealing.errors import SealingRefused
from trueup.audit.sealing.trees import StoredCheckpoint
from trueup.audit.signing import keys
from trueup.audit.signing.errors import SignerUnavailable
from trueup.audit.signing.keys import SigningKey
from trueup.audit.witnesses import rollback
from trueup.runtime import clock, database

STORE: Final = """
update audit_checkpoint set note = %(note)s, signed_at = %(at)s
where livemode = %(livemode)s and size = %(size)s and note is null
"""
_ACCEPT: Final = (
    "Put the right database in place. If this one is meant, such as a backup that was restored, say so: "
    "trueup audit accept-rollback --why ..."
)


def check(*, livemode: bool) -> None:
    """Return if more may be numbered; ``SealingRefused`` where the tree does not continue what was signed."""
    connection = database.connection()
    _ask_witnesses(connection, livemode=livemode)
    newest = trees.newest(connection, livemode=livemode)
    if newest is not None and newest.note is None:
        require_continued(connection, newest, keys.announced(connection, livemode=livemode), livemode=livemode)
    else:
        # What is signed is looked at when the next is: this is asked each second.
        _compare_memory(connection, livemode=livemode)


def attest(*, livemode: bool) -> int | None:
    """Sign the newest checkpoint of a mode, if it waits to be; returns its size, None where there was nothing to do.

    ``SealingRefused`` where it does not continue what was signed, ``SigningKeyMissing`` where others sign,
    ``SignerUnavailable`` where the key, or room for the signer's file, is away. Safe to repeat after any of them.
    """
    with memory.alone(livemode=livemode):
        connection = database.connection()
        newest = trees.newest(connection, livemode=livemode)
        if newest is None or newest.note is not None:
            return None
        _ask_witnesses(connection, livemode=livemode)
        known = keys.announced(connection, livemode=livemode)
        origin = keys.origin(connection, livemode=livemode)
        signed_size = require_continued(connection, newest, known, livemode=livemode)
        wanted = keys.signing(known, size=newest.size, signed_size=signed_size, now=clock.now())
        held = keys.held_of(wanted, livemode=livemode)
        if not held:
            raise numbering.torn("Nothing in it announces the key that signs it.")
        text = render_checkpoint(Checkpoint(origin=origin, size=newest.size, root=newest.root))
        try:
            signatures = tuple(sign(text, key, signer.sign) for key, signer in held)
        except SignatureInvalid as error:
            raise SignerUnavailable(f"What signs the log signed with another key. {error.message}") from None
        note = render_note(Note(text=text, signatures=signatures))
        try:
            memory.remember(note, livemode=livemode)
        except OSError as error:
            raise SignerUnavailable(
                f"What was signed cannot be written to {memory.path_of(livemode=livemode)}: {error.strerror}.",
                hint="Make room, or name a folder that this user may write to in TRUEUP_AUDIT_DIR.",
            ) from None
        values = {"note": note.decode(), "at": clock.now(), "livemode": livemode, "size": newest.size}
        database.execute(STORE, values)
        return newest.size


def require_continued(
    connection: psycopg.Connection[tuple[Any, ...]],
    newest: StoredCheckpoint,
    known: Sequence[SigningKey],
    *,
    livemode: bool,
) -> int:
    """Return the size of the newest signed checkpoint, if the tree of ``newest`` continues it and what is remembered.

    0 where none was signed. Else ``SealingRefused``.
    """
    remembered = _compare_memory(connection, livemode=livemode)
    read = trees.reader(connection, newest.size, livemode=livemode)
    signed = trees.newest_signed(connection, livemode=livemode)
    try:
        if trees.root_at(read, newest.size) != newest.root:
            raise _changed(f"Its tiles do not have the root of the checkpoint of {newest.size} entries.")
        for before in filter(None, [remembered, _said(signed, known) if signed else None]):
            proof = consistency_proof(before.size, newest.size, read.node)
            verify_consistency(before.size, before.root, newest.size, newest.root, proof)
    except TileInvalid as error:
        raise numbering.torn(error.message) from None
    except ProofInvalid as error:
        raise _changed(error.message) from None
    return signed.size if signed else 0


def _ask_witnesses(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> None:
    """A witness may remember more than this host does, which did not sign perhaps."""
    ahead = rollback.went_back(connection, livemode=livemode)
    if ahead is not None:
        raise SealingRefused(
            f"The witness {ahead.name} knows {ahead.size} entries of a log that the database's does not continue.",
            code="audit_went_back",
            hint=_ACCEPT,
        )


def _compare_memory(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> Checkpoint | None:
    remembered = memory.remembered(livemode=livemode)
    if remembered is None:
        return None
    origin = keys.origin(connection, livemode=livemode)
    newest = trees.newest(connection, livemode=livemode)
    size = newest.size if newest else 0
    if size < remembered.size:
        raise SealingRefused(
            f"The database went back: {remembered.size} entries were signed before, and it has {size}.",
            code="audit_went_back",
            hint=_ACCEPT,
        )
    if remembered.origin != origin:
        raise SealingRefused(
            f"This host signed the log {remembered.origin} before, and the database holds {origin}.",
            code="audit_origin_changed",
            hint="Use a TRUEUP_AUDIT_DIR of its own for each installation.",
        )
    if newest and size == remembered.size and newest.root != remembered.root:
        raise _changed(f"Its root at {size} entries is not the one that was signed.")
    return remembered


def _said(signed: StoredCheckpoint, known: Sequence[SigningKey]) -> Checkpoint:
    """What the newest note in the database says, signed by one of our keys."""
    try:
        note = parse_note((signed.note or "").encode())
        checkpoint = parse_checkpoint(note.text)
        signatures = verified(note, [one.key for one in known])
    except (NoteInvalid, SignatureInvalid) as error:
        raise _note_invalid(signed.size, error.message) from None
    if not signatures or (checkpoint.size, checkpoint.root) != (signed.size, signed.root):
        raise _note_invalid(signed.size, "It is not signed by a key of the log, or speaks of another tree.")
    return checkpoint


def _note_invalid(size: int, what: str) -> SealingRefused:
    return SealingRefused(
        f"The signed checkpoint of {size} entries in the database cannot be believed. {what}",
        code="audit_note_invalid",
        hint="See what else is wrong: trueup audit verify --db",
    )


def _changed(what: str) -> SealingRefused:
    return SealingRefused(
        f"The stored tree of the audit log does not continue what was signed. {what}",
        code="audit_tree_changed",
        hint="See where: trueup audit verify --db",
    )
