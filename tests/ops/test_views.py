"""The commands on the SQL views, and the start that installs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.ops.conftest import Installation
from trueup.mirror.views.catalog import VIEWS
from trueup.ops import cli


@pytest.fixture
def limited(fresh: Installation, server: psycopg.Connection[tuple[Any, ...]]) -> Iterator[Installation]:
    """An installation whose role may make tables, and no schema."""
    role = f"trueup_limited_{uuid4().hex[:12]}"
    server.execute(f"create role {role} login password 'secret'".encode())
    with psycopg.connect(fresh.database) as owner:
        owner.execute(f"grant usage, create on schema public to {role}".encode())
    given = psycopg.conninfo.conninfo_to_dict(fresh.database)
    whole = fresh.database
    fresh.database = f"postgresql://{role}:secret@/{given['dbname']}?host={given['host']}"
    yield fresh
    with psycopg.connect(whole) as owner:
        owner.execute(f"drop owned by {role} cascade".encode())
    server.execute(f"drop role {role}".encode())


def test_a_start_installs_the_views_and_the_next_changes_nothing(fresh: Installation) -> None:
    first = fresh.run("migrate")
    assert first.status == 0, first.err
    made = fresh.rows("select min(oid::bigint), max(oid::bigint) from pg_class where relname = 'customers'")
    assert fresh.rows("select count(*) from stripe.customers") == [(0,)]
    assert fresh.rows("select count(*) from pg_views where schemaname = 'stripe'") == [(len(VIEWS) + 1,)]

    second = fresh.run("migrate")

    assert second.status == 0
    assert "views." not in first.err + second.err
    assert fresh.rows("select min(oid::bigint), max(oid::bigint) from pg_class where relname = 'customers'") == made


def test_a_role_that_may_make_no_schema_is_warned_and_everything_else_works(limited: Installation) -> None:
    ended = limited.run("migrate")

    assert (ended.status, ended.out) == (0, "✓ The database is up to date.\n")
    (line,) = [line for line in ended.err.splitlines() if "views.not_installed" in line]
    said = json.loads(line)
    assert said["level"] == "warning"
    assert said["reason"] == "not_permitted"
    assert "create schema stripe authorization" in said["hint"]
    assert limited.run("accounts", "--json").json == []


def test_the_views_are_listed_with_their_columns(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["views", "list", "--json"]) == 0

    listed = {view["name"]: view for view in json.loads(capsys.readouterr().out)}
    assert len(listed) == len(VIEWS)
    assert listed["customers"]["object_type"] == "customer"
    assert listed["customers"]["path"] is None
    assert listed["customers"]["columns"][0] == {"name": "id", "type": "text"}
    assert {"name": "created", "type": "timestamptz"} in listed["customers"]["columns"]
    assert listed["invoice_line_items"]["path"] == ["lines", "data"]
    assert cli.run(["views", "list"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == ["View", "Stripe", "Columns"]
    assert ["stripe.invoice_line_items", "invoice.lines.data", "32"] in [line.split() for line in shown]


def test_the_sql_of_a_view_is_printed(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["views", "sql", "payouts", "--json"]) == 0
    (made,) = json.loads(capsys.readouterr().out)
    assert made["kind"] == "view"
    assert made["sql"].startswith('create view stripe.payouts as\nselect o.id as "id"')

    assert cli.run(["views", "sql"]) == 0
    everything = capsys.readouterr().out
    assert f"{made['sql']};" in everything
    assert everything.index("create view stripe.objects") < everything.index("create view stripe.payouts")


def test_a_view_that_there_is_not_is_refused(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["views", "sql", "gizmos", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "view_unknown"
