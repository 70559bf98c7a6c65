"""Making a backup of a running installation: one moment of the whole database, in files that prove themselves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from psycopg import sql

from trueup.audit import service as audit
from trueup.audit.retention import keeping
from trueup.audit.types import Action
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Refused, Unavailable
from trueup.kernel.records import Record
from trueup.mirror.views.sql import SCHEMA as VIEWS
from trueup.ops import schema
from trueup.ops.backups import folder as folders
from trueup.ops.backups import keys, programs
from trueup.ops.backups import manifest as manifests
from trueup.ops.backups.manifest import DUMP, Manifest, Newest, Tell
from trueup.ops.backups.programs import Programs
from trueup.ops.backups.progress import Copied
from trueup.runtime import clock
from trueup.runtime.postgres.home import synchronise, write_atomically

Connection = psycopg.Connection[tuple[Any, ...]]

LEFT_OUT: Final = ("audit_subjectkey", "django_session")
"""The keys of subjects have a copy beside the database, from which whoever is erased goes, as no backup could let them
go. And whoever reads a session's row can be that person; after a restore people sign in again."""
LEVEL: Final = "1"
"""Of gzip: the next one takes half as long again for a twentieth less. pg_dump 15 knows no other way to say it."""
JOBS: Final = min(4, os.cpu_count() or 1)
LOOK: Final = 0.2
LOCK_WAIT: Final = "--lock-wait-timeout=60s"

TABLES: Final = b"""
select relname from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r' order by 1
"""
ROWS: Final = b"""
select coalesce(sum(greatest(s.n_live_tup, c.reltuples, 0)), 0)::bigint
from pg_class c left join pg_stat_user_tables s on s.relid = c.oid
where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
"""
NEWEST: Final = b"select event_id, created, received_at from inbox_event order by received_at desc limit 1"
APPLIED: Final = b"select app, array_agg(name order by name) from django_migrations group by app order by app"
READERS: Final = b"""
select distinct r.rolname from pg_class c cross join lateral aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
where c.relnamespace = to_regnamespace(%s) and c.relkind = 'v' and a.grantee <> c.relowner
  and a.privilege_type = 'SELECT' order by 1
"""


class Backup(Record, frozen=True):
    """A whole backup, as it is listed."""

    name: str
    path: str
    taken_at: datetime
    newest_event: Newest | None
    events: int
    bytes: int
    seconds: float
    trueup: str
    deleted: tuple[str, ...] = ()
    """Older backups that went when this one was made."""


def listed(path: Path, said: Manifest, deleted: Sequence[str] = ()) -> Backup:
    """What a list says of a backup."""
    return Backup(
        name=said.name,
        path=str(path),
        taken_at=said.taken_at,
        newest_event=said.newest_event,
        events=events_in(said),
        bytes=said.bytes,
        seconds=said.seconds,
        trueup=said.trueup,
        deleted=tuple(deleted),
    )


def events_in(said: Manifest) -> int:
    """How many events the log of a backup holds."""
    return sum(rows for table, rows in said.rows.items() if table.startswith("inbox_event"))


