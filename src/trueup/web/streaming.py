"""Files that leave while they are read, so that no process holds a whole one.

Under ASGI Django first collects every piece of an ordinary iterator; it passes on only those of an asynchronous one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from inspect import GEN_RUNNING, getgeneratorstate
from typing import Any, BinaryIO, Final, cast

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

BLOCK: Final = 256 * 1024
"""Bytes of a file on disk that are read at a time."""


class Pieces:
    """What a generator makes, each piece when the former has left, in the thread that holds the request's connection.

    The generator is closed when the last piece was taken or the client went away; closing it must not need the
    database. It can be read once.
    """

    def __init__(self, made: Generator[bytes]) -> None:
        self._made = made

    async def __aiter__(self) -> AsyncIterator[bytes]:
        following = sync_to_async(self._following, thread_sensitive=True)
        try:
            while (piece := await following()) is not None:
                yield piece
        finally:
            self.close()

    def _following(self) -> bytes | None:
        return next(self._made, None)

    def close(self) -> None:
        """Close the generator; one that its thread is still in ends with that thread, which then holds it alone."""
        if getgeneratorstate(self._made) != GEN_RUNNING:
            self._made.close()


def stored(file: BinaryIO) -> Generator[bytes]:
    """The blocks of an open file, which is closed with them, even where none was asked for."""
    blocks = _blocks(file)
    next(blocks)
    return blocks


def _blocks(file: BinaryIO) -> Generator[bytes]:
    with file:
        # Nothing yet: only a generator that has begun closes what it holds.
        yield b""
        while block := file.read(BLOCK):
            yield block


def attachment(made: Generator[bytes], name: str, kind: str, *, size: int | None = None) -> StreamingHttpResponse:
    """An answer that browsers keep as a file of this plain name; ``size`` in bytes where it is known before."""
    response = StreamingHttpResponse(cast("Any", Pieces(made)), content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    if size is not None:
        response["Content-Length"] = str(size)
    return response
