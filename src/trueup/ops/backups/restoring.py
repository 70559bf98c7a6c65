"""Bringing a backup back: verified first, made beside what is there, and put in its place in one step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from trueup.audit import service as audit
from trueup.audit.retention import recovering
from trueup.audit.retention.recovering import Recovered
from trueup.audit.types import Action
from trueup.inbox.sweep import service as sweeps
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Broken, Refused, TrueupError
from trueup.kernel.records import Record
from trueup.mirror.views.sql import SCHEMA as VIEWS
from trueup.ops import schema
from trueup.ops.backups import databases, keys, programs, taking
from trueup.ops.backups import manifest as manifests
from trueup.ops.backups.databases import Target
from trueup.ops.backups.manifest import DUMP, BackupDamaged, Manifest, Newest, Tell
from trueup.ops.backups.programs import Programs
from trueup.ops.backups.progress import Copied
from trueup.ops.main import USAGE_ERROR
from trueup.runtime import clock, installation, processes

STRIPE_KEEPS: Final = timedelta(days=30)
"""How long Stripe lists events: https://docs.stripe.com/api/events."""
MARGIN: Final = timedelta(days=5)
"""The sweep is trusted with what is that much younger; see the alarm on a cursor that is too old."""
ROOM: Final = 1.5
"""Bytes that a restore takes for each of the database it makes: the rows, and the log of writing them."""
KNOWN: Final = b"select 1 from pg_roles where rolname = %s"


class Plan(Record, frozen=True):
    """What a restore would do; nothing is changed yet."""

    backup: str
    path: str
    taken_at: datetime
    newest_event: Newest | None
    events: int
    trueup: str
    database: str
    replaces: bool
    """Whether a database with something in it would be put aside."""
    replaced_until: datetime | None
    """When its newest event was received: what is newer than the backup is in the log of the old one only."""
    migrations: int
    """How many steps bring the backup to this version."""
    in_use_by: tuple[str, ...]
    """Who is connected to the database and has to leave before it is restored; somebody only in a dry run."""
    key_fits: bool | None
    """Whether the key at hand opens the backup's secrets; none when the backup does not say."""


class Restored(Record, frozen=True):
    """What a restore did."""

    backup: str
    database: str
    point_of_recovery: datetime
    """What was committed before this moment is there, and nothing else."""
    newest_event: Newest | None
    events: int
    rows: int
    migrations: int
    kept_aside: str | None
    """The name under which the former database is kept, until ``trueup restore --drop-old``."""
    readers_missing: tuple[str, ...]
    """Roles that could read the views and are not known to this server."""
    gap_seconds: int
    """From the point of recovery until the restore was done."""
    subjects_erased: int
    """Whoever the backup still told of and had been erased since: erased again, before anybody could look."""
    values_erased: int
    """Personal values of the audit log that went with them."""
    keys_returned: int
    """Subjects whose personal values in the audit log can be opened: their keys came from the copy beside it."""
    keys_missing: int
    """Subjects whose values nobody can open any more, because their keys are not in that copy."""
    beyond_events: bool
    """Whether the gap may be longer than Stripe lists events, so that objects have to be compared as well."""
    seconds: float


