"""Real users of real clusters: processes that acquire the database and do as they are told."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psycopg
import pytest

from trueup.runtime.postgres import server
from trueup.runtime.postgres.binaries import STATE_ROOT
from trueup.runtime.postgres.home import Home
from trueup.runtime.postgres.locks import is_held_exclusively

SOURCES = Path(__file__).resolve().parents[3] / "src"

# Says what happens as lines of JSON and obeys the words on its input, whose end is its own end without a release.
_DRIVER = """
import json, os, pathlib, signal, sys
from trueup.kernel.errors import TrueupError
from trueup.runtime.postgres.cluster import Cluster
def say(**words):
    print(json.dumps(words), flush=True)
# Python's own handler only takes a note, which a read that begins in the same instant does not see before its end.
signal.signal(signal.SIGINT, signal.SIG_DFL)
home, version, settings = pathlib.Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
try:
    cluster = Cluster(home, version=version, settings=settings)
    say(url=cluster.acquire(lambda line: say(progress=line)))
    for line in sys.stdin:
        if line.strip() == "release":
            cluster.release()
            say(released=True)
        elif line.strip() == "check":
            say(alive=cluster.check())
        elif line.strip() == "acquire":
            say(url=cluster.acquire())
except TrueupError as error:
    say(error=type(error).__name__, code=error.code, message=error.message, hint=error.hint)
os._exit(0)
"""


def eventually(question: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Ask until the answer is true; fail with the words ``what`` when it is not in time."""
    end = time.monotonic() + seconds
    while not question():
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.02)


@dataclass
class Account:
    """Somebody who runs Trueup: the present user, or ``nobody`` when root plays an ordinary one."""

    name: str
    uid: int
    gid: int
    interpreter: str
    prefix: list[str] = field(default_factory=list)

    @property
    def switched(self) -> bool:
        return self.uid != os.geteuid()

    def start(self, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Start Python as that user, in its own session, so that signals to its group reach it alone."""
        base = {
            name: os.environ[name]
            for name in ("PATH", "TRUEUP_POSTGRES_USER", "TRUEUP_SECRET_KEY")
            if name in os.environ
        }
        paths = os.pathsep.join([str(SOURCES), str(Path(psycopg.__file__).parents[1])])
        return subprocess.Popen(
            [*self.prefix, self.interpreter, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env=base | {"PYTHONPATH": paths} | (environment or {}),
            start_new_session=True,
            user=self.uid if self.switched else None,
            group=self.gid if self.switched else None,
            extra_groups=[] if self.switched else None,
        )


@dataclass
class User:
    """One process that uses a cluster."""

    process: subprocess.Popen[str]
    progress: list[str] = field(default_factory=list)
    answer: dict[str, object] = field(default_factory=dict)
    _url: str = ""

    def hear(self) -> dict[str, object]:
        """The next answer that is not progress; empty when the process ended."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said: dict[str, object] = json.loads(line)
            if "progress" not in said:
                self.answer = said
                self._url = str(said.get("url", self._url))
                return said
            self.progress.append(str(said["progress"]))
        return {}

    def told(self, word: str) -> dict[str, object]:
        """Tell it a word and wait for the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return self.hear()

    @property
    def url(self) -> str:
        assert self._url, self.answer
        return self._url

    def query(self, statement: str) -> object:
        """The first column of the first row, or none for a statement without rows."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.close()

    def close(self) -> None:
        """Let it end without releasing."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.wait()


@dataclass
class Installation:
    """A home, and what runs for it."""

    root: Path
    account: Account
    users: list[User] = field(default_factory=list)

    @property
    def home(self) -> Home:
        return Home(self.root)

    def begin(self, *, version: int = 18, account: Account | None = None, **settings: str) -> User:
        """Start a user and do not wait for it."""
        process = (account or self.account).start("-c", _DRIVER, str(self.root), str(version), json.dumps(settings))
        self.users.append(User(process))
        return self.users[-1]

    def user(self, *, version: int = 18, account: Account | None = None, **settings: str) -> User:
        """Start a user and wait until it has the database or an error."""
        user = self.begin(version=version, account=account, **settings)
        user.hear()
        return user

    def server(self) -> int:
        """The server's process; 0 when none runs."""
        found = server.find(self.home.data())
        if found is None:
            return 0
        found.close()
        return found.pid

    def keepers(self) -> list[int]:
        """The keeper's process, as a list that should have at most one."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                words = _read(entry / "cmdline").split(b"\0")
                if b"trueup.runtime.postgres.keeper" in words and os.fsencode(self.root) in words:
                    found.append(int(entry.name))
        return found

    def kill_keeper(self, keeper: int) -> None:
        """SIGKILL to the keeper. It is gone when its lock is: a process that ends has no command line before that."""
        os.kill(keeper, signal.SIGKILL)
        eventually(lambda: not (self.keepers() or is_held_exclusively(self.home.keeper_lock)), "the keeper is gone")

    def kill_everything(self) -> None:
        """SIGKILL to users, keeper, server and every backend, as a power failure would."""
        victims = [*self.keepers(), self.server(), *(one.pid for one in server.leftovers(self.home.data()))]
        for pid in filter(None, victims):
            # A backend may notice the server's death before its own turn comes.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for user in self.users:
            user.kill()
        eventually(self.is_quiet, "everything killed is gone")

    def is_quiet(self) -> bool:
        """Whether nothing runs for this home."""
        return not (self.keepers() or self.server() or server.leftovers(self.home.data()))

    def remove(self) -> None:
        """End whatever runs and delete whatever was stored."""
        storage = self.home.storage()
        for user in self.users:
            user.kill()
        eventually(self.is_quiet, "the last user's end stops all")
        if storage.is_relative_to(STATE_ROOT / "clusters"):
            shutil.rmtree(storage, ignore_errors=True)
        shutil.rmtree(self.root.parent, ignore_errors=True)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


class Install(Protocol):
    """Makes homes that are removed with everything in them at the end of the test."""

    def __call__(self, account: Account, name: str = "home", template: Path | None = None) -> Installation: ...
