"""The nouns of the mirror: which object, which version of it, and what an event told about it.

``data`` is JSON as Python reads it: ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` and ``None``. Nothing
here copies it, and nobody may change it in place: the same dictionary is shared by every record that speaks of it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from trueup.kernel.records import Record


class ObjectKey(Record, frozen=True):
    """What names a Stripe object everywhere: our account, its mode, Stripe's type name and Stripe's id."""

    account_id: int
    livemode: bool
    object_type: str
    object_id: str


class Request(Record, frozen=True):
    """The request to Stripe's API, the dashboard's included, that an event came from.

    ``id`` is ``None`` where no request made the event: a renewal, a timer, something outside that Stripe was told of.
    Source: https://docs.stripe.com/api/events/object#event_object-request
    """

    id: str | None
    idempotency_key: str | None


class Reading(Record, frozen=True):
    """What is known of a snapshot that was read from the API, beside the object itself.

    ``after`` names the facts of its second that were known before it began. ``made`` is the ``created`` of the object
    where the snapshot does not say: for one that is gone. ``lists`` holds, by field, the whole of a list of which the
    object itself shows the beginning. ``alone`` says that the object was asked for by its id, with all there is to it.
    """

    after: tuple[str, ...] = ()
    made: int | None = None
    alone: bool = False
    lists: dict[str, list[Any]] = {}


class Fact(Record, frozen=True):
    """One version of one object, as one event told it, or as it was read from the API.

    ``created`` is the event's own time in whole unix seconds. ``data`` is the object as sent, in the shape of the
    endpoint's API version (not upcast). ``previous`` holds the old values of what changed, and is ``None`` where the
    event has none. ``deleted`` says that the object no longer exists after this event, and that ``data`` is its last
    version. ``customer`` is the Stripe customer that the object belongs to, its own id for a customer, ``None`` when no
    customer is named. ``request`` is ``None`` where the event does not say whether a request made it.
    """

    object_type: str
    object_id: str
    created: int
    event_id: str
    event_type: str
    deleted: bool
    data: dict[str, Any]
    previous: dict[str, Any] | None = None
    customer: str | None = None
    request: Request | None = None
    reading: Reading | None = None


class MirrorObject(Record, frozen=True):
    """The current version of an object: ``data`` in the newest shape, and the event that it came from.

    A deleted object keeps its last ``data``. ``created`` is the event's time in whole unix seconds.
    """

    object_type: str
    object_id: str
    data: dict[str, Any]
    deleted: bool
    created: int
    event_id: str
    event_type: str


class FactRef(Record, frozen=True):
    """A pointer to one fact, small enough to stand beside each value that came from it."""

    object_type: str
    object_id: str
    event_id: str
    created: int


VerdictName = Literal["certain", "ambiguous", "gap"]
"""The values of ``order.types.Verdict``; ``order`` imports this file, so this file cannot import ``order``."""


class Body(StrEnum):
    """What is left in the log of the event that told a version."""

    WHOLE = "whole"
    REDACTED = "redacted"
    """An erasure took personal fields out of it."""
    GONE = "gone"
    """Erased, expired or unreadable; that the version was there is still known."""


class FieldChange(Record, frozen=True):
    """One value that differs between two versions of an object.

    ``path`` leads to it from the top of the object, as ``items.data[si_1].quantity``: an element of a list is named by
    its id where every element has one, else by its place. Null and absent are one, and both are ``None``. A value whose
    JSON is longer than 300 characters is the beginning of that JSON, as text, and ``cut`` is set.
    """

    path: str
    before: Any
    after: Any
    cut: bool = False


class Doubt(Record, frozen=True):
    """What is not plain about a version's place in the history: a sentence, and the events that it is about."""

    kind: Literal["ambiguous", "gap", "starts_late", "after_deletion"]
    told: str
    event_ids: tuple[str, ...]


class ObjectRow(Record, frozen=True):
    """An object without its contents: what and whose it is, and the event that told this version of it."""

    account_slug: str
    livemode: bool
    type: str
    id: str
    customer: str | None
    deleted: bool
    verdict: VerdictName
    """How far this can be trusted to be the newest version."""
    verdict_told: str
    """The verdict as a sentence."""
    event_id: str
    event_type: str
    """Of an event, or ``trueup.read`` where the object was read from Stripe's API."""
    at: datetime
    """When the event happened, or reading began, in Stripe's time."""


class ObjectDetail(ObjectRow, frozen=True):
    """An object as one event told it, current or of a moment."""

    received_at: datetime | None
    """When the event arrived here; None when it is not in the log any more."""
    body: Body
    shape: dict[str, Any] | None
    """The whole object in the newest shape; None when the body is gone."""
    told: dict[str, Any] | None = None
    """The object as sent, in the shape of its API version, when asked for. Characters that no database stores (NUL,
    lone surrogates) are U+FFFD; the event has the exact bytes."""


class ObjectVersion(Record, frozen=True):
    """One version of an object: a pointer to the event that told it, and what it changed."""

    event_id: str
    event_type: str
    """Of an event, or ``trueup.read`` where the object was read from Stripe's API."""
    at: datetime
    """When the event happened, or reading began, in Stripe's time."""
    received_at: datetime | None
    """When it arrived here; None when it is not in the log any more."""
    api_version: str | None
    deleted: bool
    current: bool
    """Whether this is the object as it stands."""
    doubts: tuple[Doubt, ...]
    body: Body
    compared_to: str | None
    """The event of the version before; None for the first one known of an object, or of one made again."""
    changes: tuple[FieldChange, ...] | None
    """What differs from the version before, both in the newest shape; None when there is none, or a body is gone."""
    changes_left_out: int = 0
    """How many further changes there are; at most 40 are listed."""


class Comparison(Record, frozen=True):
    """What differs between two versions of an object, both in the newest shape, named by the events that told them."""

    before: str
    after: str
    changes: tuple[FieldChange, ...] | None
    """None where a body is gone."""
    changes_left_out: int = 0
    """How many further changes there are; at most 40 are listed."""
