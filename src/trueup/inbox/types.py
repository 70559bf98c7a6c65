"""The public nouns of the inbox."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from trueup.kernel.records import Record

TOPIC: Final = "inbox"
"""Woken when events wait for the mirror."""


class Source(StrEnum):
    """How a fact came in."""

    WEBHOOK = "webhook"
    SWEEP = "sweep"
    BACKFILL = "backfill"
    REFETCH = "refetch"
    RECONCILE = "reconcile"
    MANUAL = "manual"


class Kind(StrEnum):
    """Whether an event carries its object, or the row is no event but an object that was read from Stripe's API."""

    SNAPSHOT = "snapshot"
    THIN = "thin"
    READ = "read"


READING: Final = "read_"
"""What the ids of ``Kind.READ`` begin with, and those of Stripe's events never."""


class State(StrEnum):
    """How far an event came."""

    FOLDED = "folded"
    WAITING = "waiting"
    AWAITING_FETCH = "awaiting_fetch"
    SET_ASIDE = "set_aside"
    DISCARDED = "discarded"


class Reason(StrEnum):
    """Why a signed body cannot be used."""

    NOT_JSON = "not_json"
    NO_ID = "no_id"
    WRONG_MODE = "wrong_mode"
    UNREADABLE = "unreadable"
    """A field we need has a type or range that cannot be."""
    REFUSED_BY_DATABASE = "refused_by_database"


class EventRow(Record, frozen=True):
    """An event of the log without its body."""

    account_id: int
    account_slug: str
    livemode: bool
    event_id: str
    type: str
    created: datetime
    received_at: datetime
    object_type: str | None
    object_id: str | None
    customer: str | None
    """The Stripe customer it belongs to, once the mirror has read it."""
    api_version: str | None
    source: Source
    kind: Kind
    state: State
    error: str | None
    """Why it was set aside, or why it is being retried."""


class EventDetail(EventRow, frozen=True):
    """An event with its body exactly as received, unless a later erasure redacted it."""

    body: bytes
    """The exact bytes; base64 in JSON."""
    payload: Any
    """The body as JSON, for reading; None where it is none."""
    body_sha256: str
    """Of the body as received, in hexadecimal."""
    signature: str | None
    redacted_at: datetime | None


class QuarantinedRow(Record, frozen=True):
    """A signed body that cannot be used."""

    id: int
    account_slug: str
    reason: str
    detail: str
    received_at: datetime
    body_size: int
    body_sha256: str


class InboxStats(Record, frozen=True):
    """How the inbox stands."""

    received_24h: int
    """Events and readings."""
    waiting: int
    awaiting_fetch: int
    set_aside: int
    quarantined: int
    last_received_at: datetime | None
    """The newest of either."""
    events_24h: int = 0
    readings_24h: int = 0
    """Objects that were read from Stripe's API, by a backfill for instance."""


class TypesSince(Record, frozen=True):
    """How many events of each type happened since a moment."""

    counts: dict[str, int]
    whole: bool
    """Whether all events were looked at that came since; otherwise so many came that only the newest were."""


class PendingEvent(Record, frozen=True):
    """An event as the mirror's drain reads it."""

    account_id: int
    livemode: bool
    event_id: str
    body: bytes


class Subject(Record, frozen=True):
    """Which object an event names, as its envelope told it to the intake; ``type`` is the event's."""

    account_id: int
    livemode: bool
    type: str
    object_type: str
    id: str


class AwaitingRow(Record, frozen=True):
    """A thin event whose object has to be fetched, under a lease."""

    id: int
    """Names the row to ``finish_awaiting`` and ``fail_awaiting``."""
    account_id: int
    livemode: bool
    event_id: str
    created: datetime
    type: str
    object_type: str | None
    object_id: str | None
    attempts: int
    """How often it failed before."""
    body: bytes
    """The event as it came; ``related_object.url`` in it says where its object is, where it names one."""


class DeadGroup(Record, frozen=True):
    """What one fault stopped in one queue."""

    cause: str
    """A stable code made from the error: its class, and a digest of its message without ids and numbers."""
    queue: str
    """Which reader set it aside: mirror, thin, customer, fetch; or quarantine, whose bodies are no events."""
    rows: int
    things: int
    """How many events, customers or bodies the rows speak of."""
    first_at: datetime
    """When the first of them was set aside."""
    last_at: datetime
    error: str
    """The newest one's."""
    examples: tuple[str, ...]
    """The newest, each by what it is and its id; a body by its SHA-256."""
    accounts: tuple[str, ...]
    """The slugs of the examples' accounts."""


class DeadLetter(Record, frozen=True):
    """One row that was set aside."""

    cause: str
    queue: str
    row: int
    account_slug: str
    livemode: bool
    kind: str
    """What it is: event, customer, an object's type, or body."""
    id: str
    attempts: int
    since: datetime
    """When it was queued, or received."""
    set_aside_at: datetime
    error: str


class Moved(Record, frozen=True):
    """What was tried again or given up, or would be: how many rows of which queue."""

    cause: str | None
    """None stands for all."""
    rows: dict[str, int]
    done: bool
    """False for a preview, and where there was nothing."""
    refused: int = 0
    """Bodies of the quarantine that still cannot be used."""
