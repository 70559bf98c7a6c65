"""The backup that a worker makes each night where ``TRUEUP_BACKUP_DIR`` names a folder, and the alarm without one.

What is due is read from the folder itself: a night that was missed is made up for, and backups that somebody deleted
are made anew. Nothing is done where no folder is named.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from asgiref.sync import sync_to_async

from trueup.audit import service as audit
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import Alarm
from trueup.kernel.errors import TrueupError
from trueup.ops.backups import folder, manifest
from trueup.runtime import clock, configuration, logs, processes

log = logs.get(__name__)

QUIET_HOUR: Final = 1
"""The hour of the day, in UTC, at which a backup is made."""
SAME_NIGHT: Final = timedelta(hours=12)
MISSED: Final = timedelta(hours=30)
"""A backup older than this is made up for at any hour."""
TOO_OLD: Final = timedelta(hours=36)
SOURCE: Final = "backup"
COMMAND: Final = ("-m", "trueup.ops.main", "backup", "--scheduled", "--json")


def is_due(now: datetime, newest: datetime | None) -> bool:
    """Whether to make one now, asked every hour."""
    if newest is None or now - newest > MISSED:
        return True
    return now.hour == QUIET_HOUR and now - newest > SAME_NIGHT


def alarms_of(now: datetime, newest: datetime | None, code: str) -> Sequence[Alarm]:
    """What stands wrong with the backups, after one was made where due; ``code`` says why that failed."""
    if newest is not None and now - newest <= TOO_OLD:
        return []
    what = "There is no backup" if newest is None else f"The newest backup is of {newest:%Y-%m-%d %H:%M} UTC"
    return [
        Alarm(
            code="backup_old",
            message=f"{what} in TRUEUP_BACKUP_DIR{f', and making one failed ({code})' if code else ''}.",
            remedy="Run `trueup backup` and do what it says; see docs/runbooks/restore.md.",
        )
    ]


async def look_after() -> None:
    """Make the backup that is due, delete what is more than is kept, and raise or clear the alarm."""
    settings = configuration.current()
    if settings.backup_dir is None:
        await sync_to_async(alarms.settle)(source=SOURCE, account_id=None, alarms=[])
        return
    code = ""
    if is_due(clock.now(), _newest()):
        code = await _made(settings.backup_keep)
    await sync_to_async(alarms.settle)(source=SOURCE, account_id=None, alarms=alarms_of(clock.now(), _newest(), code))


def newest_recorded(connection: psycopg.Connection[Any]) -> datetime | None:
    """The moment that the newest backup shows, by the audit log: made here, or the one that this was restored from."""
    for entry in audit.entries(connection, object_type="backup", limit=1):
        return datetime.fromisoformat(entry.after["taken_at"])
    return None


async def _made(keep: int) -> str:
    """Make one in a process of its own, which ends with this one; gives the code of what went wrong, or nothing."""
    process = await asyncio.create_subprocess_exec(
        *processes.ending_with_us([sys.executable, *COMMAND, "--keep", str(keep)]),
        env={name: value for name, value in os.environ.items() if name != "TRUEUP_PROCESS"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        out, _ = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    try:
        said = json.loads(out)
    except ValueError:
        said = {"error": {"code": "backup_killed"}}
    if "error" in said:
        log.error("backup.failed", code=said["error"]["code"])
        return str(said["error"]["code"])
    log.info("backup.made", backup=said["name"], bytes=said["bytes"], seconds=said["seconds"])
    return ""


def _newest() -> datetime | None:
    for path in folder.whole(folder.default()):
        try:
            return manifest.read(path).taken_at
        except TrueupError:
            # One that cannot be read is none; the one before it counts.
            continue
    return None