def take(*, url: str, folder: Path, keep: int | None, by: Actor, tell: Tell) -> Backup:
    """Back the database up into a new folder inside ``folder``, then delete all whole ones but the newest ``keep``.

    Nothing is held up meanwhile. Killed at any moment it leaves no folder that looks like a backup, and the next one
    removes what it left. Raises ``Refused`` (nothing to back up, no fitting programs, no folder), ``Unavailable`` (no
    room, no database) and ``Broken``.
    """
    begun = clock.monotonic()
    with folders.held(folder), closing(schema.connect(url)) as connection, ExitStack() as stack:
        with _snapshot(connection):
            said = _looked(connection)
            if "audit_subjectkey" in tables(connection):
                # Every key that the values in this backup are under is in the copy, or there is no backup.
                keeping.write_out(connection)
            using = programs.chosen(server=said.postgres // 10_000, encrypted=programs.encrypted(connection))
            partial, final = folders.begun(folder, said.taken_at)
            stack.callback(shutil.rmtree, partial, ignore_errors=True)
            rows = _dumped(connection, said, partial, using=using, url=url, tell=tell)
        try:
            taken = _finished(
                partial, msgspec.structs.replace(said, name=final.name, rows=rows, program=using.major), begun, tell
            )
        except OSError as error:
            raise Unavailable(
                f"The backup could not be written: {error.strerror}.", code="backup_no_room", hint=programs.ROOM_HINT
            ) from None
        partial.rename(final)
        synchronise(folder)
        with connection.transaction():
            _record(connection, taken, by)
        return listed(final, taken, folders.rotate(folder, keep) if keep else [])


@contextmanager
def _snapshot(connection: Connection) -> Iterator[None]:
    """Within it the connection sees one moment, and changes nothing."""
    connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
    with connection.transaction():
        yield
    connection.isolation_level, connection.read_only = None, None


def _looked(connection: Connection) -> Manifest:
    """What is known before the dump."""
    if not applied(connection):
        raise Refused(
            "There is nothing to back up: the database holds no tables of Trueup.",
            code="backup_nothing",
            hint="Check TRUEUP_HOME and DATABASE_URL: they may name another installation.",
        )
    key = keys.at_hand()
    row = connection.execute(b"select now(), current_schema(), pg_database_size(current_database())").fetchone()
    taken_at, own, size = row or (clock.now(), "public", 0)
    return Manifest(
        format=manifests.FORMAT,
        name="",
        taken_at=taken_at,
        trueup=metadata.version("trueup"),
        postgres=connection.info.server_version,
        program=0,
        schema=own,
        migrations=applied(connection),
        rows={},
        left_out=list(LEFT_OUT),
        newest_event=newest(connection),
        key=keys.id_of(key) if keys.opens(connection, key) else None,
        readers=[name for (name,) in connection.execute(READERS, (VIEWS,)).fetchall()],
        database_bytes=size,
        bytes=0,
        seconds=0,
        files={},
    )


def applied(connection: Connection) -> dict[str, list[str]]:
    """The migrations of a database, by app; empty when it holds no tables of ours."""
    there = connection.execute(b"select to_regclass('django_migrations'), to_regclass('inbox_event')").fetchone()
    if there is None or None in there:
        return {}
    return {app: list(names) for app, names in connection.execute(APPLIED).fetchall()}


def newest(connection: Connection) -> Newest | None:
    """The event that was received last; none in an empty log."""
    row = connection.execute(NEWEST).fetchone()
    return None if row is None else Newest(event_id=row[0], created=row[1], received_at=row[2])


def tables(connection: Connection) -> list[str]:
    """The names of all tables."""
    return [name for (name,) in connection.execute(TABLES).fetchall()]


def counts(connection: Connection) -> dict[str, int]:
    """Rows of every table, without those that no backup holds."""
    found = {}
    for table in tables(connection):
        if table not in LEFT_OUT:
            statement = sql.SQL("select count(*) from only {}").format(sql.Identifier(table))
            row = connection.execute(statement).fetchone()
            found[table] = int(row[0]) if row else 0
    return dict(sorted(found.items()))


def _dumped(
    connection: Connection, said: Manifest, partial: Path, *, using: Programs, url: str, tell: Tell
) -> dict[str, int]:
    """Dump the connection's snapshot, and count the rows in it meanwhile; gives the counts."""
    snapshot = connection.execute(b"select pg_export_snapshot()").fetchone()
    about = connection.execute(ROWS).fetchone()
    total = int(about[0]) if about else 0
    options = [
        *("--format=directory", f"--file={partial / DUMP}", f"--jobs={JOBS}", f"--compress={LEVEL}"),
        *("--no-owner", "--no-privileges", "--no-password", LOCK_WAIT, f'--schema="{said.schema}"'),
        *(f'--exclude-table-data="{said.schema}".{table}' for table in LEFT_OUT),
        f"--snapshot={snapshot[0] if snapshot else ''}",
    ]
    with ExitStack() as stack:
        copied = stack.enter_context(closing(Copied(url)))
        beside = stack.enter_context(ThreadPoolExecutor(1))
        run = programs.Run(using.folder / "pg_dump", options, url=url)
        stack.callback(run.stop)
        # The count is not waited for when the dump failed.
        stack.push(lambda kind, *_: connection.cancel_safe() if kind else None)
        counting = beside.submit(counts, connection)
        while not run.ended_within(LOOK):
            done = copied.rows()
            tell("Copying", done, max(total, done))
        tell("Counting", 0, 0)
        return counting.result()


def _finished(partial: Path, said: Manifest, begun: float, tell: Tell) -> Manifest:
    """Hash what was written, and write the manifest last; all of it is on the disk afterwards."""
    files, done = {}, 0
    paths = manifests.inside(partial)
    total = sum((partial / path).stat().st_size for path in paths)
    for path in paths:
        files[path] = manifests.described(partial / path, durable=True)
        done += files[path].bytes
        tell("Hashing", done, total)
    said = manifests.sealed(
        msgspec.structs.replace(said, files=files, bytes=total, seconds=round(clock.monotonic() - begun, 3))
    )
    write_atomically(partial / manifests.FILE, msgspec.json.format(msgspec.json.encode(said), indent=1).decode())
    synchronise(partial / DUMP)
    return said


def _record(connection: Connection, said: Manifest, by: Actor) -> None:
    audit.record(
        connection,
        by=by,
        action=Action.BACKUP_MADE,
        object_type="backup",
        object_id=said.name,
        after={
            "taken_at": said.taken_at,
            "events": events_in(said),
            "bytes": said.bytes,
            "seconds": round(said.seconds),
        },
    )
