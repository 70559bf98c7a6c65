"""Installations with a database of their own, made once and copied."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.instance import SECRET, Home, alive, eventually, request
from tests.ports import free_port
from trueup.runtime.postgres import server
from trueup.runtime.postgres.home import Home as Places


def folder() -> Path:
    """A new temporary folder that the server's user may pass through."""
    made = Path(tempfile.mkdtemp(prefix="trueup-flow-", dir="/tmp"))
    made.chmod(0o711)
    return made


@contextmanager
def template() -> Iterator[Path]:
    """The root of an installation with the account ``acme``, migrated and at rest."""
    parent = folder()
    home = Home(parent / "home")
    home.trueup("connect", "--name", "acme", "--webhook-secret", SECRET, "--offline", "--json")
    try:
        yield home.root
    finally:
        remove(home)


@dataclass
class Installed(Home):
    """An installation that runs on an embedded database of its own."""

    port: int = field(default_factory=free_port)

    @property
    def places(self) -> Places:
        """Where its parts are."""
        return Places(self.root)

    def postmaster(self) -> int:
        """The server's process; 0 when none runs."""
        found = server.find(self.places.data())
        if found is None:
            return 0
        found.close()
        return found.pid

    def keepers(self) -> list[int]:
        """The processes that keep the server."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                words = _words(entry)
                if b"trueup.runtime.postgres.keeper" in words and os.fsencode(self.root) in words:
                    found.append(int(entry.name))
        return [pid for pid in found if alive(pid)]

    def is_quiet(self) -> bool:
        """Whether nothing runs for this home."""
        return not (self.keepers() or self.postmaster() or server.leftovers(self.places.data()))

    def ready(self, port: int = 0) -> bool:
        """Whether the process at the port says that it is."""
        try:
            return request(port or self.port, "/readyz", method="GET").status == 200
        except OSError:
            return False


@contextmanager
def installed(root: Path) -> Iterator[Installed]:
    """A copy of an installation at rest; everything that runs for it is killed at the end."""
    parent = folder()
    subprocess.run(["cp", "-a", str(root), str(parent / "home")], check=True)
    home = Installed(parent / "home")
    try:
        yield home
    finally:
        remove(home)


def remove(home: Home) -> None:
    """End what runs and delete what was stored."""
    home.end()
    copy = Installed(home.root)
    eventually(copy.is_quiet, "the last user's end stops all", 30)
    storage = copy.places.storage()
    if storage != home.root / "postgres":
        shutil.rmtree(storage, ignore_errors=True)
    shutil.rmtree(home.root.parent, ignore_errors=True)


def kill(pid: int) -> None:
    """SIGKILL to a process that may have ended already."""
    if pid and alive(pid):
        os.kill(pid, signal.SIGKILL)


def _words(entry: Path) -> list[bytes]:
    try:
        return (entry / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []
