"""The database of the calling thread: Django's connection, and psycopg's beneath it for statements that matter.

Django's cursor interpolates parameters as text; the hot statements pass binary arrays instead and therefore use
``connection()``, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

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


@contextmanager
def beside() -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Another connection to the same database, which commits each statement.

    For what others have to see while this thread's connection is busy or in a transaction.
    """
    other = django_connection.copy()
    try:
        other.ensure_connection()
        yield cast("psycopg.Connection[tuple[Any, ...]]", other.connection)
    finally:
        other.close()


_unhurried: Final[WeakKeyDictionary[psycopg.Connection[tuple[Any, ...]], bool]] = WeakKeyDictionary()


def commit_without_disk(allowed: bool) -> None:  # noqa: FBT001 - the one thing it says
    """Let this thread's next transactions commit before the disk has them, or not; asked once, it stays so.

    For what is made again after a crash of the server. Inside a transaction it changes nothing.
    """
    current = connection()
    if _unhurried.get(current, False) is not allowed and not django_connection.in_atomic_block:
        current.execute(b"set synchronous_commit = off" if allowed else b"reset synchronous_commit")
        _unhurried[current] = allowed


def close() -> None:
    """Close this thread's connection; the next use opens a new one."""
    django_connection.close()
