"""Statements of lists of money. Indexes hold what is filtered and summed; rows are read for a page alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson
import psycopg

from trueup.mirror.amounts import FAILED
from trueup.mirror.money.types import Failed, FailedSum, Listed, Order, Reason, Span, Sum, Which
from trueup.mirror.types import ObjectKey
from trueup.mirror.upcast.shape import LATEST_SECOND
from trueup.runtime import arrays, database

# The few statuses that there are, each found by one step down the index, so that none is missed that Stripe adds.
_ALL_KINDS: Final = """with recursive kinds (object_type, status) as (
    select t, (select min(status) from mirror_object where object_type = t and made is not null)
    from unnest(%(types)s::text[]) t
    union all
    select k.object_type, (
        select min(status) from mirror_object
        where object_type = k.object_type and status > k.status and made is not null
    ) from kinds k where k.status is not null
)"""
_THESE_KINDS: Final = """with kinds (object_type, status) as (
    select t, s from unnest(%(types)s::text[]) t cross join unnest(%(statuses)s::text[]) s
)"""
_OF_KINDS: Final = """
select f.* from kinds k cross join lateral (
    select {columns} from mirror_object o
    where o.object_type = k.object_type and o.status = k.status and o.made is not null and {where} {tail}
) f"""
_OF_CUSTOMERS: Final = """
select {columns} from unnest(%(of_account)s::int8[], %(of_mode)s::bool[], %(of_customer)s::text[])
    as c (account_id, livemode, customer)
cross join unnest(%(types)s::text[]) t (object_type)
cross join lateral (
    select * from mirror_object
    where (account_id, livemode, customer, object_type) = (c.account_id, c.livemode, c.customer, t.object_type)
    offset 0
) o where o.made is not null and {where} {tail}"""
_OF_ID: Final = """
select {columns} from unnest(%(of_account)s::int8[], %(of_mode)s::bool[]) as a (account_id, livemode)
cross join unnest(%(types)s::text[]) t (object_type)
cross join lateral (
    select * from mirror_object
    where (account_id, livemode, object_type, object_id) = (a.account_id, a.livemode, t.object_type, %(object_id)s)
    offset 0
) o where o.made is not null and {where} {tail}"""
_OF_NUMBER: Final = """
select {columns} from unnest(%(of_account)s::int8[], %(of_mode)s::bool[]) as a (account_id, livemode)
cross join lateral (
    select * from mirror_object
    where (number, account_id, livemode) = (%(number)s, a.account_id, a.livemode) offset 0
) o where o.object_type = any(%(types)s) and o.made is not null and {where} {tail}"""
_NUMBERED: Final = """
select o.account_id, o.livemode, o.customer
from unnest(%(of_account)s::int8[], %(of_mode)s::bool[]) as a (account_id, livemode)
cross join lateral (
    select * from mirror_object
    where (number, account_id, livemode) = (%(number)s, a.account_id, a.livemode) order by object_id limit %(limit)s
) o
order by 1, 2, o.object_id
"""
_COLUMNS: Final = "o.account_id, o.livemode, o.object_type, o.object_id, o.made, o.due, o.amount"
_VALUES: Final = {
    Order.NEWEST: ("o.made", "desc"),
    Order.OLDEST: ("o.made", "asc"),
    Order.DUE: (f"coalesce(o.due, {LATEST_SECOND})", "asc"),
    Order.LARGEST: ("coalesce(o.amount, 0)", "desc"),
}
_ROWS: Final = """
select o.account_id, o.livemode, o.object_type, o.object_id, o.customer, o.status, o.currency, o.amount, o.made, o.due,
       o.reason, o.essence, {value}
