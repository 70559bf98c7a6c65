"""Queries on who looked at which customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from trueup.audit.access_log.types import CustomerKey, Look, What
from trueup.runtime import database

# Customers stand in one order, so that two exports wait for each other and not each for the other's rows.
NOTE: Final = """
insert into audit_look as l (hour, actor_kind, actor_id, behind_kind, behind_id, account_id, livemode, customer, what,
                             first_at, last_at, times, origin)
select date_trunc('hour', %(at)s::timestamptz, 'UTC'), %(actor_kind)s, %(actor_id)s, %(behind_kind)s, %(behind_id)s,
       account_id, livemode, customer, array[%(what)s], %(at)s, %(at)s, 1, %(origin)s
from (select distinct * from unnest(%(account_ids)s::bigint[], %(livemodes)s::boolean[], %(customers)s::text[])
      as seen (account_id, livemode, customer) order by 1, 2, 3) seen
on conflict (customer, account_id, livemode, actor_kind, actor_id, behind_kind, behind_id, hour) do update
set last_at = greatest(l.last_at, excluded.last_at), times = l.times + 1, origin = excluded.origin,
    what = case when l.what @> excluded.what then l.what else l.what || excluded.what end
"""
LOOKS: Final = """
select id, actor_kind, actor_id, behind_kind, behind_id, account_id, livemode, customer, what, first_at, last_at,
       times, origin
from audit_look l where {} order by id desc limit %(limit)s
"""
OF: Final = """
(l.account_id, l.livemode, l.customer) in
(select * from unnest(%(account_ids)s::bigint[], %(livemodes)s::boolean[], %(customers)s::text[]))
"""
PRUNE: Final = """
delete from audit_look where id in (select id from audit_look where hour < %(before)s order by hour limit %(limit)s)
"""


def note(values: Mapping[str, Any], customers: Sequence[CustomerKey]) -> None:
    """Write, or count once more, that these customers were looked at."""
    database.execute(NOTE, {**values, **_columns(customers)})


def looks(
    wanted: Mapping[str, Any],
    *,
    customers: Sequence[CustomerKey] | None,
    since: datetime | None,
    until: datetime | None,
    before_id: int,
    limit: int,
) -> list[Look]:
    """Looks with these values in their columns, the newest hour first; ``what`` has to be among what was seen."""
    conditions = ["l.id < %(before_id)s"]
    conditions += ["l.what @> array[%(what)s]" if name == "what" else f"l.{name} = %({name})s" for name in wanted]
    if customers is not None:
        conditions.append(OF)
    if since is not None:
        conditions.append("l.last_at >= %(since)s")
    if until is not None:
        conditions.append("l.first_at < %(until)s")
    values = {**wanted, **_columns(customers or ()), "since": since, "until": until, "before_id": before_id}
    rows = database.execute(LOOKS.format(" and ".join(conditions)), {**values, "limit": limit}).fetchall()
    return [_look(row) for row in rows]


def _look(row: tuple[Any, ...]) -> Look:
    id_, actor_kind, actor_id, behind_kind, behind_id, account_id, livemode, customer, what, *rest = row
    return Look(
        id=id_,
        actor=f"{actor_kind}:{actor_id}",
        behind=f"{behind_kind}:{behind_id}" if behind_kind else "",
        account_id=account_id,
        livemode=livemode,
        customer=customer,
        what=tuple(sorted(What(one) for one in what)),
        first_at=rest[0],
        last_at=rest[1],
        times=rest[2],
        origin=rest[3],
    )


def prune(before: datetime, *, limit: int) -> int:
    """Delete the oldest looks of before a moment; returns how many."""
    return database.execute(PRUNE, {"before": before, "limit": limit}).rowcount


def _columns(customers: Sequence[CustomerKey]) -> dict[str, list[Any]]:
    return {
        "account_ids": [key[0] for key in customers],
        "livemodes": [key[1] for key in customers],
        "customers": [key[2] for key in customers],
    }
