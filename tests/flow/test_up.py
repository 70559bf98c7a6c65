from __future__ import annotations

import os
import signal
import subprocess

from tests.flow.homes import Installed, kill
from tests.instance import alive, children, customer, encoded, event, eventually, post_all

LISTS = ["trueup.ops.main", "up"]


def up(home: Installed) -> subprocess.Popen[bytes]:
    """Start everything and wait until it answers."""
    process = home.start(*LISTS, TRUEUP_PORT=str(home.port))
    eventually(home.ready, "trueup up answers", 60)
    return process


def send(home: Installed, number: int) -> int:
    """Post one event; the answer's status, 0 when nobody answered."""
    try:
        return post_all(
            home.port, "/webhooks/stripe/acme", [encoded(event("customer.created", customer(f"cus_{number}")))]
        )[0].status
    except (OSError, EOFError, ExceptionGroup):
        return 0


def everything(home: Installed, process: subprocess.Popen[bytes]) -> set[int]:
    """All processes that run for the home."""
    return {process.pid, *children(process.pid).values(), *home.keepers(), home.postmaster()}


def test_a_killed_child_comes_back_and_a_stop_leaves_nobody(home: Installed) -> None:
    process = up(home)
    before = children(process.pid)
    assert set(before) == {"asgi", "worker"}
    assert send(home, 1) == 200

    for pid in before.values():
        kill(pid)
    eventually(
        lambda: len(children(process.pid)) == 2 and not set(children(process.pid).values()) & set(before.values()),
        "both are back",
        30,
    )
    eventually(lambda: send(home, 2) == 200, "events are taken again", 30)
    kill(home.postmaster())
    eventually(lambda: send(home, 3) == 200, "the database is back", 30)
    eventually(lambda: home.trueup("customers", "--json").count('"tc_') == 3, "all are folded", 60)

    pids = everything(home, process)
    process.send_signal(signal.SIGTERM)

    assert process.wait(40) == 0
    eventually(lambda: not any(map(alive, pids)), "nobody is left", 10)
    assert home.is_quiet()


def test_when_the_supervisor_is_killed_its_children_and_the_database_end_by_themselves(home: Installed) -> None:
    process = up(home)
    assert send(home, 1) == 200
    pids = everything(home, process)
    assert len(pids) == 5

    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    eventually(lambda: not any(map(alive, pids)), "nobody is left", 40)
    eventually(home.is_quiet, "the database has stopped")


def test_a_stop_in_the_midst_of_traffic_loses_nothing_that_was_answered(home: Installed) -> None:
    process = up(home)
    answered = sum(send(home, number) == 200 for number in range(20))
    process.send_signal(signal.SIGTERM)
    answered += sum(send(home, 100 + number) == 200 for number in range(20))
    assert process.wait(40) == 0

    up(home)

    eventually(
        lambda: home.trueup("customers", "--json", "--limit", "100").count('"tc_') == answered,
        "all that was answered is there",
        60,
    )
