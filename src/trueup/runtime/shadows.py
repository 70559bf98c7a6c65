"""Shadow tables: tables made anew beside the live ones, in a schema of their own, and put in their place at one stroke.

The code that fills the live tables fills their shadows unchanged: its statements name tables without a schema, and in
``within`` the shadow's schema comes first. What has no shadow, such as the log, is the live table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg import sql

from trueup.kernel.errors import Conflict
from trueup.kernel.records import Record
from trueup.runtime import configuration, database

SCHEMA: Final = "trueup_rebuild"
RETIRED: Final = "trueup_retired"
"""Where the live tables stand for a moment, on their way out."""
LOCK: Final = 7_413_202_612
"""The advisory lock of whoever makes shadow tables; any number that nobody else uses."""

Connection = psycopg.Connection[tuple[Any, ...]]


class Derived(Record, frozen=True):
    """A table that is made from the log.

    ``work`` names the columns that say when the work was done and not what came of it. ``derived`` is the SQL condition
    of the rows that are made from the log; the others were said by people, and are kept.
    """

    table: str
    key: tuple[str, ...]
    work: tuple[str, ...] = ()
    derived: str = "true"


# Locks and wakes are for those who share the live tables. In a shadow one writer is alone, must hold up nobody, and has
# nothing to announce; these stand before PostgreSQL's own, because the search path names the schema first.
_SILENT: Final = b"""
create function trueup_rebuild.pg_advisory_xact_lock(bigint) returns void language sql as 'select';
create function trueup_rebuild.pg_advisory_xact_lock_shared(bigint) returns void language sql as 'select';
create function trueup_rebuild.pg_notify(text, text) returns void language sql as 'select'
"""
_DROP: Final = f"drop schema if exists {SCHEMA} cascade".encode()
_INDEXES: Final = b"""
select i.indexrelid::regclass::text, c.relname, pg_get_indexdef(i.indexrelid), k.contype::text
from pg_index i join pg_class c on c.oid = i.indexrelid
left join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = i.indrelid and k.contype in ('p', 'u')
where i.indrelid = %(table)s::regclass order by c.relname
"""
_GRANTS: Final = b"""
select a.privilege_type, coalesce(r.rolname, ''), a.is_grantable
from pg_class c cross join lateral aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
where c.oid = %(table)s::regclass and a.grantee <> c.relowner order by 1, 2
"""
_OPTIONS: Final = b"select coalesce(reloptions, '{}') from pg_class where oid = %(table)s::regclass"
_COLUMNS: Final = b"""
select coalesce(array_agg(attname || ' ' || format_type(atttypid, atttypmod) order by attnum), '{}') from pg_attribute
where attrelid = %(table)s::regclass and attnum > 0 and not attisdropped
"""
_VIEWS: Final = b"""
select distinct n.nspname, c.relname, pg_get_viewdef(c.oid), coalesce(c.reloptions, '{}')
from pg_depend d join pg_rewrite r on r.oid = d.objid join pg_class c on c.oid = r.ev_class
join pg_namespace n on n.oid = c.relnamespace
where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and c.relkind = 'v'
  and d.refobjid = any (%(tables)s::regclass[]::oid[])
"""
# A row that is not visible yet was received after its transaction began. Autovacuum and the like write no events; of
# other roles, where we may not see their transactions, a wide margin is assumed.
_SETTLED: Final = b"""
select least(clock_timestamp(), min(xact_start))
       - case when bool_or(state is null) then interval '10 minutes' else interval '2 seconds' end
