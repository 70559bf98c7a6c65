"""Statements on people: whoever the links of kind user and email name, with the customers they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from trueup.customer.identity.types import Person, PersonCustomer
from trueup.customer.types import LinkKind, Stage
from trueup.runtime import database

WIDEST: Final = 500
"""Links of one person that are read: an address that more customers share is nobody in particular."""

ALL: Final = "select distinct person_id from customer_trait where person_id > %(after)s"
OF_CUSTOMERS: Final = """
select distinct person_id from customer_trait where customer_id = any(%(customers)s) and person_id > %(after)s
"""
BY_VALUE: Final = """
select distinct person_id from customer_trait
where account_id = any(%(accounts)s) and livemode = any('{f,t}') and kind = any('{user,email}') and system = ''
  and value = any(%(values)s) and person_id > %(after)s
"""

PEOPLE: Final = """
select p.person_id, t.livemode, t.kind, t.value, coalesce(m.leader_id, t.customer_id)
from ({found} order by person_id limit %(limit)s) p
cross join lateral (
    select livemode, kind, value, customer_id from customer_trait where person_id = p.person_id
    order by customer_id limit {widest}
) t
left join customer_merged m on m.customer_id = t.customer_id
order by p.person_id
"""

CUSTOMERS: Final = b"""
select id, stripe_customer_id, name, email, stage from customer_customer where id = any(%(ids)s)
"""


def page(
    *, after: str, limit: int, customers: Sequence[str] | None, accounts: Sequence[int], values: Sequence[str] | None
) -> list[Person]:
    """People by id after ``after``: all, or those of customers (our ids of every member), or who go by these values."""
    found = OF_CUSTOMERS if customers is not None else BY_VALUE if values is not None else ALL
    asked = {
        "after": after,
        "limit": limit,
        "customers": list(customers or ()),
        "accounts": list(accounts),
        "values": list(values or ()),
    }
    return _people(found, asked)


def find(id: str) -> Person | None:  # noqa: A002 - the field's name
    """One person."""
    found = _people("select distinct person_id from customer_trait where person_id = %(id)s", {"id": id, "limit": 1})
    return found[0] if found else None


def _people(found: str, asked: dict[str, Any]) -> list[Person]:
    sql = PEOPLE.format(found=found, widest=WIDEST)
    rows = database.execute(sql, asked).fetchall()
    known = customers_of({row[4] for row in rows})
    people: dict[str, dict[str, Any]] = {}
    for person_id, livemode, kind, value, customer_id in rows:
        one = people.setdefault(person_id, {"livemode": livemode, "email": {}, "user": {}, "customers": {}})
        one[LinkKind(kind).value][value] = None
        one["customers"][customer_id] = None
    return [
        Person(
            id=person_id,
            livemode=one["livemode"],
            emails=tuple(sorted(one["email"])),
            user_ids=tuple(sorted(one["user"])),
            customers=tuple(
                PersonCustomer(id=row[0], stripe_customer_id=row[1], name=row[2] or row[3], stage=Stage(row[4]))
                for customer_id in sorted(one["customers"])
                if (row := known.get(customer_id)) is not None
            ),
        )
        for person_id, one in people.items()
    ]


def customers_of(ids: set[str]) -> dict[str, tuple[Any, ...]]:
    """Id, Stripe's id, name, email and stage of customers, by our id."""
    rows = psycopg.Cursor(database.connection()).execute(CUSTOMERS, {"ids": sorted(ids)}).fetchall()
    return {row[0]: row for row in rows}
