"""Reading a file that a view answers with, as the server of a real installation does."""

from __future__ import annotations

from asgiref.sync import async_to_sync
from django.http import HttpResponseBase, StreamingHttpResponse


def whole(answer: HttpResponseBase) -> bytes:
    """All of it; that it can only be collected first and sent afterwards is a warning, and so an error."""
    assert isinstance(answer, StreamingHttpResponse)
    return _collected(answer)


@async_to_sync
async def _collected(answer: StreamingHttpResponse) -> bytes:
    return b"".join([piece async for piece in answer])
