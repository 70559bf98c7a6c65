"""Text that PostgreSQL's jsonb refuses: NUL characters and lone surrogates."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
# An escaped NUL, half of an escaped pair, or a surrogate written as bytes, which Python's own parser lets pass.
_SUSPECT: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])|\xed[\xa0-\xbf]")
_encode: Final = msgspec.json.Encoder().encode


def is_clean(body: bytes) -> bool:
    """Whether every text in this JSON can be stored, told from the raw bytes: cheaper than the object.

    True is certain for every body that a JSON parser accepts. False means that somebody has to look: an emoji written
    as two escapes is harmless and looks the same as a surrogate that stands alone.
    """
    # One byte is found many times faster than two, and those many times faster than the pattern; most bodies have no
    # such byte. NUL bytes occur in UTF-16 only, in which nothing else here would be found.
    if b"\x00" in body:
        return False
    if b"\xed" not in body and (b"\\" not in body or b"\\u" not in body):
        return True
    return _SUSPECT.search(body) is None


def unstorable(data: dict[str, Any]) -> bool:
    """Whether text in there may need replacing. One pass in C is many times faster than looking at each value here."""
    try:
        return b"\\u0000" in _encode(data)
    except (UnicodeEncodeError, RecursionError):
        return True


def storable(data: dict[str, Any]) -> dict[str, Any]:
    """A copy with every unstorable character as U+FFFD; not recursive, as JSON may be nested deeper than our stack."""
    top: dict[str, Any] = {}
    waiting: list[tuple[Any, Any]] = [(data, top)]
    inner: dict[str, Any] | list[Any]
    while waiting:
        source, target = waiting.pop()
        for key, value in source.items() if type(source) is dict else enumerate(source):
            place = _UNSTORABLE.sub(_REPLACEMENT, key) if type(key) is str else key
            if type(value) is str:
                target[place] = _UNSTORABLE.sub(_REPLACEMENT, value)
            elif type(value) is dict:
                target[place] = inner = {}
                waiting.append((value, inner))
            elif type(value) is list:
                target[place] = inner = [None] * len(value)
                waiting.append((value, inner))
            else:
                target[place] = value
    return top
