"""What a worker does so that erasures hold and old months go.

Each minute erasures reach what was committed late, and the files beside the database say what it says; each night the
months go that the log was to keep no longer.
"""

from __future__ import annotations

from typing import Final

from trueup.audit.retention import dropping, keeping
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import Alarm
from trueup.kernel.actor import system
from trueup.kernel.errors import TrueupError
from trueup.runtime import logs

log = logs.get(__name__)

SOURCE: Final = "audit_copy"


def watch() -> None:
    """Heal and write out; an alarm stands while the files cannot be written or read."""
    if rows := keeping.heal():
        log.warning("audit.erased_late", rows=rows)
    standing = []
    try:
        keeping.write_out()
    except TrueupError as error:
        log.error("audit.copy_unwritten", code=error.code)
        standing.append(
            Alarm(
                code=error.code,
                message=f"{error.message} What was erased since may still be in the copy of the audit log's keys, and "
                "new keys are not in it.",
                remedy=error.hint,
            )
        )
    alarms.settle(source=SOURCE, account_id=None, alarms=standing)


def drop_old() -> None:
    """Drop the months that are old enough; what forbids it, such as a legal hold, is in the log, and asked anew."""
    keeping.heal(everything=True)
    try:
        done = dropping.drop(by=system("retention"))
    except TrueupError as error:
        log.warning("audit.months_kept", code=error.code)
        return
    if done.entries:
        log.info("audit.months_dropped", months=len(done.months), entries=done.entries)
    for one in done.kept:
        log.warning("audit.month_kept", month=one.month, why=one.why)