def plan(*, backup: Path, url: str, replace: bool, tell: Tell, dry_run: bool = False) -> tuple[Plan, Manifest, Target]:
    """Look at everything that could stand in the way. Changes nothing.

    Raises ``BackupDamaged``, ``NotFound``, ``Refused`` (a newer backup, another key, a database that is not empty or,
    but for a ``dry_run``, in use) or ``Unavailable``.
    """
    said = manifests.read(backup)
    steps = _steps(said)
    key = keys.at_hand()
    if said.key is not None and keys.id_of(key) != said.key:
        raise _other_key(key)
    target = databases.look(url)
    if target.others and not dry_run:
        raise databases.in_use(target.name, target.others)
    if target.used and not replace:
        raise Refused(
            f"The database {target.name} is not empty.",
            code="restore_not_empty",
            hint="Add --replace to put it aside (it is kept under another name), or name another one with --into.",
        )
    if target.tables and not target.may_replace:
        raise Refused(
            f"The database {target.name} is not empty, and the role may not put another in its place.",
            code="restore_not_allowed",
            hint="Let the role make databases (alter role ... createdb) and own this one, or make an empty database, "
            "restore --into it, and let DATABASE_URL name it.",
        )
    if target.server // 10_000 < said.postgres // 10_000:
        raise Refused(
            f"The backup is of PostgreSQL {said.postgres // 10_000}, and the server is {target.server // 10_000}.",
            code="restore_older_server",
            hint="Restore it into the same major version, or a newer one.",
        )
    _programs(said, target)
    if target.free is not None and target.free < (needed := int(said.database_bytes * ROOM)):
        raise Refused(
            f"The restored database needs about {needed // 10**6} MB beside the present one, "
            f"and its disk has {target.free // 10**6} MB left.",
            code="restore_no_room",
            hint="Make room there first: a database whose disk is full stops for everybody. Nothing was changed.",
        )
    manifests.verify(backup, said, tell)
    shown = Plan(
        backup=said.name,
        path=str(backup),
        taken_at=said.taken_at,
        newest_event=said.newest_event,
        events=taking.events_in(said),
        trueup=said.trueup,
        database=target.name,
        replaces=target.used,
        replaced_until=target.events_until,
        migrations=steps,
        in_use_by=target.others,
        key_fits=None if said.key is None else True,
    )
    return shown, said, target


def restore(*, backup: Path, said: Manifest, target: Target, url: str, by: Actor, tell: Tell) -> Restored:
    """Carry out what ``plan`` looked at. Killed at any moment it leaves the target as it was, or as it will be.

    It is made beside the target, brought up to date there, and renamed. Where the role may not make databases an empty
    target is filled in one transaction instead.
    """
    begun = clock.monotonic()
    using = _programs(said, target)
    with ExitStack() as stack:
        server = stack.enter_context(databases.maintenance(url))
        staging = databases.make_staging(server, target) if target.may_replace else ""
        if staging:
            stack.callback(databases.clear, server, staging)
        there = databases.beside(url, staging) if staging else url
        _filled(backup, said, there, folder=using.folder, tell=tell, whole=not staging)
        tell("Bringing it up to date", 0, 0)
        _migrated(there)
        with closing(schema.connect(there)) as connection:
            missing = _let_in(connection, said.readers)
            now = clock.now()
            with connection.transaction():
                sweeps.restored(connection)
                recovered = recovering.recover(connection, sealer=installation.sealer())
                _record(connection, said, recovered, by)
        kept = databases.swap(server, target, staging, now) if staging else None
        if kept and not target.used:
            databases.drop(server, kept)
            kept = None
    return Restored(
        backup=said.name,
        database=target.name,
        point_of_recovery=said.taken_at,
        newest_event=said.newest_event,
        events=taking.events_in(said),
        rows=sum(said.rows.values()),
        migrations=_steps(said),
        kept_aside=kept,
        readers_missing=tuple(missing),
        subjects_erased=recovered.subjects_erased,
        values_erased=recovered.values_erased,
        keys_returned=recovered.keys_returned,
        keys_missing=recovered.keys_missing,
        gap_seconds=max(0, int((now - said.taken_at).total_seconds())),
        beyond_events=now - said.taken_at > STRIPE_KEEPS - MARGIN,
        seconds=round(clock.monotonic() - begun, 3),
    )


def drop_old(*, url: str, names: Sequence[str], by: Actor) -> None:
    """Drop databases that restores put aside, and record it in the one that took their place."""
    with databases.maintenance(url) as server, closing(schema.connect(url)) as connection:
        for name in names:
            databases.drop(server, name)
            with connection.transaction():
                audit.record(
                    connection, by=by, action=Action.OLD_DATABASE_DROPPED, object_type="database", object_id=name
                )


