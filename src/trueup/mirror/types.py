"""The nouns of the mirror: which object, which version of it, and what an event told about it.

``data`` is JSON as Python reads it: ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` and ``None``. Nothing
here copies it, and nobody may change it in place: the same dictionary is shared by every record that speaks of it.
"""

from __future__ import annotations

from typing import Any

from trueup.kernel.records import Record


class ObjectKey(Record, frozen=True):
    """What names a Stripe object everywhere: our account, its mode, Stripe's type name and Stripe's id."""

    account_id: int
    livemode: bool
    object_type: str
    object_id: str


class Fact(Record, frozen=True):
    """One version of one object, as one event told it.

    ``created`` is the event's own time in whole unix seconds. ``data`` is the object as sent, in the shape of the
    endpoint's API version (not upcast). ``previous`` holds the old values of what changed, and is ``None`` where the
    event has none. ``deleted`` says that the object no longer exists after this event, and that ``data`` is its last
    version. ``customer`` is the Stripe customer that the object belongs to, its own id for a customer, ``None`` when no
    customer is named.
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
