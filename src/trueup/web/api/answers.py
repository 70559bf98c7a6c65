"""What every operation answers with and every list is asked by."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from django.http import HttpResponse
from ninja import Query

Limit = Annotated[int, Query(ge=1, le=200, description="Rows a page.")]
After = Annotated[str | None, Query(description="The `next` of the page before.")]


def answer(value: Any, status: int = 200) -> HttpResponse:
    """A record as JSON."""
    return HttpResponse(msgspec.json.encode(value), content_type="application/json", status=status)
