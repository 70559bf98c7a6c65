"""Statements on lists of customers: which rows, in which order, and how many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import psycopg

from trueup.customer import store
from trueup.customer.listing.types import Filters
from trueup.customer.statements import FOUND
from trueup.customer.types import CustomerRow, Stage
from trueup.mirror.service import CustomerKey
from trueup.runtime import arrays, database

FEW: Final = 5_000
"""So many matches of a search are looked up one by one; more are met soon enough by walking along the order."""
MANY: Final = "c.id in (select customer_id from customer_lookup where search @@ %(query)s::tsquery)"
THESE: Final = """unnest(%(found)s::text[]) as f (customer_id)
    cross join lateral (select * from customer_customer where id = f.customer_id offset 0) c"""

SORTS: Final = {"name": "sort_name", "mrr": "mrr_sort", "last_event_at": "last_event_at", "trial_end": "trial_end"}
CASTS: Final = {"name": "text", "mrr": "numeric", "last_event_at": "timestamptz", "trial_end": "timestamptz"}
ON_TRIAL: Final = "stage = 'trialing' and trial_end is not null"

OF_PRODUCT: Final = """exists (
    select from customer_lookup l where l.customer_id = c.id and l.product_ids @> array[%(product_id)s::text])"""

ENDING: Final = f"(select * from customer_customer where {ON_TRIAL} and trial_end < %(trial_end)s offset 0) c"  # noqa: S608 - constants

_OWING: Final = (
    "past_due",
    "unpaid",
    "incomplete",
    "incomplete_expired",
    "paused",
)

LINKED: Final = b"""
select customer_id from customer_trait
where account_id = any(%(accounts)s) and livemode = any('{f,t}') and kind = any('{user,organization,email}')
  and system = '' and value = any(%(values)s)
union select customer_id from customer_trait where kind = 'crm' and value = any(%(values)s)
limit %(limit)s
"""
"""Whoever is called so elsewhere, also where a person said so by hand."""

LEADERS: Final = b"""
select distinct coalesce(m.leader_id, k.id) from unnest(%(ids)s::text[]) as k (id)
left join customer_merged m on m.customer_id = k.id
"""


class Source(NamedTuple):
    """Where rows come from, what they have to be, and the values of both."""

    rows: str
    where: list[str]
    values: dict[str, Any]

    @property
    def sql(self) -> str:
        """Both, behind a ``from``."""
        return f"{self.rows} where {' and '.join(self.where)}"


def _ids(statement: bytes, values: dict[str, Any]) -> list[str]:
    return [row[0] for row in psycopg.Cursor(database.connection()).execute(statement, values).fetchall()]


def source(
    filters: Filters, *, accounts: Sequence[int], named: Sequence[CustomerKey], differing: Sequence[CustomerKey]
) -> Source:
    """Where the rows of a list come from.

    ``named`` are Stripe customers that the words of the search name by an object of theirs, and ``differing`` those
    that are not as at Stripe.
    """
    rows, where, values = "customer_customer c", ["true"], dict[str, Any]()
    query = store.search_query(filters.q)
    if filters.q.strip() and not query:
        where.append("false")
    elif query:
        found = _ids(FOUND, {"query": query, "limit": FEW + 1})
        if len(found) <= FEW:
            rows, values = THESE, {"found": list(dict.fromkeys([*found, *_called(filters.q, accounts, named)]))}
        else:
            where.append(MANY)
            values["query"] = query
    if filters.trial_ends_before is not None:
        # Few trials end soon, and along another order the planner would look for them among everybody.
        if rows == THESE:
            where.append(ON_TRIAL)
        else:
            rows = ENDING
    for clause, name, value in (
        ("c.stage = %(stage)s", "stage", filters.stage and filters.stage.value),
        ("c.account_id = %(account_id)s", "account_id", filters.account_id),
        (OF_PRODUCT, "product_id", filters.product_id or None),
        ("c.billing_status = %(billing_status)s", "billing_status", filters.billing_status or None),
        (
            "c.id in (select customer_id from customer_owner where operator_id = %(owner)s)",
            "owner",
            filters.owner,
        ),
        ("c.trial_end < %(trial_end)s", "trial_end", filters.trial_ends_before),
        ("c.mrr_sort >= %(mrr_from)s", "mrr_from", filters.mrr_from),
        ("c.mrr_sort <= %(mrr_to)s", "mrr_to", filters.mrr_to),
    ):
        if value is not None:
            where.append(clause)
            values[name] = value
    if filters.billing_status in _OWING:
        # The planner takes a partial index only where it sees that the condition implies its own.
        where.append(f"c.billing_status in ({', '.join(repr(one) for one in _OWING)})")
    if filters.unowned:
        where.append("not exists (select from customer_owner o where o.customer_id = c.id)")
    if filters.differing:
        where.append("c.id = any(%(differing)s)")
        values["differing"] = _leaders([store.own_id(key) for key in differing])
    return Source(rows, where, values)


def _leaders(ids: Sequence[str]) -> list[str]:
    return _ids(LEADERS, {"ids": list(ids)}) if ids else []


def _called(q: str, accounts: Sequence[int], named: Sequence[CustomerKey]) -> list[str]:
    """Customers that go by these very words elsewhere, or own an object of this id."""
    word = q.strip()
    ids = [store.own_id(key) for key in named]
    if "\x00" not in word:
        values = {"accounts": list(accounts), "values": sorted({word, word.casefold()}), "limit": FEW}
        ids += _ids(LINKED, values)
    return _leaders(ids)


def page(
    found: Source,
    *,
    sort: str,
    descending: bool,
    limit: int,
    after: tuple[str, str] | None,
    slugs: Mapping[int, str],
) -> list[tuple[CustomerRow, str]]:
    """Rows after a cursor (sort value as text, id) in the asked order, each with its own sort value as text."""
    column = SORTS[sort]
    direction, than = ("desc", "<") if descending else ("asc", ">")
    where, values = list(found.where), found.values | {"limit": limit}
    if sort == "trial_end":
        where.append(ON_TRIAL)
    if after is not None:
        where.append(f"({column}, id) {than} (%(value)s::{CASTS[sort]}, %(id)s)")
        values |= {"value": after[0], "id": after[1]}
    sql = (
        f"select {store.COLUMNS}, {column}::text from {found.rows} where {' and '.join(where)} "  # noqa: S608 - all parts are constants here
        f"order by c.{column} {direction}, c.id {direction} limit %(limit)s"
    )
    return [(store.as_row(store.to_row(row[:6], slugs)), row[6]) for row in database.execute(sql, values).fetchall()]


def counts(found: Source) -> dict[Stage, int]:
    """How many customers are in each stage."""
    sql = f"select stage, count(*) from {found.sql} group by stage"  # noqa: S608 - all parts are constants here
    known = dict(database.execute(sql, found.values).fetchall())
    return {stage: known.get(stage.value, 0) for stage in Stage}


def count(found: Source, *, limit: int | None) -> int:
    """How many there are; one more than ``limit`` stands for any number beyond it."""
    sql = f"select count(*) from (select from {found.sql} limit %(most)s) k"  # noqa: S608 - all parts are constants here
    row = database.execute(sql, found.values | {"most": None if limit is None else limit + 1}).fetchone()
    return int(row[0]) if row else 0


def known(ids: Sequence[str]) -> set[str]:
    """Those of our ids that are a customer's."""
    sql = b"select id from customer_customer where id = any(%(ids)b::text[])"
    return set(_ids(sql, {"ids": arrays.texts(ids)}))
