"""What people and programs see of the audit log."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from trueup.audit.types import Phase
from trueup.kernel.records import Record


class Mode(StrEnum):
    """Which of the two logs."""

    LIVE = "live"
    """Also holds what belongs to no account's mode, such as people, tokens and backups."""
    TEST = "test"

    @property
    def livemode(self) -> bool:
        """As columns say it."""
        return self is Mode.LIVE


class ListedEntry(Record, frozen=True):
    """One recorded change.

    ``before``, ``after``, ``why`` and ``origin`` hold what stands in the log as it is, and the personal values that
    were opened for the reader.
    """

    id: int
    place: str | None
    """Its place in the tree, such as ``live/1234``; None while it waits for one."""
    at: datetime
    mode: Mode
    actor: str
    """Who did it, as ``operator:7``."""
    behind: str
    """Who really acted, where the actor is a token or somebody seen by another; empty else."""
    action: str
    meaning: str
    """What the action means, in a sentence."""
    object: str
    """What it was done to, as ``customer:cus_1``."""
    why: str
    origin: str
    before: Any
    after: Any
    facts: tuple[str, ...]
    request_id: str
    phase: Phase
    intent: int | None
    """The entry that announced this outcome."""
    hidden: tuple[str, ...]
    """Places of personal values that are there and were not opened, such as ``why`` or ``after.name``."""
    erased: tuple[str, ...]
    """Places of personal values that are gone: their keys were destroyed, by an erasure or with a lost copy."""
    body: str
    """The canonical JSON that the tree has the hash of, exactly."""
    altered: bool
    """Whether its bytes are no more what its place in the tree was given to: somebody changed it since."""


class ListedCheckpoint(Record, frozen=True):
    """A size that the tree had."""

    mode: Mode
    size: int
    root: str
    """In hexadecimal."""
    made_at: datetime
    signed_at: datetime | None
    """None while it waits to be signed."""
    witnesses: tuple[str, ...]
    """The names of those whose cosignatures stand below it."""
