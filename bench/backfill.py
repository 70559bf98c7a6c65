"""How fast a worker reads all of an account, and whether its memory stays what it is."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

from bench.stage import Missing, Stage, cpu_seconds, free_port, rss_mib

SLUG: Final = "bench-lists"
LOOK_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 3_600.0


@contextlib.contextmanager
def pages(number: int) -> Iterator[str]:
    """Run the stand-in for Stripe's list with so many customers; gives its address."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "bench.pages", str(number), str(port)])
    try:
        until = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            if time.monotonic() > until:
                message = "The stand-in for Stripe's lists does not answer."
                raise Missing(message)
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def backfill(stage: Stage, *, objects: int = 1_000_000) -> dict[str, Any]:
    """Read so many customers by one worker, which mirrors and folds them at the same time.

    Objects a second until the last page is in the log and until the last customer is told, pages beyond those that the
    list has, and the worker's memory after a tenth and at the end of the reading.
    """
    stage.empty()
    with pages(objects) as address:
        _run(stage, "connect", "--name", SLUG, "--api-key", "sk_test_bench", "--api-base", address, "--no-backfill")
        _run(stage, "backfill", SLUG, "--type", "customer", "--no-follow")
        started = time.monotonic()
        with stage.running("worker") as pids:
            early, read = _watch(stage, pids["worker"], objects)
            seconds = time.monotonic() - started
            late = rss_mib(pids["worker"])
            stage.drained(LONGEST_SECONDS)
            through = time.monotonic() - started
            cpu = cpu_seconds(pids["worker"])
    return {
        "backfill_objects": objects,
        "backfill_read_per_s": round(objects / seconds, 1),
        "backfill_through_per_s": round(objects / through, 1),
        "backfill_pages_beyond": read - -(-objects // 100),
        "backfill_worker_rss_early_mib": early,
        "backfill_worker_rss_late_mib": late,
        "backfill_worker_cpu_us_per_object": round(cpu / objects * 1e6, 1),
    }


def _run(stage: Stage, *arguments: str) -> None:
    ended = stage.trueup(*arguments).wait(120)
    if ended:
        message = f"trueup {arguments[0]} ended with {ended}."
        raise Missing(message)


def _watch(stage: Stage, worker: int, objects: int) -> tuple[float, int]:
    """Wait until all is read; the worker's memory when a tenth was, and the number of pages of customers."""
    early, until = 0.0, time.monotonic() + LONGEST_SECONDS
    with stage.connect() as connection:
        while time.monotonic() < until:
            row = connection.execute(
                """
                select max(run.status), sum(listed)::bigint, sum(pages)::bigint
                from mirror_backfillrun run join mirror_backfillspan span on span.run_id = run.id
                where object_type = 'customer'
                """
            ).fetchone()
            status, listed, read = row or ("", 0, 0)
            if not early and (listed or 0) >= objects / 10:
                early = rss_mib(worker)
            if status != "running":
                if (status, listed) != ("complete", objects):
                    message = f"The backfill ended {status} with {listed} of {objects} objects."
                    raise Missing(message)
                return early, int(read)
            time.sleep(LOOK_SECONDS)
    message = f"The backfill still runs after {LONGEST_SECONDS:.0f} s."
    raise Missing(message)
