"""Making a new database: ``initdb``, its tuning and its password. A crash leaves either all of it or nothing."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trueup.kernel.errors import Broken
from trueup.runtime.postgres.home import synchronise, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.runtime.postgres.placement import Placement

ROLE: Final = "trueup"
"""The superuser."""
DATABASE: Final = "trueup"

_STAGED: Final = ".new-"
_MEBIBYTE: Final = 1 << 20


def tuning(memory: int) -> dict[str, str]:
    """What a new ``postgresql.conf`` says beyond PostgreSQL's defaults, for a host with that many bytes of memory."""
    buffers = min(max(memory // 4 // _MEBIBYTE, 128), 1024)
    return {
        "listen_addresses": "",
        "max_connections": "100",
        "password_encryption": "scram-sha-256",
        "shared_buffers": f"{buffers}MB",
        "max_wal_size": "4GB",
        "min_wal_size": "512MB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "wal_compression": "pglz",
        # Whoever needs a new segment would write 16 MB of zeros first, and everybody would wait 60 ms for it. What is
        # written into it is flushed all the same.
        "wal_init_zero": "off",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_destination": "stderr",
        # A statement and an error's detail quote values, and values are people's data.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "logging_collector": "off",
        "log_startup_progress_interval": "1s",
    }


def memory() -> int:
    """Bytes of memory that this host has, or that the container we are in may use, whichever is less."""
    amounts = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        try:
            amounts.append(int(limit.read_text(encoding="ascii")))
        except (OSError, ValueError):
            # There is no such file, or it says "max".
            continue
    return min(amounts)


def password(path: Path, placement: Placement) -> str:
    """The superuser's password, made at the first call.

    When the file was lost and the database was not, the database gets a new one; therefore no server may be running.
    """
    try:
        if known := path.read_text(encoding="ascii").strip():
            return known
    except FileNotFoundError:
        pass
    made = secrets.token_hex(24)
    if placement.data.exists():
        _single_user(placement, placement.data, f"ALTER ROLE {ROLE} PASSWORD '{made}';\n")
    write_atomically(path, f"{made}\n")
    return made


def initialise(placement: Placement, secret: str, settings: Mapping[str, str], *, durable: bool = True) -> None:
    """Make the data directory with the database in it, unless it exists. One caller at a time; idempotent.

    Works in a sibling folder that is renamed at the end. ``durable=False`` does not wait for the disk; for tests only.
    """
    storage = placement.data.parent
    _sweep(storage)
    if placement.data.exists():
        return
    staged = Path(tempfile.mkdtemp(prefix=_STAGED, dir=storage))
    words = Path(f"{staged}.password")
    user = placement.user
    try:
        words.touch(mode=0o600, exist_ok=False)
        if user.switched:
            os.chown(staged, user.uid, user.gid)
            os.chown(words, user.uid, user.gid)
        words.write_text(f"{secret}\n", encoding="ascii")
        options = [option for name, value in settings.items() for option in ("--set", f"{name}={value}")]
        options += ["--username", ROLE, "--pwfile", str(words), "--auth", "scram-sha-256", "--data-checksums"]
        options += ["--encoding", "UTF8", "--locale", "C", "--no-instructions", "--no-sync", "--pgdata", str(staged)]
        status, output = user.run([placement.programs / "initdb", *options])
        if status:
            raise Broken(
                f"The database in {storage} could not be made: initdb ended with {status}: {_end(output)}",
                code="postgres_init_failed",
                hint="Make room on the disk, or correct what the message names, and start again.",
            )
        # Nothing here needs to survive a crash before the rename; all of it is synchronised at once just before that.
        _single_user(placement, staged, f"CREATE DATABASE {DATABASE};\n", "-c", "fsync=off")
        if durable:
            status, output = user.run([placement.programs / "initdb", "--sync-only", "--pgdata", staged])
            if status:
                raise Broken(
                    f"The new database could not be written to the disk: {_end(output)}", code="postgres_init_failed"
                )
        staged.rename(placement.data)
        if durable:
            synchronise(storage)
    finally:
        _sweep(storage)


def _sweep(storage: Path) -> None:
    """Remove what an interrupted initialisation left."""
    for left in storage.glob(f"{_STAGED}*"):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _single_user(placement: Placement, data: Path, statement: str, *options: str) -> None:
    status, output = placement.user.run(
        [placement.programs / "postgres", "--single", "-D", data, "-c", "exit_on_error=on", *options, "postgres"],
        text=statement,
    )
    # The answer is never shown as a whole, because it may repeat the statement with the password in it.
    faults = [line for line in output.splitlines() if "FATAL:" in line or "PANIC:" in line or "ERROR:" in line]
    if status or faults:
        raise Broken(
            f"The database in {data} could not be prepared (postgres --single: {status}): {' '.join(faults)[-400:]}",
            code="postgres_init_failed",
        )


def _end(output: str) -> str:
    return " ".join(output.split())[-400:]
