"""What the API answers when a request cannot be met."""

from __future__ import annotations

from trueup.kernel.records import Record


class ErrorBody(Record, frozen=True):
    """What happened, and what to do next."""

    code: str
    message: str
    hint: str


class ErrorOut(Record, frozen=True):
    """The answer to a request that could not be met."""

    error: ErrorBody
