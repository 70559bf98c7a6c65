"""What the signer remembers by itself, in a file beside its keys: the last note that it signed, for each mode.

It is on the disk before the note is anywhere else, so a database that knows less has gone back.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from trueup.audit.notes.checkpoints import Checkpoint, parse_checkpoint
from trueup.audit.notes.errors import NoteInvalid
from trueup.audit.notes.signed import parse_note
from trueup.audit.sealing.errors import SealingRefused
from trueup.kernel.modes import mode_name
from trueup.runtime import configuration, durable


def path_of(*, livemode: bool) -> Path:
    """Where it stands."""
    return configuration.current().audit_folder / f"signed-{mode_name(livemode)}"


def remembered(*, livemode: bool) -> Checkpoint | None:
    """The checkpoint that was signed last on this host; None where nothing was."""
    path = path_of(livemode=livemode)
    try:
        return parse_checkpoint(parse_note(path.read_bytes()).text)
    except FileNotFoundError:
        return None
    except (OSError, NoteInvalid) as error:
        told = error.strerror if isinstance(error, OSError) else error.message
        raise SealingRefused(
            f"What was signed last cannot be read from {path}: {told}",
            code="audit_memory_invalid",
            hint="Bring the file back from a copy of TRUEUP_AUDIT_DIR, or accept what the database holds: "
            "trueup audit accept-rollback --why ...",
        ) from None


def remember(note: bytes, *, livemode: bool) -> None:
    """Keep a note that was signed just now; ``OSError`` where there is no room for it."""
    durable.replace(path_of(livemode=livemode), note)


def put_aside(*, livemode: bool, at: datetime) -> Path | None:
    """Rename what is remembered, so that it is kept and counts no more; returns its new place, None without any."""
    path = path_of(livemode=livemode)
    kept = path.with_name(f"{path.name}.{at.astimezone(UTC):%Y%m%dT%H%M%S}")
    try:
        path.rename(kept)
    except FileNotFoundError:
        return None
    return kept


@contextmanager
def alone(*, livemode: bool) -> Iterator[None]:
    """Let one process of this host at a time sign, and remember, for a mode."""
    path = path_of(livemode=livemode)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # The lock goes with the process, however it ends.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
