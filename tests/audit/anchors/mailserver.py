"""A mail server on loopback, as far as one mail needs it."""

from __future__ import annotations

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import override


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps what it was sent: envelopes, texts and passwords."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *, refuses: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.refuses = refuses
        self.mails: list[tuple[str, str, bytes]] = []
        self.logins: list[str] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Session(socketserver.StreamRequestHandler):
    server: MailServer

    @override
    def handle(self) -> None:
        sender = receiver = ""
        self._say("220 mail.example ESMTP")
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            word, _, rest = line.partition(" ")
            match word.upper():
                case "EHLO":
                    self._say("250-mail.example", "250 AUTH PLAIN")
                case "AUTH":
                    self.server.logins.append(base64.b64decode(rest.partition(" ")[2]).decode())
                    self._say("235 fine")
                case "MAIL":
                    sender = rest
                    self._say("250 fine")
                case "RCPT":
                    receiver = rest
                    self._say("550 no such mailbox as ada" if self.server.refuses else "250 fine")
                case "DATA":
                    self._say("354 go on")
                    body = b""
                    while (piece := self.rfile.readline()) != b".\r\n":
                        body += piece.removeprefix(b".") if piece.startswith(b"..") else piece
                    self.server.mails.append((sender, receiver, body))
                    self._say("250 queued as 7F3A")
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 fine")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@contextmanager
def mailing(*, refuses: bool = False) -> Iterator[MailServer]:
    """A server that runs meanwhile."""
    with MailServer(refuses=refuses) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
