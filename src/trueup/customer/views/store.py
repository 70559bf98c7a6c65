"""Statements on lists that are kept."""

from __future__ import annotations

import json
from typing import Any, Final

from trueup.customer.views.types import View
from trueup.runtime import database

COLUMNS: Final = "id, operator_id, shared, name, query, at"


def _view(row: tuple[Any, ...]) -> View:
    told = {name: tuple(values) for name, values in json.loads(row[4]).items()}
    return View(id=row[0], operator_id=row[1], shared=row[2], name=row[3], parameters=told, at=row[5])


def of(operator_id: int) -> list[View]:
    """A person's own, then those of all, by name."""
    rows = database.execute(
        f"select {COLUMNS} from customer_view where shared or operator_id = %s order by shared, lower(name), id",  # noqa: S608 - constants
        (operator_id,),
    ).fetchall()
    return [_view(row) for row in rows]


def find(view_id: int) -> View | None:
    """One of them, held until the transaction ends."""
    row = database.execute(f"select {COLUMNS} from customer_view where id = %s for update", (view_id,)).fetchone()  # noqa: S608 - constants
    return None if row is None else _view(row)


def called(name: str, *, operator_id: int, shared: bool) -> View | None:
    """The one of this name: of a person, or of all."""
    row = database.execute(
        f"select {COLUMNS} from customer_view where name = %s and shared = %s and (shared or operator_id = %s)",  # noqa: S608 - constants
        (name, shared, operator_id),
    ).fetchone()
    return None if row is None else _view(row)


def put(view_id: int | None, *, operator_id: int, shared: bool, name: str, query: dict[str, list[str]]) -> View:
    """A new one, or another content of a known one."""
    values = {"id": view_id, "operator_id": operator_id, "shared": shared, "name": name, "query": json.dumps(query)}
    sql = (
        "insert into customer_view (operator_id, shared, name, query)"
        " values (%(operator_id)s, %(shared)s, %(name)s, %(query)s::jsonb)"
        if view_id is None
        else "update customer_view set shared = %(shared)s, name = %(name)s, query = %(query)s::jsonb where id = %(id)s"
    )
    row = database.execute(f"{sql} returning {COLUMNS}", values).fetchone()
    assert row is not None  # noqa: S101 - what `returning` gives
    return _view(row)


def number(operator_id: int) -> int:
    """How many somebody keeps."""
    row = database.execute("select count(*) from customer_view where operator_id = %s", (operator_id,)).fetchone()
    return int(row[0]) if row else 0


def delete(view_id: int) -> None:
    """Keep it no longer."""
    database.execute("delete from customer_view where id = %s", (view_id,))
