"""Alarms: what stands wrong at this moment, who is on it, and what stood wrong. By level and not by edge.

Whoever watches something looks again and again, and each time says all that it finds wrong. What it says for the first
time is an alarm from then on, what it says again still is, and what it says no more is over. So nobody has to remember
what was raised before, and a crash between looking and saying loses nothing that the next look does not find.

That somebody is on an alarm belongs to this raising of it: once it is over, one that comes again waits for somebody
again. What is over is kept for ninety days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from trueup.accounts import service as accounts
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.inbox.alarms import store
from trueup.inbox.alarms.types import Alarm, PastAlarm, StandingAlarm
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Conflict, NotFound, Refused
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import clock, database, logs
from trueup.runtime.pages import Moment, Number, Page, decode_cursor, encode_cursor

KEPT: Final = timedelta(days=90)
LONGEST_NOTE: Final = 200
LARGEST_PAGE: Final = 200
NEWEST: Final = 2**63 - 1
LAST: Final = datetime.max.replace(tzinfo=UTC)

log = logs.get(__name__)


def settle(*, source: str, account_id: int | None, alarms: Sequence[Alarm]) -> None:
    """Say all that ``source`` finds wrong with an account (None: with the installation) at this moment.

    Other alarms of that source and account are over; those of other sources are not touched. ``source`` names who
    watches, in words with dots. Two alarms of one code are one, the first. May be part of a transaction; repeating it
    changes nothing.
    """
    first = {alarm.code: alarm for alarm in reversed(alarms)}
    with database.transaction():
        raised, cleared = store.settle(source=source, account_id=account_id, alarms=list(first.values()))
    for code in raised:
        log.warning("alarm.raised", code=code, source=source, account=account_id)
    for code in cleared:
        log.info("alarm.cleared", code=code, source=source, account=account_id)


def clear(*, source: str, account_id: int | None, code: str) -> None:
    """Say that one alarm is over, before its source looks again; harmless when it does not stand."""
    with database.transaction():
        if store.clear(source=source, account_id=account_id, code=code):
            log.info("alarm.cleared", code=code, source=source, account=account_id)


def standing(*, account_id: int | None = None) -> tuple[StandingAlarm, ...]:
    """What stands wrong at this moment, the oldest first; of one account alone, where that is given."""
    return tuple(store.standing(account_id=account_id, told=_told()))


def counts() -> dict[str, int]:
    """How many alarms of each code stand."""
    return store.counts()


def past(*, since: datetime, limit: int = 50, after: str | None = None) -> Page[PastAlarm]:
    """What ended from ``since`` on, the newest first."""
    limit = max(1, min(limit, LARGEST_PAGE))
    before, before_id = decode_cursor(after, tuple[Moment, Number]) if after else (LAST, NEWEST)
    found = store.past(since=since, before=before, before_id=before_id, limit=limit + 1, told=_told())
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        data=tuple(found[:limit]),
        next=encode_cursor(last.ended_at.isoformat(), last.id) if last is not None else None,
        total=store.number_past(since),
    )


def acknowledge(*, alarm_id: int, note: str = "", by: Actor) -> StandingAlarm:
    """Say that whoever acts is on an alarm, with a note of up to ``LONGEST_NOTE`` characters for the others.

    Repeating it changes nothing but a note that is another and not empty. ``Conflict`` where somebody else is on it
    (``alarm_taken``) and where it is over (``alarm_over``), ``NotFound`` for one that there never was, ``Refused`` for
    a note that is too long.
    """
    operators.require(by, Permission.TRUTH_REPAIR)
    told = " ".join(note.replace("\x00", "").split())
    if len(told) > LONGEST_NOTE:
        raise Refused(f"A note on an alarm has at most {LONGEST_NOTE} characters.", code="note_length")
    who = f"{by.kind.value}:{by.id}"
    with database.transaction() as connection:
        before = _held(alarm_id)
        if before.acknowledged_by not in {"", who}:
            raise Conflict(
                "Somebody else is on this alarm already.",
                code="alarm_taken",
                hint="Ask them, or take it back from them first.",
            )
        if before.acknowledged_by == who and told in {"", before.note}:
            return before
        store.acknowledge(alarm_id, by=by, note=told)
        audit.record(
            connection,
            by=by,
            action=Action.ALARM_ACKNOWLEDGED,
            object_type="alarm",
            object_id=str(alarm_id),
            livemode=_livemode(before),
            why=told,
            after=_named(before),
        )
        return _held(alarm_id)


def release(*, alarm_id: int, by: Actor) -> StandingAlarm:
    """Take back that somebody is on an alarm, whoever that is; repeating it changes nothing.

    ``Conflict`` (``alarm_over``) where it is over, ``NotFound`` for one that there never was.
    """
    operators.require(by, Permission.TRUTH_REPAIR)
    with database.transaction() as connection:
        before = _held(alarm_id)
        if not before.acknowledged_by:
            return before
        store.acknowledge(alarm_id, by=None, note="")
        audit.record(
            connection,
            by=by,
            action=Action.ALARM_RELEASED,
            object_type="alarm",
            object_id=str(alarm_id),
            livemode=_livemode(before),
            before=_named(before) | {"acknowledged_by": before.acknowledged_by},
        )
        return _held(alarm_id)


def tidy() -> int:
    """Drop what ended ninety days ago; returns how many."""
    with database.transaction():
        return store.forget(clock.now() - KEPT)


def _told() -> store.Told:
    return store.Told(
        slugs={account.id: account.slug for account in accounts.accounts()},
        people={str(one.id): one.name or one.email for one in operators.operators()},
    )


def _held(alarm_id: int) -> StandingAlarm:
    found = store.held(alarm_id, told=_told()) if 0 < alarm_id <= NEWEST else None
    if found is not None:
        return found
    if 0 < alarm_id <= NEWEST and store.is_over(alarm_id):
        raise Conflict("This alarm is over.", code="alarm_over", hint="If it comes again, it waits for somebody anew.")
    raise NotFound("There is no such alarm.", code="alarm_unknown", hint="What stands wrong is listed under Alarms.")


def _livemode(alarm: StandingAlarm) -> bool:
    """The mode of its account; what is of none counts as live."""
    return next((one.livemode for one in accounts.accounts() if one.id == alarm.account_id), True)


def _named(alarm: StandingAlarm) -> dict[str, Any]:
    return {"code": alarm.code, "source": alarm.source, "account_id": alarm.account_id}
