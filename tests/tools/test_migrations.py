"""The gate that keeps migrations from stopping a running installation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation

from tools.migrations import newer, sql, squawk, unsafe

INDEX = models.Index(fields=["name"], name="seeded_name")
CHECK = models.CheckConstraint(condition=models.Q(name__gt=""), name="seeded_check")


def migration(*operations: Operation, initial: bool = False, atomic: bool = True) -> Migration:
    """A migration of an app, after its first one unless told otherwise."""
    members: dict[str, Any] = {"operations": list(operations), "initial": initial, "atomic": atomic}
    seeded: type[Migration] = type("Migration", (Migration,), members)
    return seeded("0009_seeded", "inbox")


def nothing(_apps: object, _editor: object) -> None:
    """Move no data."""


@pytest.mark.parametrize(
    ("_case", "operation", "says"),
    [
        ("an index that blocks writes", migrations.AddIndex("event", INDEX), "AddIndexConcurrently"),
        ("an index dropped in the way", migrations.RemoveIndex("event", "inbox_event"), "RemoveIndexConcurrently"),
        ("a constraint that reads all", migrations.AddConstraint("event", CHECK), "AddConstraintNotValid"),
        ("a column renamed", migrations.RenameField("event", "type", "kind"), "drop the old one later"),
        ("a table renamed", migrations.RenameModel("Event", "Fact"), "drop the old one later"),
        ("data moved in a migration", migrations.RunPython(nothing), "by a drain"),
        ("a column that old code leaves out", migrations.AddField("event", "hash", models.TextField()), "db_default"),
        (
            "the same, behind a separate state",
            migrations.SeparateDatabaseAndState(database_operations=[migrations.AddIndex("event", INDEX)]),
            "AddIndexConcurrently",
        ),
    ],
)
def test_a_migration_that_may_stop_a_running_installation_is_refused(
    _case: str, operation: Operation, says: str
) -> None:
    (problem,) = unsafe(migration(operation))

    assert problem.startswith("inbox.0009_seeded: ")
    assert says in problem


@pytest.mark.parametrize(
    ("_case", "found"),
    [
        ("the first of an app", migration(migrations.AddIndex("event", INDEX), initial=True)),
        ("a column that may be null", migration(migrations.AddField("event", "note", models.TextField(null=True)))),
        ("a column with a default", migration(migrations.AddField("event", "note", models.TextField(db_default="")))),
        ("an index built aside", migration(AddIndexConcurrently("event", INDEX), atomic=False)),
        ("a constraint checked later", migration(AddConstraintNotValid("event", CHECK))),
        ("the check of a constraint", migration(ValidateConstraint("event", "seeded_check"))),
        (
            "an index of a table made beside it",
            migration(
                migrations.CreateModel("Fresh", [("id", models.BigAutoField(primary_key=True))]),
                migrations.AddIndex("fresh", INDEX),
            ),
        ),
    ],
)
def test_a_migration_that_a_running_installation_survives_is_let_through(_case: str, found: Migration) -> None:
    assert unsafe(found) == []


def test_what_is_built_aside_stands_alone_in_its_migration() -> None:
    several = migration(AddIndexConcurrently("event", INDEX), migrations.RunSQL("select 1"), atomic=False)

    assert unsafe(several) == [
        "inbox.0009_seeded: atomic = False with several operations: a failure would leave some of them done"
    ]


def test_our_migrations_after_the_first_are_looked_at_with_their_sql() -> None:
    found = {f"{one.app_label}.{one.name}": sql(one) for one in newer()}

    assert "create trigger audit_entry_append_only" in found["audit.0002_append_only"]
    assert all(text.startswith("set lock_timeout") for text in found.values())
    assert "inbox.0001_initial" not in found


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("alter table inbox_event add column note text;", 0),
        ("alter table inbox_event alter column livemode type text;", 1),
        ("create index seeded on inbox_event (event_id);", 1),
        ("alter table inbox_event alter column note set not null;", 1),
    ],
)
def test_the_sql_of_a_migration_is_linted(statement: str, expected: int, tmp_path: Path) -> None:
    file = tmp_path / "inbox.0009_seeded.sql"
    file.write_text(f"set lock_timeout = '5s';\nset statement_timeout = '5min';\n{statement}\n", encoding="utf-8")

    assert squawk([file]) == expected
