"""HTTP/1.1 connections to endpoints: opened when they are needed, kept while the other side keeps them."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

_HEAD_LIMIT: Final = 64 * 1024
_BODY_LIMIT: Final = 1024 * 1024


class Connection:
    """One connection to the host of a URL; requests go over it one after another."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\n"
            "User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\nAccept: */*; q=0.5, application/xml\r\n"
            "Cache-Control: no-cache\r\nContent-Type: application/json; charset=utf-8\r\n"
        )
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes, signature: str) -> int:
        """The status that the other side answers.

        A kept connection that turns out to be closed is opened once more. Raises ``OSError`` or ``EOFError`` where
        there is no answer, ``ValueError`` where it is not HTTP.
        """
        kept = self._streams is not None
        try:
            return await self._post(body, signature)
        except (OSError, EOFError):
            await self.close()
            if not kept:
                raise
        return await self._post(body, signature)

    async def _post(self, body: bytes, signature: str) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection(
                self._host, self._port, ssl=self._context() if self._secure else None, limit=_HEAD_LIMIT
            )
        reader, writer = self._streams
        head = f"{self._head}Stripe-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        status, headers = await _head(reader)
        while status // 100 == 1:
            status, headers = await _head(reader)
        if await _skip_body(reader, status, headers):
            await self.close()
        return status

    def _context(self) -> ssl.SSLContext:
        """Certificates are checked but for endpoints on this machine, which sign their own."""
        context = ssl.create_default_context()
        if self._host == "localhost" or _is_loopback(self._host):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    async def close(self) -> None:
        """Let the connection go, if there is one."""
        if self._streams is not None:
            (_, writer), self._streams = self._streams, None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    try:
        text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.LimitOverrunError as error:
        raise ValueError("the head of the answer has no end") from error
    status_line, *lines = text.split("\r\n")
    words = status_line.split(" ")
    if not words[0].startswith("HTTP/") or len(words) < 2:
        raise ValueError("the answer is not HTTP")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if words[0] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    return int(words[1]), headers


async def _skip_body(reader: asyncio.StreamReader, status: int, headers: dict[str, str]) -> bool:
    """Read the answer's body, of which nobody wants anything; whether the connection has to be closed after it."""
    closing = headers.get("connection", "").lower() == "close"
    if status in {204, 304}:
        return closing
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            await reader.readexactly(_bounded(size) + 2)
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass
        return closing
    if "content-length" in headers:
        await reader.readexactly(_bounded(int(headers["content-length"])))
        return closing
    return True


def _bounded(size: int) -> int:
    if not 0 <= size <= _BODY_LIMIT:
        raise ValueError("the answer is too long")
    return size