def _programs(said: Manifest, target: Target) -> Programs:
    return programs.chosen(server=target.server // 10_000, wrote=said.program, encrypted=target.encrypted)


def _steps(said: Manifest) -> int:
    """How many migrations of ours the backup lacks; raises ``Refused`` when it has one that is not known here."""
    ours = set(MigrationLoader(None).disk_migrations or ())
    theirs = {(app, name) for app, names in said.migrations.items() for name in names}
    if unknown := sorted(theirs - ours):
        raise Refused(
            f"The backup was made by a newer Trueup ({said.trueup}): it has {'.'.join(unknown[0])}, unknown here.",
            code="backup_newer",
            hint=f"Install Trueup {said.trueup} or newer, and restore with that.",
        )
    return len(ours - theirs)


def _other_key(key: bytes | None) -> Refused:
    at = keys.place()
    wanted = "the one that this backup's secrets were sealed with"
    return Refused(
        f"The key in {at} is another than {wanted}." if key else f"There is no key in {at}, and {wanted} is needed.",
        code="restore_other_key",
        hint="Bring back the key that was kept apart from the backup: as that file (mode 0600), or in "
        "TRUEUP_SECRET_KEY. Nothing was changed.",
    )


def _filled(backup: Path, said: Manifest, url: str, *, folder: Path, tell: Tell, whole: bool) -> None:
    """Run ``pg_restore`` into an empty database and look that every row came; ``whole`` is all or nothing."""
    with closing(schema.connect(url)) as connection:
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(said.schema)))
        row = connection.execute(b"select current_schema()").fetchone()
        if row != (said.schema,):
            raise Refused(
                f"The backup is of the schema {said.schema}, and the address leads to {row[0] if row else 'none'}.",
                code="restore_other_schema",
                hint=f"Let the address set search_path to {said.schema}, or leave it out.",
            )
    options = ["--format=directory", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password"]
    options += [f"--schema={said.schema}", "--single-transaction" if whole else f"--jobs={taking.JOBS}"]
    total = sum(said.rows.values())
    with closing(Copied(url)) as copied, ExitStack() as stack:
        run = programs.Run(folder / "pg_restore", options, url=url, also=str(backup / DUMP))
        stack.callback(run.stop)
        while not run.ended_within(taking.LOOK):
            # A table's count is gone once it is copied, so the last bit is never seen.
            tell("Restoring", min(copied.rows(), total), total)
    tell("Counting", 0, 0)
    with closing(schema.connect(url)) as connection:
        found, newest = taking.counts(connection), taking.newest(connection)
    if found != said.rows or newest != said.newest_event:
        other = next(
            (table for table in sorted(found.keys() | said.rows) if found.get(table) != said.rows.get(table)), "events"
        )
        raise BackupDamaged(
            f"{said.name} did not come back whole: {other} has {found.get(other)} rows instead of "
            f"{said.rows.get(other)}.",
            hint="Nothing was replaced. Take an older backup (`trueup backups`), and report this.",
        )


def _migrated(url: str) -> None:
    """Migrate in a process of its own, whose settings name that database; it proves that the key fits, too."""
    command = [sys.executable, "-m", "trueup.ops.main", "migrate", "--json"]
    ended = subprocess.run(  # noqa: S603 - ourselves
        processes.ending_with_us(command),
        env=os.environ | {"DATABASE_URL": url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise _told(ended.stdout, refused=ended.returncode == USAGE_ERROR)


def _told(said: str, *, refused: bool) -> TrueupError:
    try:
        error = json.loads(said)["error"]
        kind = Refused if refused else Broken
        return kind(error["message"], code=error["code"], hint=error["hint"])
    except (ValueError, KeyError, TypeError):
        return Broken(
            "The restored database could not be brought up to date.",
            code="restore_not_migrated",
            hint="Nothing was replaced. What happened is in log/command-errors.log of the home.",
        )


def _let_in(connection: psycopg.Connection[Any], readers: Sequence[str]) -> list[str]:
    """Let roles read the views as before; gives those that this server does not know."""
    missing = []
    for role in readers:
        if connection.execute(KNOWN, (role,)).fetchone() is None:
            missing.append(role)
            continue
        for grant in ("grant usage on schema {} to {}", "grant select on all tables in schema {} to {}"):
            connection.execute(sql.SQL(grant).format(sql.Identifier(VIEWS), sql.Identifier(role)))
    return missing


def _record(connection: psycopg.Connection[Any], said: Manifest, recovered: Recovered, by: Actor) -> None:
    """Note the restore in the restored database itself."""
    done = {name: getattr(recovered, name) for name in recovered.__struct_fields__}
    audit.record(
        connection,
        by=by,
        action=Action.BACKUP_RESTORED,
        object_type="backup",
        object_id=said.name,
        after={"taken_at": said.taken_at, "events": taking.events_in(said), "made_by": said.trueup} | done,
    )
