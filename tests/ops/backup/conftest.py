"""An installation with something in it, a backup of it, and ways to look at both."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.ops.conftest import Installation, as_url
from trueup.audit import subjects
from trueup.kernel.actor import system
from trueup.ops.backups import databases, restoring, taking
from trueup.ops.backups.restoring import Restored
from trueup.ops.backups.taking import Backup
from trueup.runtime import configuration, installation

TESTER = system("test")
KEY = base64.b64encode(bytes(range(32))).decode()
SECRET = "whsec_NeverInABackup1234"
SESSION = "sessionkeyneverinabackup00000000"
EVENTS = 40
FILLED = f"""
insert into inbox_event (account_id, livemode, event_id, created, type, kind, source, body_sha256, body, received_at)
select 1, false, 'evt_' || n, timestamptz '2026-11-01' + n * interval '1 hour', 'customer.updated', 'snapshot',
       'webhook', sha256('x'), decode(repeat('c0ffee00ff', 400), 'hex'), timestamptz '2026-11-02' + n * interval '1h'
from generate_series(1, {EVENTS}) n;
insert into django_session values ('{SESSION}', 'signed in', '2030-01-01');
insert into inbox_pending (account_id, livemode, event_id, created, attempts, due_at, received_at)
select account_id, livemode, event_id, created, 2, now() + interval '1 minute', received_at from inbox_event limit 5;
"""
"""Rows as they lie in a log: odd bytes, a queue with leases, a session."""

LEFT_OUT = {"django_session", "audit_unsealed", "audit_disclosure", "audit_subjectkey"}
"""Tables that differ: sessions, and what a backup and a restore note of themselves."""

Make = Callable[[], str]
Server = psycopg.Connection[tuple[Any, ...]]


def quiet(_what: str, _done: int, _total: int) -> None:
    """Nobody looks."""


def contents(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, but of sessions and of what a restore and a backup note of themselves."""
    found = {}
    with psycopg.connect(url) as connection:
        for (table,) in connection.execute(taking.TABLES).fetchall():
            statement = sql.SQL("select t::text from {} t order by 1").format(sql.Identifier(table))
            found[table] = connection.execute(statement).fetchall()
    noted = ("ops.backup", "ops.old_database")
    for month in (name for name in found if name.startswith("audit_logentry_")):
        found[month] = [row for row in found[month] if not any(word in row[0] for word in noted)]
    return {name: rows for name, rows in found.items() if name not in LEFT_OUT}


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that nothing changes."""
    name = f"trueup_backed_{uuid4().hex[:12]}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f'create database "{name}" template template0'.encode())
        url = as_url(make_conninfo(os.environ["DATABASE_URL"], dbname=name))
        home = tmp_path_factory.mktemp("backed") / "home"
        made = Installation(home=home, database=url, environment={"TRUEUP_SECRET_KEY": KEY})
        connected = made.run("connect", "--name", "acme", "--webhook-secret", SECRET, "--json")
        assert connected.status == 0, connected.err
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(FILLED.encode())
        yield made
        server.execute(f'drop database "{name}" with (force)'.encode())


@pytest.fixture(scope="session")
def kept(source: Installation, tmp_path_factory: pytest.TempPathFactory) -> Backup:
    """A backup of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRUEUP_SECRET_KEY", KEY)
        patch.setenv("TRUEUP_HOME", str(source.home))
        configuration.current.cache_clear()
        folder = tmp_path_factory.mktemp("kept")
        made = taking.take(url=source.database, folder=folder, keep=None, by=TESTER, tell=quiet)
    configuration.current.cache_clear()
    return made


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process has the installation's key, and a home of its own."""
    monkeypatch.setenv("TRUEUP_SECRET_KEY", KEY)
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path / "home"))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    subjects.forget()
    yield
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    subjects.forget()


@pytest.fixture
def empty(empty_database: Make, server: Server) -> Iterator[str]:
    """The address of an empty database; what restores leave beside it goes away, too."""
    url = empty_database()
    yield url
    _cleared(url, server)


@pytest.fixture
def filled(source: Installation, empty_database: Callable[[str], str], server: Server) -> Iterator[str]:
    """The address of a copy of the installation's database."""
    url = empty_database(databases.name_of(source.database))
    yield url
    _cleared(url, server)


def _cleared(url: str, server: Server) -> None:
    like = f"{databases.name_of(url)}\\_%"
    for (left,) in server.execute("select datname from pg_database where datname like %s", (like,)).fetchall():
        server.execute(f'drop database "{left}" with (force)'.encode())


def restored(backup: Path, url: str, *, replace: bool = False) -> Restored:
    """Plan and carry out, as the command does once somebody agreed."""
    _shown, said, target = restoring.plan(backup=backup, url=url, replace=replace, tell=quiet)
    return restoring.restore(backup=backup, said=said, target=target, url=url, by=TESTER, tell=quiet)
