"""What the lines of all these formats are made of: decimal numbers, base64 and hashes, each in its one form."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from typing import Final

from trueup.audit.merkle.hashing import HASH_SIZE
from trueup.audit.notes.errors import NoteInvalid

LARGEST: Final = 2**63 - 1
"""The largest size and time that the formats' other implementations can hold."""
MOST_HASHES: Final = 63
"""Hashes in one proof: a tree of the largest size has no more levels."""
_DECIMAL: Final = re.compile("0|[1-9][0-9]{0,18}")


def parse_decimal(text: str) -> int:
    """A whole number from 0 to ``LARGEST``, in ASCII and without leading zeros; else ``NoteInvalid``."""
    if not _DECIMAL.fullmatch(text) or int(text) > LARGEST:
        raise NoteInvalid(f"{text!r} is no whole number of its form.")
    return int(text)


def render_base64(data: bytes) -> str:
    """The standard base64 of RFC 4648, section 4, with padding."""
    return b64encode(data).decode()


def parse_base64(text: str) -> bytes:
    """What ``render_base64`` was given; any other spelling of the same bytes raises ``NoteInvalid`` too."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        data = b""
    if render_base64(data) != text:
        raise NoteInvalid(f"{text!r} is no base64.")
    return data


def parse_hash(text: str) -> bytes:
    """A hash in base64; else ``NoteInvalid``."""
    data = parse_base64(text)
    if len(data) != HASH_SIZE:
        raise NoteInvalid(f"A hash has {HASH_SIZE} bytes, and {text!r} has {len(data)}.")
    return data


def render_hashes(hashes: Iterable[bytes]) -> str:
    """A line for each hash of a proof."""
    return "".join([f"{render_base64(one)}\n" for one in hashes])


def parse_hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    """The hashes of a proof, one a line; more than ``MOST_HASHES`` raise ``NoteInvalid``."""
    if len(lines) > MOST_HASHES:
        raise NoteInvalid(f"A proof has at most {MOST_HASHES} hashes, and this one has {len(lines)}.")
    return tuple(parse_hash(line) for line in lines)


def parse_head(data: bytes) -> tuple[list[str], bytes]:
    """The ASCII lines before the first empty line, and all after it, which is where a note begins."""
    head, empty, note = data.partition(b"\n\n")
    if not empty or not head.isascii():
        raise NoteInvalid("Lines of ASCII, an empty line and a note are expected.")
    return head.decode().split("\n"), note
