"""HTTP before a sandbox: an ASGI application, whatever happens answered in Stripe's way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import Any, Final

import orjson
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from trueup.sandbox.server import control
from trueup.sandbox.server.desk import Desk
from trueup.sandbox.server.faults import Fault
from trueup.sandbox.server.requests import Answer, Request

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_LOG: Final = logging.getLogger("trueup.sandbox")
_TICK: Final = 0.5
"""Seconds between two looks at what fell due on a clock that runs by itself."""
_CONTROLS: Final = 4
_ABORT: Final = "trueup.sandbox.abort"
_FOREVER: Final = 3600.0
"""Seconds that a request waits for an answer that never comes, where the fault names no others."""
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


class Protocol(HttpToolsProtocol):
    """uvicorn's, but that the application can break a connection off."""

    @override
    def on_message_begin(self) -> None:
        """Hand the means over with the request."""
        super().on_message_begin()
        self.scope[_ABORT] = self.transport.abort  # type: ignore[typeddict-unknown-key]


class Application:
    """Answers the API, and the sandbox's own routes.

    Requests to the API run one after another in a thread of their own, so that connections stay served; the sandbox's
    own routes in others, because they may wait for endpoints that ask the API.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._engine = desk.engine
        self._api = ThreadPoolExecutor(1, thread_name_prefix="sandbox-engine")
        self._own = ThreadPoolExecutor(_CONTROLS, thread_name_prefix="sandbox-control")
        self._behind: set[asyncio.Future[None]] = set()
        self._ticking: asyncio.Task[None] | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or run the lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            request = await _read(scope, receive)
            if request is not None:
                await self._http(request, scope, receive, send)

    async def _http(self, request: Request, scope: Message, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        if request.path == "/healthz":
            await respond(send, Answer(status=200, body=b'{"status": "ok"}', headers=_MISTAKE.headers))
        elif request.path.startswith(control.PREFIX):
            await respond(send, await loop.run_in_executor(self._own, self._control, request))
        else:
            fault = self._desk.faults.meet(request.method, request.path)
            if fault is None:
                await self._answer(request, send)
            else:
                await self._fail(fault, request, scope, receive, send)

    async def _answer(self, request: Request, send: Send | None) -> None:
        loop = asyncio.get_running_loop()
        answer, at = await loop.run_in_executor(self._api, self._api_answer, request)
        if send is not None:
            if self._desk.on_the_way is not None:
                await loop.run_in_executor(self._own, self._desk.on_the_way, request)
            await respond(send, answer, at=at)
        if self._engine.unsettled:
            self._settle_behind()

    async def _fail(self, fault: Fault, request: Request, scope: Message, receive: Receive, send: Send) -> None:
        """Answer as a fault wants it."""
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            await self._answer(request, send)
            return
        if fault.done:
            await self._answer(request, None)
        answer = fault.answer()
        if answer is not None:
            await respond(send, answer, at=self._engine.now())
            return
        if fault.kind == "timeout":
            waiting = asyncio.ensure_future(receive())
            await asyncio.wait([waiting], timeout=fault.seconds or _FOREVER)
            waiting.cancel()
        scope[_ABORT]()

    def _api_answer(self, request: Request) -> tuple[Answer, int]:
        """The answer, and the second in which it is made: the clock may be turned before the answer is sent."""
        try:
            answer = self._engine.answer(request)
        except Exception:  # noqa: BLE001 - whatever went wrong, the client gets an answer in Stripe's shape
            _LOG.exception("sandbox_request_failed", extra={"method": request.method, "path": request.path})
            answer = _MISTAKE
        return answer, self._engine.now()

    def _control(self, request: Request) -> Answer:
        try:
            return control.answer(self._desk, request)
        except Exception:  # noqa: BLE001 - as above
            _LOG.exception("sandbox_control_failed", extra={"method": request.method, "path": request.path})
            return _MISTAKE

    def _settle_behind(self) -> None:
        """Do what the answer promised, after it went out and before any request that comes later."""
        behind = asyncio.get_running_loop().run_in_executor(self._api, self._engine.settle)
        self._behind.add(behind)
        behind.add_done_callback(self._behind.discard)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            try:
                await asyncio.get_running_loop().run_in_executor(self._api, self._engine.settle)
            except Exception:  # noqa: BLE001 - the clock has to run on
                _LOG.exception("sandbox_tick_failed")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup" and self._engine.clocks.mode == "running":
                self._ticking = asyncio.create_task(self._tick())
            if message["type"] == "lifespan.shutdown":
                if self._ticking is not None:
                    self._ticking.cancel()
                await asyncio.gather(*self._behind, return_exceptions=True)
                self._api.shutdown()
                self._own.shutdown()
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


async def respond(send: Send, answer: Answer, *, at: int | None = None) -> None:
    """Send an answer whole, dated with the unix second ``at``: the API's answers are dated by the sandbox's clock."""
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    headers.append((b"date", formatdate(at, usegmt=True).encode()))
    headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