from ({found}) f
cross join lateral (
    select * from mirror_object
    where (account_id, livemode, object_type, object_id) = (f.account_id, f.livemode, f.object_type, f.object_id)
    offset 0
) o
order by {order}
"""
_FIRST: Final = "select o.* from ({found}) o order by {order} limit %(limit)s"
_THESE: Final = """select * from unnest(
    %(account_id)s::int8[], %(livemode)s::bool[], %(object_type)s::text[], %(object_id)s::text[]
) as k (account_id, livemode, object_type, object_id)"""
_SUMS: Final = """select object_type, status, currency, count(*), coalesce(sum(amount), 0)::int8 from ({found}) f
group by 1, 2, 3 order by 2, 4 desc, 3"""
_REASONS: Final = """select reason, currency, count(*), coalesce(sum(amount), 0)::int8 from ({found}) f
group by 1, 2 order by 3 desc, 1, 2"""

_FAILED: Final = """
select {columns}
from (
    select account_id, livemode, object_id, min(created) as first, max(created) as last, count(*) as failures
    from (
        select account_id, livemode, object_id, created from mirror_version
        where event_type = 'invoice.payment_failed' and created >= %(since)s and created < %(until)s
          and (%(account_id)s::int8 is null or account_id = %(account_id)s)
        order by created desc limit %(limit)s
    ) newest group by 1, 2, 3
) f
cross join lateral (
    select * from mirror_object
    where (account_id, livemode, object_type, object_id) = (f.account_id, f.livemode, 'invoice', f.object_id)
    offset 0
) o
where o.made is not null and (%(currency)s = '' or o.currency = %(currency)s) {tail}
"""
_EACH: Final = """f.account_id, f.livemode, f.object_id, o.status, o.currency, coalesce(o.amount, 0), f.first, f.last,
    f.failures"""
_TOGETHER: Final = """width_bucket(f.first, %(begins)s::int8[]) - 1, o.currency, o.status,
    coalesce(sum(o.amount), 0)::int8, sum(f.failures)::int8, min(f.first)"""
_OPEN: Final = f"""
select account_id, livemode, object_id, status, currency, coalesce(amount, 0), made, made, 0 from mirror_object
where object_type = 'invoice' and status = 'open' and made is not null and reason = '{FAILED}'
  and (%(account_id)s::int8 is null or account_id = %(account_id)s)
  and (%(currency)s = '' or currency = %(currency)s)
limit %(limit)s
"""  # noqa: S608 - a constant of ours
_FAILURES: Final = """
select k.account_id, k.livemode, k.object_id, min(v.created), max(v.created), count(*)
from unnest(%(account_id)s::int8[], %(livemode)s::bool[], %(object_id)s::text[]) as k (account_id, livemode, object_id)
cross join lateral (
    select created from mirror_version
    where (account_id, livemode, object_type, object_id) = (k.account_id, k.livemode, 'invoice', k.object_id)
      and event_type = 'invoice.payment_failed' offset 0
) v group by 1, 2, 3
"""

_AHEAD: Final = """from mirror_object o
where o.object_type = 'subscription' and o.due is not null and o.reason = %(reason)s and o.due >= %(since)s
  and o.due < %(until)s and (%(account_id)s::int8 is null or o.account_id = %(account_id)s)
  and (%(currency)s = '' or o.currency = %(currency)s)"""
_SPANS: Final = """select (due - %(since)s) / {length}, currency, count(*), coalesce(sum(amount), 0)::int8,
    count(*) filter (where amount is null) from (select due, currency, amount {ahead} limit %(limit)s) o
