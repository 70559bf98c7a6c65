"""Databases of one server, for a restore: what is in the one named, who uses it, and how another takes its place."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from trueup.kernel.errors import Conflict, Refused, Unavailable
from trueup.kernel.records import Record
from trueup.ops import schema
from trueup.ops.backups import programs, taking

Connection = psycopg.Connection[tuple[Any, ...]]

RESTORING: Final = "_restoring"
BEFORE: Final = "_before_"
LONGEST: Final = 40
"""Bytes of the database's own name that the names beside it keep: PostgreSQL cuts names at 63."""
MAINTENANCE: Final = ("postgres", "template1")
OTHERS: Final = b"""
select coalesce(nullif(application_name, ''), 'a program') || coalesce(' from ' || host(client_addr), '')
from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
  and coalesce(backend_type, 'client backend') = 'client backend' order by 1
"""
USED: Final = b"""
select exists (select from inbox_event) or exists (select from accounts_account)
    or exists (select from operators_operator) or exists (select from audit_entry)
"""
RIGHTS: Final = b"""
select r.rolsuper or (r.rolcreatedb and coalesce(pg_has_role(d.datdba, 'USAGE'), true)), d.oid is not null,
       d.datlocprovider::text, d.datcollate, d.datctype
from pg_roles r left join pg_database d on d.datname = %s::text where r.rolname = current_user
"""
ALONE: Final = b"select pg_try_advisory_lock(hashtext('trueup restore'), hashtext(%s::text))"
ASIDE: Final = b"""
select datname, pg_database_size(datname) from pg_database
where left(datname, length(%s::text)) = %s and datallowconn order by 1
"""


class Aside(Record, frozen=True):
    """A database that a restore put aside."""

    name: str
    bytes: int


class Target(Record, frozen=True):
    """The database that a restore is to make, as it is before."""

    name: str
    server: int
    """The server's version as libpq counts."""
    encrypted: bool
    exists: bool
    tables: bool
    """Whether anything at all is in it."""
    used: bool
    """Whether that is more than a first start leaves."""
    events_until: datetime | None
    """When the newest event in it was received."""
    others: tuple[str, ...]
    """Who is connected to it."""
    may_replace: bool
    """Whether the role may make databases and rename this one; otherwise only an empty one can be filled."""
    free: int | None
    """Bytes of room on the server's disk; none where that cannot be seen from here."""
    collation: tuple[str, str] | None
    """Its collation and character type, where these are the operating system's."""


def look(url: str) -> Target:
    """What a restore would find. Changes nothing; raises ``Unavailable`` when the server does not answer."""
    name = name_of(url)
    with maintenance(url) as server:
        row = server.execute(RIGHTS, (name,)).fetchone()
        may, exists, provider, collate, ctype = row or (False, False, None, None, None)
        found = Target(
            name=name,
            server=server.info.server_version,
            encrypted=programs.encrypted(server),
            exists=exists,
            tables=False,
            used=False,
            events_until=None,
            others=(),
            may_replace=may,
            free=_free(server, url),
            collation=(collate, ctype) if provider == "c" else None,
        )
    schema.check_version(found.server)
    if not found.exists:
        return found
    with closing(schema.connect(url)) as connection:
        ours = bool(taking.applied(connection))
        used = ours and connection.execute(USED).fetchone() == (True,)
        newest = taking.newest(connection) if ours else None
        return Target(
            **{name: getattr(found, name) for name in ("name", "server", "encrypted", "exists", "may_replace", "free")},
            tables=connection.execute(taking.TABLES).fetchone() is not None,
            used=used,
            events_until=newest.received_at if newest else None,
            others=tuple(name for (name,) in connection.execute(OTHERS).fetchall()),
            collation=found.collation,
        )


