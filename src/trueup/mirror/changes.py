"""What differs between two versions of an object, short enough for a person to read.

Pure: the answer depends on the arguments alone, whatever JSON they hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import msgspec

from trueup.mirror.types import FieldChange

MOST: Final = 40
"""Changes listed of one version; what is beyond is counted."""
LONGEST: Final = 300
"""Characters of JSON of one value; what is longer is cut."""
DEEPEST: Final = 20
"""Below this many names a difference is told as a whole, and so is the walk's end whatever is nested."""

_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def changes(before: dict[str, Any], after: dict[str, Any]) -> tuple[tuple[FieldChange, ...], int]:
    """What differs, by path, and how many differences are left out.

    Both are JSON as Python reads it. Null and absent are one, as in ``order.fingerprint``: Stripe tells a new key as
    null. Elements of lists are matched by id where every one has its own, else by place where the lists are equally
    long; other lists differ as a whole. That an element moved is no difference where ids match.
    """
    found = _differences(before, after, "", 0)
    told = tuple(_told(*one) for one in islice(found, MOST))
    return told, sum(1 for _ in found)


def _differences(before: Any, after: Any, path: str, depth: int) -> Iterator[tuple[str, Any, Any]]:
    if before is after:
        return
    if depth < DEEPEST:
        pairs = _pairs(before, after, path)
        if pairs is not None:
            for inner, old, new in pairs:
                yield from _differences(old, new, inner, depth + 1)
            return
    if _encode(before) != _encode(after):
        yield path, before, after


def _pairs(before: Any, after: Any, path: str) -> Iterator[tuple[str, Any, Any]] | None:
    """The parts of two values that belong together, or None where they are compared as a whole."""
    if type(before) is dict and type(after) is dict:
        names = sorted({*before, *after})
        start = f"{path}." if path else ""
        return ((f"{start}{name}", before.get(name), after.get(name)) for name in names)
    if type(before) is list and type(after) is list:
        old, new = _by_id(before), _by_id(after)
        if old is not None and new is not None:
            ids = sorted({*old, *new})
            return ((f"{path}[{name}]", old.get(name), new.get(name)) for name in ids)
        if len(before) == len(after):
            return ((f"{path}[{number}]", *pair) for number, pair in enumerate(zip(before, after, strict=True)))
    return None


def _by_id(elements: list[Any]) -> dict[str, Any] | None:
    """The elements by their ids, or None where one has none or two have the same; an empty list has all it needs."""
    found = {one["id"]: one for one in elements if type(one) is dict and type(one.get("id")) is str}
    return found if len(found) == len(elements) else None


def _told(path: str, before: Any, after: Any) -> FieldChange:
    old, cut_old = _short(before)
    new, cut_new = _short(after)
    return FieldChange(path=path, before=old, after=new, cut=cut_old or cut_new)


def _short(value: Any) -> tuple[Any, bool]:
    written = _encode(value).decode()
    return (value, False) if len(written) <= LONGEST else (written[:LONGEST], True)
