"""The bytes of an entry: RFC 8785, so that whoever builds the same value anywhere gets the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import orjson

from trueup.audit.errors import EntryInvalid

LARGEST_WHOLE: Final = 2**53 - 1
"""Beyond it JSON's numbers are not exact everywhere, so RFC 8785 has none."""
LARGEST_BODY: Final = 65_535
"""Bytes of an entry in a bundle of the tiles' format, whose lengths have 16 bits."""


def plain(value: Any) -> Any:
    """A value as an entry can hold it: moments and enums as text, whole numbers beyond 2^53 as text, clean Unicode.

    A fraction raises ``EntryInvalid``: two programs may write the same one differently.
    """
    return _exact(msgspec.to_builtins(value, str_keys=True))


def fields(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """``plain`` of a mapping, which is the mapping itself where every value can stand as it is."""
    # Most are a few words and numbers; this is on the way of every change.
    for name, value in given.items():
        kind = type(value)
        fits = value.isascii() if kind is str else value is None or kind is bool or (kind is int and _holds(value))
        if not fits or type(name) is not str or not name.isascii():
            break
    else:
        return given
    known: Mapping[str, Any] = plain(given)
    return known


def text(value: str) -> str:
    """Clean Unicode: half a surrogate pair is none, and no bytes can be made of it."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _holds(value: int) -> bool:
    return -LARGEST_WHOLE <= value <= LARGEST_WHOLE


def _exact(value: Any) -> Any:
    # Ordered by how often each comes; this is on the way of every change.
    kind = type(value)
    if kind is str:
        return text(value)
    if kind is bool or value is None:
        return value
    if kind is int:
        return value if _holds(value) else str(value)
    if kind is dict:
        return {text(name): _exact(one) for name, one in value.items()}
    if kind is list or kind is tuple:
        return [_exact(one) for one in value]
    raise EntryInvalid(f"A {kind.__name__} cannot stand in an entry; write it as text.")


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of what ``plain`` gave: names sorted by their UTF-16 units, no space, the shortest escapes."""
    found = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    # The encoder sorts by code points, which is another order only where a name has characters beyond ASCII.
    return found if found.isascii() or _names_ascii(value) else orjson.dumps(_in_order(value))


def _names_ascii(value: Any) -> bool:
    """Whether all names of fields are ASCII."""
    if type(value) is dict:
        return all(name.isascii() and _names_ascii(one) for name, one in value.items())
    return all(_names_ascii(one) for one in value) if type(value) is list else True


def _in_order(value: Any) -> Any:
    if type(value) is dict:
        return {name: _in_order(value[name]) for name in sorted(value, key=lambda name: str(name).encode("utf-16-be"))}
    return [_in_order(one) for one in value] if type(value) is list else value


def body(value: Any) -> bytes:
    """The bytes of an entry; one of more than 65,535 raises ``EntryInvalid``."""
    found = canonical(value)
    if len(found) > LARGEST_BODY:
        raise EntryInvalid(f"An entry has at most {LARGEST_BODY} bytes; this one would have {len(found)}.")
    return found
