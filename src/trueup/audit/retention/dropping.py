"""Dropping months of entries that are older than the log is kept.

What goes are entries and their values; their leaf hashes and the tiles stay, so every proof of what is kept stays what
it was. In the tree what goes is a beginning: the minimum is the first leaf that is kept, and nothing below it is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from psycopg import sql

from trueup.audit import service as audit
from trueup.audit.retention import holds
from trueup.audit.types import Action
from trueup.kernel.actor import Actor
from trueup.kernel.errors import Conflict, Unavailable
from trueup.kernel.modes import mode_name
from trueup.kernel.records import Record
from trueup.runtime import clock, configuration, database

OTHER: Final = "audit_logentry_other"
MODES: Final = ("live", "test")

PARTITIONS: Final = r"""
select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = 'audit_logentry'::regclass and c.relname ~ '^audit_logentry_\d{4}_\d{2}$' order by 1
"""
HELD: Final = """
select e.livemode, count(*), count(*) - count(l.leaf_index), min(l.leaf_index), max(l.leaf_index)
from (
    select id, at, livemode from {}
    union all
    select entry_id, at, livemode from audit_unsealed
    where body is not null and to_char(at at time zone 'UTC', '"audit_logentry_"YYYY_MM') = %(table)s
) e
left join audit_leaf l on l.entry_id = e.id where e.at < %(cutoff)s group by e.livemode
"""
"""What a month holds, with what waits to be put there."""
KEPT: Final = "select livemode, min(leaf_index) from audit_leaf where at >= %(cutoff)s group by livemode"
SIGNED: Final = "select livemode, max(size) from audit_checkpoint where note is not null group by livemode"
MINIMUM: Final = "select livemode, leaf_index from audit_minimum"
FAILED: Final = """
select livemode, finding from (
    select distinct on (livemode) livemode, verified, finding from audit_verification order by livemode, id desc
) newest where not verified
"""
LOCKS: Final = b"""
set local lock_timeout = '5s';
select pg_advisory_xact_lock(hashtext('audit_logentry partitions'))
"""
VALUES: Final = "delete from audit_disclosure d using {} e where d.entry_id = e.id"
STRAYS: Final = """
select e.id from audit_logentry_other e join audit_leaf l on l.entry_id = e.id
where e.at < %(cutoff)s and l.leaf_index < case when e.livemode then %(live)s else %(test)s end
"""
STRAY_VALUES: Final = "delete from audit_disclosure where entry_id = any(%(ids)b)"
STRAY_ENTRIES: Final = "delete from audit_logentry_other where id = any(%(ids)b) and at < %(cutoff)s"
RAISE: Final = """
insert into audit_minimum (livemode, leaf_index) values (%(livemode)s, %(minimum)s)
on conflict (livemode) do update set leaf_index = excluded.leaf_index, recorded_at = now()
"""


class Kept(Record, frozen=True):
    """A month that is old enough to go, and cannot."""

    month: str
    why: str


class Dropped(Record, frozen=True):
    """What was dropped, or would be."""

    cutoff: datetime
    """Months that ended by then are old enough."""
    months: tuple[str, ...]
    """Such as ``2019-11``."""
    entries: int
    values: int
    """Personal values that went with them; 0 in a dry run."""
    minimum_live: int
    """The first leaf that is kept; 0 where all are."""
    minimum_test: int
    kept: tuple[Kept, ...]
    dry_run: bool


class _Month(Record, frozen=True):
    """What a partition holds, by mode: live first."""

    table: str
    entries: int
    unsealed: int
    first: tuple[int | None, int | None]
    last: tuple[int | None, int | None]

    @property
    def name(self) -> str:
        return self.table.removeprefix("audit_logentry_").replace("_", "-")


def drop(*, by: Actor, why: str = "", dry_run: bool = False, now: datetime | None = None) -> Dropped:
    """Drop the months that ended more than ``TRUEUP_AUDIT_KEEP_YEARS`` ago, as far as they are a beginning of the tree.

    A month is kept, and named, while an entry of it has no place in the tree, is not under a signed checkpoint, or
    stands behind an entry that is kept, as a clock that was wrong may have it. ``Held`` while any legal hold stands,
    ``Conflict`` while the newest verification of a log has found something wrong, ``Unavailable`` while somebody reads
    so long that the table cannot be had.
    """
    cutoff = cutoff_of(now or clock.now(), configuration.current().audit_keep_years)
    try:
        with database.transaction() as connection:
            database.execute(holds.ALONE)
            connection.execute(LOCKS)
            _require_allowed()
            done = _planned(cutoff, dry_run=dry_run)
            if dry_run or not done.entries:
                return done
            return _carried_out(connection, done, by=by, why=why)
    except psycopg.errors.LockNotAvailable:
        raise Unavailable(
            "Somebody reads the audit log, and its months could not be dropped meanwhile.",
            code="audit_in_use",
            hint="Try again; the worker does so the next night.",
        ) from None


def cutoff_of(now: datetime, years: int) -> datetime:
    """The moment by which a month has to have ended: the first of this month, so many years ago."""
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return month.replace(year=month.year - years)


def _require_allowed() -> None:
    if standing := holds.standing():
        raise holds.Held("dropping months", standing)
    for livemode, finding in database.execute(FAILED).fetchall():
        raise Conflict(
            f"The last verification of the {mode_name(livemode)} log found something wrong: {finding}",
            code="audit_not_verified",
            hint="What is dropped cannot be looked at any more: find out first. See docs/runbooks/audit.md.",
        )


def _planned(cutoff: datetime, *, dry_run: bool) -> Dropped:
    before = _by_mode(MINIMUM, cutoff)
    signed = [number or 0 for number in _by_mode(SIGNED, cutoff)]
    kept = [
        size if first is None else min(size, first) for size, first in zip(signed, _by_mode(KEPT, cutoff), strict=True)
    ]
    tables = [table for (table,) in database.execute(PARTITIONS).fetchall() if _is_old(table, cutoff)]
    months = [found for table in tables if (found := _month(table, cutoff)).entries]
    reasons: dict[str, str] = {}
    while blocked := {one.table: why for one in months if (why := _why_kept(one, kept))}:
        reasons |= blocked
        # What stays itself moves the first leaf that is kept, and so may keep others.
        for one in (month for month in months if month.table in blocked):
            kept = [place if first is None else min(place, first) for place, first in zip(kept, one.first, strict=True)]
        months = [month for month in months if month.table not in blocked]
    strays = database.execute(STRAYS, {"cutoff": cutoff, "live": kept[0], "test": kept[1]}).fetchall()
    entries = sum(one.entries for one in months) + len(strays)
    minimum = [max(place, old or 0) if entries else old or 0 for place, old in zip(kept, before, strict=True)]
    return Dropped(
        cutoff=cutoff,
        months=tuple(one.name for one in months),
        entries=entries,
        values=0,
        minimum_live=minimum[0],
        minimum_test=minimum[1],
        kept=tuple(Kept(month=_month_name(table), why=why) for table, why in sorted(reasons.items())),
        dry_run=dry_run,
    )


def _carried_out(connection: psycopg.Connection[tuple[Any, ...]], planned: Dropped, *, by: Actor, why: str) -> Dropped:
    values = 0
    for month in planned.months:
        table = sql.Identifier(f"audit_logentry_{month.replace('-', '_')}")
        values += connection.execute(sql.SQL(VALUES).format(table)).rowcount
        connection.execute(sql.SQL("drop table {}").format(table))
    cutoff = planned.cutoff
    minimum = {"live": planned.minimum_live, "test": planned.minimum_test}
    strays = [row[0] for row in database.execute(STRAYS, {"cutoff": cutoff, **minimum}).fetchall()]
    if strays:
        values += database.execute(STRAY_VALUES, {"ids": strays}).rowcount
        connection.execute(f"alter table {OTHER} disable trigger audit_logentry_append_only".encode())
        database.execute(STRAY_ENTRIES, {"ids": strays, "cutoff": cutoff})
        connection.execute(f"alter table {OTHER} enable trigger audit_logentry_append_only".encode())
    before = dict(zip(MODES, _by_mode(MINIMUM, cutoff), strict=True))
    for mode in MODES:
        if minimum[mode] <= (before[mode] or 0):
            continue
        database.execute(RAISE, {"livemode": mode == "live", "minimum": minimum[mode]})
        audit.record(
            connection,
            by=by,
            action=Action.MONTHS_DROPPED,
            object_type="audit_log",
            object_id=mode,
            livemode=mode == "live",
            why=why,
            before={"minimum": before[mode] or 0},
            after={
                "minimum": minimum[mode],
                "months": list(planned.months),
                "entries": minimum[mode] - (before[mode] or 0),
            },
        )
    return Dropped(
        **{name: getattr(planned, name) for name in planned.__struct_fields__ if name != "values"}, values=values
    )


def _month(table: str, cutoff: datetime) -> _Month:
    statement = sql.SQL(HELD).format(sql.Identifier(table)).as_string(database.connection())
    rows = {row[0]: row[1:] for row in database.execute(statement, {"cutoff": cutoff, "table": table}).fetchall()}
    live, test = (rows.get(livemode, (0, 0, None, None)) for livemode in (True, False))
    return _Month(
        table=table,
        entries=live[0] + test[0],
        unsealed=live[1] + test[1],
        first=(live[2], test[2]),
        last=(live[3], test[3]),
    )


def _why_kept(month: _Month, kept: list[int]) -> str:
    """Why a month cannot go while these are the first leaves that are kept; empty if it can."""
    if month.unsealed:
        return f"{month.unsealed} of its entries have no place in the tree yet."
    for mode, last, place in zip(MODES, month.last, kept, strict=True):
        if last is not None and last >= place:
            return f"Its entry {mode}/{last} stands behind {mode}/{place}, which is kept or not signed yet."
    return ""


def _by_mode(statement: str, cutoff: datetime) -> list[int | None]:
    """A number of each mode, live first."""
    rows = dict(database.execute(statement, {"cutoff": cutoff}).fetchall())
    return [rows.get(livemode) for livemode in (True, False)]


def _is_old(table: str, cutoff: datetime) -> bool:
    return table.removeprefix("audit_logentry_") < f"{cutoff:%Y_%m}"


def _month_name(table: str) -> str:
    return table.removeprefix("audit_logentry_").replace("_", "-")
