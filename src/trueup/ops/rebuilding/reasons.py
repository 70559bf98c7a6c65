"""Why a row is not what a rebuild makes of the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from psycopg import sql

from trueup.customer import rebuilding as customers
from trueup.kernel.records import Record
from trueup.mirror import rebuilding as mirror
from trueup.ops.rebuilding.types import Reason
from trueup.runtime import database
from trueup.runtime.shadows import SCHEMA, Derived, Shadow

MIRROR: Final = frozenset(derived.table for derived in mirror.TABLES)

Why = tuple[Reason, str]


class Difference(Record, frozen=True):
    """A row as it is in the live table and as it was made; ``None`` where it is not in one of them."""

    derived: Derived
    change: str
    live: dict[str, Any] | None
    made: dict[str, Any] | None

    @property
    def row(self) -> dict[str, Any]:
        """Either."""
        return self.live or self.made or {}

    @property
    def key(self) -> str:
        """What names it to a person."""
        shown = [name for name in self.derived.key if name not in {"account_id", "livemode", "created"}]
        told = " ".join(str(self.row.get(name)) for name in shown)
        stripe = self.row.get("stripe_customer_id")
        return f"{told} ({stripe})" if stripe else told


_EVENTS: Final = """
select k.n, exists (
    select from inbox_event e where (e.account_id, e.livemode, e.event_id, e.created)
        = (k.account_id, k.livemode, k.event_id, to_timestamp(k.created))
), (
    select case when bool_or(p.set_aside_at is null) then 'waiting' else 'set_aside' end from {pending} p
    where p.event_id = k.event_id and (p.account_id, p.livemode, p.created)
        = (k.account_id, k.livemode, to_timestamp(k.created))
    having count(*) > 0
), exists (
    select from {versions} v where (v.account_id, v.livemode, v.object_type, v.object_id, v.created)
        = (k.account_id, k.livemode, k.object_type, k.object_id, k.created) and v.event_id = k.event_id collate "C"
)
from unnest(%s::int4[], %s::int8[], %s::bool[], %s::text[], %s::text[], %s::text[], %s::int8[])
     as k (n, account_id, livemode, object_type, object_id, event_id, created)
