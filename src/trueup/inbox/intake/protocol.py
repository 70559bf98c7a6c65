"""The short way through HTTP, for the requests that nearly all are.

uvicorn makes a scope, a task and two coroutines for each request, and writes an answer in two parts. A webhook of known
length needs none of that: its body goes to the intake when it is whole, and its answer is one write when the batch is
committed. Whatever is not exactly such a request goes uvicorn's own way to the same decisions.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from trueup.accounts.registry import Endpoint
from trueup.inbox.intake.answers import Answer, Header
from trueup.inbox.intake.app import MAX_BODY, PREFIX, Intake
from trueup.runtime import logs

log = logs.get(__name__)

_PREFIX: Final = PREFIX.encode()
_ODD: Final = frozenset({b"expect", b"transfer-encoding", b"upgrade"})


def protocol(intake: Intake) -> type[HttpToolsProtocol]:
    """The server's side of a connection, for ``uvicorn.Config(http=...)``, in front of this intake."""

    class Bound(_Protocol):
        _intake = intake
        _rendered = _Rendered()

    return Bound


class _Rendered:
    """Answers as they go over the wire, made again when the server's own headers change, which is once a second."""

    def __init__(self) -> None:
        self._default: list[Header] | None = None
        self._kept: dict[Answer, bytes] = {}

    def kept(self, answer: Answer, default: list[Header]) -> bytes:
        """For a connection that stays open."""
        if default is not self._default:
            self._default = default
            self._kept = {}
        rendered = self._kept.get(answer)
        if rendered is None:
            rendered = self._kept[answer] = _render(answer, default)
        return rendered


def _render(answer: Answer, default: list[Header], *more: Header) -> bytes:
    lines = [b"%b: %b\r\n" % header for header in (*default, *answer.headers, *more)]
    return b"".join([STATUS_LINE[answer.status], *lines, b"\r\n", answer.body])


class _Exchange(RequestResponseCycle):
    """A request on the short way and its answer; of uvicorn's cycle it is what the server asks of one.

    A connection has one, used again for each request: the next can only begin when the last is answered.
    """

    def __init__(self, protocol: _Protocol) -> None:
        self._protocol = protocol
        self.message_event = asyncio.Event()  # The server sets it when the connection is lost.
        self.disconnected = False
        self.response_complete = True
        self.keep_alive = True
        self.endpoint: Endpoint | None = None
        self.signature = ""
        self.parts: list[bytes] = []

    def answered(self, answer: Answer) -> None:
        """Send the answer, unless nobody listens any more."""
        self.response_complete = True
        if not self.disconnected:
            self._protocol.send_answer(answer, keep_alive=self.keep_alive)


class _Protocol(HttpToolsProtocol):
    _intake: Intake
    _rendered: _Rendered

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self._exchange = _Exchange(self)
        self.cycle = self._exchange  # Whose answer is complete, so that the first request may begin.

    @override
    def on_message_begin(self) -> None:
        # The scope is made when it is known that one is needed.
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    @override
    def on_headers_complete(self) -> None:
        if not self._begun():
            self._go_at_length()

    def _go_at_length(self) -> None:
        """Go on as if this class were not there."""
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url = url
        self.headers += headers
        self.expect_100_continue = expect
        super().on_headers_complete()

    def _begun(self) -> bool:
        """Begin an exchange if this is a webhook of known length that may be taken, and nothing is under way."""
        url, headers = self.url, self.headers
        if not url.startswith(_PREFIX) or not self.cycle.response_complete or self.flow.write_paused:
            return False
        given = dict(headers)
        length = given.get(b"content-length", b"")
        if len(given) != len(headers) or not _ODD.isdisjoint(given) or not length.isdigit() or int(length) > MAX_BODY:
            return False
        parser = self.parser
        scope = {
            "path": url.decode("latin-1"),
            "method": parser.get_method().decode("latin-1"),
            "scheme": self.scheme,
            "client": self.client,
            "headers": headers,
        }
        endpoint = self._intake.addressed(scope)
        if not isinstance(endpoint, Endpoint):
            return False
        exchange = self._exchange
        exchange.endpoint = endpoint
        exchange.signature = given.get(b"stripe-signature", b"").decode("latin-1")
        exchange.keep_alive = parser.should_keep_alive() and parser.get_http_version() != "1.0"
        exchange.response_complete = False
        self.cycle = exchange
        return True

    @override
    def on_body(self, body: bytes) -> None:
        if self.cycle is self._exchange:
            self._exchange.parts.append(body)
        else:
            super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        exchange = self._exchange
        if self.cycle is not exchange:
            super().on_message_complete()
            return
        parts, exchange.parts = exchange.parts, []
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        endpoint, exchange.endpoint = exchange.endpoint, None
        try:
            if endpoint is not None:
                self._intake.take(endpoint, exchange.signature, body, exchange.answered)
        except Exception as error:  # noqa: BLE001 - the parser would take it for a fault of the request
            log.error("intake.request_failed", error=type(error).__name__)
            self.transport.close()

    def send_answer(self, answer: Answer, *, keep_alive: bool) -> None:
        """Write a whole answer and go on with what waits on this connection."""
        transport = self.transport
        if transport.is_closing():
            return
        default = self.server_state.default_headers
        if keep_alive:
            transport.write(self._rendered.kept(answer, default))
        else:
            transport.write(_render(answer, default, (b"connection", b"close")))
            transport.close()
        self.on_response_complete()
