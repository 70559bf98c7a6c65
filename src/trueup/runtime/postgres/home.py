"""What lies where in an installation's folder, and the few file habits that all of this package shares."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trueup.kernel.errors import Refused, TrueupError

READY: Final = "ready"
"""What the keeper's line says once the server accepts connections."""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that ``TRUEUP_HOME`` names; every path is absolute. Nothing is created by asking for a path."""

    root: Path

    @property
    def run(self) -> Path:
        """Lock files, the password, the keeper's words and the socket's folder; a backup needs none of it."""
        return self.root / "run"

    @property
    def use_lock(self) -> Path:
        """Each user of the database holds it shared; the keeper holds it exclusively while it stops the server."""
        return self.run / "use"

    @property
    def keeper_lock(self) -> Path:
        """The one keeper of this home holds it exclusively."""
        return self.run / "keeper"

    @property
    def password(self) -> Path:
        """The superuser's password, mode 0600."""
        return self.run / "password"

    @property
    def failure(self) -> Path:
        """Why the last keeper gave up, as JSON; gone once a server is ready."""
        return self.run / "failure"

    @property
    def state(self) -> Path:
        """One line by the keeper about what it is doing, for people who wait."""
        return self.run / "state"

    @property
    def socket(self) -> Path:
        """The preferred folder of the Unix socket."""
        return self.run / "socket"

    @property
    def server_log(self) -> Path:
        """What PostgreSQL writes."""
        return self.root / "log" / "postgres.log"

    @property
    def keeper_log(self) -> Path:
        """What the keeper writes."""
        return self.root / "log" / "postgres-keeper.log"

    @property
    def location(self) -> Path:
        """Names the folder that holds the data when the server's user cannot reach this home."""
        return self.root / "postgres.location"

    def storage(self) -> Path:
        """The folder that holds the data directory: inside the home, or where ``location`` says."""
        with contextlib.suppress(FileNotFoundError):
            return Path(self.location.read_text(encoding="utf-8").strip())
        return self.root / "postgres"

    def data(self) -> Path:
        """PostgreSQL's data directory, which may not exist yet."""
        return self.storage() / "data"

    def prepare(self) -> None:
        """Create the folders that hold locks and logs; raises ``Refused`` when they cannot be written. Idempotent."""
        # Under root the server runs as somebody else, who must pass through to its data and socket but read nothing.
        mode = 0o711 if os.geteuid() == 0 else 0o700
        try:
            self.root.mkdir(mode=0o755, parents=True, exist_ok=True)
            for folder in (self.run, self.server_log.parent):
                folder.mkdir(mode=mode, exist_ok=True)
            if not os.access(self.run, os.W_OK):
                raise PermissionError(13, "Permission denied", str(self.run))
        except OSError as error:
            raise unusable_home(self.root, error) from None


def unusable_home(root: Path, error: OSError) -> TrueupError:
    """The error for a home that cannot be written to."""
    return Refused(
        f"The folder {root} cannot be used: {error.strerror or error} ({error.filename or root}).",
        code="home_unusable",
        hint="Let TRUEUP_HOME name a folder on a local disk that the present user may write to.",
    )


def write_atomically(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace the file by one of mode 0600 with this text; a reader sees the old text or the new.

    ``durable`` makes that true after a power failure too, at the price of waiting for the disk.
    """
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.unlink(missing_ok=True)
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    staged.rename(path)
    if durable:
        synchronise(path.parent)


def synchronise(folder: Path) -> None:
    """Make a rename inside the folder survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def bound(log: Path, limit: int = 10_000_000) -> None:
    """Keep a log that processes append to below about ``limit`` bytes; its text moves to ``<name>.1``.

    The file is truncated and not renamed, because the server holds it open; lines written meanwhile may be lost.
    """
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size <= limit:
            return
        kept = log.with_name(f"{log.name}.1")
        staged = log.with_name(f".{log.name}.1.{os.getpid()}")
        with log.open("rb") as source, staged.open("wb") as target:
            source.seek(-limit, os.SEEK_END)
            while piece := source.read(1 << 20):
                target.write(piece)
        staged.chmod(0o600)
        staged.rename(kept)
        os.truncate(log, 0)


def tail(log: Path, *, start: int = 0, lines: int = 8) -> list[str]:
    """The last lines of a log from byte ``start`` on, at most 16 KiB of it; empty when there is none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(min(start, size), size - 16_384))
            return file.read().decode("utf-8", "replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []
