"""The process behind ``postgres_plugin``: a throw-away PostgreSQL that lives as long as this process's input is open.

It runs in its own session and owns the server and its folder, so that both are gone afterwards also when the test run
that holds the other end of the pipe is killed. It says one line of JSON: ``url``, ``folder`` and ``pid`` when the
server is ready, or ``error``.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.kernel.errors import TrueupError
from trueup.runtime.postgres.binaries import binaries
from trueup.runtime.postgres.home import Home, tail
from trueup.runtime.postgres.identity import ServerUser, chosen_user
from trueup.runtime.postgres.initialisation import DATABASE, ROLE, initialise, password, tuning
from trueup.runtime.postgres.placement import Placement, socket_folder
from trueup.runtime.postgres.server import Server, read_pid_file, start

if TYPE_CHECKING:
    from collections.abc import Sequence

# Nothing of it survives the run, so nothing has to survive a crash. No other server of ours gives durability up.
VOLATILE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_connections": "200",
}


def folder_for(user: ServerUser) -> Path:
    """A new temporary folder that the server's user can pass through."""
    tried = []
    for parent in dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp"]):  # noqa: S108 - mkdtemp makes a name of its own
        folder = Path(tempfile.mkdtemp(prefix="trueup-tests-", dir=parent))
        if not user.switched:
            return folder
        folder.chmod(0o711)
        if user.may("x", folder):
            return folder
        folder.rmdir()
        tried.append(parent)
    message = f"{user.name} can reach none of {', '.join(tried)}"
    raise OSError(message)


def input_closed(seconds: float) -> bool:
    """Whether the other end of the pipe is closed, waiting at most that long for it."""
    ready, _, _ = select.select([0], [], [], seconds)
    return bool(ready) and os.read(0, 1024) == b""


def started(home: Home, user: ServerUser, version: int) -> tuple[Server, str]:
    """Make and start the server; gives it and its address once it is ready."""
    home.prepare()
    storage = home.root / "postgres"
    storage.mkdir()
    storage.chmod(0o711)
    placement = Placement(user=user, programs=binaries(version, user), data=storage / "data")
    secret = password(home.password, placement)
    initialise(placement, secret, tuning(0) | VOLATILE, durable=False)
    server = start(placement, socket_folder(home, user), home.server_log, {})
    while not server.ended_within(0.02):
        said = read_pid_file(placement.data)
        if said is not None and said.status == "ready":
            return server, f"postgresql://{ROLE}:{secret}@/{DATABASE}?host={said.socket_folder}"
    raise OSError("\n".join(tail(home.server_log)))


def main(arguments: Sequence[str]) -> int:
    """Serve until the input is closed; ``arguments`` is the major version."""
    # Everything is cleaned up when the run ends, and only then: Ctrl-C in the terminal is for the run.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    user = chosen_user()
    home, server = Home(folder_for(user)), None
    try:
        server, url = started(home, user, int(arguments[0]))
        sys.stdout.write(json.dumps({"url": url, "folder": str(home.root), "pid": server.pid}) + "\n")
        sys.stdout.flush()
        while not input_closed(5) and server.alive():
            continue
    except (TrueupError, OSError) as error:
        sys.stdout.write(json.dumps({"error": f"{error} {getattr(error, 'hint', '')}"}) + "\n")
        return 1
    finally:
        if server is not None:
            # An immediate stop: whatever it would still write is deleted in the next line.
            server.signal(signal.SIGQUIT)
            server.ended_within(60)
        shutil.rmtree(home.root, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
