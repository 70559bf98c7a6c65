"""Where shadow tables differ from the live ones, field by field, and why.

Which rows differ is noted in a table of the shadow's schema, so that a difference of a million rows needs no memory,
and those that were only on their way are struck off once both have caught up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
import psycopg
from psycopg import sql

from trueup.customer import rebuilding as customers
from trueup.mirror import rebuilding as mirror
from trueup.ops.rebuilding.building import Progress, silent
from trueup.ops.rebuilding.reasons import Difference, Judge
from trueup.ops.rebuilding.types import TOLD, Cause, Example, Failure, FieldDiff, Reason, TableDiff
from trueup.runtime import database
from trueup.runtime.shadows import SCHEMA, Derived, Shadow

BATCH: Final = 1_000
LONGEST: Final = 200
"""Characters of a value in an example."""

_NOTE: Final = """
create table {noted} as
select {keys}, case when {no_live} then 'added' when {no_shadow} then 'removed' else 'changed' end as change
from (select *, true as there from {live} t where {derived} and {only}) l
full join (select *, true as there from {shadow} t where {only}) s on ({same})
where l.there is null or s.there is null or ({left}) is distinct from ({right})
"""
_STRIKE: Final = """
delete from {noted} d where not exists (
    select from (select 1) one
    left join {live} l on ({same_live}) left join {shadow} s on ({same_shadow})
    where ({live_key} is null) <> ({shadow_key} is null)
       or ({live_key} is not null and ({left}) is distinct from ({right}))
)
"""
_ROWS: Final = """
select d.change, (to_jsonb(l) - %(work)s::text[])::text,
       (to_jsonb(s) - %(work)s::text[])::text
