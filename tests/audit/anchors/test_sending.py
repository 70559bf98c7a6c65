"""Checkpoints go to places outside, and what comes back is kept."""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audit.anchors.authority import Authority
from tests.audit.anchors.mailserver import mailing
from tests.audit.outside import Asked, listening
from tests.audit.witnesses.conftest import Configure
from tests.audit.witnesses.stored import StoredLog, ask, pass_time
from trueup.audit.anchors import mails, sending
from trueup.audit.anchors.errors import NotTaken
from trueup.audit.notes.checkpoints import Checkpoint
from trueup.runtime import clock

DAY = 86_401


def look() -> int:
    return sending.send(threading.Event())


def anchors() -> list[tuple[int, str, str, bytes]]:
    rows = ask("select size, kind, destination, evidence from audit_anchor where livemode order by id")
    return [(size, kind, destination, bytes(evidence)) for size, kind, destination, evidence in rows]


def sinks() -> dict[str, tuple[int | None, int, str]]:
    rows = ask("select name, size, failures, coalesce(last_error, '') from audit_sink where livemode")
    return {name: (size, failures, error.partition(":")[0]) for name, size, failures, error in rows}


def note(size: int = 300) -> bytes:
    ((found,),) = ask("select note from audit_checkpoint where size = %(size)s", size=size)
    return str(found).encode()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def test_nothing_is_sent_where_nothing_is_configured(log: StoredLog) -> None:
    assert look() == 0


def test_an_authority_says_when_the_checkpoint_was_there(
    log: StoredLog, configure: Configure, authority: Authority
) -> None:
    with listening(authority) as url:
        configure(AUDIT_TSA_URL=url, AUDIT_TSA_CERTIFICATES=str(authority.root))
        assert look() == 1

    ((size, kind, destination, evidence),) = anchors()
    assert (size, kind, destination) == (300, "timestamp", "127.0.0.1")
    assert authority.verifies(evidence, note())
    assert not authority.verifies(evidence, note() + b" ")
    assert sinks() == {"timestamp 127.0.0.1": (300, 0, "")}


def test_a_timestamp_is_asked_for_once_a_day_and_after_many_entries(
    log: StoredLog, configure: Configure, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "ENTRIES", 500)
    with listening(authority) as url:
        configure(AUDIT_TSA_URL=url, AUDIT_TSA_CERTIFICATES=str(authority.root))
        look()
        log.grow_to(310)
        pass_time(3_600)
        assert look() == 0
        log.grow_to(900)
        assert look() == 1
        pass_time(DAY)
        assert look() == 1

    assert [size for size, *_ in anchors()] == [300, 900, 900]


@pytest.mark.parametrize("_case", ["of other bytes", "of another request", "by a stranger", "no response", "refused"])
def test_what_is_no_timestamp_of_the_checkpoint_is_not_kept(
    log: StoredLog, configure: Configure, authority: Authority, tmp_path: Path, _case: str
) -> None:
    stranger = Authority(tmp_path / "stranger")
    earlier: list[tuple[int, str, bytes]] = []

    digest = hashlib.sha256(note()).digest()

    def other_bytes(asked: Asked) -> tuple[int, str, bytes]:
        return authority((asked[0], asked[1], asked[2].replace(digest, bytes(32))))

    def replayed(asked: Asked) -> tuple[int, str, bytes]:
        earlier.append(authority(asked))
        return earlier[0]

    answers: dict[str, Callable[[Asked], tuple[int, str, bytes]]] = {
        "of other bytes": other_bytes,
        "of another request": replayed,
        "by a stranger": stranger,
        "no response": lambda _: (200, "text/plain", b"hello"),
        "refused": lambda asked: authority((asked[0], asked[1], b"hello")),
    }
    with listening(answers[_case]) as url:
        configure(AUDIT_TSA_URL=url, AUDIT_TSA_CERTIFICATES=str(authority.root))
        look()
        pass_time(DAY)
        before = len(anchors())
        look()

    assert before == (1 if _case == "of another request" else 0)
    assert len(anchors()) == before
    assert sinks()["timestamp 127.0.0.1"][2] == "audit_timestamp_invalid"


