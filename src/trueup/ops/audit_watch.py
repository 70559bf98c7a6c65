"""The alarms of the audit log. That no place outside is named is told by its health, and is no alarm."""

from __future__ import annotations

from typing import Final

from trueup.audit.anchors.health import NO_OUTSIDE, Health, health
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import Alarm
from trueup.runtime import database

MODES: Final = (("live", True), ("test", False))


def look_after() -> None:
    """Let alarms stand for what is wrong with the log of each mode at this moment, or end them."""
    for mode, livemode in MODES:
        with database.transaction() as connection:
            found = alarms_of(health(connection, livemode=livemode), mode)
            alarms.settle(source=f"audit.{mode}", account_id=None, alarms=found)


def alarms_of(found: Health, mode: str) -> list[Alarm]:
    """What stands wrong with the log of a mode."""
    return [
        Alarm(code=one.code, message=f"Audit log ({mode}): {one.message}", remedy=one.remedy)
        for one in found.problems
        if one.code != NO_OUTSIDE
    ]
