"""Keys that tests sign with: a log's and two witnesses'."""

from __future__ import annotations

from datetime import UTC, datetime

from trueup.audit.merkle.hashing import leaf_hash
from trueup.audit.notes.checkpoints import Checkpoint, render_checkpoint
from trueup.audit.notes.cosignatures import cosign
from trueup.audit.notes.keys import COSIGNATURE, ED25519, Sign, VerifierKey, public_key_of, signer
from trueup.audit.notes.signatures import sign
from trueup.audit.notes.signed import Note, Signature, render_note

ORIGIN = "acme.example/audit/live"
AT = datetime(2026, 9, 1, 12, 0, 0, 987_654, tzinfo=UTC)


class Held:
    """A key and what signs with it."""

    def __init__(self, name: str, seed: int, kind: int = ED25519) -> None:
        self.sign: Sign = signer(bytes([seed]) * 32)
        self.key = VerifierKey(name=name, public_key=public_key_of(bytes([seed]) * 32), kind=kind)


LOG = Held(ORIGIN, 1)
NEXT = Held(ORIGIN, 2)
FIRST = Held("witness.example/first", 3, COSIGNATURE)
SECOND = Held("witness.example/second", 4, COSIGNATURE)
STRANGER = Held("stranger.example", 5)
CHECKPOINT = Checkpoint(origin=ORIGIN, size=1, root=leaf_hash(b"entry"))


def signed_by(text: str, *holders: Held) -> Note:
    """A text with a signature or cosignature of each."""
    return Note(text=text, signatures=tuple(one_of(text, held) for held in holders))


def one_of(text: str, held: Held) -> Signature:
    if held.key.kind == COSIGNATURE:
        return cosign(text, held.key, held.sign, AT)
    return sign(text, held.key, held.sign)


def checkpoint_by(checkpoint: Checkpoint, *holders: Held) -> bytes:
    """A checkpoint as a note, signed by each."""
    return render_note(signed_by(render_checkpoint(checkpoint), *holders))
