"""Checkpoints by mail: the note as an attachment, in a mailbox that is not ours to empty."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Final

from trueup.audit.anchors.errors import NotTaken
from trueup.audit.notes.checkpoints import Checkpoint
from trueup.connectors.email import client
from trueup.connectors.email.errors import MailRefused, MailUnavailable, MailUnencrypted
from trueup.runtime import clock

_TEXT: Final = """\
The audit log {origin} has {size} entries. Its signed checkpoint is attached.

Keep this mail. Whoever changes, removes or back-dates one of these entries later cannot make a log that fits this
checkpoint again: it shows, whoever they are. What can be checked with it, and how: docs/audit.md of Trueup.

{note}"""
_NUMBER: Final = re.compile(r"\((\w+)\)")


def mail(checkpoint: Checkpoint, note: bytes, *, mailbox: str, smtp_url: str) -> bytes:
    """Send a checkpoint; gives what the server answered. ``NotTaken`` if it did not take it."""
    sender = client.sender_of(smtp_url) or mailbox
    written = message(checkpoint, note, sender=sender, mailbox=mailbox)
    try:
        return client.send(written, sender=sender, mailbox=mailbox, smtp_url=smtp_url)
    except MailUnencrypted as error:
        raise NotTaken(error.message) from None
    except (MailRefused, MailUnavailable) as error:
        found = _NUMBER.search(error.message)
        told = found[1] if found else error.code
        raise NotTaken(f"The mail server did not take the checkpoint ({told}).", code="audit_mail_not_taken") from None


def message(checkpoint: Checkpoint, note: bytes, *, sender: str, mailbox: str) -> EmailMessage:
    """The mail."""
    written = EmailMessage()
    written["From"], written["To"] = sender, mailbox
    written["Subject"] = f"Audit log checkpoint: {checkpoint.origin}, {checkpoint.size} entries"
    written["Date"] = format_datetime(clock.now())
    written["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    text = _TEXT.format(origin=checkpoint.origin, size=checkpoint.size, note=note.decode())
    # Not even a blank at the end of a line may change on the way: the signature is over these bytes.
    written.set_content(text, cte="base64")
    written.add_attachment(note, maintype="text", subtype="plain", filename=f"checkpoint-{checkpoint.size}.txt")
    return written
