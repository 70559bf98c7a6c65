"""Runs the processes of one installation: starts them, starts again what dies, and stops them all when told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Final

from trueup.runtime import clock, logs, processes

log = logs.get(__name__)

GRACE_SECONDS: Final = 15.0
STEADY_SECONDS: Final = 30.0
"""A child that lived this long is restarted at once; one that dies sooner waits longer each time."""
TICK_SECONDS: Final = 0.2


class Child:
    """One process that has to run."""

    def __init__(self, name: str, module: str, env: Mapping[str, str]) -> None:
        self.name = name
        self._argv = [sys.executable, "-m", module]
        self._env = {**os.environ, **env, processes.PARENT: str(os.getpid())}
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._retry_at = 0.0
        self._deaths = 0

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches the supervisor only, which stops it in order."""
        self._env["DATABASE_URL"] = os.environ.get("DATABASE_URL", "")
        self._process = subprocess.Popen(self._argv, env=self._env, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - our own module
        self._started = clock.monotonic()

    def tick(self) -> None:
        """Start it again when it died."""
        if self._process is None:
            if clock.monotonic() >= self._retry_at:
                self._start_again()
            return
        status = self._process.poll()
        if status is None:
            return
        steady = clock.monotonic() - self._started > STEADY_SECONDS
        self._deaths = 0 if steady else self._deaths + 1
        self._retry_at = clock.monotonic() + min(10.0, 0.1 * 2 ** min(self._deaths, 8))
        self._process = None
        log.error("supervisor.child_died", child=self.name, status=status, deaths=self._deaths)

    def _start_again(self) -> None:
        try:
            self.start()
        except OSError as error:
            # No memory or no process to spare: the others go on, and this one is tried again.
            self._deaths += 1
            self._retry_at = clock.monotonic() + min(10.0, 0.1 * 2 ** min(self._deaths, 8))
            log.warning("supervisor.child_not_started", child=self.name, error=error.strerror, deaths=self._deaths)

    def terminate(self) -> None:
        """Ask it to end."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait for its end; kill it when it does not come."""
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            log.error("supervisor.child_killed", child=self.name)
            self._process.kill()
            self._process.wait()


class Supervisor:
    """Keeps children running until ``stop``.

    ``every_tick`` is called five times a second, to look after the embedded database.
    """

    def __init__(self, children: Sequence[Child], *, every_tick: Callable[[], None] = lambda: None) -> None:
        self._children = children
        self._every_tick = every_tick
        self.stopping = threading.Event()

    def stop_on_signals(self) -> None:
        """End on SIGINT and SIGTERM."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.stopping.set()

    def start(self) -> None:
        """Start all children."""
        for child in self._children:
            child.start()

    def tick(self) -> None:
        """Look after everything once."""
        self._every_tick()
        for child in self._children:
            child.tick()

    def run(self) -> None:
        """Look after everything until told to stop, then stop the children, the ones that take work in first."""
        try:
            while not self.stopping.wait(TICK_SECONDS):
                self.tick()
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop all children in order."""
        for child in self._children:
            child.terminate()
            child.wait(GRACE_SECONDS)
