"""What the measurements stand on: a cluster of its own in a temporary folder, and the processes under test."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import psycopg

from trueup.runtime import clock
from trueup.runtime.postgres.cluster import Cluster

REPOSITORY: Final = Path(__file__).resolve().parents[1]
SECRET: Final = "whsec_measuredonthismachine"  # noqa: S105 - signs invented events on loopback
ACCOUNT: Final = "bench"
TABLES: Final = (
    "inbox_event, inbox_pending, inbox_awaitingfetch, mirror_about, mirror_changed, mirror_object, mirror_version,"
    " customer_customer, customer_lookup, customer_merged, customer_trait, customer_turn"
)


class Missing(Exception):
    """Something the measurements need is not here."""


class Stage:
    """A database, an account, and a way to load the intake."""

    def __init__(self, home: Path, database_url: str, shared: Path) -> None:
        self.home = home
        self.database_url = database_url
        self.shared = shared
        self.port = free_port()
        self._next_start = 0
        self._hour = clock.unix() - 48 * 3600
        self._env = os.environ | {
            "TRUEUP_HOME": str(home),
            "TRUEUP_PORT": str(self.port),
            "TRUEUP_LOG_LEVEL": "warning",
            "DATABASE_URL": database_url,
            "TRUEUP_HOST": "127.0.0.1",
        }

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection that commits every statement."""
        return psycopg.connect(self.database_url, autocommit=True)

    @property
    def command(self) -> list[str]:
        """How ``trueup`` is called here."""
        return [sys.executable, "-m", "trueup.ops.main"]

    @property
    def environment(self) -> dict[str, str]:
        """What its processes find in their environment."""
        return dict(self._env)

    def trueup(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a ``trueup`` command, with more in its environment where that is asked for."""
        log = (self.home / f"bench-{arguments[0]}.log").open("ab")
        return subprocess.Popen(
            [*self.command, *arguments],
            env=self._env | dict(environment or {}),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    @contextlib.contextmanager
    def running(self, *kinds: str) -> Iterator[dict[str, int]]:
        """Run these processes for the block; gives their process ids."""
        started = {kind: self.trueup(kind) for kind in kinds}
        try:
            if "intake" in started:
                self._await_ready()
            yield {kind: process.pid for kind, process in started.items()}
        finally:
            for process in started.values():
                process.send_signal(signal.SIGTERM)
            for process in started.values():
                process.wait(30)

    def _await_ready(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1) as answer,
            ):
                if answer.status == 200:
                    return
            time.sleep(0.05)
        message = "The intake did not get ready; see its log in the stage's folder."
        raise Missing(message)

    def empty(self) -> None:
        """Begin anew: no event, no object, no customer."""
        with self.connect() as connection:
            connection.execute(f"truncate {TABLES}".encode())
            connection.execute("checkpoint")

    def load(self, url: str, *, n: int, connections: int, rate: int = 0) -> dict[str, Any]:
        """Post ``n`` signed events of about 5.9 KB; the generator's own figures."""
        start, self._next_start = self._next_start, self._next_start + n
        # Every load tells a later hour, so that each of its events is news to the mirror.
        self._hour += 3600
        command = [
            sys.executable, str(self.shared / "bench" / "loadgen.py"), "--json", "--url", url, "--secret", SECRET,
            "--n", str(n), "-c", str(connections), "--start", str(start), "--t0", str(self._hour),
            "--payload-dir", str(self.shared / "bench" / "payloads"),
        ]  # fmt: skip
        done = subprocess.run(
            [*command, *(["--rate", str(rate)] if rate else [])], capture_output=True, check=True, text=True
        )
        found: dict[str, Any] = json.loads(done.stdout)
        if found["ok"] != n:
            message = f"Only {found['ok']} of {n} events were taken: {found['status']}."
            raise Missing(message)
        return found

    @property
    def webhook_url(self) -> str:
        """Where events are posted."""
        return f"http://127.0.0.1:{self.port}/webhooks/stripe/{ACCOUNT}"

    def drained(self, seconds: float = 240.0) -> None:
        """Wait until every event has reached its customer."""
        until = time.monotonic() + seconds
        with self.connect() as connection:
            while time.monotonic() < until:
                row = connection.execute(
                    "select exists (select 1 from inbox_pending) or exists (select 1 from mirror_changed)"
                ).fetchone()
                if row == (False,):
                    return
                time.sleep(0.05)
        message = f"Events still wait after {seconds:.0f} s."
        raise Missing(message)


@contextlib.contextmanager
def staged() -> Iterator[Stage]:
    """A stage in a temporary folder, gone afterwards. The database keeps its production settings: fsync stays on."""
    named = os.environ.get("TRUEUP_SHARED", "")
    shared = Path(named).expanduser() if named else REPOSITORY.parent / "shared"
    if not (shared / "bench" / "loadgen.py").exists():
        message = f"There is no load generator below {shared}; set TRUEUP_SHARED."
        raise Missing(message)
    with tempfile.TemporaryDirectory(prefix="trueup-bench-") as folder:
        home = Path(folder)
        with Cluster(home) as cluster:
            stage = Stage(home, cluster.url, shared)
            connected = stage.trueup("connect", "--name", ACCOUNT, "--webhook-secret", SECRET, "--offline")
            if connected.wait(120):
                raise Missing((home / "bench-connect.log").read_text())
            yield stage


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def rss_mib(pid: int) -> float:
    """Resident memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    used: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
                used[int(entry.name)] = sum(map(int, fields[11:15]))
    total, open_ = 0, [pid]
    while open_:
        current = open_.pop()
        total += used.get(current, 0)
        open_ += children.get(current, [])
    return total / os.sysconf("SC_CLK_TCK")
