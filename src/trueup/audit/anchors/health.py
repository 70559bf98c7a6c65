"""Whether the audit log is well, as far as this database knows it: green, amber or red for each mode."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import psycopg

from trueup.audit.anchors import sending
from trueup.audit.sealing import service as sealing
from trueup.audit.sealing.service import State as Sealing
from trueup.audit.witnesses import places, sinks
from trueup.audit.witnesses.sinks import Sink
from trueup.kernel.records import Record
from trueup.runtime import clock

RUNBOOK: Final = "docs/runbooks/audit.md"
UNSIGNED: Final = timedelta(seconds=60)
"""How long entries may wait for a signed checkpoint that holds them."""
UNVERIFIED: Final = timedelta(days=2)
"""How old the last verification may be; there is one each night."""
LATELY: Final = timedelta(hours=36)
"""How long ago a place outside may have been reached; each is asked once a day at the least."""
REFUSING: Final = frozenset(
    {
        sinks.WENT_BACK,
        "audit_tree_changed",
        "audit_tree_torn",
        "audit_note_invalid",
        "audit_origin_changed",
        "audit_memory_invalid",
        "witness_altered",
    }
)
"""Why the signer refuses: somebody has to look. What else keeps it from signing may end by itself."""
NO_OUTSIDE: Final = "audit_no_outside"

VERIFIED: Final = b"""
select (select min(made_at) from audit_checkpoint where livemode = %(livemode)s), ended_at, verified, finding
from (values (1)) as one left join lateral (
    select ended_at, verified, finding from audit_verification where livemode = %(livemode)s order by id desc limit 1
) last on true
"""


class Light(StrEnum):
    """How well it is."""

    GREEN = "green"
    AMBER = "amber"
    """It goes on, and something is missing that would make it certain."""
    RED = "red"
    """The log is broken, or is not the one that was."""


class Problem(Record, frozen=True):
    """What is wrong."""

    light: Light
    code: str
    message: str
    """One sentence, without anything secret or personal."""
    remedy: str


class Health(Record, frozen=True):
    """How the log of a mode stands."""

    livemode: bool
    light: Light
    problems: tuple[Problem, ...]
    """The worst first; none while it is green."""
    size: int
    """Entries in the newest signed checkpoint; 0 before there is one."""
    signed_at: datetime | None
    waiting: int
    """Entries without a place in the tree yet."""
    verified_at: datetime | None
    """When all of it was checked last; None before that."""
    verified: bool | None
    """What came of it."""
    outside: tuple[Sink, ...]
    """How the configured places outside stand that were asked."""


def health(connection: psycopg.Connection[tuple[Any, ...]], *, livemode: bool) -> Health:
    """How the log of this mode stands at this moment. Reads, and asks nobody outside."""
    now = clock.now()
    state = sealing.state(connection, livemode=livemode)
    first_at, verified_at, verified, finding = psycopg.Cursor(connection).execute(
        VERIFIED, {"livemode": livemode}
    ).fetchone() or (None, None, None, None)
    found = sinks.sinks(connection, livemode=livemode)
    configured = {one.key.name for one in places.elsewhere()} | {one.name for one in sending.places()}
    outside = tuple(sink for sink in found if sink.name in configured)
    problems = [
        *_refusing(state),
        *_went_back(found, state),
        *_not_verified(verified, finding or ""),
    ]
    # What no entry was ever recorded in is well, and nothing of it can be missing anywhere.
    if state.size or state.waiting:
        problems += [
            *_unsigned(state, now),
            *_verified_long_ago(verified_at or first_at, now),
            *_unremembered(outside, now, any_configured=bool(configured)),
        ]
    problems.sort(key=lambda problem: problem.light is not Light.RED)
    return Health(
        livemode=livemode,
        light=problems[0].light if problems else Light.GREEN,
        problems=tuple(problems),
        size=state.signed.size if state.signed else 0,
        signed_at=state.signed.signed_at if state.signed else None,
        waiting=state.waiting,
        verified_at=verified_at,
        verified=verified,
        outside=outside,
    )


def _refusing(state: Sealing) -> list[Problem]:
    if state.code not in REFUSING:
        return []
    remedy = f"Nothing is signed before somebody has looked: see {RUNBOOK}"
    return [Problem(light=Light.RED, code=state.code, message=state.problem, remedy=remedy)]


def _went_back(found: list[Sink], state: Sealing) -> list[Problem]:
    """Who remembers another log; the signer says the same once it has looked."""
    ahead = [sink for sink in found if sink.code == sinks.WENT_BACK and sink.kind in {places.BUILT_IN, places.WITNESS}]
    if not ahead or state.code == sinks.WENT_BACK:
        return []
    return [
        Problem(
            light=Light.RED,
            code=sinks.WENT_BACK,
            message=f"A witness knows {ahead[0].size} entries of a log that the database's does not continue.",
            remedy=f"Put the right database in place, or say why this one is: see {RUNBOOK}",
        )
    ]


def _not_verified(verified: bool | None, finding: str) -> list[Problem]:  # noqa: FBT001 - a column, true, false or null
    if verified is not False:
        return []
    return [
        Problem(
            light=Light.RED,
            code="audit_verification_failed",
            message=f"The last verification of the audit log failed: {finding}",
            remedy=f"Keep the database as it is, and see {RUNBOOK}",
        )
    ]


def _unsigned(state: Sealing, now: datetime) -> list[Problem]:
    since = min(filter(None, [state.oldest_waiting, state.unsigned_since]), default=None)
    if since is None or now - since <= UNSIGNED or state.code in REFUSING:
        return []
    return [
        Problem(
            light=Light.AMBER,
            code=state.code or "audit_not_signed",
            message=state.problem or "Entries of the audit log have waited more than a minute to be signed.",
            remedy=f"See that a worker runs and holds the signing key; see {RUNBOOK}",
        )
    ]


def _verified_long_ago(since: datetime | None, now: datetime) -> list[Problem]:
    if since is None or now - since <= UNVERIFIED:
        return []
    return [
        Problem(
            light=Light.AMBER,
            code="audit_not_verified",
            message="The audit log was not verified for two days.",
            remedy="Run `trueup audit verify --db`; a worker does it each night.",
        )
    ]


def _unremembered(outside: tuple[Sink, ...], now: datetime, *, any_configured: bool) -> list[Problem]:
    if any(sink.reached_at is not None and now - sink.reached_at <= LATELY for sink in outside):
        return []
    if not any_configured:
        return [
            Problem(
                light=Light.AMBER,
                code=NO_OUTSIDE,
                message="Nobody outside remembers the audit log, so whoever has this host could rewrite it.",
                remedy="Name a witness in TRUEUP_AUDIT_WITNESSES, or a timestamp authority, a webhook or a mailbox.",
            )
        ]
    codes = ", ".join(sorted({sink.code for sink in outside if sink.code}))
    return [
        Problem(
            light=Light.AMBER,
            code="audit_outside_away",
            message=f"No place outside that remembers the audit log could be reached lately{codes and f' ({codes})'}.",
            remedy=f"See trueup audit status and {RUNBOOK}",
        )
    ]
