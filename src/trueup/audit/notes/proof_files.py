"""Proof files: all that shows offline that an entry is in a log, https://c2sp.org/tlog-proof."""

from __future__ import annotations

from typing import Final

from trueup.audit.merkle.hashing import leaf_hash
from trueup.audit.merkle.proofs import verify_inclusion
from trueup.audit.notes.errors import NoteInvalid
from trueup.audit.notes.lines import parse_base64, parse_decimal, parse_hashes, parse_head, render_base64, render_hashes
from trueup.audit.notes.policies import Accepted, Policy, accept
from trueup.audit.notes.signed import parse_note
from trueup.kernel.records import Record

SUFFIX: Final = ".tlog-proof"
"""How the name of a proof file ends."""
_HEADER: Final = "c2sp.org/tlog-proof@v1"


class ProofFile(Record, frozen=True):
    """That an entry stands at an index of the tree that a checkpoint speaks of."""

    index: int
    proof: tuple[bytes, ...]
    """From the leaf's sibling up."""
    checkpoint: bytes
    """The signed note as it was published."""
    extra: bytes = b""
    """What the file carries besides; nothing vouches for it."""


def render_proof_file(file: ProofFile) -> bytes:
    """The file."""
    extra = f"extra {render_base64(file.extra)}\n" if file.extra else ""
    return f"{_HEADER}\n{extra}index {file.index}\n{render_hashes(file.proof)}\n".encode() + file.checkpoint


def parse_proof_file(data: bytes) -> ProofFile:
    """What such a file holds, with its checkpoint unread; another form raises ``NoteInvalid``."""
    (header, *lines), note = parse_head(data)
    if header != _HEADER:
        raise NoteInvalid(f"A proof file begins with {_HEADER}.")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = parse_base64(lines.pop(0).removeprefix("extra "))
        if not extra:
            raise NoteInvalid("Extra data of a proof file is left out where it is empty.")
    if not lines or not lines[0].startswith("index "):
        raise NoteInvalid("A proof file names the index of the entry.")
    return ProofFile(
        index=parse_decimal(lines[0].removeprefix("index ")),
        proof=parse_hashes(lines[1:]),
        checkpoint=note,
        extra=extra,
    )


def verify_proof_file(file: ProofFile, entry: bytes, policy: Policy) -> Accepted:
    """Return who vouches that these bytes are the entry at the file's index.

    ``NoteInvalid``, ``SignatureInvalid`` and ``PolicyUnmet`` as ``accept``; ``ProofInvalid`` if the entry is not there.
    """
    accepted = accept(parse_note(file.checkpoint), policy)
    checkpoint = accepted.checkpoint
    verify_inclusion(leaf_hash(entry), file.index, checkpoint.size, file.proof, checkpoint.root)
    return accepted
