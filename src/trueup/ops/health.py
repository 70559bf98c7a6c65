"""Whether this installation is well: liveness, readiness, and numbers from the database for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
from django.db import DatabaseError, connections
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import REGISTRY, CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from trueup.audit.anchors import health as audit_health
from trueup.audit.anchors.health import Light
from trueup.customer import service as customers
from trueup.inbox import dead_letters
from trueup.inbox import service as inbox
from trueup.inbox.alarms import service as alarms
from trueup.inbox.sweep import service as sweeps
from trueup.mirror.reconcile import service as reconcile
from trueup.mirror.reconcile.types import Kind
from trueup.ops.backups import nightly
from trueup.ops.calls_metrics import CallsCollector
from trueup.runtime import clock, database, installation


class DatabaseCollector(Collector):
    """Queues and counts, read at each scrape, so that every process tells the same."""

    @override
    def collect(self) -> Iterator[Metric]:
        """Depth and age of every queue, customers by stage, quarantine, the sweep and the alarms."""
        connection = database.connection()
        waiting = GaugeMetricFamily("trueup_queue_waiting", "Rows due or retrying.", labels=["queue"])
        aside = GaugeMetricFamily("trueup_queue_set_aside", "Rows set aside with their error.", labels=["queue"])
        oldest = GaugeMetricFamily(
            "trueup_queue_oldest_seconds", "Age of the oldest row not set aside.", labels=["queue"]
        )
        for name, depth in dead_letters.depths(connection).items():
            waiting.add_metric([name], depth.waiting)
            aside.add_metric([name], depth.set_aside)
            oldest.add_metric([name], depth.oldest_seconds)
        stages = GaugeMetricFamily("trueup_customers", "Customers by stage.", labels=["stage"])
        for stage, number in customers.counts().items():
            stages.add_metric([stage.value], number)
        stats = inbox.stats()
        quarantined = GaugeMetricFamily(
            "trueup_quarantined", "Signed bodies that cannot be used.", value=stats.quarantined
        )
        fetch = GaugeMetricFamily(
            "trueup_awaiting_fetch", "Thin events whose object has to be fetched.", value=stats.awaiting_fetch
        )
        missed, behind = sweeps.numbers()
        found_late = CounterMetricFamily(
            "trueup_stripe_events_missed", "Events that the sweep found and no webhook had told.", value=missed
        )
        cursor = GaugeMetricFamily(
            "trueup_sweep_cursor_age_seconds", "How far the sweep of events is behind, at the worst.", value=behind
        )
        wrong = GaugeMetricFamily("trueup_alarms", "What stands wrong at this moment, by code.", labels=["code"])
        for code, number in alarms.counts().items():
            wrong.add_metric([code], number)
        drift = GaugeMetricFamily(
            "trueup_drift_objects", "What differs from Stripe at this moment.", labels=["account", "kind"]
        )
        for one in reconcile.drift():
            for kind in Kind:
                drift.add_metric([one.account_slug, kind.value], one.kinds.get(kind.value, 0))
        yield drift
        if newest := nightly.newest_recorded(connection):
            yield GaugeMetricFamily(
                "trueup_backup_age_seconds",
                "Age of the newest backup, as the audit log knows it.",
                value=(clock.now() - newest).total_seconds(),
            )
        yield from _audit(connection)
        yield from (waiting, aside, oldest, stages, quarantined, fetch, found_late, cursor, wrong)


def _audit(connection: psycopg.Connection[Any]) -> Iterator[Metric]:
    """How the audit log of each mode stands."""
    unsealed = GaugeMetricFamily(
        "trueup_audit_unsealed", "Entries of the audit log without a place in its tree.", labels=["mode"]
    )
    age = GaugeMetricFamily(
        "trueup_audit_checkpoint_age_seconds", "Age of the newest signed checkpoint.", labels=["mode"]
    )
    lights = GaugeMetricFamily(
        "trueup_audit_health", "Whether the audit log is in this state (1) or not (0).", labels=["mode", "state"]
    )
    for mode, livemode in (("live", True), ("test", False)):
        found = audit_health.health(connection, livemode=livemode)
        unsealed.add_metric([mode], found.waiting)
        if found.signed_at is not None:
            age.add_metric([mode], (clock.now() - found.signed_at).total_seconds())
        for light in Light:
            lights.add_metric([mode, light.value], found.light is light)
    yield from (unsealed, age, lights)


def exposition() -> bytes:
    """This process's metrics and the database's, in Prometheus' text format; without a database only the former."""
    text = generate_latest(REGISTRY)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(DatabaseCollector())
    registry.register(CallsCollector())
    try:
        return text + generate_latest(registry)
    except (DatabaseError, psycopg.Error):
        return text
    finally:
        connections.close_all()


def database_ready() -> bool:
    """Whether the database answers and has our tables."""
    try:
        return database.execute("select to_regclass('customer_customer') is not null").fetchone() == (True,)
    except (DatabaseError, psycopg.Error):
        return False
    finally:
        connections.close_all()


def alive() -> dict[str, Any]:
    """What ``/healthz`` answers while the process runs."""
    return {"status": "ok", "service": "trueup", "installation": installation.identifier()}
