"""What every operation answers with and every list is asked by."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from django.http import HttpResponse
from ninja import Query

Limit = Annotated[int, Query(ge=1, le=200, description="Rows a page.")]
After = Annotated[str | None, Query(description="The `next` of the page before.")]


def answer(value: Any, status: int = 200) -> HttpResponse:
    """A record as JSON."""
    return HttpResponse(msgspec.json.encode(value), content_type="application/json", status=status)


def aware(moment: datetime | None) -> datetime | None:
    """A moment that a request names; one without an offset is in UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
