"""Calls to places that an operator named."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pytest

from tests.audit.outside import Asked, listening
from trueup.kernel.errors import Unavailable
from trueup.runtime import outgoing

PLAIN = {"Content-Type": "text/plain"}


def test_a_body_is_sent_and_the_answer_read() -> None:
    asked: list[Asked] = []

    def answering(one: Asked) -> tuple[int, str, bytes]:
        asked.append(one)
        return 409, "text/x.tlog.size", b"7\n"

    with listening(answering) as url:
        answer = outgoing.post(f"{url}/add?x=1", b"hello", headers=PLAIN)

    assert (answer.status, answer.content_type, answer.body) == (409, "text/x.tlog.size", b"7\n")
    ((path, headers, body),) = asked
    assert (path, headers["content-type"], body) == ("/add?x=1", "text/plain", b"hello")


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    paths: list[str] = []

    def answering(one: Asked) -> tuple[int, str, bytes]:
        paths.append(one[0])
        return 307, "/elsewhere", b""

    with listening(answering) as url:
        assert outgoing.post(url, b"", headers=PLAIN).status == 307

    assert paths == ["/"]


def test_an_answer_that_is_too_large_is_not_kept() -> None:
    with (
        listening(lambda _: (200, "text/plain", bytes(outgoing.MOST_BYTES + 1))) as url,
        pytest.raises(Unavailable),
    ):
        outgoing.post(url, b"", headers=PLAIN)


def test_an_answer_that_drips_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def drip() -> None:
            with suppress(OSError):
                peer, _ = server.accept()
                with peer:
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                    while not done.wait(0.05):
                        peer.sendall(b".")

        thread = threading.Thread(target=drip)
        thread.start()
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1 did not answer \(TimeoutError\)"):
            outgoing.post(f"http://127.0.0.1:{server.getsockname()[1]}", b"", headers=PLAIN, seconds=0.5)
        done.set()
        thread.join()


def test_nobody_listening_is_told_without_the_rest_of_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(Unavailable) as caught:
        outgoing.post(f"http://127.0.0.1:{port}/secret", b"", headers=PLAIN)

    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("_case", "url", "expected"),
    [
        ("a host", "https://tsa.example", True),
        ("with a port and a path", "http://127.0.0.1:8080/tsr?x=1", True),
        ("another scheme", "file:///etc/passwd", False),
        ("no host", "https:///x", False),
        ("with a password", "https://a:b@tsa.example", False),
        ("with a fragment", "https://tsa.example/#x", False),
        ("no port", "https://tsa.example:x", False),
        ("with a blank", "https://tsa.example/a b", False),
        ("with a line end", "https://tsa.example/\nx", False),
    ],
)
def test_an_address_is_one_of_a_host(_case: str, url: str, expected: bool) -> None:
    assert outgoing.is_address(url) is expected


def test_what_is_at_an_address_is_asked_for_without_a_body() -> None:
    with listening(lambda one: (200, "text/plain", b"a" if not one[2] else b"b")) as address:
        answer = outgoing.get(address, headers=PLAIN)

    assert (answer.status, answer.body) == (200, b"a")