def _free(server: Connection, url: str) -> int | None:
    """Room on the disk of a server on this host, which is asked through a socket."""
    if not str(conninfo_to_dict(url).get("host") or "").startswith("/"):
        return None
    row = server.execute(b"select setting from pg_settings where name = 'data_directory'").fetchone()
    try:
        return shutil.disk_usage(row[0]).free if row and row[0] else None
    except OSError:
        return None


def name_of(url: str) -> str:
    """The name of the database that an address names."""
    given = conninfo_to_dict(url)
    return str(given.get("dbname") or given.get("user") or "")


def beside(url: str, name: str) -> str:
    """The address of another database of the same server, in a form that ``DATABASE_URL`` takes."""
    given = conninfo_to_dict(url) | {"dbname": name}
    return "postgresql://?" + "&".join(f"{key}={quote(str(value), safe='')}" for key, value in given.items())


@contextmanager
def maintenance(url: str) -> Iterator[Connection]:
    """A connection to the server and not to the database, which can then be renamed; it may not even exist."""
    fault: Unavailable | None = None
    for name in (*MAINTENANCE, name_of(url)):
        try:
            connection = schema.connect(beside(url, name))
        except Unavailable as error:
            fault = fault or error
            continue
        with closing(connection):
            yield connection
        return
    raise fault or Unavailable("The database does not answer.", code="database_unavailable")


def make_staging(server: Connection, target: Target) -> str:
    """Make an empty database beside the target; what an interrupted restore left of one is dropped first."""
    name = f"{target.name[:LONGEST]}{RESTORING}"
    row = server.execute(ALONE, (name,)).fetchone()
    if row != (True,):
        raise Conflict(
            f"Another restore of {target.name} is under way.", code="restore_running", hint="Wait for its end."
        )
    drop(server, name)
    locale: sql.Composable = sql.SQL("")
    if target.collation:
        locale = sql.SQL(" lc_collate {} lc_ctype {}").format(*map(sql.Literal, target.collation))
    server.execute(
        sql.SQL("create database {} template template0 encoding 'UTF8'{}").format(sql.Identifier(name), locale)
    )
    return name


def clear(server: Connection, name: str) -> None:
    """Drop what an interrupted restore made, where the server still answers; the next restore does it otherwise."""
    with suppress(psycopg.Error):
        drop(server, name)


def drop(server: Connection, name: str) -> None:
    """Drop a database, whoever is connected to it. Idempotent."""
    server.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def swap(server: Connection, target: Target, staging: str, at: datetime) -> str | None:
    """Let the staging database be the target, in one step; gives the name under which the former one is kept."""
    aside = f"{target.name[:LONGEST]}{BEFORE}{at:%Y%m%dT%H%M%S}"
    rename = sql.SQL("alter database {} rename to {}")
    try:
        with server.transaction():
            if target.exists:
                server.execute(rename.format(sql.Identifier(target.name), sql.Identifier(aside)))
            server.execute(rename.format(sql.Identifier(staging), sql.Identifier(target.name)))
    except psycopg.errors.ObjectInUse:
        raise in_use(target.name, ("somebody who came meanwhile",)) from None
    return aside if target.exists else None


def in_use(name: str, others: tuple[str, ...]) -> Refused:
    """The error for a database that somebody is connected to."""
    return Refused(
        f"{name} is in use: {connected(others)}. Nothing was changed.",
        code="restore_in_use",
        hint="Stop `trueup up`, `web`, `intake` and `worker` on every machine, and whatever else reads it; try again.",
    )


def connected(others: tuple[str, ...]) -> str:
    """How many are connected, and the first of their names."""
    return f"{len(others)} connected ({', '.join(list(dict.fromkeys(others))[:5])})"


def aside(url: str) -> list[Aside]:
    """The databases that restores put aside, oldest first."""
    prefix = f"{name_of(url)[:LONGEST]}{BEFORE}"
    with maintenance(url) as server:
        return [Aside(name=name, bytes=size) for name, size in server.execute(ASIDE, (prefix, prefix)).fetchall()]
