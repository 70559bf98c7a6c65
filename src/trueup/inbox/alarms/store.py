"""Statements on alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from trueup.inbox.alarms.types import Alarm, PastAlarm, StandingAlarm
from trueup.kernel.actor import Actor, ActorKind
from trueup.runtime import database

_OF: Final = "source = %(source)s and account_id is not distinct from %(account_id)s::int8"
TURN: Final = """
select pg_advisory_xact_lock(hashtext('inbox alarms'), hashtext(concat_ws(' ', %(source)s::text, %(account_id)s::int8)))
"""
"""Who settles a source and account does so alone: two that say different things would wait for each other's rows."""
RAISE: Final = """
insert into inbox_alarm as a (source, account_id, code, message, remedy)
select %(source)s, %(account_id)s::int8, * from unnest(%(codes)s::text[], %(messages)s::text[], %(remedies)s::text[])
on conflict (source, account_id, code) do update
    set message = excluded.message, remedy = excluded.remedy, seen_at = now()
returning code, xmax = 0
"""
_RAISED: Final = (
    "code, message, remedy, id, source, account_id, since, acknowledged_kind, acknowledged_id, acknowledged_at, note"
)
# Whoever ends it may have begun before it was raised, so it is the clock that says when, and not the transaction.
_END: Final = f"""
with over as (
    delete from inbox_alarm where {_OF} and %(which)s returning {_RAISED}
), kept as (
    insert into inbox_pastalarm ({_RAISED}, ended_at) select {_RAISED}, clock_timestamp() from over
)
select code from over
"""  # noqa: S608 - constants
CLEAR: Final = _END.replace("%(which)s", "not code = any(%(codes)s::text[])")
CLEAR_ONE: Final = _END.replace("%(which)s", "code = %(code)s")
STANDING: Final = f"""
select {_RAISED}, seen_at from inbox_alarm
where %(account_id)s::int8 is null or account_id = %(account_id)s::int8
order by since, source, account_id, code
"""  # noqa: S608 - constants
PAST: Final = f"""
select {_RAISED}, ended_at from inbox_pastalarm
where ended_at >= %(since)s and (ended_at, id) < (%(before)s::timestamptz, %(before_id)s::int8)
order by ended_at desc, id desc limit %(limit)s
"""  # noqa: S608 - constants


class Told(NamedTuple):
    """What rows do not hold: how accounts and people are called."""

    slugs: Mapping[int, str]
    people: Mapping[str, str]


def settle(*, source: str, account_id: int | None, alarms: Sequence[Alarm]) -> tuple[list[str], list[str]]:
    """Let exactly these alarms of a source and account stand; the codes that are new, and those that are over."""
    codes = [alarm.code for alarm in alarms]
    values = {"source": source, "account_id": account_id, "codes": codes}
    raised: list[str] = []
    database.execute(TURN, {"source": source, "account_id": account_id})
    if alarms:
        words = {
            "messages": [alarm.message for alarm in alarms],
            "remedies": [alarm.remedy for alarm in alarms],
        }
        raised = [row[0] for row in database.execute(RAISE, values | words).fetchall() if row[1]]
    return raised, [row[0] for row in database.execute(CLEAR, values).fetchall()]


def clear(*, source: str, account_id: int | None, code: str) -> bool:
    """End one alarm; False when it did not stand."""
    of = {"source": source, "account_id": account_id}
    database.execute(TURN, of)
    return database.execute(CLEAR_ONE, of | {"code": code}).fetchone() is not None


def standing(*, account_id: int | None, told: Told) -> list[StandingAlarm]:
    """All alarms, the oldest first."""
    rows = database.execute(STANDING, {"account_id": account_id}).fetchall()
    return [StandingAlarm(**_raised(row, told), seen_at=row[-1]) for row in rows]


def held(alarm_id: int, *, told: Told) -> StandingAlarm | None:
    """One alarm that stands, held until the transaction ends."""
    row = database.execute(
        f"select {_RAISED}, seen_at from inbox_alarm where id = %s for update",  # noqa: S608 - constants
        (alarm_id,),
    ).fetchone()
    return None if row is None else StandingAlarm(**_raised(row, told), seen_at=row[-1])


def is_over(alarm_id: int) -> bool:
    """Whether it stood once and ended."""
    return database.execute("select from inbox_pastalarm where id = %s", (alarm_id,)).fetchone() is not None


def acknowledge(alarm_id: int, *, by: Actor | None, note: str) -> None:
    """Note who is on it, and what they say; None for nobody. Since when stays, where it is the same one."""
    database.execute(
        """
        update inbox_alarm set note = nullif(%(note)s, ''),
            acknowledged_at = case
                when %(kind)s::text is null then null
                when (acknowledged_kind, acknowledged_id) = (%(kind)s, %(id)s) then acknowledged_at
                else clock_timestamp() end,
            acknowledged_kind = %(kind)s, acknowledged_id = %(id)s
        where id = %(alarm_id)s
        """,
        {"alarm_id": alarm_id, "note": note, "kind": by.kind.value if by else None, "id": by.id if by else None},
    )


def past(*, since: datetime, before: datetime, before_id: int, limit: int, told: Told) -> list[PastAlarm]:
    """Those that ended from ``since`` on, the newest first, up to a place in that order."""
    rows = database.execute(PAST, {"since": since, "before": before, "before_id": before_id, "limit": limit}).fetchall()
    return [PastAlarm(**_raised(row, told), ended_at=row[-1]) for row in rows]


def number_past(since: datetime) -> int:
    """How many ended from a moment on."""
    row = database.execute("select count(*) from inbox_pastalarm where ended_at >= %s", (since,)).fetchone()
    return int(row[0]) if row else 0


def forget(before: datetime) -> int:
    """Drop what ended before a moment; how many."""
    return database.execute("delete from inbox_pastalarm where ended_at < %s", (before,)).rowcount


def counts() -> dict[str, int]:
    """How many accounts each alarm stands for, by its code."""
    rows = database.execute("select code, count(*) from inbox_alarm group by code order by code").fetchall()
    return {row[0]: row[1] for row in rows}


def _raised(row: tuple[Any, ...], told: Told) -> dict[str, Any]:
    code, message, remedy, id_, source, account_id, since, kind, actor, acknowledged_at, note = row[:11]
    return {
        "code": code,
        "message": message,
        "remedy": remedy,
        "id": id_,
        "source": source,
        "account_id": account_id,
        "account_slug": told.slugs.get(account_id or 0, ""),
        "since": since,
        "acknowledged_by": f"{kind}:{actor}" if kind else "",
        "acknowledged_name": told.people.get(actor, "") if kind == ActorKind.OPERATOR.value else "",
        "acknowledged_at": acknowledged_at,
        "note": note or "",
    }
