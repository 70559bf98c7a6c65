"""The check of both logs each night."""

from __future__ import annotations

from trueup.audit.sealing import trees
from trueup.audit.verifying import service
from trueup.audit.verifying.types import Finding
from trueup.runtime import database, logs

log = logs.get(__name__)


def verify_all() -> list[Finding]:
    """Check the log of each mode that has entries; what is found is noted, and told by the log's health.

    For a thread of its own, whose connection is closed at the end: a large log takes minutes.
    """
    found = []
    try:
        for livemode in (True, False):
            if trees.leaves(database.connection(), livemode=livemode):
                finding = service.verify_database(database.connection(), livemode=livemode)
                code = finding.first.code.value if finding.first else None
                say = log.info if finding.verified else log.error
                say("audit.verified", livemode=livemode, size=finding.size, problems=finding.problems, code=code)
                found.append(finding)
    finally:
        database.close()
    return found
