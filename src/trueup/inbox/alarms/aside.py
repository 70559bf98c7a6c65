"""The alarms for what is stuck: rows that their readers set aside, and signed bodies that cannot be used as events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from trueup.inbox import quarantine
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import Alarm
from trueup.runtime.dead_letters import Group
from trueup.runtime.dead_letters import groups as found_groups

SOURCE: Final = "dead_letters"
SET_ASIDE: Final = "set_aside"
QUARANTINED: Final = "quarantined"
"""The codes of the alarms; both are about the installation, because a cause may have struck several accounts."""
RUNBOOK: Final = "docs/runbooks/poison-event.md"


def settle(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Let the alarms stand that follow from what is stuck at this moment; repeating it changes nothing."""
    found = alarms_of(found_groups(connection), quarantine.groups(connection))
    alarms.settle(source=SOURCE, account_id=None, alarms=found)


def alarms_of(aside: Sequence[Group], bodies: Sequence[Group]) -> list[Alarm]:
    """What stands wrong because of rows ``aside`` and quarantined ``bodies``, by the cause that struck most of them.

    An error is not told, because it may hold personal data; its cause is a code without any.
    """
    found = []
    if aside:
        rows, cause, largest = _largest(aside)
        what, them = ("1 row was", "it") if rows == 1 else (f"{rows} rows were", "them")
        found.append(
            Alarm(
                code=SET_ASIDE,
                message=f"{what} set aside because nothing could be made of {them}: {_share(rows, cause, largest)}.",
                remedy=f"See trueup dead-letters and {RUNBOOK}; once the cause is gone: "
                f"trueup dead-letters retry {cause}",
            )
        )
    if bodies:
        rows, cause, largest = _largest(bodies)
        what = "1 signed delivery cannot" if rows == 1 else f"{rows} signed deliveries cannot"
        found.append(
            Alarm(
                code=QUARANTINED,
                message=f"{what} be used as an event: {_share(rows, cause, largest)}.",
                remedy=f"See trueup dead-letters show {cause} and {RUNBOOK}",
            )
        )
    return found


def _largest(groups: Sequence[Group]) -> tuple[int, str, int]:
    """How many rows there are, the cause of most of them over all queues, and how many those are."""
    by_cause: dict[str, int] = {}
    for group in groups:
        by_cause[group.cause] = by_cause.get(group.cause, 0) + group.rows
    cause = min(by_cause, key=lambda one: (-by_cause[one], one))
    return sum(by_cause.values()), cause, by_cause[cause]


def _share(rows: int, cause: str, largest: int) -> str:
    return cause if rows == largest else f"{largest} for {cause}, the rest for other causes"
