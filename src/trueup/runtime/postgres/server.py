"""The server process: starting it, finding one that is there already, and signalling nothing else."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trueup.runtime.postgres.placement import PORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trueup.runtime.postgres.placement import Placement

_PROC: Final = Path("/proc")
_LISTER: Final = shutil.which("lsof") or shutil.which("/usr/sbin/lsof")
_LISTED: Final = _PROC.joinpath("self").exists() or bool(_LISTER)
"""Whether processes can be looked at here."""


@dataclass(frozen=True, slots=True)
class PidFile:
    """What ``postmaster.pid`` says, which is true only as long as that process is the server."""

    pid: int
    socket_folder: str
    status: str
    """``starting``, ``ready``, ``stopping`` or empty."""


def read_pid_file(data: Path) -> PidFile | None:
    """The server's own file; none when it is missing or half written. The sign of a single-user server is dropped."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        pid = abs(int(lines[0]))
    except (OSError, ValueError, IndexError):
        return None
    lines += [""] * (8 - len(lines))
    return PidFile(pid=pid, socket_folder=lines[4].strip(), status=lines[7].strip())


class Server:
    """One process that is known to be a server of one data directory; safe against the reuse of its number."""

    def __init__(self, pid: int, data: Path, child: subprocess.Popen[bytes] | None = None) -> None:
        self.pid = pid
        self._data = data
        self._child = child
        self._handle: int | None = None
        if child is None and hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                self._handle = os.pidfd_open(pid)

    def alive(self) -> bool:
        """Whether the process still runs."""
        return not self.ended_within(0)

    def ended_within(self, seconds: float) -> bool:
        """Wait at most that long for its end; whether it ended."""
        if self._child is not None:
            try:
                self._child.wait(seconds)
            except subprocess.TimeoutExpired:
                return False
            return True
        if self._handle is not None:
            return bool(select.select([self._handle], [], [], seconds)[0])
        end = time.monotonic() + seconds
        # Not by its number alone: where nobody reaps, a dead server keeps its number.
        while works_in(self.pid, self._data) if _PROC.joinpath("self").exists() else _exists(self.pid):
            if time.monotonic() >= end:
                return False
            time.sleep(0.02)
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this very process; nothing when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            if self._child is not None:
                self._child.send_signal(number)
            elif self._handle is not None:
                signal.pidfd_send_signal(self._handle, number)
            elif works_in(self.pid, self._data):
                os.kill(self.pid, number)

    def close(self) -> None:
        """Give back what observing the process takes. Idempotent."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def start(placement: Placement, socket_folder: Path, log: Path, settings: Mapping[str, str]) -> Server:
    """Start the server as a child in its own session; it appends to the log. It is not ready when this returns."""
    quoted = str(socket_folder).replace('"', '""')
    given = {
        **settings,
        "unix_socket_directories": f'"{quoted}"',
        "unix_socket_permissions": "0700",
        "listen_addresses": "",
        "port": str(PORT),
    }
    options = [option for name, value in given.items() for option in ("-c", f"{name}={value}")]
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        child = placement.user.spawn(
            [placement.programs / "postgres", "-D", placement.data, *options],
            stdin=subprocess.DEVNULL,
            output=descriptor,
        )
    finally:
        os.close(descriptor)
    return Server(child.pid, placement.data, child)


def find(data: Path) -> Server | None:
    """A server that runs on the data directory already and is not our child, whoever started it."""
    said = read_pid_file(data)
    candidates = [said.pid] if said else []
    candidates += [pid for pid in _processes_in(data) if not _is_backend(pid)]
    for pid in candidates:
        # The handle comes before the look, so that the process looked at is the one the handle means.
        server = Server(pid, data)
        if works_in(pid, data) and not _is_backend(pid):
            return server
        server.close()
    return None


def leftovers(data: Path) -> list[Server]:
    """Backends of a server that was killed, which end as soon as they notice. Call it when ``find`` gives none."""
    found = []
    for pid in _processes_in(data):
        server = Server(pid, data)
        if works_in(pid, data) and _is_backend(pid):
            found.append(server)
        else:
            server.close()
    return found


def works_in(pid: int, data: Path) -> bool:
    """Whether the process is a PostgreSQL that works in the data directory; false when that cannot be seen."""
    with _eyes_for(data):
        return _works_in(pid, data)


def clear(data: Path, socket_folder: Path) -> None:
    """Remove what a dead server left. Only when ``find`` and ``leftovers`` give nothing and no other starter is about.

    The files may name a live process: one that has the number now, or the dead server itself where nobody reaps it.
    PostgreSQL would take either for a server and refuse to start.
    """
    said = read_pid_file(data)
    if _LISTED or said is None or not _exists(said.pid):
        (data / "postmaster.pid").unlink(missing_ok=True)
        (socket_folder / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)


def _works_in(pid: int, data: Path) -> bool:
    if not _PROC.joinpath("self").exists():
        return _is_listed_in(pid, data)
    try:
        # The directory comes first: it alone tells nearly every process from a server of ours.
        if not (_PROC / str(pid) / "cwd").samefile(data):
            return False
        return (_PROC / str(pid) / "exe").readlink().name.removesuffix(" (deleted)") == "postgres"
    except OSError:
        return False


def _is_listed_in(pid: int, data: Path) -> bool:
    """The same where there is no ``/proc``. To ask the server would not do: while it recovers it does not answer."""
    if not _LISTER:
        return False
    listed = subprocess.run(  # noqa: S603 - fixed words and a number
        [_LISTER, "-a", "-p", str(pid), "-d", "cwd,txt", "-Fn"], capture_output=True, text=True, check=False
    )
    names = [line[1:] for line in listed.stdout.splitlines() if line.startswith("n")]
    try:
        return Path(names[0]).samefile(data) and Path(names[1]).name == "postgres"
    except (OSError, IndexError):
        return False


@contextlib.contextmanager
def _eyes_for(data: Path) -> Iterator[None]:
    """Within it root sees as the directory's owner: in a container it often may not look into others' processes."""
    try:
        status = data.stat()
    except OSError:
        yield
        return
    if os.geteuid() != 0 or status.st_uid == 0:
        yield
        return
    group = os.getegid()
    os.setegid(status.st_gid)
    os.seteuid(status.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)


def _processes_in(data: Path) -> list[int]:
    with _eyes_for(data):
        pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal()] if _PROC.is_dir() else []
        return [pid for pid in pids if _works_in(pid, data)]


def _is_backend(pid: int) -> bool:
    """Whether its title is a server's child's, such as ``postgres: checkpointer``; the server's is its command."""
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().startswith(b"postgres: ")
    except OSError:
        return False


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
