"""Bringing the database up to date: by many at once, behind a lock, and without the rights."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.ops.conftest import Installation
from trueup.ops import schema
from trueup.runtime.configuration import ConfigurationInvalid


def applied(installation: Installation) -> list[tuple[Any, ...]]:
    """How often each migration was applied."""
    return installation.rows("select app, name, count(*) from django_migrations group by 1, 2 order by 1, 2")


def test_commands_that_start_at_once_on_a_fresh_database_migrate_once(fresh: Installation) -> None:
    fresh.environment["TRUEUP_LOG_LEVEL"] = "info"
    running = [fresh.start("connect", "--name", f"acme{number % 2}", "--json") for number in range(4)]
    ended = [(process.communicate(timeout=90), process.returncode) for process in running]

    assert [status for _said, status in ended] == [0] * 4, ended
    migrating = [line for (_out, err), _status in ended for line in err.splitlines() if "schema.migrating" in line]
    assert len(migrating) == 1
    assert {count for _app, _name, count in applied(fresh)} == {1}
    assert fresh.rows("select slug from accounts_account order by 1") == [("acme0",), ("acme1",)]
    assert fresh.rows("select count(*) from audit_entries") == [(2,)]
    assert fresh.rows("select count(*) from accounts_canary") == [(1,)]
    assert [file.name for file in fresh.home.glob("*.key")] == ["secret.key"]


def test_a_second_run_changes_nothing(fresh: Installation) -> None:
    fresh.environment["TRUEUP_LOG_LEVEL"] = "info"
    assert "schema.migrating" in fresh.run("migrate").err
    before = applied(fresh)

    again = fresh.run("migrate")

    assert (again.status, again.out) == (0, "✓ The database is up to date.\n")
    assert "schema.migrating" not in again.err
    assert applied(fresh) == before


def test_a_table_that_somebody_holds_is_waited_for_shortly_and_then_told(fresh: Installation) -> None:
    assert fresh.run("migrate").status == 0
    undo = "delete from django_migrations where app = 'accounts' and name = '0002_budget'"
    with psycopg.connect(fresh.database) as holder:
        holder.execute(undo.encode())
        holder.execute("drop table accounts_budget")
        holder.commit()
        holder.execute("lock table django_migrations in access exclusive mode")
        holder.execute("select 1")
        process = fresh.start("accounts", "--json")
        out, err = process.communicate(timeout=60)

    assert process.returncode == 1, (out, err)
    assert '"schema_locked"' in out
    assert "pg_stat_activity" in out
    assert "Traceback" not in err
    assert fresh.run("accounts", "--json").json == []
    assert fresh.rows("select to_regclass('accounts_budget') is not null") == [(True,)]


def test_a_role_that_may_not_make_tables_is_told_what_it_lacks(
    fresh: Installation, server: psycopg.Connection[tuple[Any, ...]]
) -> None:
    role = f"trueup_{fresh.rows('select pg_backend_pid()')[0][0]}"
    server.execute(f"create role {role} login password 'secret'".encode())
    given = psycopg.conninfo.conninfo_to_dict(fresh.database)
    fresh.database = f"postgresql://{role}:secret@/{given['dbname']}?host={given['host']}"
    try:
        ended = fresh.run("migrate")
    finally:
        server.execute(f"drop role {role}".encode())

    assert ended.status == 2
    assert "DATABASE_URL: the role may not make tables there." in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(("version", "named"), [(90_603, "9"), (140_011, "14"), (149_999, "14")])
def test_a_server_older_than_15_is_refused(version: int, named: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=f"DATABASE_URL: The server is PostgreSQL {named}; 15 or newer"):
        schema.check_version(version)


@pytest.mark.parametrize("version", [150_000, 150_004, 160_000, 180_001])
def test_a_server_of_15_or_newer_is_taken(version: int) -> None:
    schema.check_version(version)
