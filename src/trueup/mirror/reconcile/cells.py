"""What differs, by type and field: how much of it, how old, and which differences one such cell holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from trueup.accounts import service as accounts
from trueup.kernel.records import Record
from trueup.mirror.reconcile import store
from trueup.mirror.reconcile.types import STATE, Cause, Difference, Kind
from trueup.runtime import database

MOST: Final = 200
"""Differences of one cell that are told, and repaired at once."""

# Elements of lists are named by their ids; for all of them together they are one field.
_FIELD: Final = "regexp_replace(one ->> 'path', '\\[[^]]*\\]', '[]', 'g')"
_FIELDS: Final = f"""(
    select distinct {_FIELD} as field from jsonb_array_elements(case when kind = 'stale' then fields end) one
)"""  # noqa: S608 - constants of ours

_CELLS: Final = f"""
select d.object_type, d.kind, coalesce(f.field, ''), count(*), count(distinct d.customer),
       min(coalesce(d.since, d.opened_at)), mode() within group (order by d.cause)
from mirror_drift d left join lateral {_FIELDS} f on true
where d.resolved_at is null and (%(account)s::bigint is null or d.account_id = %(account)s)
group by 1, 2, 3 order by d.object_type = %(state)s, 1, 4 desc, 3
"""  # noqa: S608 - constants of ours

_WITHIN: Final = f"""{store.DIFFERENCE}
where resolved_at is null and object_type = %(type)s and (%(kind)s = '' or kind = %(kind)s)
  and (%(account)s::bigint is null or account_id = %(account)s)
  and (%(field)s = '' or exists (select from {_FIELDS} f where f.field = %(field)s))
order by id desc limit %(limit)s
"""

_THESE: Final = f"{store.DIFFERENCE} where resolved_at is null and id = any(%(ids)s) order by id desc limit %(limit)s"


class Cell(Record, frozen=True):
    """The differences of one type in one field; of what is missing or gone there is no field, and it is empty."""

    type: str
    kind: Kind
    field: str
    number: int
    customers: int
    oldest: datetime
    """Since when the oldest differs, at the earliest."""
    cause: Cause
    """The most frequent one."""


def cells(*, account_id: int | None = None) -> list[Cell]:
    """All cells, types in order and states last, of each type the largest first.

    A difference in several fields is in several cells, so that their numbers do not add up to that of differences.
    """
    rows = database.execute(_CELLS, {"account": account_id, "state": STATE}).fetchall()
    return [
        Cell(
            type=row[0],
            kind=Kind(row[1]),
            field=row[2],
            number=row[3],
            customers=row[4],
            oldest=row[5],
            cause=Cause(row[6]),
        )
        for row in rows
    ]


def within(*, type: str, kind: str = "", field: str = "", account_id: int | None = None) -> list[Difference]:  # noqa: A002
    """The differences of a cell, the newest first, at most ``MOST``."""
    values = {"type": type, "kind": kind, "field": field, "account": account_id, "limit": MOST}
    slugs = _slugs()
    return [store.to_difference(row, slugs) for row in database.execute(_WITHIN, values).fetchall()]


def these(ids: Sequence[int]) -> list[Difference]:
    """The differences of these numbers that are open, at most ``MOST``."""
    rows = database.execute(_THESE, {"ids": list(ids), "limit": MOST}).fetchall()
    slugs = _slugs()
    return [store.to_difference(row, slugs) for row in rows]


def _slugs() -> dict[int, str]:
    return {account.id: account.slug for account in accounts.accounts()}
