"""Which ``pg_dump`` and ``pg_restore`` do it: those that come with Trueup, or the operator's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from trueup.kernel.errors import Broken, Refused, TrueupError, Unavailable
from trueup.runtime import processes
from trueup.runtime.postgres.binaries import binaries
from trueup.runtime.postgres.identity import environment, present_user

SHIPPED: Final = (16, 18)
PLACES: Final = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
"""Where packages put the programs of several versions beside each other."""
_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)")
_SAID: Final = re.compile(r"^pg_(?:dump|restore): (?:error: |fatal: )?(.*)$", re.MULTILINE)
_QUOTES_ROWS: Final = re.compile(r"(DETAIL|CONTEXT|Command was|COPY \S+, line).*", re.DOTALL)
NO_ROOM: Final = ("No space left on device", "Disk quota exceeded", "File too large")
ROOM_HINT: Final = (
    "Make room on that disk: the one of the backups, or of the database where one is restored. Nothing half is used."
)


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with ``pg_dump`` and ``pg_restore`` of one major version."""

    folder: Path
    major: int


def chosen(*, server: int, wrote: int = 0, encrypted: bool) -> Programs:
    """The programs for a server of that major version, over a connection that is ``encrypted`` or not.

    ``wrote`` is the major version that wrote the archive to be read. Ours come first, and of these the nearest to the
    server; they speak no TLS. Raises ``Refused`` that names what to install when none fits.
    """
    least = max(server, wrote)
    ours = [] if encrypted else list(_shipped())
    for found in (*ours, *sorted(_installed(), key=attrgetter("major"))):
        if found.major >= least:
            return found
    why = (
        "speaks TLS, which the programs that come with Trueup do not"
        if encrypted
        else f"is PostgreSQL {server}, newer than the programs that come with Trueup ({SHIPPED[-1]})"
    )
    raise Refused(
        f"The server {why}, and no pg_dump of PostgreSQL {least} or newer is installed here.",
        code="backup_programs_missing",
        hint=f"Install PostgreSQL's client programs (such as postgresql-client-{least}) on this host; they are looked "
        "for on PATH and where packages put them.",
    )


def _shipped() -> Iterator[Programs]:
    for major in SHIPPED:
        try:
            yield Programs(folder=binaries(major, present_user()), major=major)
        except TrueupError:
            # An installation without the wheel has programs of its own, or is told so above.
            continue


def _installed() -> Iterator[Programs]:
    found = shutil.which("pg_dump")
    folders = [Path(found).parent] if found else []
    for pattern in PLACES:
        folders += sorted(Path("/").glob(pattern.lstrip("/")))
    for folder in folders:
        if (folder / "pg_dump").exists() and (folder / "pg_restore").exists():
            _, said = present_user().run([folder / "pg_dump", "--version"])
            if version := _VERSION.search(said):
                yield Programs(folder=folder, major=int(version[1]))


class Run:
    """One of the programs at work. It ends when this process ends, however that happens."""

    def __init__(self, program: Path, options: Sequence[str], *, url: str, also: str = "") -> None:
        # The address stands in the list of processes, which others may read; the password may not.
        given: dict[str, Any] = conninfo_to_dict(url)
        secret = {"PGPASSWORD": str(given.pop("password"))} if given.get("password") else {}
        words = [str(program), *options, f"--dbname={make_conninfo('', **given)}", *([also] if also else [])]
        own = {name: value for name, value in os.environ.items() if name.startswith("PG")}
        self._name = program.name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        self._process = subprocess.Popen(  # noqa: S603 - PostgreSQL's programs with our options
            processes.ending_with_us(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            env=own | environment() | secret | {"LC_ALL": "C", "PGAPPNAME": f"trueup {program.name}"},
            umask=0o077,
        )

    def ended_within(self, seconds: float) -> bool:
        """Wait at most that long for its end; whether it ended well. Raises what went wrong."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        if status:
            raise self._fault(status)
        return True

    def stop(self) -> None:
        """End it, if it has not ended. Idempotent."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._errors.close()

    def _fault(self, status: int) -> TrueupError:
        self._errors.seek(0)
        text = self._errors.read(65_536).decode("utf-8", "replace")
        # A line of an error may quote a row, and rows are people's data.
        lines = [_QUOTES_ROWS.sub("", line).strip() for line in _SAID.findall(text)]
        said = "; ".join(dict.fromkeys(line for line in lines if line))[:400]
        if any(words in text for words in NO_ROOM) or status == -25:  # SIGXFSZ: larger than a file may become here
            return Unavailable(f"{self._name} found no room on the disk.", code="backup_no_room", hint=ROOM_HINT)
        ended = f"was ended by signal {-status}" if status < 0 else f"ended with {status}"
        return Broken(
            f"{self._name} {ended}{': ' if said else ''}{said}",
            code="backup_program_failed",
            hint="Nothing half is left. Correct what it names, and try again.",
        )


def encrypted(connection: psycopg.Connection[Any]) -> bool:
    """Whether this connection is; programs that cannot do the same must not be given the password."""
    return bool(connection.pgconn.ssl_in_use)
