"""Text that PostgreSQL's jsonb refuses: NUL characters and lone surrogates."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_SUSPECT: Final = frozenset({b"u0", b"ud", b"uD"})
_ESCAPE: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
# Not UTF-8, but Python's own parser lets it pass.
_BYTES_OF_SURROGATE: Final = re.compile(rb"\xed[\xa0-\xbf]")
_encode: Final = msgspec.json.Encoder().encode


def is_clean(body: bytes) -> bool:
    """Whether every text in this JSON can be stored, told from the raw bytes: cheaper than the object.

    True is certain for every body that a JSON parser accepts. False means that somebody has to look: an emoji written
    as two escapes is harmless and looks the same as a surrogate that stands alone.
    """
    # NUL bytes occur in UTF-16 only, in which nothing else here would be found. Finding one byte is many times faster
    # than a pattern, and of escapes most bodies have none or few.
    if b"\x00" in body or (b"\xed" in body and _BYTES_OF_SURROGATE.search(body) is not None):
        return False
    at = body.find(b"\\")
    while at >= 0:
        if body[at + 1 : at + 3] in _SUSPECT and _ESCAPE.match(body, at) is not None:
            return False
        # An escape is two bytes at least, and the second may be a backslash.
        at = body.find(b"\\", at + 2)
    return True


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
