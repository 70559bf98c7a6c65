"""What can go wrong in sending a mail."""

from __future__ import annotations

from trueup.kernel.errors import Refused, Unavailable


class MailRefused(Refused):
    """The server does not take the mail, now or later. ``words`` are the server's, which may name the mailbox."""

    code = "mail_refused"

    def __init__(self, message: str, *, words: str) -> None:
        super().__init__(message)
        self.words = words


class MailUnavailable(Unavailable):
    """The server cannot be reached, or cannot take it at this moment."""

    code = "mail_unavailable"

    def __init__(self, message: str, *, words: str = "") -> None:
        super().__init__(message)
        self.words = words


class MailUnencrypted(Refused):
    """The server offers no encryption, and wants a password."""

    code = "mail_unencrypted"
