"""A witness over HTTP answers as the specification has it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from tests import instance
from tests.audit.notes.keyring import LOG, STRANGER
from tests.audit.witnesses.logs import Tree
from trueup.audit.notes.cosignatures import cosigned_at
from trueup.audit.notes.signed import parse_note
from trueup.audit.notes.witnessing import AddCheckpoint, parse_cosignatures, render_add_checkpoint
from trueup.audit.witnesses import serving
from trueup.audit.witnesses.state import Witness
from trueup.runtime import outgoing
from trueup.runtime.outgoing import Answer

TREE = Tree()
NOTHING_PROVED = AddCheckpoint(old_size=0, proof=(bytes(32),), checkpoint=TREE.request(0, 2).checkpoint)


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


@pytest.fixture
def url(witness: Witness) -> Iterator[str]:
    """Where the witness answers."""
    server = uvicorn.Server(serving.configured(witness, [LOG.key]))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        instance.eventually(lambda: server.started, "the witness answers")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def ask(url: str, request: AddCheckpoint) -> Answer:
    return outgoing.post(f"{url}/add-checkpoint", render_add_checkpoint(request), headers={})


def test_a_cosignature_comes_back_as_a_line_below_the_checkpoint(url: str, witness: Witness) -> None:
    request = TREE.request(0, 5)

    answer = ask(url, request)

    assert answer.status == 200
    (signature,) = parse_cosignatures(answer.body)
    cosigned_at(parse_note(request.checkpoint + answer.body).text, witness.key, signature)


def test_a_size_that_does_not_match_comes_back_in_its_own_type(url: str) -> None:
    ask(url, TREE.request(0, 5))

    answer = ask(url, TREE.request(4, 6))

    assert (answer.status, answer.content_type, answer.body) == (409, "text/x.tlog.size", b"5\n")


@pytest.mark.parametrize(
    ("_case", "request_", "expected"),
    [
        ("signed by a stranger", TREE.request(0, 4, STRANGER), 403),
        ("a log that is not known", TREE.request(0, 4, origin="elsewhere.example"), 404),
        ("no checkpoint", AddCheckpoint(old_size=0, proof=(), checkpoint=b"hello\n"), 400),
        (
            "a proof of nothing",
            AddCheckpoint(old_size=0, proof=(bytes(32),), checkpoint=TREE.request(0, 2).checkpoint),
            422,
        ),
    ],
)
def test_what_cannot_be_cosigned_has_the_status_that_the_specification_names(
    url: str, _case: str, request_: AddCheckpoint, expected: int
) -> None:
    assert ask(url, request_).status == expected


@pytest.mark.parametrize(
    ("_case", "path", "body", "expected"),
    [
        ("another path", "/", b"", 404),
        ("an empty body", "/add-checkpoint", b"", 400),
        ("more than is read", "/add-checkpoint", bytes(serving.MOST_BYTES + 1), 413),
    ],
)
def test_what_is_no_request_is_refused(url: str, _case: str, path: str, body: bytes, expected: int) -> None:
    assert outgoing.post(url + path, body, headers={}).status == expected


def test_a_folder_that_was_altered_is_no_answer_and_nothing_is_signed(url: str, witness: Witness) -> None:
    ask(url, TREE.request(0, 5))
    (file,) = witness.folder.glob("*.checkpoint")
    file.write_bytes(b"hello\n")

    assert ask(url, TREE.request(5, 6)).status == 503


def test_a_request_that_does_not_arrive_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "SECONDS", 0.2)
    host, _, port = url.removeprefix("http://").partition(":")

    with socket.create_connection((host, int(port))) as peer:
        peer.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nold")
        peer.settimeout(10)
        assert peer.recv(100).startswith(b"HTTP/1.1 408 ")
