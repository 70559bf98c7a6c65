"""Asks the database through the views, as an analyst's program does."""

from __future__ import annotations

import json
from typing import Any

from trueup.runtime import database

JSONB = 3802


def rows(statement: str, **params: Any) -> list[dict[str, Any]]:
    """The rows of a select as dictionaries."""
    cursor = database.execute(statement, params)
    assert cursor.description is not None
    # Django has its connections hand jsonb over as text.
    read = [json.loads if column.type_code == JSONB else None for column in cursor.description]
    names = [column.name for column in cursor.description]
    return [
        {
            name: parse(value) if parse is not None and value is not None else value
            for name, parse, value in zip(names, read, row, strict=True)
        }
        for row in cursor.fetchall()
    ]


def scalar(statement: str, **params: Any) -> Any:
    """The one value of the one row."""
    (row,) = rows(statement, **params)
    (value,) = row.values()
    return value
