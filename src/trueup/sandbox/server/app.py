"""HTTP before an engine: an ASGI application, whatever happens answered in Stripe's way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import orjson

from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.requests import Answer, Request

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_LOG: Final = logging.getLogger("trueup.sandbox")
_TICK: Final = 0.5
"""Seconds between two looks at what fell due on a clock that runs by itself."""
_MISTAKE: Final = Answer(
    status=500,
    body=orjson.dumps(
        {
            "error": {
                "message": "An unknown error occurred: the sandbox made a mistake, which its log tells.",
                "type": "api_error",
            }
        }
    ),
    headers={"content-type": "application/json"},
)


class Application:
    """Answers the API. Requests run one after another in a thread of their own, so that connections stay served."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sandbox-engine")
        self._behind: set[asyncio.Future[None]] = set()
        self._ticking: asyncio.Task[None] | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or run the lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        request = await _read(scope, receive)
        if request is None:
            return
        answer = await self._run(self._answer, request)
        await respond(send, answer)
        if self.engine.unsettled:
            self._settle_behind()

    def _answer(self, request: Request) -> Answer:
        try:
            return self.engine.answer(request)
        except Exception:  # noqa: BLE001 - whatever went wrong, the client gets an answer in Stripe's shape
            _LOG.exception("sandbox_request_failed", extra={"method": request.method, "path": request.path})
            return _MISTAKE

    async def _run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def _settle_behind(self) -> None:
        """Do what the answer promised, after it went out and before any request that comes later."""
        behind = asyncio.get_running_loop().run_in_executor(self._thread, self.engine.settle)
        self._behind.add(behind)
        behind.add_done_callback(self._behind.discard)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            await self._run(self.engine.settle)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup" and self.engine.clocks.mode == "running":
                self._ticking = asyncio.create_task(self._tick())
            if message["type"] == "lifespan.shutdown":
                if self._ticking is not None:
                    self._ticking.cancel()
                await asyncio.gather(*self._behind, return_exceptions=True)
                self._thread.shutdown()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return


async def _read(scope: Message, receive: Receive) -> Request | None:
    """The whole request, None where the client left before its end."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        body=body,
        headers=headers,
    )


async def respond(send: Send, answer: Answer) -> None:
    """Send an answer whole."""
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
