"""Alarms and metrics follow from how the audit log stands."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from tests.audit.anchors.test_health import verified
from tests.audit.witnesses.conftest import configure, log
from tests.audit.witnesses.stored import StoredLog, ask
from trueup.inbox.alarms import service as alarms
from trueup.ops import audit_watch, health

__all__ = ["configure", "log"]


def standing() -> list[tuple[str, str]]:
    audit_watch.look_after()
    return [(alarm.source, alarm.code) for alarm in alarms.standing()]


def test_an_alarm_stands_while_the_log_is_broken_and_ends_with_it(log: StoredLog) -> None:
    verified(well=False)
    assert standing() == [("audit.live", "audit_verification_failed")]
    (alarm,) = alarms.standing()
    assert alarm.message.startswith("Audit log (live): ")
    assert "docs/runbooks/audit.md" in alarm.remedy

    verified()
    assert standing() == []


def test_that_no_place_outside_is_named_is_no_alarm(log: StoredLog) -> None:
    assert standing() == []


def test_the_numbers_tell_how_each_log_stands(log: StoredLog) -> None:
    ask("insert into audit_unsealed (entry_id, at, livemode) values (1, now(), true)")
    # The exposition lets go of its connection, and what the test wrote is in it.
    registry = CollectorRegistry(auto_describe=False)
    registry.register(health.DatabaseCollector())

    told = generate_latest(registry).decode()

    assert 'trueup_audit_unsealed{mode="live"} 1.0' in told
    assert 'trueup_audit_unsealed{mode="test"} 0.0' in told
    assert 'trueup_audit_checkpoint_age_seconds{mode="live"} ' in told
    assert 'trueup_audit_checkpoint_age_seconds{mode="test"} ' not in told
    assert 'trueup_audit_health{mode="live",state="amber"} 1.0' in told
    assert 'trueup_audit_health{mode="live",state="green"} 0.0' in told
    assert 'trueup_audit_health{mode="test",state="green"} 1.0' in told
