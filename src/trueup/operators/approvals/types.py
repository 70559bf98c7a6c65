"""The public nouns of approvals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from trueup.kernel.actor import Actor
from trueup.kernel.records import Record


class Standing(StrEnum):
    """How far a request has come."""

    WAITING = "waiting"
    APPROVED = "approved"
    """Somebody else allowed it, and it was done in the same moment."""
    REJECTED = "rejected"
    CANCELED = "canceled"
    """Whoever asked took it back."""
    EXPIRED = "expired"


class Approval(Record, frozen=True):
    """Something that one person asked for and another has to allow."""

    id: int
    kind: str
    """The name of a registered kind, such as ``operators.roles``."""
    object_type: str
    object_id: str
    change: Mapping[str, Any]
    """What it would do, as its kind writes it: ids, codes and settings."""
    why: str
    standing: Standing
    asked_by: Actor
    asked_at: datetime
    expires_at: datetime
    decided_by: Actor | None
    """Who allowed, refused or canceled it; None while it waits, and where its time ran out."""
    decided_at: datetime | None
    answer: str
    """What they said to it."""