def test_a_file_without_a_root_is_said(log: StoredLog, configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_bytes(b"")
    configure(AUDIT_TSA_URL="http://127.0.0.1:1", AUDIT_TSA_CERTIFICATES=str(tmp_path / "empty.pem"))

    look()

    assert sinks()["timestamp 127.0.0.1"] == (None, 1, "audit_anchor_invalid")


def test_a_webhook_is_signed_with_its_secret(log: StoredLog, configure: Configure) -> None:
    asked: list[Asked] = []

    def answering(one: Asked) -> tuple[int, str, bytes]:
        asked.append(one)
        return 202, "text/plain", b"kept"

    with listening(answering) as url:
        configure(AUDIT_CHECKPOINT_WEBHOOK=f"{url}/checkpoints", AUDIT_CHECKPOINT_WEBHOOK_SECRET="shared secret")
        look()
        log.grow_to(310)
        assert look() == 0
        pass_time(301)
        assert look() == 1

    assert [(size, kind, evidence) for size, kind, _, evidence in anchors()] == [
        (300, "webhook", b"kept"),
        (310, "webhook", b"kept"),
    ]
    path, headers, body = asked[0]
    told = json.loads(body)
    seconds, _, mac = headers["trueup-signature"].removeprefix("t=").partition(",v1=")
    assert path == "/checkpoints"
    assert (told["type"], told["size"], told["note"].encode()) == ("audit.checkpoint", 300, note())
    assert mac == hmac.new(b"shared secret", f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert abs(int(seconds) - clock.unix()) < 60


@pytest.mark.parametrize("status", [307, 404, 500])
def test_a_webhook_that_does_not_take_it_is_asked_again(log: StoredLog, configure: Configure, status: int) -> None:
    paths: list[str] = []

    def answering(one: Asked) -> tuple[int, str, bytes]:
        paths.append(one[0])
        return status, "/elsewhere", b""

    with listening(answering) as url:
        configure(AUDIT_CHECKPOINT_WEBHOOK=url, AUDIT_CHECKPOINT_WEBHOOK_SECRET="shared secret")
        look()
        pass_time(200)
        look()

    assert paths == ["/", "/"]
    assert anchors() == []
    assert sinks() == {"webhook 127.0.0.1": (None, 2, f"audit_webhook_{status}")}


def test_a_mailbox_gets_the_note_byte_for_byte(log: StoredLog, configure: Configure) -> None:
    with mailing() as server:
        configure(
            AUDIT_CHECKPOINT_MAILBOX="ada@acme.example",
            SMTP_URL=f"smtp://trueup:p%40ss@127.0.0.1:{server.port}?from=trueup@acme.example",
        )
        assert look() == 1

    ((sender, receiver, text),) = server.mails
    assert (sender.split()[0], receiver) == ("FROM:<trueup@acme.example>", "TO:<ada@acme.example>")
    assert server.logins == ["\0trueup\0p@ss"]
    mail = email.message_from_bytes(text, policy=email.policy.default)
    (attached,) = mail.iter_attachments()
    assert attached.get_payload(decode=True) == note()
    assert "300 entries" in mail["Subject"]
    assert anchors() == [(300, "mailbox", "acme.example", b"queued as 7F3A")]


def test_a_mail_that_is_refused_is_noted_without_whose_it_is(log: StoredLog, configure: Configure) -> None:
    with mailing(refuses=True) as server:
        configure(AUDIT_CHECKPOINT_MAILBOX="ada@acme.example", SMTP_URL=f"smtp://127.0.0.1:{server.port}")
        look()

    assert server.mails == []
    ((error,),) = ask("select last_error from audit_sink")
    assert error == "audit_mail_not_taken: The mail server did not take the checkpoint (550)."


def test_a_mail_server_that_is_away_is_noted(log: StoredLog, configure: Configure) -> None:
    with mailing() as server:
        port = server.port
    configure(AUDIT_CHECKPOINT_MAILBOX="ada@acme.example", SMTP_URL=f"smtp://127.0.0.1:{port}")

    look()

    assert sinks()["mailbox acme.example"] == (None, 1, "audit_mail_not_taken")


def test_a_password_goes_to_no_other_host_without_encryption() -> None:
    # The server is on this host, and is called by a name that only the resolver knows to be of this host.
    checkpoint = Checkpoint(origin="acme.example/audit/live", size=1, root=bytes(32))
    with mailing() as server, pytest.raises(NotTaken, match="no password is sent"):
        mails.mail(checkpoint, b"", mailbox="a@b.example", smtp_url=f"smtp://ada:pass@127.1:{server.port}")

    assert server.logins == []
