"""A program that seals in children and kills each of them at some moment; run as ``python -m``.

It prints, for each child, whether it left a checkpoint that waits for its signature, and whether what it remembered
was ahead of the database.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time

import django

django.setup()

from django.db import connections  # noqa: E402 - Django has to be set up before tables are imported

from tests.audit.writing import record_many  # noqa: E402
from trueup.audit.sealing import memory, sequencer, trees  # noqa: E402
from trueup.runtime import database  # noqa: E402


def main(children: int, seed: int) -> None:
    """Kill so many children, each within the time of some rounds."""
    moments = random.Random(seed)
    for _ in range(children):
        record_many(moments.randrange(5, 40))
        connections.close_all()
        ready, tell = os.pipe()
        child = os.fork()
        if not child:
            database.connection()
            os.write(tell, b".")
            while True:
                sequencer.seal_once(threading.Event(), limit=4)
        os.read(ready, 1)
        time.sleep(moments.uniform(0, 0.1))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ready)
        os.close(tell)
        sys.stdout.write(json.dumps(_left()) + "\n")
        sys.stdout.flush()
    connections.close_all()


def _left() -> dict[str, object]:
    newest = trees.newest(database.connection(), livemode=True)
    signed = trees.newest_signed(database.connection(), livemode=True)
    remembered = memory.remembered(livemode=True)
    return {
        "size": newest.size if newest else 0,
        "unsigned": bool(newest and newest.note is None),
        "ahead": bool(remembered and remembered.size > (signed.size if signed else 0)),
    }


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
