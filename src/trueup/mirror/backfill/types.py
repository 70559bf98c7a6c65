"""The public nouns of backfills."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from trueup.kernel.records import Record


class Status(StrEnum):
    """How far a backfill is."""

    RUNNING = "running"
    COMPLETE = "complete"
    """All that it was asked for was read."""
    INCOMPLETE = "incomplete"
    """It is over, and some lists could not be read: their errors say why."""
    CANCELLED = "cancelled"
    """Somebody ended it; what was read stays, and it can be resumed."""


class TypeStatus(StrEnum):
    """How far one type of object is."""

    WAITING = "waiting"
    READING = "reading"
    DONE = "done"
    FAILED = "failed"
    ABSENT = "absent"
    """This API has no such list: a sandbox's, or that of an account which does not take part in the product."""


class Run(Record, frozen=True):
    """A backfill of one account. ``types`` are those it was asked for; ``since`` is a unix second or None for all."""

    id: int
    account_id: int
    status: Status
    types: tuple[str, ...]
    since: int | None
    started_at: datetime
    ended_at: datetime | None
    started_by: str
    """The kind and the id of who started it, such as ``command_line ada``."""


class Listed(Record, frozen=True):
    """A type of object that has a list at Stripe; ``usual`` is read by a backfill that names no types."""

    object_type: str
    usual: bool


class Counts(Record, frozen=True):
    """What all spans of one type have come to."""

    object_type: str
    open: int = 0
    failed: int = 0
    absent: int = 0
    listed: int = 0
    new: int = 0
    changed: int = 0
    known: int = 0
    pages: int = 0
    newest: int | None = None
    parents_left: int = 0
    parents_done: int = 0
    held: int = 0
    moved_at: datetime | None = None
    error_code: str | None = None
    error: str | None = None
    trouble: str | None = None


class TypeProgress(Record, frozen=True):
    """What was read of one type of object.

    Of the objects ``listed``, ``new`` were not known before, ``changed`` told something else than what was known, and
    ``known`` told nothing new. ``expected`` is about how many there are in all, None while nobody can tell.
    """

    object_type: str
    status: TypeStatus
    listed: int = 0
    new: int = 0
    changed: int = 0
    known: int = 0
    pages: int = 0
    expected: int | None = None
    error_code: str | None = None
    error: str | None = None


class Unreached(Record, frozen=True):
    """What a backfill cannot read, and why."""

    what: str
    why: str


class Progress(Record, frozen=True):
    """How far a backfill is: the same record on the command line, in the console and in the API.

    ``expected`` objects, ``pages_left`` and ``seconds_left`` are estimates, and None while nobody can tell.
    ``pages_per_second`` is the mean since it was started or resumed. ``readers`` are at work at this moment;
    ``moved_at`` is when the last page was written, and ``trouble`` what makes it wait, empty where nothing does.
    """

    run: Run
    account: str
    objects: int
    new: int
    changed: int
    known: int
    pages: int
    expected: int | None
    pages_left: int | None
    pages_per_second: float
    seconds_left: int | None
    readers: int
    moved_at: datetime | None
    trouble: str
    types: tuple[TypeProgress, ...]
    unreached: tuple[Unreached, ...]
    whole: bool = True
    """Whether it reads all that a backfill usually does; False where types or a date were named that leave some out."""