group by 1, 2 order by 1, 2"""


class Found(NamedTuple):
    """A row with the value that it is ordered by."""

    row: Listed
    value: int


def _execute(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    return psycopg.Cursor(database.connection()).execute(statement.encode(), values).fetchall()


def _found(
    which: Which, *, columns: str, tail: str, accounts: Sequence[tuple[int, bool]]
) -> tuple[str, dict[str, Any]]:
    """A statement that gives these columns of the rows, ``tail`` being said of each walk, and its values."""
    where, values = ["true"], dict[str, Any](types=list(which.types), statuses=list(which.statuses))
    for clause, name, value in (
        ("o.account_id = %(account_id)s", "account_id", which.account_id),
        ("o.currency = %(currency)s", "currency", which.currency or None),
        ("o.made >= %(since)s", "since", which.since),
        ("o.made < %(until)s", "until", which.until),
        ("o.amount >= %(amount_from)s", "amount_from", which.amount_from),
        ("o.amount <= %(amount_to)s", "amount_to", which.amount_to),
        ("o.reason = %(reason)s", "reason", which.reason or None),
    ):
        if value is not None:
            where.append(clause)
            values[name] = value
    if which.customers is None and not which.object_id and not which.number:
        kinds = _THESE_KINDS if which.statuses else _ALL_KINDS
        return kinds + _OF_KINDS.format(columns=columns, where=" and ".join(where), tail=tail), values
    if which.statuses:
        where.append("o.status = any(%(statuses)s)")
    places = which.customers if which.customers is not None else accounts
    values["of_account"] = arrays.int8s([place[0] for place in places])
    values["of_mode"] = arrays.bools([place[1] for place in places])
    if which.customers is not None:
        values["of_customer"] = arrays.texts([key[2] for key in which.customers])
    if which.object_id:
        values["object_id"] = which.object_id
        if which.customers is not None:
            where.append("o.object_id = %(object_id)s")
    source = _OF_ID if which.customers is None else _OF_CUSTOMERS
    if which.number:
        values["number"] = which.number
        if which.customers is None and not which.object_id:
            source = _OF_NUMBER
        else:
            where.append("o.number = %(number)s")
    return source.format(columns=columns, where=" and ".join(where), tail=tail), values


def page(
    which: Which, *, order: Order, limit: int, after: tuple[int, str] | None, accounts: Sequence[tuple[int, bool]]
) -> list[Found]:
    """The next rows in an order, from behind a place (the value that it orders by, and the object's id)."""
    value, direction = _VALUES[order]
    sign = "<" if direction == "desc" else ">"
    behind = f"and ({value}, o.object_id) {sign} (%(value)s, %(after)s)" if after is not None else ""
    by = f"{value} {direction}, o.object_id {direction}"
    found, values = _found(which, columns=_COLUMNS, tail=f"{behind} order by {by} limit %(limit)s", accounts=accounts)
    values["limit"] = limit
    if after is not None:
        values["value"], values["after"] = after
    found = _FIRST.format(found=found, order=by)
    rows = _execute(_ROWS.format(value=value, found=found, order=f"{by}, o.account_id, o.livemode"), values)
    return [Found(_listed(row), row[12]) for row in rows]


def numbered(number: str, *, accounts: Sequence[tuple[int, bool]], limit: int) -> list[tuple[int, bool, str | None]]:
    """Whose the invoices of this number are, at most ``limit`` of each account."""
    values = {
        "of_account": arrays.int8s([account_id for account_id, _livemode in accounts]),
        "of_mode": arrays.bools([livemode for _account_id, livemode in accounts]),
        "number": number,
        "limit": limit,
    }
    return [(row[0], row[1], row[2]) for row in _execute(_NUMBERED, values)]


def sums(which: Which, *, most: int, accounts: Sequence[tuple[int, bool]]) -> list[Sum]:
    """By status and currency; of each type and status at most so many are counted."""
    columns = "o.object_type, o.status, o.currency, o.amount"
    found, values = _found(which, columns=columns, tail="limit %(limit)s", accounts=accounts)
    rows = _execute(_SUMS.format(found=found), values | {"limit": most + 1})
    counted: dict[tuple[str, str], int] = {}
    for row in rows:
        counted[row[0], row[1]] = counted.get((row[0], row[1]), 0) + row[3]
    told: dict[tuple[str, str | None], tuple[int, int, bool]] = {}
    for object_type, status, currency, number, amount in rows:
        one = told.get((status, currency), (0, 0, False))
        more = one[2] or counted[object_type, status] > most
        told[status, currency] = (one[0] + number, one[1] + amount, more)
    return [Sum(status=key[0], currency=key[1], number=n, amount=a, more=more) for key, (n, a, more) in told.items()]


def reasons(which: Which, *, most: int, accounts: Sequence[tuple[int, bool]]) -> list[Reason]:
    """By reason and currency, the most frequent first, of the newest ``most`` of each type and status."""
    tail = "order by o.made desc, o.object_id desc limit %(limit)s"
    found, values = _found(which, columns="o.reason, o.currency, o.amount", tail=tail, accounts=accounts)
    rows = _execute(_REASONS.format(found=found), values | {"limit": most})
    return [Reason(reason=row[0], currency=row[1], number=row[2], amount=row[3]) for row in rows]


def failed(*, since: int, until: int, account_id: int | None, currency: str, limit: int) -> list[Failed]:
    """Invoices that could not be collected in a span, of the newest ``limit`` failures."""
    values = {"since": since, "until": until, "account_id": account_id, "currency": currency, "limit": limit}
    return [_failed(row) for row in _execute(_FAILED.format(columns=_EACH, tail=""), values)]


def failed_sums(*, begins: Sequence[int], until: int, account_id: int | None, limit: int) -> list[FailedSum]:
    """The same added up by the spans that begin at these moments, of the newest ``limit`` failures."""
    values = {"since": begins[0], "until": until, "account_id": account_id, "currency": "", "limit": limit}
    statement = _FAILED.format(columns=_TOGETHER, tail="group by 1, 2, 3")
    rows = _execute(statement, values | {"begins": arrays.int8s(begins)})
    return [
        FailedSum(place=row[0], currency=row[1], status=row[2], amount=row[3], failures=row[4], oldest=row[5])
        for row in rows
    ]


def failing(*, account_id: int | None, currency: str, limit: int) -> list[Failed]:
    """Open invoices that were tried in vain, whenever that was; moments are those of the invoice."""
    values = {"account_id": account_id, "currency": currency, "limit": limit}
    return [_failed(row) for row in _execute(_OPEN, values)]


def failures(keys: Sequence[ObjectKey]) -> dict[ObjectKey, tuple[int, int, int]]:
    """The first and the newest failure of each of these invoices, and how many there were; of each that had one."""
    values = {
        "account_id": arrays.int8s([key.account_id for key in keys]),
        "livemode": arrays.bools([key.livemode for key in keys]),
        "object_id": arrays.texts([key.object_id for key in keys]),
    }
    return {
        ObjectKey(account_id=row[0], livemode=row[1], object_type="invoice", object_id=row[2]): (row[3], row[4], row[5])
        for row in _execute(_FAILURES, values)
    }


def _failed(row: tuple[Any, ...]) -> Failed:
    return Failed(
        key=ObjectKey(account_id=row[0], livemode=row[1], object_type="invoice", object_id=row[2]),
        status=row[3],
        currency=row[4],
        amount=row[5],
        first=row[6],
        last=row[7],
        failures=row[8],
    )


def these(keys: Sequence[ObjectKey]) -> dict[ObjectKey, Listed]:
    """Rows by their keys; those that stand in no list are left out."""
    values = {
        "account_id": arrays.int8s([key.account_id for key in keys]),
        "livemode": arrays.bools([key.livemode for key in keys]),
        "object_type": arrays.texts([key.object_type for key in keys]),
        "object_id": arrays.texts([key.object_id for key in keys]),
    }
    rows = _execute(_ROWS.format(value="o.made", found=_THESE, order="1"), values)
    return {row.key: row for row in (_listed(one) for one in rows if one[8] is not None)}


def ahead(values: dict[str, Any], *, limit: int, after: tuple[int, str] | None) -> list[Found]:
    """Subscriptions of which something comes, the soonest first; ``values`` are those of ``_AHEAD``."""
    behind = "and (o.due, o.object_id) > (%(value)s, %(after)s)" if after is not None else ""
    found = f"select {_COLUMNS} {_AHEAD} {behind} order by o.due, o.object_id limit %(limit)s"
    order = "o.due, o.object_id, o.account_id, o.livemode"
    values = values | {"limit": limit}
    if after is not None:
        values |= {"value": after[0], "after": after[1]}
    return [
        Found(_listed(row), row[12]) for row in _execute(_ROWS.format(value="o.due", found=found, order=order), values)
    ]


def spans(values: dict[str, Any], *, length: int, most: int) -> list[Span]:
    """The same counted by spans of ``length`` seconds since the beginning, at most ``most`` of them."""
    rows = _execute(_SPANS.format(length=length, ahead=_AHEAD), values | {"limit": most})
    return [Span(place=row[0], currency=row[1], number=row[2], amount=row[3], unknown=row[4]) for row in rows]


def _listed(row: tuple[Any, ...]) -> Listed:
    return Listed(
        key=ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3]),
        customer=row[4],
        status=row[5],
        currency=row[6],
        amount=row[7],
        made=row[8],
        due=row[9],
        reason=row[10],
        data=orjson.loads(row[11]),
    )
