"""The base of every frozen value that crosses a package boundary."""

from __future__ import annotations

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable value with named fields, compared by value, encoded to JSON by ``msgspec.json.encode``."""
