"""The short way through HTTP gives the same answers as the long one, in order, and leaves nobody waiting."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.inbox.conftest import Ask
from tests.instance import SECRET, Answer, Door, answer, customer, encoded, event, eventually, head, signed
from trueup.accounts.types import Account
from trueup.inbox.intake.connection import Connection, Statement
from trueup.runtime.crypto import Sealer

STORED = (200, b'{"received": true, "duplicate": false}')
DUPLICATE = (200, b'{"received": true, "duplicate": true}')
WAITING = "select count(*) from pg_locks where relation = 'inbox_event'::regclass and not granted"


def told(number: int = 0) -> bytes:
    return encoded(event("customer.created", customer(f"cus_{number}")))


def whole(door: Door, body: bytes, extra: str = "") -> bytes:
    return head(door.path, body, extra=extra) + body


def sent(door: Door, *parts: bytes, answers: int = 1) -> list[Answer]:
    """Send these parts one by one over one connection, then read so many answers."""

    async def talk() -> list[Answer]:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.002)
        found = [await answer(reader) for _ in range(answers)]
        writer.close()
        await writer.wait_closed()
        return found

    return asyncio.run(asyncio.wait_for(talk(), 30))


def said(*answers: Answer) -> list[tuple[int, bytes]]:
    return [(one.status, one.body) for one in answers]


@pytest.fixture
def blocked(database: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Events wait for this transaction."""
    with psycopg.connect(database) as connection:
        connection.execute("lock table inbox_event in access exclusive mode")
        yield connection
        connection.rollback()


def test_requests_sent_before_the_answers_are_answered_in_their_order(door: Door, ask: Ask) -> None:
    stranger = told(3).replace(b"Acme", b"Evil")
    forged = head(door.path, told(3)) + stranger
    longer = whole(door, told(2), "X-Twice: 1\r\nX-Twice: 2\r\n")  # Goes the long way.

    answers = sent(
        door,
        whole(door, told(0)) + whole(door, told(1)) + whole(door, told(0)) + forged + longer + whole(door, told(2)),
        answers=6,
    )

    assert [(status, body) for status, body in said(*answers) if status == 200] == [
        STORED,
        STORED,
        DUPLICATE,
        STORED,
        DUPLICATE,
    ]
    assert (answers[3].status, answers[3].code) == (400, "signature_invalid")
    assert ask("select object_id from inbox_event order by 1") == [("cus_0",), ("cus_1",), ("cus_2",)]


def test_a_hundred_requests_at_once_on_one_connection_are_all_answered(door: Door, ask: Ask) -> None:
    answers = sent(door, b"".join(whole(door, told(number)) for number in range(100)), answers=100)

    assert said(*answers) == [STORED] * 100
    assert ask("select count(*) from inbox_event") == [(100,)]


def test_a_request_in_pieces_is_taken_whole(door: Door, ask: Ask) -> None:
    body = encoded(event("customer.created", customer(description="x" * 400_000)))
    request = whole(door, body)

    answers = sent(door, *(request[start : start + 20_011] for start in range(0, len(request), 20_011)))

    assert said(*answers) == [STORED]
    assert ask("select body from inbox_event") == [(body,)]


@pytest.mark.parametrize(
    "extra",
    [
        "Expect: 100-continue\r\n",
        "X-Twice: 1\r\nX-Twice: 2\r\n",
        "Connection: close\r\n",
        "CONNECTION: Keep-Alive\r\n",
        "",
    ],
)
def test_odd_headers_change_nothing_about_the_answer_case(door: Door, ask: Ask, extra: str) -> None:
    with closing(socket.create_connection(("127.0.0.1", door.port), 30)) as peer:
        peer.sendall(whole(door, told(), extra))
        got = b""
        while STORED[1] not in got:
            part = peer.recv(65_536)
            assert part, got
            got += part

    assert b"HTTP/1.1 200 OK\r\n" in got
    assert got.lower().count(b"\r\ndate: ") == 1
    assert ask("select count(*) from inbox_event") == [(1,)]


@pytest.mark.parametrize(
    ("version", "extra", "stays"),
    [("1.1", "", True), ("1.1", "Connection: close\r\n", False), ("1.0", "", False)],
    ids=["stays", "close", "old"],
)
def test_the_connection_stays_open_when_the_sender_wants_it_case(
    door: Door, version: str, extra: str, stays: bool
) -> None:
    request = whole(door, told(), extra).replace(b"HTTP/1.1", f"HTTP/{version}".encode(), 1)
    with closing(socket.create_connection(("127.0.0.1", door.port), 30)) as peer:
        peer.sendall(request)
        got = peer.recv(65_536)
        while STORED[1] not in got:
            got += peer.recv(65_536)
        peer.settimeout(0.3 if stays else 30)
        try:
            rest = peer.recv(1)
        except TimeoutError:
            rest = b"nothing yet"

    assert rest == (b"nothing yet" if stays else b"")
    assert (b"connection: close" in got.lower()) is not stays


