"""What the frame around every page says of the reader: what waits for them, and which role they see the console as."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from trueup.operators.approvals import service as approvals
from trueup.web.console import reader, shortcuts
from trueup.web.console.team_words import ROLES


def around(request: HttpRequest) -> dict[str, Any]:
    """For templates; what is callable is asked only where the template shows it."""
    seen = reader.viewing(request)
    return {
        "viewing": seen,
        "shortcuts_table": shortcuts.table(),
        "viewing_role": None if seen is None else ROLES[seen.role].label,
        "waiting_count": lambda: len(approvals.waiting_for(reader.acting(request))),
    }
