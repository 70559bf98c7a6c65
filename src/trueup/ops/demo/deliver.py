"""Send events as Stripe does: signed JSON over HTTP to a webhook endpoint, again when it does not answer."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import msgspec

from trueup.kernel.errors import Refused
from trueup.kernel.records import Record
from trueup.ops.demo.engine import Json
from trueup.runtime import clock

PATIENCE: Final = 30.0
"""Seconds of waiting between the attempts for one event. Stripe's are days; somebody looks on here."""

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 5.0
_TIMEOUT: Final = 30.0
_OK: Final = 200
_AWAY: Final = 503


class Delivered(Record, frozen=True):
    """What became of the events: every one is in ``sent`` (answered 200) or in ``failed``.

    ``duplicates`` counts those of ``sent`` that the endpoint knew already. ``problem`` says why the first one failed.
    """

    sent: int
    duplicates: int
    failed: int
    problem: str = ""


async def deliver(
    events: Iterable[Json],
    *,
    url: str,
    secret: str,
    connections: int = 16,
    on_progress: Callable[[int], None] | None = None,
    patience: float = PATIENCE,
) -> Delivered:
    """POST every event to ``url`` (plain http), signed with ``secret`` at the moment of sending, over kept connections.

    Events start in the order given and may arrive in another, as Stripe's do. 503 and a broken or silent connection are
    tried again with growing pauses of ``patience`` seconds together; if that does not help for one event, nobody is
    there, and all the rest fails at once.
    Another answer fails its event and no other. ``on_progress`` gets the number of events that are done, after each.
    Sending events again is harmless: they come back as duplicates. Raises ``Refused`` for a URL that is not http.
    """
    sender = _Sender(iter(events), url=url, secret=secret, patience=patience)
    sender.on_progress = on_progress or sender.on_progress
    opened = [_Connection(url) for _ in range(connections)]
    async with asyncio.TaskGroup() as group:
        for connection in opened:
            group.create_task(sender.work(connection))
    return Delivered(sent=sender.sent, duplicates=sender.duplicates, failed=sender.failed, problem=sender.problem)


class _Answer(Record, frozen=True):
    duplicate: bool = False


def signature(body: bytes, *, secret: str, at: int) -> str:
    """The value of ``Stripe-Signature`` for ``body`` at the unix second ``at``.

    Source: https://docs.stripe.com/webhooks#verify-manually
    """
    return f"t={at},v1={hmac.digest(secret.encode(), b'%d.' % at + body, 'sha256').hex()}"


def _pauses(patience: float) -> Iterator[float]:
    pause = _FIRST_PAUSE
    while patience > 0:
        yield min(pause, patience)
        patience, pause = patience - pause, min(2 * pause, _LONGEST_PAUSE)


class _Sender:
    """The state that the connections share; they run in one thread, so nothing needs a lock."""

    def __init__(self, events: Iterator[Json], *, url: str, secret: str, patience: float) -> None:
        self.sent = self.duplicates = self.failed = 0
        self.problem = ""
        self.on_progress: Callable[[int], None] = lambda _done: None
        self._events, self._url, self._secret, self._patience = events, url, secret, patience
        self._given_up = False

    async def work(self, connection: _Connection) -> None:
        """Send events over one connection until there are none left, and let it go."""
        try:
            for event in self._events:
                problem = self.problem if self._given_up else await self._send(connection, event)
                self.problem = self.problem or problem
                self.failed += bool(problem)
                self.sent += not problem
                self.on_progress(self.sent + self.failed)
        finally:
            await connection.close()

    async def _send(self, connection: _Connection, event: Json) -> str:
        """Why the event could not be delivered; empty when it was."""
        body, problem = msgspec.json.format(msgspec.json.encode(event), indent=2), ""
        for pause in (*_pauses(self._patience), None):
            try:
                async with asyncio.timeout(_TIMEOUT):
                    status, answer = await connection.post(body, signature(body, secret=self._secret, at=clock.unix()))
            except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
                problem = f"{self._url} did not answer: {type(error).__name__} {error}".rstrip()
                await connection.close()
            else:
                if status == _OK:
                    self.duplicates += _is_duplicate(answer)
                    return ""
                problem = f"{self._url} answered {status} to {event['type']} {event['id']}: {answer[:200]!r}"
                if status != _AWAY:
                    return problem
            if pause is None or self._given_up:
                break
            await asyncio.sleep(pause)
        self._given_up = True
        return problem


def _is_duplicate(answer: bytes) -> bool:
    # Any 200 is an acceptance, so a body that says something else or nothing only means that it is not known.
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(answer, type=_Answer).duplicate
    return False


class _Connection:
    """One HTTP/1.1 connection that is opened when it is needed and kept while the other side keeps it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            message = f"{url!r} is not a plain http URL"
            raise Refused(message, code="demo_url", hint="The demo sends to an intake on this machine.")
        self._host, self._port = parts.hostname, parts.port or 80
        self._head = (
            f"POST {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\nAccept: */*\r\n"
            "Content-Type: application/json; charset=utf-8\r\n"
        )
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes, signed: str) -> tuple[int, bytes]:
        """The status and the body of the answer.

        Raises ``OSError`` or ``EOFError`` when there is none, ``ValueError`` when it is not HTTP.
        """
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        head = f"{self._head}Stripe-Signature: {signed}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        status_line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        answer = await _body(reader, headers)
        if headers.get("connection", "").lower() == "close":
            await self.close()
        return int(status_line.split(" ")[1]), answer

    async def close(self) -> None:
        """Let the connection go, if there is one."""
        if self._streams is not None:
            (_, writer), self._streams = self._streams, None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body
