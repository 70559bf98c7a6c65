"""The nouns of replay: which events are read again, how far that is, and what it would do."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from trueup.kernel.records import Record


class Progress(StrEnum):
    """How a replay stands."""

    RUNNING = "running"
    DONE = "done"
    CANCELED = "canceled"


class Selection(Record, frozen=True):
    """Which events of the log: those for which everything that is given holds. Lists hold alternatives.

    Without anything given it takes ``everything`` to mean the whole log.
    """

    events: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    """Stripe's ids, of any type."""
    customers: tuple[str, ...] = ()
    """Stripe's ids: all that was ever told of what is or was theirs."""
    types: tuple[str, ...] = ()
    """Event types; a trailing asterisk stands for anything."""
    created_from: datetime | None = None
    """By Stripe's time; the moment itself counts."""
    created_until: datetime | None = None
    """By Stripe's time; the moment itself does not count."""
    received_from: datetime | None = None
    """By ours, as above."""
    received_until: datetime | None = None
    cause: str = ""
    """Events that were set aside for this cause; see dead letters."""
    account: str = ""
    """A slug."""
    everything: bool = False


class Count(Record, frozen=True):
    """How many events are of a type."""

    type: str
    events: int


class Preview(Record, frozen=True):
    """What a replay of a selection would read, counted exactly, and what it would do."""

    events: int
    types: tuple[Count, ...]
    """The most frequent first."""
    objects: int
    """Different objects that these events tell of."""
    customers: int
    """Different Stripe customers that those belong to."""
    set_aside: int
    """Events that were set aside, and get another try."""
    discarded: int
    """Events that somebody gave up, and that are taken up again."""
    passed_over: int
    """Thin events that match: they hold no object, so there is nothing to read again."""
    seconds: int
    """How long it takes at the rate that was asked for."""
    rehearsed: int
    """How many of the events were read again to see what would change, and then everything was taken back."""
    objects_changed: int | None
    """Objects that the mirror would hold otherwise than now, as far as it was rehearsed; None where nothing was."""
    would_fail: int
    """Events that cannot be read, as far as it was rehearsed."""


class Replay(Record, frozen=True):
    """Events that are read again, at a bounded rate."""

    id: int
    progress: Progress
    selection: Selection
    why: str
    by: str
    """Who started it: the kind of actor and its id."""
    rate: int
    """Events a second, at most."""
    total: int
    done: int
    """Events dealt with so far: those of the next two, and those that wait for their first reading, included."""
    failed: int
    """Events that cannot be read; they are set aside with the cause."""
    gone: int
    """Events that are not in the log any more, or tell of no object."""
    changed: int
    """Objects that the mirror held otherwise than the log tells, and holds rightly now."""
    last_error: str | None
    started_at: datetime
    ended_at: datetime | None
