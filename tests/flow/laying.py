"""A log that is filled once in a run, and laid into the database of every test that wants it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import psycopg
from psycopg import sql

from tests import instance

COLUMNS: Final = """
select array_agg(attname::text order by attnum) from pg_attribute
where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = ''
"""
"""What is computed from other columns is not copied."""

_FILLED: Final[dict[str, dict[str, bytes]]] = {}


def lay(name: str, address: str, fill: Callable[[], None]) -> None:
    """Have the empty database hold what ``fill`` puts into one: it is called once in a run, and then rows are copied.

    Rows get the ids that they had; sequences have gone beyond them.
    """
    if name not in _FILLED:
        fill()
        with psycopg.connect(address) as connection:
            _FILLED[name] = {table: rows for table in instance.TABLES if (rows := _read(connection, table))}
        return
    with psycopg.connect(address) as connection:
        # As when tables are wiped: the audit log takes its rows from nobody else otherwise.
        connection.execute("set local session_replication_role = replica")
        for table, rows in _FILLED[name].items():
            with connection.cursor().copy(
                sql.SQL("copy {} ({}) from stdin (format binary)").format(*_named(connection, table))
            ) as copy:
                copy.write(rows)


def _read(connection: psycopg.Connection, table: str) -> bytes:
    named, columns = _named(connection, table)
    with connection.cursor().copy(
        sql.SQL("copy (select {} from {}) to stdout (format binary)").format(columns, named)
    ) as copy:
        return b"".join(bytes(part) for part in copy)


def _named(connection: psycopg.Connection, table: str) -> tuple[sql.Identifier, sql.Composed]:
    row = connection.execute(COLUMNS.encode(), (table,)).fetchone()
    assert row is not None
    return sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, row[0]))
