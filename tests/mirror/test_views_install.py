"""Installing the views: once, again, over older ones, and past whatever stands in the way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pytest_django import DjangoDbBlocker

from tests.web.console import world
from trueup.mirror.views import install, sql
from trueup.mirror.views.install import Outcome
from trueup.runtime import database

STALE = "comment on view stripe.customers is 'trueup:0000 of an older release'"


def rows(statement: str) -> list[tuple[Any, ...]]:
    """Ask the database."""
    return database.execute(statement).fetchall()


def oids() -> set[tuple[Any, ...]]:
    """What tells one making of the views from another."""
    return set(rows("select oid from pg_class where relnamespace = to_regnamespace('stripe')"))


@pytest.fixture
def role(db: None) -> str:
    """A role that may log in and nothing else; it goes with the test's transaction."""
    name = f"trueup_views_{uuid4().hex[:12]}"
    database.execute(f"create role {name} login")
    return name


def test_a_second_time_changes_nothing(db: None) -> None:
    assert install.refresh() is Outcome.INSTALLED
    before = oids()

    assert install.refresh() is Outcome.CURRENT
    assert oids() == before
    assert len(before) == sum(made.kind == "view" for made in sql.everything())


def test_an_older_version_is_replaced_whole(db: None) -> None:
    install.refresh()
    before = oids()
    database.execute("create view stripe.gizmos as select 1 as id")
    database.execute("comment on view stripe.gizmos is 'trueup:0000 of an older release'")

    assert install.refresh() is Outcome.INSTALLED
    assert oids() & before == set()
    assert rows("select to_regclass('stripe.gizmos') is null") == [(True,)]
    assert install.refresh() is Outcome.CURRENT


def test_a_view_that_somebody_dropped_comes_back(db: None) -> None:
    install.refresh()
    database.execute("drop view stripe.payouts")

    assert install.refresh() is Outcome.INSTALLED
    assert rows("select count(*) from stripe.payouts") == [(0,)]


def test_nobody_is_granted_anything_and_what_the_operator_granted_stays(role: str) -> None:
    install.refresh()
    assert rows(
        "select count(*) from pg_class where relnamespace = to_regnamespace('stripe') and relacl is not null"
    ) == [(0,)]
    database.execute(f"grant select on stripe.customers to {role} with grant option")
    database.execute("grant select on stripe.prices to public")
    database.execute(STALE)

    assert install.refresh() is Outcome.INSTALLED
    granted = rows(
        "select table_name, grantee, privilege_type, is_grantable from information_schema.role_table_grants "
        "where table_schema = 'stripe' and grantee <> grantor order by 1"
    )
    assert granted == [("customers", role, "SELECT", "YES"), ("prices", "PUBLIC", "SELECT", "NO")]


def test_a_role_made_by_the_recipe_reads_the_views_and_nothing_else(role: str) -> None:
    install.refresh()
    world.told(world.connect(), world.event("customer.created", world.customer("cus_1", "Ada")))
    for statement in (
        f"grant usage on schema stripe to {role}",
        f"grant select on all tables in schema stripe to {role}",
        f"alter default privileges in schema stripe grant select on tables to {role}",
    ):
        database.execute(statement)

    database.execute(f"set local role {role}")
    assert rows("select id, name from stripe.customers") == [("cus_1", "Ada")]
    for table in ("mirror_object", "inbox_event", "accounts_account"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction():
            rows(f"select count(*) from {table}")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState), database.transaction():
        rows("delete from stripe.customers")


def test_a_role_that_may_not_make_a_schema_is_told_so_and_goes_on(
    role: str, capsys: pytest.CaptureFixture[str]
) -> None:
    database.execute(f"set local role {role}")

    assert install.refresh() is Outcome.NOT_PERMITTED
    assert rows("select to_regnamespace('stripe') is null") == [(True,)]
    said = capsys.readouterr().out
    assert "views.not_installed" in said
    assert "create schema stripe authorization" in said


def test_a_schema_that_the_owner_of_the_database_made_is_used(role: str) -> None:
    database.execute(f"create schema stripe authorization {role}")
    database.execute(f"grant select, references on accounts_account, mirror_object, inbox_event to {role}")
    database.execute(f"set local role {role}")

    assert install.refresh() is Outcome.INSTALLED
    assert rows("select count(*) from stripe.customers") == [(0,)]


@pytest.mark.parametrize(
    ("_case", "theirs"),
    [
        ("a table", "create table stripe.customers (id text primary key)"),
        ("a view", "create view stripe.objects as select 1 as id"),
        ("a function", "create function stripe.as_text(jsonb) returns text language sql return 'theirs'"),
    ],
)
def test_what_another_mirror_has_in_the_schema_is_left_alone(
    db: None, capsys: pytest.CaptureFixture[str], _case: str, theirs: str
) -> None:
    database.execute("create schema stripe")
    database.execute(theirs)

    assert install.refresh() is Outcome.NAME_TAKEN
    assert rows("select count(*) from pg_class where relnamespace = to_regnamespace('stripe') and relkind <> 'i'") == [
        (int("function" not in theirs),)
    ]
    assert "Another mirror lives in the schema stripe" in capsys.readouterr().out


def test_a_warning_names_a_few_of_many(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    database.execute("create schema stripe")
    for name in ("charges", "coupons", "customers", "events", "invoices", "plans", "prices", "products"):
        database.execute(f"create table stripe.{name} (id text primary key)")

    assert install.refresh() is Outcome.NAME_TAKEN
    assert "charges, coupons, customers, invoices, plans and 2 more" in capsys.readouterr().out


def test_other_things_of_others_in_the_schema_are_no_obstacle(db: None) -> None:
    database.execute("create schema stripe")
    database.execute("create table stripe.notes (id text primary key)")

    assert install.refresh() is Outcome.INSTALLED
    assert rows("select count(*) from stripe.notes") == [(0,)]


def test_what_others_built_on_a_view_keeps_the_old_one(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    install.refresh()
    before = oids()
    database.execute("create view public.our_customers as select id, email from stripe.customers")
    database.execute(STALE)

    assert install.refresh() is Outcome.IN_USE
    assert oids() == before
    assert "our_customers" in capsys.readouterr().out
    database.execute("drop view public.our_customers")
    assert install.refresh() is Outcome.INSTALLED


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The views, outdated, where another connection sees them."""
    with django_db_blocker.unblock():
        install.refresh()
        database.execute(STALE)
        yield
        database.execute("drop schema stripe cascade")


def test_a_report_that_runs_is_not_waited_for(committed: None, capsys: pytest.CaptureFixture[str]) -> None:
    address = make_conninfo(os.environ["DATABASE_URL"], dbname=database.connection().info.dbname)
    with psycopg.connect(address) as report:
        report.execute("select count(*) from stripe.customers")
        assert install.refresh() is Outcome.BUSY
        assert report.execute("select count(*) from stripe.customers").fetchall() == [(0,)]

    assert "made anew at the next start" in capsys.readouterr().out
    assert install.refresh() is Outcome.INSTALLED
