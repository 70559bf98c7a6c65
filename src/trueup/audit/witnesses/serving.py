"""A witness over HTTP: ``POST /add-checkpoint`` as https://c2sp.org/tlog-witness has it, and nothing that reads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

import uvicorn

from trueup.audit.notes.errors import NoteInvalid
from trueup.audit.notes.keys import VerifierKey
from trueup.audit.notes.witnessing import SIZE_CONTENT_TYPE, parse_add_checkpoint, render_cosignatures, render_size
from trueup.audit.witnesses.state import Conflict, Cosigned, Refusal, Witness
from trueup.kernel.errors import TrueupError
from trueup.runtime import logs

log = logs.get(__name__)

PATH: Final = "/add-checkpoint"
MOST_BYTES: Final = 1 << 16
"""Bytes of the largest request: 63 hashes and a checkpoint with a hundred signatures are 20 KB."""
SECONDS: Final = 10.0
"""How long a request may take to arrive."""
MOST_AT_ONCE: Final = 100
_PLAIN: Final = "text/plain; charset=utf-8"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Application:
    """Answers for one witness."""

    def __init__(self, witness: Witness, trusted: Sequence[VerifierKey]) -> None:
        self._witness = witness
        self._logs = trusted

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        if scope["path"] != PATH:
            await _respond(send, 404, b"POST /add-checkpoint is all there is.\n")
        elif scope["method"] != "POST":
            await _respond(send, 405, b"Checkpoints are added by POST.\n")
        else:
            try:
                async with asyncio.timeout(SECONDS):
                    body = await _body(receive)
            except TimeoutError:
                await _respond(send, 408, b"The request did not arrive in time.\n")
                return
            if body is None:
                await _respond(send, 413, b"The request is too large.\n")
                return
            # A disk that is slow to write must not hold up whoever else asks.
            await _respond(send, *await asyncio.to_thread(self.answer, body))

    def answer(self, body: bytes) -> tuple[int, bytes, str]:
        """The status, body and content type of the answer to a request's body."""
        try:
            outcome = self._witness.add_checkpoint(parse_add_checkpoint(body), logs=self._logs)
        except NoteInvalid as error:
            outcome = Refusal(status=400, reason=error.message)
        except TrueupError as error:
            # Nothing was signed. Whoever runs this witness has to look; the log only asks again.
            log.warning("witness.failed", code=error.code)
            return 503, b"The witness cannot remember anything at the moment.\n", _PLAIN
        match outcome:
            case Cosigned(signature=signature):
                return 200, render_cosignatures([signature]), _PLAIN
            case Conflict(size=size):
                return 409, render_size(size), SIZE_CONTENT_TYPE
            case Refusal(status=status, reason=reason):
                return status, f"{reason}\n".encode(), _PLAIN


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None for one that is larger than is read."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        if not message.get("more_body"):
            return bytes(body)


async def _respond(send: Send, status: int, body: bytes, content_type: str = _PLAIN) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def configured(witness: Witness, trusted: Sequence[VerifierKey]) -> uvicorn.Config:
    """How the server is set up; it is given a socket that listens."""
    return uvicorn.Config(
        Application(witness, trusted),
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_AT_ONCE,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
