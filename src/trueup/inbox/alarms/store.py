"""Statements on alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from trueup.inbox.alarms.types import Alarm, StandingAlarm
from trueup.runtime import database

RAISE: Final = """
insert into inbox_alarm as a (source, account_id, code, message, remedy)
select %(source)s, %(account_id)s::int8, * from unnest(%(codes)s::text[], %(messages)s::text[], %(remedies)s::text[])
on conflict (source, account_id, code) do update
    set message = excluded.message, remedy = excluded.remedy, seen_at = now()
returning code, xmax = 0
"""
CLEAR: Final = """
delete from inbox_alarm
where source = %(source)s and account_id is not distinct from %(account_id)s::int8 and not code = any(%(codes)s::text[])
returning code
"""
STANDING: Final = """
select code, message, remedy, source, account_id, since, seen_at from inbox_alarm
where %(account_id)s::int8 is null or account_id = %(account_id)s::int8
order by since, source, account_id, code
"""


def settle(*, source: str, account_id: int | None, alarms: Sequence[Alarm]) -> tuple[list[str], list[str]]:
    """Let exactly these alarms of a source and account stand; the codes that are new, and those that are over."""
    codes = [alarm.code for alarm in alarms]
    values = {"source": source, "account_id": account_id, "codes": codes}
    raised: list[str] = []
    if alarms:
        words = {
            "messages": [alarm.message for alarm in alarms],
            "remedies": [alarm.remedy for alarm in alarms],
        }
        raised = [row[0] for row in database.execute(RAISE, values | words).fetchall() if row[1]]
    return raised, [row[0] for row in database.execute(CLEAR, values).fetchall()]


def clear(*, source: str, account_id: int | None, code: str) -> bool:
    """Forget one alarm; False when it did not stand."""
    sql = """
        delete from inbox_alarm
        where source = %(source)s and account_id is not distinct from %(account_id)s::int8 and code = %(code)s
    """
    return database.execute(sql, {"source": source, "account_id": account_id, "code": code}).rowcount == 1


def standing(*, account_id: int | None, slugs: Mapping[int, str]) -> list[StandingAlarm]:
    """All alarms, the oldest first."""
    rows = database.execute(STANDING, {"account_id": account_id}).fetchall()
    return [
        StandingAlarm(
            code=row[0],
            message=row[1],
            remedy=row[2],
            source=row[3],
            account_id=row[4],
            account_slug=slugs.get(row[4] or 0, ""),
            since=row[5],
            seen_at=row[6],
        )
        for row in rows
    ]


def counts() -> dict[str, int]:
    """How many accounts each alarm stands for, by its code."""
    rows = database.execute("select code, count(*) from inbox_alarm group by code order by code").fetchall()
    return {row[0]: row[1] for row in rows}
