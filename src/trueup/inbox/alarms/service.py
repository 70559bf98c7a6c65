"""Alarms: what stands wrong at this moment. Raised and cleared by level and not by edge.

Whoever watches something looks again and again, and each time says all that it finds wrong. What it says for the first
time is an alarm from then on, what it says again still is, and what it says no more is over. So nobody has to remember
what was raised before, and a crash between looking and saying loses nothing that the next look does not find.
"""

from __future__ import annotations

from collections.abc import Sequence

from trueup.accounts import service as accounts
from trueup.inbox.alarms import store
from trueup.inbox.alarms.types import Alarm, StandingAlarm
from trueup.runtime import database, logs

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
    slugs = {account.id: account.slug for account in accounts.accounts()}
    return tuple(store.standing(account_id=account_id, slugs=slugs))


def counts() -> dict[str, int]:
    """How many alarms of each code stand."""
    return store.counts()
