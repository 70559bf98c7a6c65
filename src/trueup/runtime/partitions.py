"""Tables partitioned by the months of a moment, with a default partition for what no month has room for yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from trueup.kernel.records import Record
from trueup.runtime import database

MONTH: Final = """
do $$
declare
    first date := date '{month}';
    since text := first || ' 00:00:00+00';
    until text := (first + interval '1 month')::date || ' 00:00:00+00';
    part text := '{table}_{suffix}';
begin
    if to_regclass(part) is not null then
        return;
    end if;
    execute format('create table %I (like {table} including defaults including constraints including storage)', part);
    -- A row of this month that came before its partition waits in the default one, and would forbid attaching it.
    -- Nobody may add another between the move and the attachment, which takes this lock anyway.
    lock table {table}_other in access exclusive mode;
    {unguard}
    execute format('with moved as (delete from {table}_other where {column} >= %L and {column} < %L returning *) '
                   'insert into %I select * from moved', since, until, part);
    {guard}
    execute format('alter table {table} attach partition %I for values from (%L) to (%L)', part, since, until);
    {protect}
end $$
"""
PROTECT: Final = (
    "execute format('create trigger {trigger} before truncate on %I for each statement execute function {function}()', "
    "part);"
)


class Guards(Record, frozen=True):
    """What keeps the rows of a table from being changed; all of them are names in the database."""

    row_trigger: str
    """Refuses updates and deletes of rows; it lets a row pass from the default partition to its month."""
    truncate_trigger: str
    """What every partition gets of its own: a trigger on statements is not inherited."""
    function: str


def ensure_months(
    table: str, column: str, *, now: datetime, back: int, ahead: int, guards: Guards | None = None
) -> None:
    """Make the partitions from so many months before ``now`` to so many after it; safe to repeat.

    Rows of those months that stand in the default partition, ``<table>_other``, move into theirs. The names are the
    caller's own words. A partition that cannot be had for readers within five seconds raises, and nothing is made.
    """
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(back):
        month = (month - timedelta(days=1)).replace(day=1)
    with database.transaction() as connection:
        connection.execute(f"select pg_advisory_xact_lock(hashtext('{table} partitions'))".encode())
        connection.execute(b"set local lock_timeout = '5s'")
        for _ in range(back + ahead + 1):
            connection.execute(_statement(table, column, month, guards).encode())
            month = (month + timedelta(days=32)).replace(day=1)


def _statement(table: str, column: str, month: datetime, guards: Guards | None) -> str:
    row_trigger = f"alter table {table}_other {{}} trigger {guards.row_trigger};" if guards else ""
    protect = PROTECT.format(trigger=guards.truncate_trigger, function=guards.function) if guards else ""
    return MONTH.format(
        table=table,
        column=column,
        month=f"{month:%Y-%m-%d}",
        suffix=f"{month:%Y_%m}",
        unguard=row_trigger.format("disable"),
        guard=row_trigger.format("enable"),
        protect=protect,
    )
