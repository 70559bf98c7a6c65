"""Checkpoints: the text of a note that says how large a log is and what its root is, https://c2sp.org/tlog-checkpoint."""

from __future__ import annotations

from trueup.audit.merkle.hashing import HASH_SIZE
from trueup.audit.notes.errors import NoteInvalid
from trueup.audit.notes.lines import LARGEST, parse_decimal, parse_hash, render_base64
from trueup.audit.notes.signed import check_text
from trueup.kernel.records import Record


class Checkpoint(Record, frozen=True):
    """What a log says of itself at one size."""

    origin: str
    """Which log: one line."""
    size: int
    """How many entries it has."""
    root: bytes
    """The root of its tree, 32 bytes."""
    extensions: tuple[str, ...] = ()
    """Further lines of other logs; ours never have any, for nobody can check them."""


def render_checkpoint(checkpoint: Checkpoint) -> str:
    """The text to sign; one that could not be read again, or that has extension lines, raises ``NoteInvalid``."""
    if checkpoint.extensions:
        raise NoteInvalid("A checkpoint is not written with extension lines.")
    if not checkpoint.origin or "\n" in checkpoint.origin:
        raise NoteInvalid("The origin of a checkpoint is one line that is not empty.")
    if not 0 <= checkpoint.size <= LARGEST or len(checkpoint.root) != HASH_SIZE:
        raise NoteInvalid(f"The tree of {checkpoint.origin} has no such size or root.")
    text = f"{checkpoint.origin}\n{checkpoint.size}\n{render_base64(checkpoint.root)}\n"
    check_text(text)
    return text


def parse_checkpoint(text: str) -> Checkpoint:
    """What the text of a note says as a checkpoint, which has to be in its one form; else ``NoteInvalid``."""
    check_text(text)
    lines = text.split("\n")[:-1]
    if len(lines) < 3 or not all(lines):
        raise NoteInvalid("A checkpoint has three lines or more, and none is empty.")
    origin, size, root, *extensions = lines
    return Checkpoint(origin=origin, size=parse_decimal(size), root=parse_hash(root), extensions=tuple(extensions))
