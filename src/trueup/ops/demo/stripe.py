"""The demo's Stripe: a sandbox in this process, at an address that stays, its webhooks going to Trueup."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from trueup.kernel.errors import Refused, Unavailable
from trueup.runtime import clock
from trueup.sandbox import Sandbox, start

PATIENCE: Final = 60.0
"""Seconds without any progress after which sending is given up."""

_LOOK: Final = 0.2
_AGAIN: Final = 2.0
_DAY: Final = 86_400
_PORTS: Final = 65_535


def open_sandbox(path: Path, *, last: int, wanted: int) -> Sandbox:
    """Start the sandbox of a file on the port where it was ``last`` (0: never), or the ``wanted`` one, or a free one.

    Its clock runs with the machine's, ahead of it by what somebody turned it on. What fell due since it ran last is
    done at once.
    """
    # What uvicorn says of itself would stand between the lines that are for people.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    for port in (last, wanted):
        if 0 < port <= _PORTS:
            try:
                return _caught_up(start(path=path, mode="running", port=port))
            except Refused as error:
                if error.code != "port_unavailable":
                    raise
    return _caught_up(start(path=path, mode="running"))


def _caught_up(sandbox: Sandbox) -> Sandbox:
    """A clock that stood still while the year was lived runs behind the machine's by as much."""
    now = clock.unix()
    if sandbox.now < now:
        sandbox.advance(now)
    return sandbox


def point(sandbox: Sandbox, endpoint: str, url: str) -> None:
    """Have the endpoint's events sent to ``url``. Repeating it changes nothing."""
    path = f"/v1/webhook_endpoints/{endpoint}"
    if sandbox.request("GET", path)["url"] != url:
        sandbox.request("POST", path, {"url": url})


def account_of(sandbox: Sandbox) -> str:
    """The ``acct_…`` of its only account."""
    return str(sandbox.request("GET", "/v1/account")["id"])


def send(
    sandbox: Sandbox,
    *,
    ready: Callable[[], bool],
    on_progress: Callable[[int, int], None],
    patience: float = PATIENCE,
) -> None:
    """Send all that waits, also what failed before, and come back when everything was taken.

    What is not taken is sent again every few seconds while somebody is ``ready`` to take it. ``on_progress`` is told
    how many of how many are done. Raises ``Unavailable`` where nothing is taken for ``patience`` seconds, and where
    something was refused for good; a later call goes on.
    """
    outbox, pause = sandbox.engine.outbox, threading.Event()
    lost = outbox.counts()["failed"]
    again(sandbox)
    total = least = 0
    moved = released = clock.monotonic()
    while True:
        looked = clock.monotonic()
        counts = outbox.counts()
        now, waiting = clock.monotonic(), counts["waiting"]
        total = total or waiting
        on_progress(max(0, total - waiting), total)
        if not waiting:
            break
        if not least or waiting < least:
            least, moved = waiting, now
        elif now - moved > patience:
            raise _unsent(sandbox, waiting)
        if not counts["due"] and now - released > _AGAIN and ready():
            again(sandbox)
            released = now
        # Counting stops the sandbox for a moment, a longer one the more there is to count.
        pause.wait(max(_LOOK, 10 * (now - looked)))
    if counts["failed"] > lost:
        raise _unsent(sandbox, counts["failed"] - lost)


def _unsent(sandbox: Sandbox, number: int) -> Unavailable:
    problems = (one["problem"] for one in sandbox.engine.outbox.latest(1_000) if one["problem"])
    return Unavailable(
        f"{number} events were not taken: {next(problems, 'nobody answered')}.",
        code="demo_undelivered",
        hint="Run the demo again: it resumes with those that wait.",
    )


def again(sandbox: Sandbox) -> None:
    """Send once more what was not taken. Stripe would wait for hours; somebody looks on here."""
    sandbox.engine.outbox.release(retries=True)
    sandbox.courier.wake()


def has_failed(sandbox: Sandbox, endpoint: str) -> bool:
    """Whether something waits to be sent once more; no, where somebody wants it late, lost or out of order."""
    outbox = sandbox.engine.outbox
    return not outbox.mode(endpoint).disturbs and outbox.next_due(sandbox.now + _DAY) is not None
