"""How a worker works off what piled up while none ran."""

from __future__ import annotations

import time
from typing import Any, Final

from bench.stage import Stage, rss_mib

AT_ONCE: Final = 100_000
"""Events of one load: its generator keeps figures of each."""


def backlog(stage: Stage, *, events: int = 1_000_000) -> dict[str, Any]:
    """Take in so many events by the intake alone, then start a worker and wait until every customer is told.

    Events a second for each of the two, seconds until the first customer was told, and the worker's memory at the end.
    """
    stage.empty()
    taken = 0.0
    with stage.running("intake"):
        for _ in range(0, events, AT_ONCE):
            found = stage.load(stage.webhook_url, n=min(AT_ONCE, events), connections=64)
            taken += min(AT_ONCE, events) / found["ok_per_s"]
    first: float | None = None
    started = time.monotonic()
    with stage.running("worker") as pids:
        with stage.connect() as connection:
            while first is None:
                if connection.execute("select exists (select from customer_customer)").fetchone() == (True,):
                    first = time.monotonic() - started
                time.sleep(0.05)
        stage.drained(1_800)
        seconds = time.monotonic() - started
        memory = rss_mib(pids["worker"])
    return {
        "backlog_events": events,
        "backlog_taken_per_s": round(events / taken, 1),
        "backlog_worked_off_per_s": round(events / seconds, 1),
        "backlog_s": round(seconds, 1),
        "backlog_first_customer_s": round(first, 2),
        "backlog_worker_rss_mib": memory,
    }
