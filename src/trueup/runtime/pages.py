"""Pages of long lists by keyset: an opaque cursor names the last row seen, so inserts never shift a page."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from trueup.kernel.errors import Refused

Row = TypeVar("Row")
Key = TypeVar("Key", bound=tuple[Any, ...])

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment in a cursor; a naive one is refused."""
Number = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A number in a cursor that fits the database's bigint."""


class Page(msgspec.Struct, Generic[Row], frozen=True, kw_only=True):
    """Some rows.

    ``next`` is the cursor of the following page or None at the end. ``total`` counts all matching rows, and is None
    where rows are only found by reading them.
    """

    data: tuple[Row, ...]
    next: str | None
    total: int | None


def encode_cursor(*parts: Any) -> str:
    """An opaque cursor for a row's sort key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(parts)).decode().rstrip("=")


def decode_cursor(cursor: str, shape: type[Key]) -> Key:
    """The sort key in ``cursor``, a tuple of ``shape``.

    One that we did not make raises ``Refused`` with code ``cursor_invalid``.
    """
    try:
        key: Key = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=shape)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise invalid_cursor() from None
    # The database refuses this character in any text.
    if any("\x00" in part for part in key if isinstance(part, str)):
        raise invalid_cursor()
    return key


def invalid_cursor() -> Refused:
    """What a list answers to a cursor it did not give."""
    return Refused(
        "The cursor `after` is not one that this list gave.",
        code="cursor_invalid",
        hint="Use the `next` of a former answer, or leave it out.",
    )