def test_a_sender_that_left_before_its_answer_takes_nothing_with_it(
    door: Door, ask: Ask, blocked: psycopg.Connection[tuple[object, ...]]
) -> None:
    with closing(socket.create_connection(("127.0.0.1", door.port), 30)) as peer:
        peer.sendall(whole(door, told(0)))
        eventually(lambda: ask(WAITING) == [(1,)], "the event is on its way to disk")
    with closing(socket.create_connection(("127.0.0.1", door.port), 30)) as peer:
        peer.sendall(whole(door, told(1)) + whole(door, told(2)))
        eventually(lambda: ask(WAITING) == [(2,)], "the next one too")
    blocked.rollback()

    eventually(lambda: ask("select count(*) >= 2 from inbox_event") == [(True,)], "both are stored")
    assert said(door.post(told(3))) == [STORED]


def test_a_sender_that_left_within_its_body_leaves_nothing(door: Door, ask: Ask) -> None:
    with closing(socket.create_connection(("127.0.0.1", door.port), 30)) as peer:
        peer.sendall(whole(door, told(0))[:-10])

    assert said(door.post(told(1))) == [STORED]
    assert ask("select object_id from inbox_event") == [("cus_1",)]


def test_the_server_waits_for_answers_that_are_due_before_it_stops(
    database: str, account: Account, sealer: Sealer, ask: Ask, blocked: psycopg.Connection[tuple[object, ...]]
) -> None:
    answers: list[Answer] = []
    with Door(database, sealer=sealer, path="/webhooks/stripe/acme") as door:
        sending = threading.Thread(target=lambda: answers.extend(sent(door, whole(door, told()))), daemon=True)
        sending.start()
        eventually(lambda: ask(WAITING) == [(1,)], "the event is on its way to disk")
        threading.Timer(0.5, blocked.rollback).start()
    sending.join(30)

    assert said(*answers) == [STORED]
    assert answers[0].headers["connection"] == "close"
    assert ask("select count(*) from inbox_event") == [(1,)]


def test_a_live_account_is_served_over_our_own_tls(
    connect: Callable[..., Account], database: str, sealer: Sealer, ask: Ask, tmp_path: Path
) -> None:
    connect("live", livemode=True)
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "1", "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    trusting = ssl.create_default_context(cafile=str(certificate))
    body = encoded(event("customer.created", customer(), livemode=True))
    with (
        Door(database, sealer=sealer, path="/webhooks/stripe/live", tls=(str(certificate), str(key))) as door,
        socket.create_connection(("127.0.0.1", door.port), 30) as plain,
        trusting.wrap_socket(plain, server_hostname="localhost") as peer,
    ):
        peer.sendall(whole(door, body))
        got = peer.recv(65_536)
        while STORED[1] not in got:
            got += peer.recv(65_536)

    assert got.startswith(b"HTTP/1.1 200 OK\r\n")
    assert ask("select livemode from inbox_event") == [(True,)]


def test_a_connection_that_the_server_ended_is_replaced_before_it_is_needed(door: Door, ask: Ask) -> None:
    numbers = itertools.count()
    for _ in range(3):
        assert said(door.post(told(next(numbers)))) == [STORED]
        ended = ask(
            "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        assert ended[0][0] >= 1
        eventually(
            lambda: all(lane._connection is None or lane._connection.closed for lane in door.intake._flusher._lanes),
            "the intake noticed",
        )
    assert said(door.post(told(next(numbers)))) == [STORED]


def test_the_signature_is_read_byte_for_byte(door: Door) -> None:
    body = told()
    request = whole(door, body).replace(signed(body, SECRET).encode(), b"t=1,v1=\xff\xfe")

    assert sent(door, request)[0].code == "signature_invalid"


def test_a_statement_gives_each_of_its_values_one_number() -> None:
    statement = Statement("s", b"select %(b)b::int8, %(a)b::text, %(b)b")

    assert (statement.text, statement.names) == (b"select $1::int8, $2::text, $1", ("b", "a"))


def test_an_error_of_the_server_names_itself_and_the_connection_goes_on(database: str) -> None:
    async def talk() -> list[object]:
        statement = Statement("half", b"select 10 / %(by)b::int8")
        connection = await Connection.open(database, [statement])
        found: list[object] = []
        for by in (2, 0, 5):
            try:
                result = await connection.run(statement, {"by": by.to_bytes(8, "big")})
                found.append(int.from_bytes(result.get_value(0, 0) or b"", "big"))
            except psycopg.Error as error:
                found.append(type(error))
        connection.close()
        assert connection.closed
        return found

    assert asyncio.run(talk()) == [5, psycopg.errors.DivisionByZero, 2]


def test_a_statement_that_cannot_be_prepared_closes_the_connection(database: str) -> None:
    async def open_and_fail() -> None:
        await Connection.open(database, [Statement("wrong", b"selec 1")])

    with pytest.raises(psycopg.errors.SyntaxError):
        asyncio.run(open_and_fail())


def test_what_is_larger_than_the_sockets_buffer_arrives_whole(database: str) -> None:
    async def talk() -> bytes | None:
        statement = Statement("echo", b"select %(body)b::bytea")
        connection = await Connection.open(database, [statement])
        result = await connection.run(statement, {"body": b"x" * 30_000_000})
        connection.close()
        return result.get_value(0, 0)

    assert asyncio.run(talk()) == b"x" * 30_000_000