"""
_CUSTOMERS: Final = """
select k.n, (
    select case when bool_or(c.set_aside_at is null) then 'waiting' else 'set_aside' end from {queue} c
    where (c.account_id, c.livemode, c.object_type, c.object_id) = (k.account_id, k.livemode, 'customer', k.customer)
    having count(*) > 0
), {objects}
from unnest(%s::int4[], %s::int8[], %s::bool[], %s::text[]) as k (n, account_id, livemode, customer)
"""
_OWNERS: Final = """
select k.id, c.account_id, c.livemode, c.stripe_customer_id, c.fold_version
from unnest(%s::text[]) as k (id)
join {customers} c on c.id = coalesce((select m.leader_id from {merged} m where m.customer_id = k.id), k.id)
"""
_OBJECTS: Final = """exists (
    select from {differs} d join {versions} v using (account_id, livemode, object_type, object_id)
    where (v.account_id, v.livemode, v.customer) = (k.account_id, k.livemode, k.customer)
) or exists (
    select from {differs} d join {made} v using (account_id, livemode, object_type, object_id)
    where (v.account_id, v.livemode, v.customer) = (k.account_id, k.livemode, k.customer)
)"""


class Judge:
    """Says why rows differ, by what the log and the queues hold."""

    def __init__(self, shadow: Shadow, *, mirror_too: bool) -> None:
        """``mirror_too``: the mirror was made anew as well, and its differences are noted."""
        live = {"pending": shadow.live("inbox_pending"), "versions": shadow.live("mirror_version")}
        self._events = sql.SQL(_EVENTS).format(**live)
        objects: sql.Composable = sql.SQL("false")
        if mirror_too:
            objects = sql.SQL(_OBJECTS).format(
                differs=sql.Identifier(SCHEMA, "differs_mirror_object"),
                versions=shadow.live("mirror_version"),
                made=sql.Identifier(SCHEMA, "mirror_version"),
            )
        self._customers = sql.SQL(_CUSTOMERS).format(queue=shadow.live("mirror_changed"), objects=objects)
        self._owners = sql.SQL(_OWNERS).format(
            customers=shadow.live("customer_customer"), merged=shadow.live(customers.MERGED)
        )

    def reasons(self, batch: Sequence[Difference]) -> list[Why]:
        """The reason for each, and what it is about in detail."""
        if not batch:
            return []
        if batch[0].derived.table in MIRROR:
            return self._of_objects(batch)
        return self._of_customers(batch)

    def _of_objects(self, batch: Sequence[Difference]) -> list[Why]:
        found = self._asked(batch, "made") | {
            (place, "live"): row for (place, _), row in self._asked(batch, "live").items()
        }
        return [_of_object(one, found.get((n, "live")), found.get((n, "made"))) for n, one in enumerate(batch)]

    def _asked(self, batch: Sequence[Difference], side: str) -> dict[tuple[int, str], tuple[bool, str | None, bool]]:
        """Of the event that told each row: whether it is in the log, how it waits, whether a version points at it."""
        rows = [
            (n, row) for n, one in enumerate(batch) if (row := getattr(one, side)) is not None and "event_id" in row
        ]
        names = ("account_id", "livemode", "object_type", "object_id", "event_id", "created")
        values = [[n for n, _row in rows], *([row[name] for _n, row in rows] for name in names)]
        answers = database.connection().execute(self._events, values).fetchall()
        return {(row[0], side): (row[1], row[2], row[3]) for row in answers}

    def _of_customers(self, batch: Sequence[Difference]) -> list[Why]:
        rows = [one.row for one in batch]
        if rows and "fold_version" not in rows[0]:
            # What stands beside a state is of the rules that made the state.
            ids = [row["customer_id"] for row in rows]
            answers = database.connection().execute(self._owners, (ids,)).fetchall()
            names = ("account_id", "livemode", "stripe_customer_id", "fold_version")
            owners = {row[0]: dict(zip(names, row[1:], strict=True)) for row in answers}
            rows = [row | owners.get(row["customer_id"], {}) for row in rows]
        named = [(n, row) for n, row in enumerate(rows) if "stripe_customer_id" in row]
        columns = ("account_id", "livemode", "stripe_customer_id")
        values = [[n for n, _row in named], *([row[name] for _n, row in named] for name in columns)]
        asked = database.connection().execute(self._customers, values).fetchall()
        found = {row[0]: (row[1], row[2]) for row in asked}
        return [
            _of_customer(one, *found.get(n, (None, False)), version=rows[n].get("fold_version"))
            for n, one in enumerate(batch)
        ]


Asked = tuple[bool, str | None, bool]


def _of_object(one: Difference, live: Asked | None, made: Asked | None) -> Why:
    """``live`` and ``made`` say what is known of the event that told the one row and the other."""
    if one.live is not None and one.made is not None and one.live.get("event_id") == one.made.get("event_id"):
        return _rules(one, "shape_version") or (Reason.DIFFERS, "")
    if one.made is not None and made is not None and (made[1] is not None or not made[2] or one.live is None):
        waits = Reason(made[1]) if made[1] is not None else None
        if waits is not None or not made[2]:
            return waits or Reason.NEVER_APPLIED, ""
    if one.live is not None and live is not None and not live[0]:
        return Reason.EVENT_GONE, ""
    if one.made is None:
        return Reason.STRAY, ""
    return _rules(one, "shape_version") or (Reason.DIFFERS if one.live is not None else Reason.NEVER_APPLIED, "")


def _of_customer(one: Difference, waits: str | None, objects: bool, *, version: int | None) -> Why:  # noqa: FBT001
    """``version`` is that of the rules that made the state; ``waits`` and ``objects`` are the database's answers."""
    if objects:
        return Reason.OBJECTS, ""
    if waits is not None:
        return Reason(waits), ""
    if version is not None and version != customers.version() and (one.live or version != one.row.get("fold_version")):
        return Reason.RULES, f"fold_version {version} → {customers.version()}"
    if one.made is None:
        return Reason.STRAY, ""
    return (Reason.NEVER_APPLIED if one.live is None else Reason.DIFFERS), ""


def _rules(one: Difference, column: str) -> Why | None:
    """Where another version of the rules made the live row: both versions."""
    if one.live is None or one.made is None or one.live.get(column) == one.made.get(column):
        return None
    return Reason.RULES, f"{column} {one.live.get(column)} → {one.made.get(column)}"
