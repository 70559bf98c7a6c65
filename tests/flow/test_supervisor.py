from __future__ import annotations

import os
import signal
import sys
import time

from tests.instance import alive, eventually
from trueup.ops.supervisor import Child, Supervisor


def running(*children: Child) -> Supervisor:
    """A supervisor whose children run."""
    supervisor = Supervisor(children)
    supervisor.start()
    return supervisor


def ticking(supervisor: Supervisor, child: Child, before: int | None) -> bool:
    """Look after the children once; whether the child runs as another process than before."""
    supervisor.tick()
    return child.pid not in {None, before}


def test_a_child_that_cannot_be_started_is_tried_again_and_stops_nobody_else() -> None:
    steady, failing = Child("steady", "http.server", {}), Child("failing", "http.server", {})
    steady._argv = failing._argv = [sys.executable, "-c", "import time; time.sleep(60)"]
    supervisor = running(steady, failing)
    killed, other = failing.pid, steady.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    failing._argv = ["/nowhere/python"]

    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        supervisor.tick()
        time.sleep(0.05)
    assert failing.pid is None
    assert steady.pid == other
    failing._argv = steady._argv

    eventually(lambda: ticking(supervisor, failing, killed), "the child runs again", 10)
    pids = [steady.pid, failing.pid]
    supervisor.stop()
    assert not any(pid is not None and alive(pid) for pid in pids)


def test_a_child_that_dies_again_and_again_is_started_less_and_less_often() -> None:
    child = Child("dying", "http.server", {})
    child._argv = [sys.executable, "-c", "pass"]
    supervisor = running(child)
    started = set()

    end = time.monotonic() + 3.0
    while time.monotonic() < end:
        supervisor.tick()
        started.add(child.pid)
        time.sleep(0.02)

    supervisor.stop()
    assert 2 <= len(started - {None}) <= 5
