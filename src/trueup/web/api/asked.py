"""What a request is read as: bodies, numbers, moments, cursors and yes or no, each in one place.

What the description calls a boolean, a number or a moment is nothing else here. A body with a field that nobody knows
is refused: a mistyped ``preview`` would otherwise do what was only to be looked at.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final

from ninja import Field, Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from trueup.web.moments import within

BIGGEST: Final = 2**63 - 1
"""The largest number that the database keeps as an id."""
ISO: Final = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?( ?[Zz]|[+-]\d\d:?\d\d)?)?", re.ASCII)
NO_NUL: Final = r"^[^\x00]*$"
"""The database refuses this character in any text."""


class Asked(BaseModel):
    """A body: an object that has these fields and no other."""

    model_config = ConfigDict(extra="forbid")


def _written(value: Any) -> Any:
    if not isinstance(value, str) or ISO.fullmatch(value) is None:
        raise ValueError("Write it as 2026-05-01T12:00:00Z")
    return value


def _whole(value: Any) -> Any:
    # JSON knows no whole numbers: 24.0 is 24, as in its schema.
    return int(value) if isinstance(value, float) and value.is_integer() else value


Moment = Annotated[datetime, BeforeValidator(_written), AfterValidator(within)]
"""A moment as ISO 8601 has it, in UTC where it has no offset; numbers are none."""
Yes = Annotated[bool, Field(strict=True)]
"""``true`` or ``false`` of a body; neither a word nor a number means one."""
WHOLE: Final = BeforeValidator(_whole)
"""Stands behind a strict ``int`` of a body: neither a text with digits nor a fraction is a number there."""
RowId = Annotated[int, Path(ge=1, le=BIGGEST, description="Its id.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Rows a page.")]
Cursor = Annotated[
    str,
    AfterValidator(lambda cursor: cursor or None),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-]*$"}),
]
After = Annotated[Cursor | None, Query(description="The `next` of the page before; empty for the first page.")]
"""Whatever is no cursor of ours, ``runtime.pages`` refuses: that is one answer for one mistake."""
