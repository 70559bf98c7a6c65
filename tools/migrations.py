"""Lints migrations: none is missing, and none after an app's first may stop a running installation.

No server is needed: Django writes the SQL of a migration without one, and squawk reads it. The first migration of an
app makes tables that nobody uses yet, so only what comes after it is looked at.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import django
import psycopg.sql
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections, migrations
from django.db.backends.postgresql import operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation

PACKAGE: Final = "trueup"
POSTGRES: Final = "15.0"
OLDEST: Final = 150_000
"""The oldest server that Trueup runs on; as libpq counts."""
TIMEOUTS: Final = "set lock_timeout = '5s';\nset statement_timeout = '5min';\n"
"""What the schema is migrated under; the linter wants to see it in each file."""
EXCLUDED: Final = (
    "prefer-robust-stmts",  # A migration runs in one transaction, so it is there entirely or not at all.
    "require-table-schema",  # One schema holds all; the search path names it.
    "prefer-bigint-over-int",  # The size of a column is chosen: a rate or a number of attempts stays small.
    "prefer-bigint-over-smallint",
)

ALONE: Final = "alone in a migration with atomic = False"
LATER: Final = "breaks the version that still runs: add the new one, move the data, drop the old one later"
REFUSED: Final[dict[type[Operation], str]] = {
    migrations.AddIndex: f"blocks writes while it builds: use AddIndexConcurrently, {ALONE}",
    migrations.RemoveIndex: f"waits behind every reader: use RemoveIndexConcurrently, {ALONE}",
    migrations.AddConstraint: "reads the whole table under a lock: use AddConstraintNotValid, then ValidateConstraint",
    migrations.RenameField: LATER,
    migrations.RenameModel: LATER,
    migrations.RunPython: "holds its locks while it moves data: move data by a drain over dirty rows",
}
"""Operations that may stop a running installation, by their exact class: the safe ones are subclasses of these."""


def written(statement: str, params: Sequence[object] | None, _connection: object) -> str:
    """A statement with its parameters as literals. Django asks a server to do this; none runs here."""
    return statement % tuple(psycopg.sql.Literal(param).as_string() for param in params) if params else statement


vars(operations)["mogrify"] = written


def unsafe(migration: Migration) -> list[str]:
    """Why a migration could stop a running installation; empty for a safe one, and for the first of an app."""
    if migration.initial:
        return []
    fresh = {
        operation.name_lower for operation in migration.operations if isinstance(operation, migrations.CreateModel)
    }
    found = [problem for operation in migration.operations for problem in _problems(operation, fresh)]
    if not migration.atomic and len(migration.operations) > 1:
        found.append("atomic = False with several operations: a failure would leave some of them done")
    return [f"{migration.app_label}.{migration.name}: {problem}" for problem in found]


def _problems(operation: Operation, fresh: set[str]) -> Iterator[str]:
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        for part in operation.database_operations:
            yield from _problems(part, fresh)
        return
    if getattr(operation, "model_name", "").lower() in fresh:
        return
    if type(operation) in REFUSED:
        yield f"{operation.describe()}: {REFUSED[type(operation)]}"
    if isinstance(operation, migrations.AddField) and not operation.field.null and not operation.field.has_db_default():
        yield f"{operation.describe()}: the version that still runs does not fill it: allow null or give a db_default"


def newer() -> list[Migration]:
    """Our migrations that are not the first of their app, in order."""
    loader = MigrationLoader(None)
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith(f"{PACKAGE}.")}
    return [found for key, found in sorted(loader.disk_migrations.items()) if key[0] in ours and not found.initial]


@contextmanager
def _oldest_server() -> Iterator[None]:
    """Have Django write for the oldest server; which statements it writes depends on that, and it would ask one."""
    known = vars(connections["default"])
    before = known.get("pg_version")
    known["pg_version"] = OLDEST
    try:
        yield
    finally:
        known.pop("pg_version")
        if before is not None:
            known["pg_version"] = before


def sql(migration: Migration) -> str:
    """The statements of a migration as PostgreSQL would get them, without asking a server."""
    state = MigrationLoader(None).project_state((migration.app_label, migration.name), at_end=False)
    # Not `migration.apply`: it opens a transaction, and thereby a connection, even where it only collects.
    with _oldest_server(), connection.schema_editor(collect_sql=True, atomic=False) as editor:
        for operation in migration.operations:
            before = state.clone()
            operation.state_forwards(migration.app_label, state)
            if operation.reduces_to_sql:
                operation.database_forwards(migration.app_label, editor, before, state)
    return TIMEOUTS + "\n".join(editor.collected_sql) + "\n"


def squawk(files: list[Path], *, atomic: bool = True) -> int:
    """Lint SQL files of migrations in one transaction each, or in none; 0 when nothing is wrong.

    Findings go to the terminal.
    """
    if not files:
        return 0
    linter = Path(sys.executable).with_name("squawk")
    within = ["--assume-in-transaction"] if atomic else []
    excluded = [f"--exclude={rule}" for rule in EXCLUDED]
    command = [str(linter), "--pg-version", POSTGRES, *within, *excluded, *map(str, files)]
    return subprocess.run(command, check=False).returncode


def main() -> int:
    """Look for missing and for unsafe migrations; 0 when there are none."""
    os.environ["DJANGO_SETTINGS_MODULE"] = f"{PACKAGE}.config.settings"
    django.setup()
    problems = [problem for migration in newer() for problem in unsafe(migration)]
    for problem in problems:
        print(problem)
    with tempfile.TemporaryDirectory(prefix="trueup-sql-") as folder:
        files: dict[bool, list[Path]] = {True: [], False: []}
        for migration in newer():
            file = Path(folder) / f"{migration.app_label}.{migration.name}.sql"
            file.write_text(sql(migration), encoding="utf-8")
            files[migration.atomic].append(file)
        linted = max(squawk(found, atomic=atomic) for atomic, found in files.items())
    # Last, because it takes the database away: Django would ask it which migrations ran, which is of no interest here.
    settings.DATABASES["default"]["ENGINE"] = "django.db.backends.dummy"
    call_command("makemigrations", check=True, dry_run=True, verbosity=1)
    return 1 if problems or linted else 0


if __name__ == "__main__":
    sys.exit(main())
