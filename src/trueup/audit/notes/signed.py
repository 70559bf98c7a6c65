"""Signed notes: a text and the signatures under it, https://c2sp.org/signed-note.

Reading one verifies nothing: its text means nothing until ``signatures.verified`` has named who signed it.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from trueup.audit.notes.errors import NoteInvalid
from trueup.audit.notes.lines import parse_base64, render_base64
from trueup.kernel.records import Record

LARGEST_NOTE: Final = 1_000_000
"""Bytes of the largest note that is read."""
MOST_SIGNATURES: Final = 100
"""Signatures that a note may bear; the specification asks for at least 16."""
_DASH: Final = "\N{EM DASH} "
_KEY_ID_SIZE: Final = 4


class Signature(Record, frozen=True):
    """One signature line. Name and key id together say which key it claims to be of."""

    name: str
    key_id: int
    """32 bits."""
    value: bytes
    """What follows the key id: at least one byte, of a form that the key's type decides."""


class Note(Record, frozen=True):
    """A text, which ends with a newline, and who claims to have signed it."""

    text: str
    signatures: tuple[Signature, ...]


def key_id(name: str, kind: int, public_key: bytes) -> int:
    """The first 32 bits of the hash over a key's name, its type byte and itself."""
    return int.from_bytes(sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:_KEY_ID_SIZE])


def is_key_name(name: str) -> bool:
    """Whether a key may be called so: not empty, no Unicode space, no plus, and nothing that a note cannot hold."""
    return bool(name) and "+" not in name and not any(one.isspace() or _is_forbidden(one) for one in name)


def parse_note(data: bytes) -> Note:
    """The note in these bytes, which are in their one form; else ``NoteInvalid``."""
    if len(data) > LARGEST_NOTE:
        raise NoteInvalid(f"The note has {len(data)} bytes; more than {LARGEST_NOTE} are not read.")
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise NoteInvalid("The note is not UTF-8.") from None
    # The text may hold empty lines of its own: the last one is what parts it from the signatures.
    text, empty, lines = whole.rpartition("\n\n")
    if not empty:
        raise NoteInvalid("The note has no empty line between its text and its signatures.")
    check_text(text + "\n")
    return Note(text=text + "\n", signatures=parse_signatures(lines))


def render_note(note: Note) -> bytes:
    """The bytes of a note. A text or a number of signatures that could not be read again raises ``NoteInvalid``."""
    check_text(note.text)
    if not 1 <= len(note.signatures) <= MOST_SIGNATURES:
        raise NoteInvalid(f"A note has 1 to {MOST_SIGNATURES} signatures, and this one has {len(note.signatures)}.")
    return f"{note.text}\n{render_signatures(note.signatures)}".encode()


def check_text(text: str) -> None:
    """Return if this can be signed: lines, the last one ended, without control characters; else ``NoteInvalid``."""
    if not text.endswith("\n"):
        raise NoteInvalid("The text of a note ends with a newline.")
    if any(_is_forbidden(one) for one in text.replace("\n", "")):
        raise NoteInvalid("The text of a note has no control characters but newlines.")


def render_signatures(signatures: Iterable[Signature]) -> str:
    """A line for each signature."""
    return "".join(
        [f"{_DASH}{one.name} {render_base64(one.key_id.to_bytes(_KEY_ID_SIZE) + one.value)}\n" for one in signatures]
    )


def parse_signatures(text: str) -> tuple[Signature, ...]:
    """The signatures of these lines, at least one; else ``NoteInvalid``."""
    *lines, end = text.split("\n")
    if end or not 1 <= len(lines) <= MOST_SIGNATURES:
        raise NoteInvalid(f"1 to {MOST_SIGNATURES} lines of signatures are expected.")
    return tuple(_signature(line) for line in lines)


def _signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not is_key_name(name):
        raise NoteInvalid("A line of a signature is a dash, the name of a key and base64.")
    value = parse_base64(encoded)
    if len(value) <= _KEY_ID_SIZE:
        raise NoteInvalid(f"The signature of {name} is too short.")
    return Signature(name=name, key_id=int.from_bytes(value[:_KEY_ID_SIZE]), value=value[_KEY_ID_SIZE:])


def _is_forbidden(character: str) -> bool:
    # Half a surrogate pair is no Unicode, and no bytes can be made of it.
    return character < " " or "\ud800" <= character <= "\udfff"
