"""Ports for the servers of tests, which no other process of the run and no outgoing connection takes meanwhile."""

from __future__ import annotations

import itertools
import os
import socket
from contextlib import closing
from typing import Final

FIRST: Final = 20_000
"""Below the ports that systems give to outgoing connections, the lowest of which is 32,768 on Linux."""
EACH: Final = 3_000
"""How many ports a process of the run has to itself; then it begins anew."""

_WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 4
# Two runs on one machine begin in different places, so that they seldom look at the same port at the same time.
_TURNS: Final = itertools.count(os.getpid() * 7)


def free_port() -> int:
    """A port that nobody listens on at the moment; nor on the next one."""
    while True:
        port = FIRST + _WORKER * EACH + next(_TURNS) * 2 % EACH
        if _is_free(port) and _is_free(port + 1):
            return port


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
