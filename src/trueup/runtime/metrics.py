"""Prometheus metrics of this process. Names begin with ``trueup_``; labels are bounded sets, never ids."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

DRAINED: Final = Counter("trueup_drained_rows_total", "Rows a drain handled, by result.", ["drain", "result"])
DRAIN_SECONDS: Final = Histogram(
    "trueup_drain_step_seconds",
    "How long a drain's batch took.",
    ["drain"],
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2, 10),
)
INTAKE_REQUESTS: Final = Counter(
    "trueup_intake_requests_total", "Answers of the webhook intake, by outcome.", ["outcome"]
)
INTAKE_QUEUE: Final = Gauge("trueup_intake_queue", "Verified events waiting for their commit in this process.")
INTAKE_FLUSH_SECONDS: Final = Histogram(
    "trueup_intake_flush_seconds",
    "How long a group commit took.",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1, 5),
)
INTAKE_FLUSH_ROWS: Final = Histogram(
    "trueup_intake_flush_rows", "Events in a group commit.", buckets=(1, 2, 5, 10, 20, 50, 100, 200)
)
BACKFILL_PAGES: Final = Counter(
    "trueup_backfill_pages_total", "Pages that backfills asked Stripe for, by outcome.", ["outcome"]
)
BACKFILL_OBJECTS: Final = Counter(
    "trueup_backfill_objects_total", "Objects that backfills read: new, changed or known just so.", ["result"]
)
RECONCILED: Final = Counter(
    "trueup_reconciled_objects_total", "Objects in Stripe's lists that were compared, by result.", ["result"]
)
NOTICES: Final = Counter(
    "trueup_notices_total", "Notifications this process tried to send, by channel and result.", ["channel", "result"]
)
STRIPE_CALLS: Final = Counter(
    "trueup_stripe_calls_total", "Reads of Stripe's API by this process, by lane and outcome.", ["lane", "outcome"]
)
STRIPE_WAIT_SECONDS: Final = Histogram(
    "trueup_stripe_wait_seconds",
    "How long calls to Stripe waited for their turn.",
    ["lane"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60),
)
