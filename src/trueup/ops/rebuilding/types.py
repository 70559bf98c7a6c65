"""What a rebuild and a check say."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from trueup.kernel.records import Record


class Target(StrEnum):
    """What can be made again from the log."""

    MIRROR = "mirror"
    CUSTOMERS = "customers"
    VIEWS = "views"
    ALL = "all"


class Reason(StrEnum):
    """Why a row is not what a rebuild makes."""

    RULES = "rules"
    NEVER_APPLIED = "never_applied"
    WAITING = "waiting"
    SET_ASIDE = "set_aside"
    EVENT_GONE = "event_gone"
    STRAY = "stray"
    OBJECTS = "objects"
    DIFFERS = "differs"
    FAILED = "failed"


TOLD = {
    Reason.RULES: "Other rules made it.",
    Reason.NEVER_APPLIED: "The live table never applied an event that is in the log.",
    Reason.WAITING: "It waits in the queue of the live tables, which will make it so by themselves.",
    Reason.SET_ASIDE: "It was set aside in the queue of the live tables; see `trueup dead-letters`.",
    Reason.EVENT_GONE: "The event that told it is not in the log.",
    Reason.STRAY: "Nothing in the log tells of it.",
    Reason.OBJECTS: "It follows from objects that differ too.",
    Reason.DIFFERS: "It is not what the same facts and rules give: it was changed behind Trueup's back, "
    "or made by rules that carry no version.",
    Reason.FAILED: "The rules fail on it.",
}
"""What each reason means."""


class Example(Record, frozen=True):
    """One row's field before and after."""

    key: str
    before: Any
    after: Any


class FieldDiff(Record, frozen=True):
    """How many rows a rebuild changes in one field."""

    field: str
    rows: int
    examples: tuple[Example, ...]


class Cause(Record, frozen=True):
    """Why rows are added, removed or changed.

    ``detail`` names the rules before and after where they are the cause.
    """

    change: str
    reason: Reason
    told: str
    detail: str
    rows: int
    examples: tuple[str, ...]


class TableDiff(Record, frozen=True):
    """What a rebuild changes in one table."""

    table: str
    rows: int
    rebuilt: int
    added: int
    removed: int
    changed: int
    causes: tuple[Cause, ...]
    fields: tuple[FieldDiff, ...]


class Failure(Record, frozen=True):
    """A row that the rules fail on, so that nothing could be made of it."""

    queue: str
    key: str
    error: str


class Rebuilt(Record, frozen=True):
    """What a rebuild made, would change, and did."""

    target: Target
    events: int
    customers: int
    seconds: float
    rows_per_second: float
    tables: tuple[TableDiff, ...]
    failures: tuple[Failure, ...]
    failed: int
    views: tuple[str, ...] = ()
    """Lines that say which views would be made otherwise."""
    swapped: bool = False
    locked_seconds: float = 0.0
    """How long writers of the live tables waited."""

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.failed and not self.views and all(not (d.added or d.removed or d.changed) for d in self.tables)


class Finding(Record, frozen=True):
    """Something that is not as it has to be."""

    table: str
    key: str
    what: str
    remedy: str


class Checked(Record, frozen=True):
    """What a check looked at and found."""

    bodies: int
    objects: int
    customers: int
    findings: tuple[Finding, ...]
    found: int
    """All of them; ``findings`` holds at most so many of each table and kind as are told."""


class Orphans(Record, frozen=True):
    """Rows that nothing in the log supports: how many by table, and some of their keys."""

    table: str
    what: str
    rows: int
    examples: tuple[str, ...]