from {noted} d
left join {live} l on ({same_live}) left join {shadow} s on ({same_shadow})
where (l.{first} is not null or s.{first} is not null) order by {order}
"""
_COUNTS: Final = "select (select count(*) from {live} where {derived}), (select count(*) from {shadow})"


def expand(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """The fields of a row as people know them."""
    return customers.fields(table, mirror.fields(table, row))


class Comparison:
    """The difference between shadow tables and the live ones.

    ``only`` narrows what is compared: an SQL condition on ``t`` by table.
    """

    def __init__(self, shadow: Shadow, *, only: Mapping[str, str] | None = None, examples: int = 3) -> None:
        """Of these tables."""
        self._shadow = shadow
        self._only = only or {}
        self._examples = examples

    def note(self, progress: Progress = silent) -> None:
        """Find the rows that differ as the tables stand."""
        for number, derived in enumerate(self._shadow.tables):
            progress("Comparing", number, len(self._shadow.tables))
            with database.transaction() as connection:
                connection.execute("set local work_mem = '64MB'")
                connection.execute(self._composed(connection, _NOTE, derived))

    def strike(self) -> None:
        """Strike off rows that differ no more."""
        for derived in self._shadow.tables:
            with database.transaction() as connection:
                connection.execute(self._composed(connection, _STRIKE, derived))

    def tables(self, judge: Judge, progress: Progress = silent) -> list[TableDiff]:
        """What differs, by table, with causes and examples."""
        found = []
        for derived in self._shadow.tables:
            with database.transaction() as connection:
                row = connection.execute(self._composed(connection, _COUNTS, derived)).fetchone() or (0, 0)
            progress(f"Telling {derived.table}", 0, 0)
            found.append(self._told(derived, judge, rows=row[0], rebuilt=row[1]))
        return found

    def differences(self, derived: Derived) -> Iterable[list[Difference]]:
        """The rows that differ, in batches."""
        with database.transaction() as connection:
            statement = self._composed(connection, _ROWS, derived)
            with psycopg.ServerCursor(connection, "differing") as cursor:
                cursor.execute(statement, {"work": list(derived.work)})
                while rows := cursor.fetchmany(BATCH):
                    yield [
                        Difference(derived=derived, change=row[0], live=_row(row[1]), made=_row(row[2])) for row in rows
                    ]

    def _told(self, derived: Derived, judge: Judge, *, rows: int, rebuilt: int) -> TableDiff:
        changes: Counter[str] = Counter()
        causes: Counter[tuple[str, Reason, str]] = Counter()
        keys: dict[tuple[str, Reason, str], list[str]] = defaultdict(list)
        fields: Counter[str] = Counter()
        examples: dict[str, list[Example]] = defaultdict(list)
        for batch in self.differences(derived):
            for one, (reason, detail) in zip(batch, judge.reasons(batch), strict=True):
                changes[one.change] += 1
                cause = (one.change, reason, detail)
                causes[cause] += 1
                if len(keys[cause]) < self._examples:
                    keys[cause].append(one.key)
                if one.live is None or one.made is None:
                    continue
                for field, before, after in changed(expand(derived.table, one.live), expand(derived.table, one.made)):
                    fields[field] += 1
                    if len(examples[field]) < self._examples:
                        examples[field].append(Example(key=one.key, before=_short(before), after=_short(after)))
        return TableDiff(
            table=derived.table,
            rows=rows,
            rebuilt=rebuilt,
            added=changes["added"],
            removed=changes["removed"],
            changed=changes["changed"],
            causes=tuple(
                Cause(
                    change=change,
                    reason=reason,
                    told=TOLD[reason],
                    detail=detail,
                    rows=number,
                    examples=tuple(keys[change, reason, detail]),
                )
                for (change, reason, detail), number in causes.most_common()
            ),
            fields=tuple(
                FieldDiff(field=field, rows=number, examples=tuple(examples[field]))
                for field, number in fields.most_common()
            ),
        )

    def _composed(
        self, connection: psycopg.Connection[tuple[Any, ...]], statement: str, derived: Derived
    ) -> sql.Composed:
        shadow = sql.Identifier(SCHEMA, derived.table)
        columns = [name for name in _columns(connection, shadow) if name not in {*derived.work, *derived.key}]

        def listed(side: str, names: Sequence[str]) -> sql.Composed:
            return sql.SQL(", ").join(sql.SQL("{}.{}").format(sql.SQL(side), sql.Identifier(name)) for name in names)

        def same(one: str, other: str) -> sql.Composed:
            return sql.SQL(" and ").join(
                sql.SQL("{}.{} = {}.{}").format(
                    sql.SQL(one), sql.Identifier(name), sql.SQL(other), sql.Identifier(name)
                )
                for name in derived.key
            )

        keys = sql.SQL(", ").join(
            sql.SQL("coalesce(l.{0}, s.{0}) as {0}").format(sql.Identifier(name)) for name in derived.key
        )
        first = sql.Identifier(derived.key[0])
        # A row without other columns is there or not, and never changed.
        parts = {
            "noted": sql.Identifier(SCHEMA, f"differs_{derived.table}"),
            "keys": keys,
            "live": self._shadow.live(derived.table),
            "shadow": shadow,
            "derived": sql.SQL(derived.derived),
            "only": sql.SQL(self._only.get(derived.table, "true")),
            "same": same("l", "s"),
            "same_live": same("l", "d"),
            "same_shadow": same("s", "d"),
            "no_live": sql.SQL("l.there is null"),
            "no_shadow": sql.SQL("s.there is null"),
            "live_key": sql.SQL("l.{}").format(first),
            "shadow_key": sql.SQL("s.{}").format(first),
            "left": sql.SQL("row({})").format(listed("l", columns)),
            "right": sql.SQL("row({})").format(listed("s", columns)),
            "first": first,
            "order": listed("d", derived.key),
        }
        return sql.SQL(statement).format(**parts)


def failures(shadow: Shadow, *, limit: int) -> tuple[list[Failure], int]:
    """What the rules fail on that the live tables could make, some of it and how much it is."""
    found: list[Failure] = []
    number = 0
    queues = {"inbox_pending": ("event_id",), "mirror_changed": ("object_type", "object_id")}
    with database.transaction() as connection:
        for queue, names in queues.items():
            own = sql.Identifier(SCHEMA, queue)
            if connection.execute("select to_regclass(%s)", (own.as_string(connection),)).fetchone() == (None,):
                continue
            columns = [*names, "account_id", "livemode"]
            rows = connection.execute(
                sql.SQL(
                    "select concat_ws(' ', {names}), max(last_error) from {own} o where set_aside_at is not null"
                    " and not exists (select from {live} l where l.set_aside_at is not null and ({left}) = ({right}))"
                    " group by 1 order by 1"
                ).format(
                    names=sql.SQL(", ").join(sql.Identifier(name) for name in names),
                    own=own,
                    live=shadow.live(queue),
                    left=sql.SQL(", ").join(sql.Identifier("l", name) for name in columns),
                    right=sql.SQL(", ").join(sql.Identifier("o", name) for name in columns),
                )
            ).fetchall()
            number += len(rows)
            found += [Failure(queue=queue, key=row[0], error=row[1] or "") for row in rows[:limit]]
    return found, number


def _row(text: str | None) -> dict[str, Any] | None:
    return None if text is None else orjson.loads(text)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[tuple[str, Any, Any]]:
    """The fields in which two rows differ, with both values."""
    for field in dict.fromkeys([*before, *after]):
        if before.get(field) != after.get(field):
            yield field, before.get(field), after.get(field)


def _columns(connection: psycopg.Connection[tuple[Any, ...]], table: sql.Identifier) -> list[str]:
    rows = connection.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
        " order by attnum",
        (table.as_string(connection),),
    ).fetchall()
    return [row[0] for row in rows]


def _short(value: Any) -> Any:
    """A value as an example shows it: long ones are cut."""
    text = value if isinstance(value, str) else repr(value)
    return value if len(text) <= LONGEST else text[:LONGEST] + "…"
