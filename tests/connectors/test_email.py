"""A mail is handed to a server, and what the server says is told."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from tests.audit.anchors.mailserver import mailing
from trueup.connectors.email import client
from trueup.connectors.email.errors import MailRefused, MailUnavailable


def written() -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = "Hello"
    mail.set_content("Text\n")
    return mail


def test_a_mail_is_taken_with_its_envelope_and_password() -> None:
    with mailing() as server:
        url = f"smtp://ada:s%40fe@127.0.0.1:{server.port}?from=trueup@acme.example"
        said = client.send(written(), sender=client.sender_of(url), mailbox="b@acme.example", smtp_url=url)

    assert said == b"queued as 7F3A"
    ((sender, receiver, body),) = server.mails
    assert (sender.split()[0], receiver) == ("FROM:<trueup@acme.example>", "TO:<b@acme.example>")
    assert b"Subject: Hello" in body
    assert server.logins == ["\x00ada\x00s@fe"]


def test_a_mailbox_that_there_is_not_is_refused_for_good() -> None:
    with mailing(refuses=True) as server, pytest.raises(MailRefused) as caught:
        client.send(written(), sender="a@x", mailbox="ada@x", smtp_url=f"smtp://127.0.0.1:{server.port}")

    assert caught.value.words == "550 no such mailbox as ada"
    assert "ada" not in caught.value.message


def test_a_server_that_is_away_may_come_back() -> None:
    with mailing() as server:
        port = server.port

    with pytest.raises(MailUnavailable):
        client.send(written(), sender="a@x", mailbox="b@x", smtp_url=f"smtp://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("mail.example", False)]
)
def test_this_host_is_known(host: str, *, expected: bool) -> None:
    assert client._is_here(host) is expected
