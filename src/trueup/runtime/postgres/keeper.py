"""The process that keeps one home's server alive while anybody uses it, and stops it when the last user left.

``python -m trueup.runtime.postgres.keeper HOME [--version N] [--set NAME=VALUE]...`` detaches itself and returns at
once. It trusts nothing but locks, which vanish with the processes that hold them, and processes that it looked at.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trueup.kernel.errors import Broken, Refused, TrueupError, Unavailable
from trueup.runtime.postgres.home import READY, Home, bound, tail, write_atomically
from trueup.runtime.postgres.initialisation import initialise, memory, password, tuning
from trueup.runtime.postgres.locks import FileLock
from trueup.runtime.postgres.placement import PORT, place, refuse_other_version, socket_folder
from trueup.runtime.postgres.server import Server, clear, find, leftovers, read_pid_file, start

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trueup.runtime.postgres.placement import Placement

LOGGER: Final = logging.getLogger("trueup.postgres.keeper")

_TICK: Final = 0.1
_PAUSES: Final = (0.1, 0.3, 1.0)
"""Seconds before the second, third, ... attempt to start a server that ended before it was ready."""
_STEADY: Final = 60.0
"""A server that ran this many seconds was healthy: when it dies, it is started again without a pause."""
_LONGEST_STOP: Final = 300.0
"""Seconds for a clean stop, whose checkpoint writes all that is in memory; then the server is stopped at once."""
_LONGEST_STOPPING: Final = 30.0
"""Seconds that a server told to stop by somebody else may refuse new connections while it waits for old ones."""
_LOG_CHECK: Final = 60.0


class Leave(Exception):
    """The keeper's work is done."""


class Keeper:
    """The loop of one keeper; it holds the keeper's lock for its whole life."""

    def __init__(self, home: Home, version: int, settings: Mapping[str, str], mine: FileLock) -> None:
        self._home = home
        self._version = version
        self._settings = settings
        self._mine = mine
        self._use = FileLock(home.use_lock)
        self._said = ""
        self._log_start = 0
        self._log_checked = 0.0
        self._elsewhere: set[Path] = set()

    def run(self) -> None:
        """Keep the server until nobody uses it; raises the error that makes keeping it impossible."""
        self._say("preparing the embedded PostgreSQL")
        refuse_other_version(self._home, self._version)
        placement = place(self._home, self._version)
        failures, restarts = 0, 0
        try:
            while True:
                server = self._adopted(placement)
                self._leave_if_unused(server)
                server = server or self._started(placement)
                began = time.monotonic()
                was_ready = self._tend(server, placement)
                server.close()
                lived = time.monotonic() - began
                LOGGER.warning("the server ended after %.1f s%s", lived, "" if was_ready else " without becoming ready")
                failures = 0 if was_ready else failures + 1
                restarts = 0 if lived > _STEADY else restarts + 1
                if failures > len(_PAUSES):
                    raise self._start_failed()
                pause = _PAUSES[failures - 1] if failures else min(0.05 * 2**restarts, 10.0)
                self._say("the embedded PostgreSQL ended and is started again")
                self._pause(pause)
        except Leave:
            LOGGER.info("nobody uses the server any more")
            for sockets in self._elsewhere:
                with contextlib.suppress(OSError):
                    sockets.rmdir()

    def _adopted(self, placement: Placement) -> Server | None:
        server = find(placement.data)
        if server is not None:
            LOGGER.info("the server %d runs already", server.pid)
        elif placement.data.exists():
            self._wait_for_leftovers(placement)
        return server

    def _started(self, placement: Placement) -> Server:
        home = self._home
        if not placement.data.exists():
            self._say(f"making the database in {placement.data.parent}")
        sockets = socket_folder(home, placement.user)
        if sockets != home.socket:
            self._elsewhere.add(sockets)
        clear(placement.data, sockets)
        # The password is on the disk before the database that knows it, so that nobody is locked out by a crash.
        secret = password(home.password, placement)
        initialise(placement, secret, tuning(memory()))
        bound(home.server_log)
        self._log_start = home.server_log.stat().st_size if home.server_log.exists() else 0
        server = start(placement, sockets, home.server_log, self._settings)
        LOGGER.info("started the server %d as %s on %s", server.pid, placement.user.name, placement.data)
        self._say(f"starting PostgreSQL {self._version}")
        return server

    def _tend(self, server: Server, placement: Placement) -> bool:
        """Watch the server until it ends; whether it was ready at any time. Leaves when nobody uses it."""
        ready, stopping_since, missing = False, None, 0
        while not server.ended_within(_TICK):
            self._leave_if_unused(server)
            now = time.monotonic()
            if now - self._log_checked > _LOG_CHECK:
                self._log_checked = now
                with contextlib.suppress(OSError):
                    bound(self._home.server_log)
            said = read_pid_file(placement.data)
            if said is None or said.pid != server.pid:
                continue
            if said.status == "stopping":
                stopping_since = stopping_since or now
                if now - stopping_since > _LONGEST_STOPPING:
                    LOGGER.warning("the server was told to stop by somebody else; its last connections are closed")
                    server.signal(signal.SIGINT)
                    stopping_since = now
            elif said.status != "ready":
                self._say(self._recovery())
            elif not ready:
                ready = True
                self._home.failure.unlink(missing_ok=True)
                self._say(READY)
                LOGGER.info("the server %d is ready", server.pid)
            elif not Path(said.socket_folder, f".s.PGSQL.{PORT}").exists():
                # Cleaners of temporary folders take sockets away; nobody could connect any more.
                missing += 1
                if missing > 10:
                    LOGGER.warning("the server's socket is gone; the server is started again")
                    server.signal(signal.SIGINT)
                    missing = 0
            else:
                missing = 0
        return ready

    def _recovery(self) -> str:
        lines = [
            line.split("LOG:  ", 1)[1]
            for line in tail(self._home.server_log, start=self._log_start)
            if "LOG:  " in line
        ]
        redo = [line for line in lines if line.startswith(("redo", "syncing", "checkpoint", "database system was"))]
        return f"recovering: {redo[-1]}" if redo else f"starting PostgreSQL {self._version}"

    def _leave_if_unused(self, server: Server | None) -> None:
        removed = not self._mine.named()
        if not removed and not self._use.try_exclusive():
            return
        # From here on a newcomer waits for the lock of use, until this process has ended.
        if server is not None:
            if removed:
                LOGGER.warning("the home was removed; its server stops")
            else:
                self._say("stopping PostgreSQL")
            self._stop(server)
        raise Leave

    def _stop(self, server: Server) -> None:
        server.signal(signal.SIGINT)
        if not server.ended_within(_LONGEST_STOP):
            LOGGER.warning("the server did not stop in %.0f s and is stopped at once", _LONGEST_STOP)
            server.signal(signal.SIGQUIT)
            server.ended_within(_LONGEST_STOP)

    def _wait_for_leftovers(self, placement: Placement) -> None:
        """A killed server's backends hold its shared memory until they notice, and no new server starts beside them."""
        for number, patience in ((None, 2.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 30.0)):
            end = time.monotonic() + patience
            while left := leftovers(placement.data):
                if number is not None:
                    LOGGER.warning(
                        "backends outlived their server: sending %s to %s", number.name, [one.pid for one in left]
                    )
                for one in left:
                    if number is not None:
                        one.signal(number)
                    one.ended_within(0.05)
                    one.close()
                number = None  # noqa: PLW2901 - each signal goes out once
                if time.monotonic() > end:
                    break
            else:
                return

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._leave_if_unused(None)
            time.sleep(min(_TICK, seconds))

    def _start_failed(self) -> TrueupError:
        lines = tail(self._home.server_log, start=self._log_start)
        faults = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
        reason = faults[-1].split(":  ", 1)[-1] if faults else (lines or ["it wrote nothing"])[-1]
        return Unavailable(
            f"PostgreSQL {self._version} did not start: {reason}",
            code="postgres_start_failed",
            hint=f"The last lines of {self._home.server_log}:\n" + "\n".join(lines),
        )

    def _say(self, words: str) -> None:
        if words != self._said:
            self._said = words
            # A full disk must not take the keeper away from a server that still answers.
            with contextlib.suppress(OSError):
                write_atomically(self._home.state, f"{words}\n", durable=False)


