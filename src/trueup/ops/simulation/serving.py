"""What a process that plays seeds does: a request a line on its standard input, an answer a line on its output."""

from __future__ import annotations

import sys
from typing import Final

import msgspec

from trueup.ops import schema
from trueup.ops.simulation.killing import play_with_kills
from trueup.ops.simulation.play import play
from trueup.ops.simulation.types import Outcome, Request
from trueup.runtime import configuration, logs, processes

_requests: Final = msgspec.json.Decoder(Request)


def main() -> None:
    """Play what is asked for until the input ends."""
    # What goes wrong is what is wanted; what matters of it is in the outcome.
    logs.configure(level="critical", form="text")
    processes.follow_parent()
    schema.prepare()
    for line in sys.stdin.buffer:
        asked = _requests.decode(line)
        sys.stdout.buffer.write(msgspec.json.encode(answer(asked)) + b"\n")
        sys.stdout.buffer.flush()


def answer(asked: Request) -> Outcome:
    """Play one plan."""
    settings = configuration.current()
    if asked.kills:
        return play_with_kills(asked.plan, home=settings.home, conninfo=settings.database_url)
    return play(asked.plan, conninfo=settings.database_url, telling=asked.telling)
