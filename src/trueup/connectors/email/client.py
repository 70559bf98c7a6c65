"""Sending a mail through a mail server: ``smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS``, or ``smtps``.

The connection is encrypted where the server offers it, and a password is sent in no other, save on this host.
"""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from trueup.connectors.email.errors import MailRefused, MailUnavailable, MailUnencrypted

SECONDS: Final = 20.0
_DONE: Final = 250
_NEVER: Final = 500


def sender_of(smtp_url: str) -> str:
    """The address that mails through this server come from; empty where its setting names none."""
    return parse_qs(urlsplit(smtp_url).query).get("from", [""])[0]


def send(message: EmailMessage, *, sender: str, mailbox: str, smtp_url: str) -> bytes:
    """Hand a mail to the server; gives what it answered.

    ``MailRefused`` and ``MailUnencrypted`` where trying again cannot help, ``MailUnavailable`` where it can. Their
    messages hold the server's number alone, because its words may hold the mailbox's name.
    """
    parts = urlsplit(smtp_url)
    try:
        with _connected(parts) as server:
            _require(server.mail(sender))
            _require(server.rcpt(mailbox))
            code, said = server.data(message.as_bytes(policy=SMTP))
            _require((code, said))
            return bytes(said)
    except smtplib.SMTPResponseException as error:
        told = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        words = f"{error.smtp_code} {told}"[:300]
        if error.smtp_code >= _NEVER:
            raise MailRefused(f"The mail server did not take it ({error.smtp_code}).", words=words) from None
        raise MailUnavailable(f"The mail server did not take it ({error.smtp_code}).", words=words) from None
    except (OSError, smtplib.SMTPException) as error:
        raise MailUnavailable(f"The mail server did not take it ({type(error).__name__}).") from None


def _connected(parts: SplitResult) -> smtplib.SMTP:
    host = parts.hostname or ""
    secure = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=SECONDS, context=secure)
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=SECONDS)
    try:
        server.ehlo_or_helo_if_needed()
        encrypted = parts.scheme == "smtps"
        if not encrypted and server.has_extn("starttls"):
            server.starttls(context=secure)
            encrypted = True
        if parts.username:
            if not encrypted and not _is_here(host):
                raise MailUnencrypted("The mail server offers no encryption, and no password is sent without.")
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _require(answer: tuple[int, bytes]) -> None:
    if answer[0] != _DONE:
        raise smtplib.SMTPResponseException(*answer)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
