from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import stripe

from trueup.kernel.errors import Refused
from trueup.ops.demo.deliver import Delivered, deliver

SECRET = "whsec_made_up_for_this_test"


class Endpoint:
    """A webhook endpoint over real sockets: checks signatures with Stripe's own library, keeps what it accepted."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.connections = 0
        self.requests: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self.away_for = 0
        self.drops = 0
        self.closes = False
        self.chunked = False
        self.refuses: set[str] = set()

    async def serve(self, act: Callable[[str], Awaitable[Delivered]]) -> Delivered:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await act(f"http://127.0.0.1:{port}/webhooks/stripe/demo")

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._request(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        assert first == "POST /webhooks/stripe/demo HTTP/1.1"
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.headers.append(headers)
        self.requests[json.loads(body)["id"]] += 1
        if self.drops:
            self.drops -= 1
            return False
        status, answer = self._answer(headers, body)
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n"
        if self.closes:
            head += "Connection: close\r\n"
        if self.chunked:
            half = len(answer) // 2
            parts = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (answer[:half], answer[half:], b""))
            writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + parts)
        else:
            writer.write(f"{head}Content-Length: {len(answer)}\r\n\r\n".encode() + answer)
        await writer.drain()
        return not self.closes

    def _answer(self, headers: dict[str, str], body: bytes) -> tuple[str, bytes]:
        try:
            stripe.WebhookSignature.verify_header(body.decode(), headers["stripe-signature"], SECRET, tolerance=300)
        except stripe.SignatureVerificationError:
            return "400 Bad Request", b'{"error": {"code": "bad_signature"}}'
        made = json.loads(body)["id"]
        if self.away_for:
            self.away_for -= 1
            return "503 Service Unavailable", b""
        if made in self.refuses:
            return "413 Content Too Large", b"too large"
        known = made in self.bodies
        self.bodies[made] = body
        return "200 OK", json.dumps({"received": True, "duplicate": known}).encode()


def events(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"evt_{n}", "type": "customer.created", "data": {"object": {"name": "Ä", "x": []}}} for n in range(count)
    ]


def run(endpoint: Endpoint, sent: list[dict[str, Any]], **options: Any) -> Delivered:
    async def act(url: str) -> Delivered:
        return await deliver(sent, url=url, secret=options.pop("secret", SECRET), **options)

    return asyncio.run(endpoint.serve(act))


def test_every_event_arrives_signed_and_indented_over_kept_connections() -> None:
    endpoint, done = Endpoint(), list[int]()

    delivered = run(endpoint, events(60), connections=4, on_progress=done.append)

    assert delivered == Delivered(sent=60, duplicates=0, failed=0)
    assert {made: json.loads(body) for made, body in endpoint.bodies.items()} == {one["id"]: one for one in events(60)}
    assert endpoint.bodies["evt_0"].decode() == json.dumps(events(1)[0], indent=2, ensure_ascii=False)
    assert endpoint.connections == 4
    assert done == list(range(1, 61))
    assert endpoint.headers[0]["content-type"] == "application/json; charset=utf-8"


def test_what_was_sent_before_comes_back_as_a_duplicate() -> None:
    endpoint = Endpoint()

    assert run(endpoint, events(5)).duplicates == 0
    assert run(endpoint, events(8)) == Delivered(sent=8, duplicates=5, failed=0)


def test_an_endpoint_that_is_away_gets_every_event_later() -> None:
    endpoint = Endpoint()
    endpoint.away_for = 7

    delivered = run(endpoint, events(20), connections=3)

    assert delivered == Delivered(sent=20, duplicates=0, failed=0)
    assert endpoint.requests.total() == 27


def test_a_connection_that_breaks_without_an_answer_is_opened_again() -> None:
    endpoint = Endpoint()
    endpoint.drops = 5

    assert run(endpoint, events(20), connections=2) == Delivered(sent=20, duplicates=0, failed=0)
    assert endpoint.requests.total() == 25


def test_an_endpoint_that_closes_after_each_answer_is_served_over_new_connections() -> None:
    endpoint = Endpoint()
    endpoint.closes = True

    assert run(endpoint, events(10), connections=2) == Delivered(sent=10, duplicates=0, failed=0)
    assert endpoint.connections == 10
    assert endpoint.requests.total() == 10


def test_an_answer_in_chunks_is_read_to_its_end() -> None:
    endpoint = Endpoint()
    endpoint.chunked = True

    run(endpoint, events(10), connections=1)

    assert run(endpoint, events(10), connections=1) == Delivered(sent=10, duplicates=10, failed=0)
    assert endpoint.connections == 2


def test_an_event_that_is_refused_fails_once_and_alone() -> None:
    endpoint = Endpoint()
    endpoint.refuses = {"evt_3"}

    delivered = run(endpoint, events(10))

    assert (delivered.sent, delivered.failed) == (9, 1)
    assert "answered 413 to customer.created evt_3: b'too large'" in delivered.problem
    assert endpoint.requests["evt_3"] == 1


def test_a_wrong_secret_is_told_and_not_tried_again() -> None:
    endpoint = Endpoint()

    delivered = run(endpoint, events(4), secret="whsec_another")

    assert (delivered.sent, delivered.failed) == (0, 4)
    assert "bad_signature" in delivered.problem
    assert "whsec" not in delivered.problem
    assert endpoint.requests.total() == 4


def test_when_nobody_is_there_it_ends_and_counts_what_it_could_not_send() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    done: list[int] = []
    url = f"http://127.0.0.1:{port}/webhooks"
    delivered = asyncio.run(
        deliver(iter(events(500)), url=url, secret=SECRET, patience=0.2, connections=8, on_progress=done.append)
    )

    assert (delivered.sent, delivered.failed) == (0, 500)
    assert "did not answer: ConnectionRefusedError" in delivered.problem
    assert done[-1] == 500


def test_an_endpoint_that_is_away_for_good_is_given_up() -> None:
    endpoint = Endpoint()
    endpoint.away_for = 10**9

    delivered = run(endpoint, events(50), patience=0.2, connections=2)

    assert (delivered.sent, delivered.failed) == (0, 50)
    assert "answered 503" in delivered.problem
    assert endpoint.requests.total() < 20


def test_a_source_of_events_that_fails_is_not_taken_for_its_end() -> None:
    def broken() -> Any:
        yield from events(3)
        raise RuntimeError("the source is broken")

    endpoint = Endpoint()

    async def act(url: str) -> Delivered:
        return await deliver(broken(), url=url, secret=SECRET, connections=1)

    with pytest.raises(ExceptionGroup, match="unhandled errors") as raised:
        asyncio.run(endpoint.serve(act))
    assert raised.group_contains(RuntimeError, match="the source is broken")


@pytest.mark.parametrize("url", ["https://127.0.0.1/x", "ftp://127.0.0.1", "127.0.0.1:8000", ""])
def test_only_plain_http_is_spoken(url: str) -> None:
    with pytest.raises(Refused, match="plain http"):
        asyncio.run(deliver([], url=url, secret=SECRET))
