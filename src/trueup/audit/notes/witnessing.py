"""What a log and a witness say to each other over HTTP: ``add-checkpoint`` of https://c2sp.org/tlog-witness."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from trueup.audit.notes.errors import NoteInvalid
from trueup.audit.notes.lines import parse_decimal, parse_hashes, parse_head, render_hashes
from trueup.audit.notes.signed import Signature, parse_signatures, render_signatures
from trueup.kernel.records import Record

SIZE_CONTENT_TYPE: Final = "text/x.tlog.size"
"""The content type of the answer 409, which holds the size that the witness knows."""


class AddCheckpoint(Record, frozen=True):
    """A log's request: cosign this checkpoint, which continues the one of ``old_size`` that you cosigned last."""

    old_size: int
    """0 for a witness that has cosigned nothing of this log."""
    proof: tuple[bytes, ...]
    """From the old size to the checkpoint's; empty from 0."""
    checkpoint: bytes
    """The signed note, not read yet."""


def render_add_checkpoint(request: AddCheckpoint) -> bytes:
    """The body of the request."""
    return f"old {request.old_size}\n{render_hashes(request.proof)}\n".encode() + request.checkpoint


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """What the body of a request asks; another form raises ``NoteInvalid``. The note and the proof are not read."""
    (old, *hashes), note = parse_head(body)
    if not old.startswith("old "):
        raise NoteInvalid("The request does not begin with the old size.")
    return AddCheckpoint(old_size=parse_decimal(old.removeprefix("old ")), proof=parse_hashes(hashes), checkpoint=note)


def render_cosignatures(signatures: Iterable[Signature]) -> bytes:
    """The body of the answer 200."""
    return render_signatures(signatures).encode()


def parse_cosignatures(body: bytes) -> tuple[Signature, ...]:
    """The signatures in the body of an answer 200, nothing of them verified; another form raises ``NoteInvalid``."""
    try:
        return parse_signatures(body.decode())
    except UnicodeDecodeError:
        raise NoteInvalid("The witness's answer is not UTF-8.") from None


def render_size(size: int) -> bytes:
    """The body of the answer 409."""
    return f"{size}\n".encode()


def parse_size(body: bytes) -> int:
    """The size that a witness knows, of the body of an answer 409; another form raises ``NoteInvalid``."""
    if not body.isascii() or not body.endswith(b"\n"):
        raise NoteInvalid("The witness's answer is no size.")
    return parse_decimal(body.decode().removesuffix("\n"))
