"""Lists of customers that people keep under a name."""

from __future__ import annotations

from datetime import datetime

from trueup.kernel.records import Record


class View(Record, frozen=True):
    """A list of customers under a name. ``parameters`` are what the address of the page has, by name."""

    id: int
    operator_id: int
    """Whose it is."""
    shared: bool
    """Whether everybody sees it."""
    name: str
    parameters: dict[str, tuple[str, ...]]
    at: datetime
