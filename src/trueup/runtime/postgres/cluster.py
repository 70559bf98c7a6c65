"""The embedded PostgreSQL as its users see it: acquire it, get an address, release it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote

import psycopg

import trueup
from trueup.kernel.errors import Broken, Refused, TrueupError, Unavailable
from trueup.runtime.postgres.home import READY, Home, bound, tail, unusable_home
from trueup.runtime.postgres.identity import environment
from trueup.runtime.postgres.initialisation import DATABASE, ROLE
from trueup.runtime.postgres.locks import FileLock, is_free, is_held_exclusively
from trueup.runtime.postgres.placement import refuse_other_version
from trueup.runtime.postgres.server import read_pid_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

_LOOK: Final = 0.03
_LONGEST_REFUSAL: Final = 15.0
_KEEPERS: Final = 5
"""How many keepers may vanish without a word during one ``acquire`` before it gives up."""
_DURABILITY: Final = frozenset({"fsync", "full_page_writes"})
_KINDS: Final[dict[str, type[TrueupError]]] = {"Refused": Refused, "Unavailable": Unavailable, "Broken": Broken}


class Cluster:
    """The database of one home. Each process that needs it has its own ``Cluster`` and holds it while it needs it.

    ``settings`` are passed to the server when this user is the one that starts it; those that weaken durability are
    refused. Not safe for use by several threads at once.
    """

    def __init__(self, home: Path, *, version: int = 18, settings: Mapping[str, str] | None = None) -> None:
        self._home = Home(home.expanduser().absolute())
        self._version = version
        self._settings = dict(settings or {})
        self._use = FileLock(self._home.use_lock)
        self._address: str | None = None
        if weakened := sorted(_DURABILITY & self._settings.keys()):
            raise Refused(f"The setting {weakened[0]} stays on.", code="postgres_setting_refused", hint="Remove it.")

    def __enter__(self) -> Self:
        """Acquire the database."""
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release it."""
        self.release()

    @property
    def url(self) -> str:
        """The address that ``acquire`` gave; raises ``Broken`` before."""
        if self._address is None:
            raise Broken("The embedded PostgreSQL is not acquired.", code="postgres_not_acquired")
        return self._address

    def acquire(self, progress: Callable[[str], None] | None = None) -> str:
        """Wait until the server accepts connections and give its address, also good as a child's ``DATABASE_URL``.

        The address contains the password. The server is made, started or recovered as needed; there is no limit of time
        while it works at that, and ``progress`` hears a short line whenever what it does changes. Idempotent. Raises
        ``Refused``, ``Unavailable`` or ``Broken``; then nothing is held.
        """
        if self._address is not None:
            return self._address
        tell = _Teller(progress)
        refuse_other_version(self._home, self._version)
        self._home.prepare()
        try:
            while not self._use.try_shared():
                tell("waiting until the embedded PostgreSQL has stopped")
                time.sleep(_LOOK)
            self._address = self._await(tell)
        except OSError as error:
            raise unusable_home(self._home.root, error) from None
        finally:
            if self._address is None:
                self._use.close()
        return self._address

    def release(self) -> None:
        """Stop using the server; the last user waits until it has stopped. Idempotent."""
        if not self._use.held:
            return
        self._address = None
        self._use.close()
        others = 0
        # What others look at, they lock for an instant, and that looks like a use: only a lasting one counts.
        while others < 3 and self._keeper_lives():
            if is_free(self._home.use_lock) or is_held_exclusively(self._home.use_lock):
                others = 0
            else:
                others += 1
            time.sleep(_LOOK / 2)

    def keep_across_exec(self) -> None:
        """Go on using the server in the program that this process is about to become; the use ends with the process."""
        self._use.inherit()

    def check(self) -> bool:
        """Make sure that a keeper watches the server; false when there was none and one was started.

        For a loop that supervises. Does not wait for the server. Raises ``Broken`` when no keeper can be started or
        when nothing was acquired.
        """
        if not self._use.held:
            raise Broken("The embedded PostgreSQL is not acquired.", code="postgres_not_acquired")
        if self._keeper_lives():
            return True
        self._start_keeper()
        return False

    def _await(self, tell: _Teller) -> str:
        before = self._failure()
        keepers = 0
        refused_since: float | None = None
        while True:
            if not self._keeper_lives():
                failure = self._failure()
                if failure is not None and failure != before:
                    raise _error(failure)
                keepers += 1
                if keepers > _KEEPERS:
                    raise Broken(
                        "The keeper of the embedded PostgreSQL ended again and again without a word.",
                        code="postgres_keeper_failed",
                        hint="\n".join(tail(self._home.keeper_log)),
                    )
                self._start_keeper()
            else:
                state = self._state()
                tell(state)
                address, refusal = self._ready()
                if address is not None:
                    refuse_other_version(self._home, self._version)
                    return address
                # The keeper calls a server ready by the server's own word; one that then turns us away for long will
                # not change its mind, for example because the password was changed.
                refused_since = (refused_since or time.monotonic()) if refusal and state == READY else None
                if refused_since is not None and time.monotonic() - refused_since > _LONGEST_REFUSAL:
                    raise Unavailable(
                        f"The embedded PostgreSQL runs and refuses connections: {refusal}",
                        code="postgres_refuses",
                        hint=f"See {self._home.server_log}. If the password is at fault: stop Trueup and remove "
                        f"{self._home.password}; the next start makes a new one.",
                    )
            time.sleep(_LOOK)

    def _ready(self) -> tuple[str | None, str]:
        """The address once the server accepts connections, and otherwise why it refused one."""
        said = read_pid_file(self._home.data())
        if said is None or said.status != "ready":
            return None, ""
        try:
            secret = self._home.password.read_text(encoding="ascii").strip()
            address = f"postgresql://{ROLE}:{secret}@/{DATABASE}?host={quote(said.socket_folder)}"
            with psycopg.connect(address, connect_timeout=5) as connection:
                connection.execute("select 1")
        except (FileNotFoundError, psycopg.OperationalError) as error:
            # Mostly it is ready in a moment, or the file is one that a killed server left.
            return None, str(error)
        return address, ""

    def _keeper_lives(self) -> bool:
        try:
            return is_held_exclusively(self._home.keeper_lock)
        except FileNotFoundError:
            return False

    def _start_keeper(self) -> None:
        sources = str(Path(trueup.__file__).resolve().parents[1])
        paths = [
            sources,
            *(str(Path(path).absolute()) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path),
        ]
        settings = [option for name, value in self._settings.items() for option in ("--set", f"{name}={value}")]
        self._home.prepare()
        bound(self._home.keeper_log, 1_000_000)
        descriptor = os.open(self._home.keeper_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            ended = subprocess.run(  # noqa: S603 - our own module
                [
                    sys.executable,
                    "-m",
                    "trueup.runtime.postgres.keeper",
                    str(self._home.root),
                    "--version",
                    str(self._version),
                    *settings,
                ],
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                cwd="/",
                env=environment() | {"PYTHONPATH": os.pathsep.join(paths)},
                start_new_session=True,
                check=False,
            )
        finally:
            os.close(descriptor)
        if ended.returncode:
            raise Broken(
                f"The keeper of the embedded PostgreSQL could not be started: it ended with {ended.returncode}.",
                code="postgres_keeper_failed",
                hint="\n".join(tail(self._home.keeper_log)),
            )

    def _failure(self) -> str | None:
        try:
            return self._home.failure.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def _state(self) -> str:
        try:
            return self._home.state.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return "starting the embedded PostgreSQL"


class _Teller:
    """Tells each line once."""

    def __init__(self, listener: Callable[[str], None] | None) -> None:
        self._listener = listener
        self._last = ""

    def __call__(self, words: str) -> None:
        if words != self._last and self._listener is not None:
            self._listener(words)
        self._last = words


def _error(failure: str) -> TrueupError:
    told: dict[str, str] = json.loads(failure)
    return _KINDS[told["kind"]](told["message"], code=told["code"], hint=told["hint"])