def describe(error: TrueupError) -> str:
    """The error as the text of ``run/failure``; ``cluster`` makes it an error again."""
    kind = next(kind.__name__ for kind in (Refused, Unavailable, Broken) if isinstance(error, kind))
    return json.dumps(
        {"kind": kind, "code": error.code, "message": error.message, "hint": error.hint, "by": os.getpid()}
    )


def become(mine: FileLock) -> bool:
    """Take the keeper's lock; false when there is a keeper already."""
    # Whoever looks for a keeper takes the lock for an instant; that must not turn the first keeper away.
    for _ in range(20):
        if mine.try_exclusive():
            return True
        time.sleep(0.005)
    return False


def keep(home: Home, version: int, settings: Mapping[str, str], mine: FileLock) -> int:
    """Be the keeper until nobody uses the server; gives the exit status: 1 when it gave up, 0 otherwise."""
    try:
        Keeper(home, version, settings, mine).run()
    except TrueupError as error:
        LOGGER.error("%s %s", error.message, error.hint)
        write_atomically(home.failure, describe(error))
        return 1
    except Exception as error:
        if not mine.named():
            return 0
        LOGGER.exception("the keeper failed")
        sentence = f"The keeper of the embedded PostgreSQL failed: {type(error).__name__}: {error}"
        hint = f"See {home.keeper_log}."
        write_atomically(home.failure, describe(Broken(sentence, code="postgres_keeper_failed", hint=hint)))
        return 1
    return 0


def main(arguments: Sequence[str]) -> int:
    """Detach from whoever started this and keep the server; see the module's words."""
    parser = argparse.ArgumentParser(prog="trueup.runtime.postgres.keeper")
    parser.add_argument("home", type=Path)
    parser.add_argument("--version", type=int, default=18)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args(arguments)
    settings = dict(pair.split("=", 1) for pair in given.set)
    home = Home(given.home)
    mine = FileLock(home.keeper_lock)
    # The starter waits for its child; the grandchild belongs to init, so that it leaves no zombie to the starter. The
    # lock is taken before and shared with it, so that the starter finds a keeper as soon as it has waited.
    if not become(mine) or os.fork():
        return 0
    # A service manager's signals are for the users of the server; it stops when they have left. Handlers and not
    # SIG_IGN, because what is ignored stays ignored in the server.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format="%(asctime)s UTC [%(process)d] %(message)s", stream=sys.stderr)
    return keep(home, given.version, settings, mine)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
