"""A process of eight threads that read customers as fast as they may, until its standard input ends.

``python -m tests.accounts.greedy SLUG`` prints when each call began and ended, on the clock that all processes of a
host share; the first line says that it is ready.
"""

from __future__ import annotations

import os
import sys
import threading
import time

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "trueup.config.settings"
django.setup()

from trueup.accounts import calls, service  # noqa: E402 - Django has to be set up before tables are imported
from trueup.accounts.calls import Lane  # noqa: E402
from trueup.runtime import database  # noqa: E402

THREADS = 8


def say(line: str) -> None:
    """Tell whoever started this, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(slug: str) -> None:
    """Read until told to stop."""
    [account] = [one for one in service.accounts() if one.slug == slug]
    stop, printing = threading.Event(), threading.Lock()

    def read() -> None:
        while not stop.is_set():
            begun = time.monotonic()
            calls.get(account, "/v1/customers", lane=Lane.BACKFILL)
            with printing:
                say(f"{begun} {time.monotonic()}")
        database.close()

    threads = [threading.Thread(target=read) for _ in range(THREADS)]
    say("ready")
    for thread in threads:
        thread.start()
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(sys.argv[1])
