"""The database of the calling thread: Django's connection, and psycopg's beneath it for statements that matter.

Django's cursor interpolates parameters as text; the hot statements pass binary arrays instead and therefore use
``connection()``, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from django.db import connection as django_connection
from django.db import transaction as django_transaction


def connection() -> psycopg.Connection[tuple[Any, ...]]:
    """The psycopg connection of this thread, opened when needed; statements run in Django's current transaction."""
    django_connection.ensure_connection()
    return cast("psycopg.Connection[tuple[Any, ...]]", django_connection.connection)


def execute(sql: str, params: dict[str, Any] | tuple[Any, ...] | None = None) -> psycopg.Cursor[tuple[Any, ...]]:
    """Run one statement with parameters bound on the server; ``%(name)b`` passes binary."""
    cursor = psycopg.Cursor(connection())
    cursor.execute(sql.encode(), params)
    return cursor


@contextmanager
def transaction() -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """One transaction, or a savepoint inside one.

    Gives the connection that audit entries and wakes are written with.
    """
    with django_transaction.atomic():
        yield connection()


def close() -> None:
    """Close this thread's connection; the next use opens a new one."""
    django_connection.close()
