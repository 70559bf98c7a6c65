"""Bringing the database up to date: migrations under a lock, partitions ahead, the key checked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, Final

import psycopg
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.exceptions import MigrationSchemaMissing
from django.db.migrations.executor import MigrationExecutor

from trueup.accounts import service as accounts
from trueup.audit import months
from trueup.inbox import service as inbox
from trueup.kernel.errors import TrueupError, Unavailable
from trueup.mirror.views import install as views
from trueup.runtime import clock, configuration, installation, logs

log = logs.get(__name__)

LOCK: Final = 7_413_202_611
"""Any number that nobody else uses: the advisory lock under which one process migrates and the others wait."""
OLDEST: Final = 150_000
"""PostgreSQL 15."""
CONNECT_SECONDS: Final = 10
TURN_SECONDS: Final = 360.0
"""Whoever migrates may take minutes; whoever hangs must not hold up the others for ever."""


def prepare() -> None:
    """Migrate if needed, make partitions, and prove that the key fits; safe in any number of processes at once.

    Raises ``Unavailable`` when the database does not answer or a lock does not come free, and ``ConfigurationInvalid``
    when ``DATABASE_URL`` names a database that cannot be used.
    """
    with closing(connect(configuration.current().database_url)) as guard:
        check_version(guard.info.server_version)
        try:
            _take_turn(guard)
            with _timeouts():
                _migrate()
                inbox.ensure_partitions()
                months.ensure_partitions()
                views.refresh()
                accounts.check_key(installation.sealer())
        except (DatabaseError, psycopg.Error, MigrationSchemaMissing) as error:
            explained = _explained(error)
            if explained is None:
                raise
            raise explained from error


def _take_turn(guard: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Wait until nobody else brings this database up to date; ``LockNotAvailable`` after six minutes.

    By asking again and again: a statement that waits for the lock holds a snapshot, for whose end an index that the
    other builds without blocking anybody would wait in turn.
    """
    until = clock.monotonic() + TURN_SECONDS
    pause = threading.Event()
    while guard.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchone() != (True,):
        if clock.monotonic() > until:
            message = "another process is still bringing this database up to date"
            raise psycopg.errors.LockNotAvailable(message)
        pause.wait(0.05)


def check_version(server_version: int) -> None:
    """Refuse a server older than PostgreSQL 15; ``server_version`` as libpq counts, such as 160004."""
    if server_version < OLDEST:
        raise configuration.ConfigurationInvalid(
            f"DATABASE_URL: The server is PostgreSQL {server_version // 10_000}; 15 or newer is needed.",
            hint="Name a newer server, or unset it for the embedded one.",
        )


def connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of one's own that commits each statement; raises ``Unavailable`` that says why there is none."""
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS)
    except psycopg.OperationalError as error:
        # The library names host, user and database, never the password.
        said = str(error).strip().partition("\n")[0]
        raise Unavailable(
            f"The database does not answer: {said}",
            code="database_unavailable",
            hint="Check that the PostgreSQL that DATABASE_URL names runs and lets this host in.",
        ) from None


@contextmanager
def _timeouts() -> Iterator[None]:
    """Let what needs a lock give way to the traffic, and not queue it up behind itself."""
    with connection.cursor() as cursor:
        cursor.execute("set lock_timeout = '5s'; set statement_timeout = '5min'")
    try:
        yield
    finally:
        # Where the connection is lost there is nothing to reset, and that error is the one to be told.
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("reset lock_timeout; reset statement_timeout")


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        log.info("schema.migrating", migrations=len(plan))
        call_command("migrate", interactive=False, verbosity=0)


def _explained(error: Exception) -> TrueupError | None:
    """What a database error means for the person who starts Trueup.

    None for one that only a mistake of ours explains.
    """
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, psycopg.Error):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, psycopg.errors.LockNotAvailable):
        return Unavailable(
            "The database was not brought up to date: another transaction keeps a lock that is needed.",
            code="schema_locked",
            hint="Nothing was changed; try again. `select * from pg_stat_activity order by xact_start` shows which.",
        )
    if isinstance(cause, psycopg.errors.QueryCanceled):
        return Unavailable(
            "The database was not brought up to date: a step took longer than five minutes.",
            code="schema_slow",
            hint="That step changed nothing; try again when the database has less to do.",
        )
    if isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return configuration.ConfigurationInvalid(
            "DATABASE_URL: the role may not make tables there.",
            hint="Let it own the database, or grant it usage and create on the schema.",
        )
    return None
