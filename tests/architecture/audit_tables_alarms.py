"""The same tables for alarms. ``audit_tables`` takes them in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import Alarm
from trueup.kernel.actor import Actor, ActorKind

BY = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
Scenario = Callable[[Any], object]


def _raised() -> int:
    """The number of an alarm that stands."""
    alarms.settle(source="walk", account_id=None, alarms=[Alarm(code="odd", message="It is odd.", remedy="Look.")])
    return alarms.standing()[-1].id


CHANGES: dict[str, tuple[Scenario, list[str]]] = {
    "inbox.alarms.acknowledge": (
        lambda _: [alarms.acknowledge(alarm_id=one, note="I look.", by=BY) for one in [_raised()] * 2],
        ["inbox.alarm.acknowledged"],
    ),
    "inbox.alarms.release": (
        lambda _: [do(alarm_id=_raised(), by=BY) for do in (alarms.acknowledge, alarms.release, alarms.release)],
        ["inbox.alarm.acknowledged", "inbox.alarm.released"],
    ),
}

READS: dict[str, Scenario] = {
    "inbox.alarms.counts": lambda _: alarms.counts(),
    "inbox.alarms.past": lambda _: alarms.past(since=datetime(2026, 11, 1, tzinfo=UTC)),
    "inbox.alarms.standing": lambda _: alarms.standing(),
}

UNRECORDED = {
    "inbox.alarms.settle": "Notes what stands wrong; nothing is decided here.",
    "inbox.alarms.clear": "Notes what stands wrong no longer.",
    "inbox.alarms.tidy": "Deletes by the calendar what is over.",
}
