"""Statements on what looks wrong about who is who: customers that may be one, and metadata that breaks rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from trueup.customer.identity.people import customers_of
from trueup.customer.identity.types import Reason, SuggestedCustomer, Suggestion
from trueup.customer.rules.identity import BREACH, SENTENCES, UNIQUE, WEIGHTS
from trueup.customer.types import Stage
from trueup.kernel.actor import Actor
from trueup.kernel.records import Record
from trueup.runtime import database

MOST_SHARERS: Final = 20
"""A value that more customers share is a placeholder, or an agency's, and says nothing about two of them."""

# The values that a few customers share, read from the index in its order; within each, every pair. A customer that was
# merged counts as the one that it is part of.
SUGGESTIONS: Final = f"""
with weights as (
    select * from unnest(%(kinds)s::text[], %(weights)s::int8[]) as w (kind, weight)
), shared as (
    select account_id, livemode, kind, system, value, array_agg(distinct customer_id) as ids
    from customer_trait
    where account_id = any(%(accounts)s) and livemode = any('{{f,t}}') and kind = any(%(kinds)s)
    group by account_id, livemode, kind, system, value
    having count(distinct customer_id) between 2 and {MOST_SHARERS}
), sharers as (
    select s.*, coalesce(m.leader_id, i.id) as id from shared s cross join lateral unnest(s.ids) as i (id)
    left join customer_merged m on m.customer_id = i.id
), pairs as (
    select distinct a.account_id, a.livemode, a.kind, a.system, a.value, a.id as first_id, b.id as second_id
    from sharers a join sharers b
        on (b.account_id, b.livemode, b.kind, b.system, b.value) = (a.account_id, a.livemode, a.kind, a.system, a.value)
        and a.id < b.id
)
select p.account_id, p.livemode, p.first_id, p.second_id, sum(w.weight)::int8 as score,
       array_agg(array[p.kind, p.value] order by w.weight desc, p.kind, p.system, p.value)
from pairs p join weights w on w.kind = p.kind
where not exists (
    select from customer_dismissal d where (d.first_id, d.second_id) = (p.first_id, p.second_id)
)
group by p.account_id, p.livemode, p.first_id, p.second_id
having (-sum(w.weight), p.first_id, p.second_id) > (%(score)s, %(first_id)s, %(second_id)s)
order by score desc, p.first_id, p.second_id limit %(limit)s
"""  # noqa: S608 - a number of ours

DISMISS: Final = b"""
insert into customer_dismissal (first_id, second_id, actor_kind, actor_id)
values (%(first_id)s, %(second_id)s, %(actor_kind)s, %(actor_id)s) on conflict do nothing
"""
RESTORE: Final = b"""
delete from customer_dismissal where first_id = %(first_id)s and second_id = %(second_id)s
"""

VIOLATIONS: Final = f"""
select v.key, v.breach, v.customer_id, v.value, v.account_id, v.livemode, coalesce(m.leader_id, v.customer_id),
       coalesce(m.stripe_customer_id, c.stripe_customer_id)
from (
    select system as key, value as breach, customer_id, null as value, account_id, livemode from customer_trait
    where account_id = any(%(accounts)s) and livemode = any('{{f,t}}') and kind = '{BREACH}'
    union all
    select t.system, 'unique', t.customer_id, t.value, t.account_id, t.livemode from customer_trait t
    where t.account_id = any(%(accounts)s) and t.livemode = any('{{f,t}}') and t.kind = '{UNIQUE}' and exists (
        select from customer_trait o left join customer_merged mo on mo.customer_id = o.customer_id
        where (o.account_id, o.livemode, o.kind, o.system, o.value)
            = (t.account_id, t.livemode, t.kind, t.system, t.value)
          and coalesce(mo.leader_id, o.customer_id) <> coalesce(
              (select leader_id from customer_merged where customer_id = t.customer_id), t.customer_id
          )
    )
) v
left join customer_merged m on m.customer_id = v.customer_id
left join customer_customer c on c.id = v.customer_id
where (v.key, v.breach, v.customer_id) > (%(key)s, %(breach)s, %(customer_id)s)
order by v.key, v.breach, v.customer_id limit %(limit)s
"""  # noqa: S608 - constants of ours


class Broken(Record, frozen=True):
    """A broken rule: the Stripe customer that breaks it, and our id of the customer that it is."""

    key: str
    breach: str
    customer_id: str
    value: str | None
    account_id: int
    livemode: bool
    leader_id: str
    stripe_customer_id: str


def page(*, accounts: Sequence[int], after: tuple[int, str, str] | None, limit: int) -> list[Suggestion]:
    """Pairs of customers that may be one, after a place (score, ids) in the order of their scores."""
    score, first_id, second_id = after or (2**31, "", "")
    asked = {
        "accounts": list(accounts),
        "kinds": list(WEIGHTS),
        "weights": list(WEIGHTS.values()),
        "score": -score,
        "first_id": first_id,
        "second_id": second_id,
        "limit": limit,
    }
    rows = database.execute(SUGGESTIONS, asked).fetchall()
    known = customers_of({customer for row in rows for customer in row[2:4]})
    return [
        Suggestion(
            account_id=row[0],
            livemode=row[1],
            first=_suggested(known[row[2]]),
            second=_suggested(known[row[3]]),
            score=row[4],
            reasons=tuple(
                Reason(kind=kind, value=value, weight=WEIGHTS[kind], sentence=SENTENCES[kind]) for kind, value in row[5]
            ),
        )
        for row in rows
        if row[2] in known and row[3] in known
    ]


def _suggested(row: tuple[Any, ...]) -> SuggestedCustomer:
    return SuggestedCustomer(id=row[0], stripe_customer_id=row[1], name=row[2], email=row[3], stage=Stage(row[4]))


def dismiss(pair: tuple[str, str], *, by: Actor) -> bool:
    """Write that two customers are two; False where it was written before."""
    values = {"first_id": min(pair), "second_id": max(pair), "actor_kind": by.kind.value, "actor_id": by.id}
    return psycopg.Cursor(database.connection()).execute(DISMISS, values).rowcount == 1


def restore(pair: tuple[str, str]) -> bool:
    """Take a dismissal back; False where there was none."""
    values = {"first_id": min(pair), "second_id": max(pair)}
    return psycopg.Cursor(database.connection()).execute(RESTORE, values).rowcount == 1


def broken(*, accounts: Sequence[int], after: tuple[str, str, str] | None, limit: int) -> list[Broken]:
    """Broken rules after a place (key, breach, our id of the Stripe customer), in that order."""
    key, breach, customer_id = after or ("", "", "")
    asked = {"accounts": list(accounts), "key": key, "breach": breach, "customer_id": customer_id, "limit": limit}
    return [
        Broken(**dict(zip(Broken.__struct_fields__, row, strict=True)))
        for row in database.execute(VIOLATIONS, asked).fetchall()
    ]