from pg_stat_activity
where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
"""

_OCCUPIED: Final = b"""
select exists (
    select from pg_locks l join pg_stat_activity a using (pid)
    where l.relation = any (%(tables)s::regclass[]::oid[]) and l.granted and pid <> pg_backend_pid()
      and a.backend_type = 'client backend' and a.xact_start < clock_timestamp() - %(longer)s
)
"""


@contextmanager
def held() -> Iterator[None]:
    """Be the only one who makes shadow tables; ``Conflict`` while another is. What a killed one left is removed."""
    url = configuration.current().database_url
    with psycopg.connect(url, autocommit=True, dbname=database.connection().info.dbname) as guard:
        row = guard.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
        if row != (True,):
            raise Conflict(
                "Another rebuild is under way.",
                code="rebuild_running",
                hint="Wait for it, or end it: nothing that it made has been put in place yet.",
            )
        try:
            drop()
            try:
                yield
            except Exception:
                drop()
                raise
            except BaseException:
                # An interrupt may fall between the statements of a transaction, whose connection is then of no use.
                database.close()
                guard.execute(_DROP)
                raise
            drop()
        finally:
            # The server notices a closed connection a moment later; whoever comes next need not be refused meanwhile.
            with suppress(psycopg.OperationalError):
                guard.execute("select pg_advisory_unlock(%s)", (LOCK,))


def drop() -> None:
    """Remove every shadow; the live tables are not touched. Does nothing where there is none."""
    with database.transaction() as connection:
        connection.execute(_DROP)


def settled_until() -> datetime:
    """A moment before which every row received is visible to whoever looks from now on."""
    row = database.execute(_SETTLED.decode()).fetchone()
    if row is None or row[0] is None:
        row = database.execute("select clock_timestamp() - interval '2 seconds'").fetchone()
    moment: datetime = (row or (None,))[0]
    return moment


class Shadow:
    """The shadows of some tables."""

    def __init__(self, tables: Sequence[Derived], queues: Sequence[str]) -> None:
        """Make them, empty; ``queues`` are tables that the work needs and that are never put in place."""
        self.tables = tuple(tables)
        with database.transaction() as connection:
            row = connection.execute("select current_schema()").fetchone()
            self.home: Final[str] = row[0] if row is not None else "public"
            connection.execute(f"create schema {SCHEMA}".encode())
            connection.execute(_SILENT)
            for derived in self.tables:
                self._clone(connection, derived.table)
            for queue in queues:
                statement = "create table {} (like {} including all)"
                connection.execute(sql.SQL(statement).format(sql.Identifier(SCHEMA, queue), self.live(queue)))
            self._columns = {one.table: self._described(connection, self.live(one.table)) for one in self.tables}

    def live(self, table: str) -> sql.Identifier:
        """The live table's name, with its schema."""
        return sql.Identifier(self.home, table)

    def name(self, table: str) -> str:
        """The same, as text for a statement."""
        return self.live(table).as_string(None)

    @contextmanager
    def within(self) -> Iterator[Connection]:
        """One transaction, or a part of one, in which names of tables mean their shadows where there are any."""
        with database.transaction() as connection:
            path = sql.SQL("set local search_path = {}, pg_catalog, {}")
            connection.execute(path.format(sql.Identifier(SCHEMA), sql.Identifier(self.home)))
            connection.execute("set local synchronous_commit = off")
            yield connection
            connection.execute("set local search_path = default; set local synchronous_commit = default")

    def occupied(self, longer: timedelta) -> bool:
        """Whether a transaction that is open for ``longer`` uses a live table.

        Who waited for it would hold up everybody else.
        """
        values = {"tables": [self.name(derived.table) for derived in self.tables], "longer": longer}
        return database.connection().execute(_OCCUPIED, values).fetchone() == (True,)

    def analyze(self) -> None:
        """Let the planner know what the shadows hold."""
        with database.transaction() as connection:
            for derived in self.tables:
                connection.execute(sql.SQL("analyze {}").format(sql.Identifier(SCHEMA, derived.table)))

    def exchange(self, connection: Connection) -> None:
        """Put the shadows in the place of the live tables, and drop those; the caller holds the live ones.

        Indexes keep their names, grants are given again, and views that read the tables read the new ones. ``Conflict``
        where something else is built on a live table, or where its columns were changed meanwhile.
        """
        for derived in self.tables:
            if self._described(connection, self.live(derived.table)) != self._columns[derived.table]:
                raise Conflict(
                    f"The table {derived.table} got other columns meanwhile.",
                    code="rebuild_outdated",
                    hint="Nothing was changed; rebuild again.",
                )
        names = [f"{self.home}.{derived.table}" for derived in self.tables]
        connection.execute("set local search_path = pg_catalog")
        views = connection.execute(_VIEWS, {"tables": names}).fetchall()
        connection.execute("set local search_path = default")
        connection.execute(f"create schema {RETIRED}".encode())
        for derived in self.tables:
            name = derived.table
            for moved, to in ((self.live(name), RETIRED), (sql.Identifier(SCHEMA, name), self.home)):
                connection.execute(sql.SQL("alter table {} set schema {}").format(moved, sql.Identifier(to)))
        for schema, name, body, options in views:
            given = sql.SQL(f" with ({', '.join(options)})" if options else "")
            view = sql.Identifier(schema, name)
            connection.execute(sql.SQL("create or replace view {}{} as {}").format(view, given, sql.SQL(body)))
        retired = sql.SQL(", ").join(sql.Identifier(RETIRED, derived.table) for derived in self.tables)
        try:
            connection.execute(sql.SQL("drop table {}").format(retired))
        except psycopg.errors.DependentObjectsStillExist as error:
            raise Conflict(
                f"Something is built on a table that is to be exchanged: {error.diag.message_detail}",
                code="rebuild_in_use",
                hint="Nothing was changed. Drop it, rebuild, and make it again.",
            ) from error
        connection.execute(f"drop schema {RETIRED}".encode())

    def _clone(self, connection: Connection, table: str) -> None:
        """An empty table of the same columns, indexes, constraints, options and grants, under the same names."""
        shadow, live = sql.Identifier(SCHEMA, table), self.live(table)
        like = "create table {} (like {} including all excluding indexes excluding statistics)"
        connection.execute(sql.SQL(like).format(shadow, live))
        named = {"table": live.as_string(connection)}
        row = connection.execute(_OPTIONS, named).fetchone()
        if row is not None and row[0]:
            connection.execute(sql.SQL("alter table {} set ({})").format(shadow, sql.SQL(", ".join(row[0]))))
        for _full, index, made, constraint in connection.execute(_INDEXES, named).fetchall():
            head, _on, rest = made.partition(" ON ")
            connection.execute(
                sql.SQL("{} on {} {}").format(sql.SQL(head), shadow, sql.SQL(rest[rest.index("USING") :]))
            )
            if constraint:
                kind = sql.SQL("primary key" if constraint == "p" else "unique")
                add = sql.SQL("alter table {} add constraint {} {} using index {}")
                connection.execute(add.format(shadow, sql.Identifier(index), kind, sql.Identifier(index)))
        for privilege, role, grantable in connection.execute(_GRANTS, named).fetchall():
            to = sql.Identifier(role) if role else sql.SQL("public")
            more = sql.SQL(" with grant option" if grantable else "")
            connection.execute(sql.SQL("grant {} on {} to {}{}").format(sql.SQL(privilege), shadow, to, more))

    def _described(self, connection: Connection, table: sql.Identifier) -> list[str]:
        row = connection.execute(_COLUMNS, {"table": table.as_string(connection)}).fetchone()
        return list(row[0]) if row is not None else []
