"""The months that the log is partitioned by."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from trueup.runtime import clock, partitions

BACK: Final = 1
AHEAD: Final = 3
GUARDS: Final = partitions.Guards(
    row_trigger="audit_logentry_append_only", truncate_trigger="audit_logentry_no_truncate", function="audit_refuse"
)


def ensure_partitions(*, now: datetime | None = None) -> None:
    """Make the partitions from the last month to three months ahead; run at start and daily, safe to repeat.

    An entry of another month, written while a clock is wrong, stands in the default partition.
    """
    partitions.ensure_months("audit_logentry", "at", now=now or clock.now(), back=BACK, ahead=AHEAD, guards=GUARDS)
