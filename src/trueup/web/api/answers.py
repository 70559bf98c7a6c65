"""What every operation answers with."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpResponse


def answer(value: Any, status: int = 200) -> HttpResponse:
    """A record as JSON."""
    return HttpResponse(msgspec.json.encode(value), content_type="application/json", status=status)
