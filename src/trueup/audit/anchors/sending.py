"""Taking the newest signed checkpoint to the places outside that keep it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from trueup.audit.anchors import mails, timestamps, webhooks
from trueup.audit.notes.checkpoints import Checkpoint, parse_checkpoint
from trueup.audit.notes.signed import parse_note
from trueup.audit.witnesses import sinks, tree
from trueup.audit.witnesses.sinks import Rhythm
from trueup.kernel.errors import TrueupError
from trueup.kernel.records import Record
from trueup.runtime import configuration, database, logs

log = logs.get(__name__)

DAY: Final = 86_400.0
TIMESTAMP: Final = "timestamp"
WEBHOOK: Final = "webhook"
MAILBOX: Final = "mailbox"
ENTRIES: Final = 100_000
"""Entries after which a timestamp is asked for before its day is over."""

KEEP: Final = """
insert into audit_anchor (livemode, size, kind, destination, evidence)
values (%(livemode)s, %(size)s, %(kind)s, %(destination)s, %(evidence)b)
"""


class Place(Record, frozen=True):
    """A place that keeps checkpoints."""

    kind: str
    destination: str
    """Whose it is, without anything secret or personal: a host."""
    rhythm: Rhythm
    take: Callable[[Checkpoint, bytes], bytes]
    """Gives it a checkpoint and the note of it; answers what came back."""

    @property
    def name(self) -> str:
        """Its name among all places."""
        return f"{self.kind} {self.destination}"


def places() -> tuple[Place, ...]:
    """Those that are configured."""
    settings = configuration.current()
    found = []
    if settings.audit_tsa_url and settings.audit_tsa_certificates:
        stamp = partial(timestamps.timestamp, url=settings.audit_tsa_url, certificates=settings.audit_tsa_certificates)
        found.append(
            Place(
                kind=TIMESTAMP,
                destination=urlsplit(settings.audit_tsa_url).hostname or "",
                rhythm=Rhythm(pause=60.0, changed_seconds=DAY, unchanged_seconds=DAY, entries=ENTRIES),
                take=lambda _, note: stamp(note),
            )
        )
    if settings.audit_checkpoint_webhook:
        found.append(
            Place(
                kind=WEBHOOK,
                destination=urlsplit(settings.audit_checkpoint_webhook).hostname or "",
                rhythm=Rhythm(pause=60.0, changed_seconds=300.0, unchanged_seconds=DAY),
                take=partial(
                    webhooks.deliver,
                    url=settings.audit_checkpoint_webhook,
                    secret=settings.audit_checkpoint_webhook_secret,
                ),
            )
        )
    if settings.audit_checkpoint_mailbox:
        found.append(
            Place(
                kind=MAILBOX,
                destination=settings.audit_checkpoint_mailbox.rpartition("@")[2],
                rhythm=Rhythm(pause=60.0, changed_seconds=DAY, unchanged_seconds=DAY),
                take=partial(mails.mail, mailbox=settings.audit_checkpoint_mailbox, smtp_url=settings.smtp_url),
            )
        )
    return tuple(found)


def send(stop: threading.Event) -> int:
    """Take the newest checkpoint of each log to every place that is due; answers how many were tried.

    What goes wrong is noted on the place, and stops no other one.
    """
    tried = 0
    for livemode in (True, False):
        newest = tree.newest(database.connection(), livemode=livemode)
        if newest is None:
            continue
        for place in places():
            if stop.is_set():
                return tried
            if sinks.claim(livemode=livemode, name=place.name, kind=place.kind, rhythm=place.rhythm, size=newest.size):
                _take(place, newest.note, livemode=livemode)
                tried += 1
    return tried


def _take(place: Place, note: bytes, *, livemode: bool) -> None:
    checkpoint = parse_checkpoint(parse_note(note).text)
    try:
        evidence = place.take(checkpoint, note)
    except TrueupError as error:
        log.info("anchor.failed", place=place.kind, livemode=livemode, code=error.code)
        sinks.failed(error, livemode=livemode, name=place.name)
        return
    values = {"livemode": livemode, "size": checkpoint.size, "kind": place.kind}
    with database.transaction():
        database.execute(KEEP, values | {"destination": place.destination, "evidence": evidence})
        sinks.reached(livemode=livemode, name=place.name, size=checkpoint.size)
