"""A cheap stand-in for Stripe's list of customers: any number of them, made as they are asked for.

``python -m bench.pages NUMBER PORT`` answers on loopback until it is ended. Customer ``n`` was created at
``BEGAN + n * STEP``; nothing is kept, so what it costs does not grow.
"""

from __future__ import annotations

import asyncio
import sys
from email.utils import formatdate
from typing import Final, cast
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

BEGAN: Final = 1_600_000_000
STEP: Final = 97
_CUSTOMER: Final = (
    b'{"id": "cus_%010d", "object": "customer", "address": {"city": "Berlin", "country": "DE", "line1": "Street %d", '
    b'"line2": null, "postal_code": "10115", "state": null}, "balance": 0, "created": %d, "currency": "eur", '
    b'"default_source": null, "delinquent": false, "description": "An invented customer, as long as most are told", '
    b'"discount": null, "email": "customer-%d@example.com", "invoice_prefix": "A%09d", "invoice_settings": '
    b'{"custom_fields": null, "default_payment_method": "pm_%010d", "footer": null, "rendering_options": null}, '
    b'"livemode": false, "metadata": {"user_id": "user-%d", "source": "web", "segment": "smb"}, "name": "Customer %d", '
    b'"next_invoice_sequence": 7, "phone": "+4930123456", "preferred_locales": ["de"], "shipping": null, '
    b'"tax_exempt": "none", "test_clock": null}'
)


def customer(number: int) -> bytes:
    """The JSON of a customer."""
    return _CUSTOMER % (number, number, BEGAN + number * STEP, number, number, number, number, number)


def page(number: int, query: dict[str, str]) -> bytes:
    """A page of the list of ``number`` customers, newest first, as Stripe cuts it."""
    size = int(query.get("limit", 10))
    top, bottom = number - 1, 0
    if "created[lt]" in query:
        top = min(top, (int(query["created[lt]"]) - 1 - BEGAN) // STEP)
    if "created[gte]" in query:
        bottom = max(bottom, -(-(int(query["created[gte]"]) - BEGAN) // STEP))
    if "starting_after" in query:
        top = min(top, int(query["starting_after"].removeprefix("cus_")) - 1)
    last = max(bottom, top - size + 1)
    data = b",".join(customer(one) for one in range(top, last - 1, -1))
    more = b"true" if top >= bottom and last > bottom else b"false"
    return b'{"object": "list", "url": "/v1/customers", "has_more": %s, "data": [%s]}' % (more, data)


class Door(asyncio.Protocol):
    """Answers one request after another on a connection that stays open."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.read = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self.transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        """Answer each whole request; none has a body."""
        self.read += data
        while b"\r\n\r\n" in self.read:
            head, self.read = self.read.split(b"\r\n\r\n", 1)
            self.transport.write(self.answer(head.split(b" ", 2)[1].decode()))

    def answer(self, target: str) -> bytes:
        """The whole answer to a GET."""
        parts = urlsplit(target)
        if parts.path == "/v1/customers":
            status, body = b"200 OK", page(self.number, dict(parse_qsl(parts.query)))
        elif parts.path == "/v1/account":
            status, body = b"200 OK", b'{"id": "acct_bench", "object": "account"}'
        elif "limit=" in parts.query:
            status, body = b"200 OK", b'{"object": "list", "url": "/", "has_more": false, "data": []}'
        else:
            status, body = b"404 Not Found", b'{"error": {"type": "invalid_request_error", "message": "No such path."}}'
        head = b"HTTP/1.1 %s\r\ndate: %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        return head % (status, formatdate(usegmt=True).encode(), len(body)) + body


async def _serve(number: int, port: int) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Door(number), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
