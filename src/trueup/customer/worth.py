"""What some customers pay a month together: how much hangs on whatever it is that concerns them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from fractions import Fraction
from typing import Final

import psycopg

from trueup.customer import stored
from trueup.kernel.money import Money, Rounding, rounded
from trueup.mirror.service import CustomerKey
from trueup.runtime import arrays, database

_STATES: Final = b"""
select distinct on (c.id) c.state
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(customer)b::text[]) as k (account_id, livemode, customer)
left join customer_merged m
    on (m.account_id, m.livemode, m.stripe_customer_id) = (k.account_id, k.livemode, k.customer)
join customer_customer c
    on (c.account_id, c.livemode, c.stripe_customer_id) = (k.account_id, k.livemode, coalesce(m.leader, k.customer))
"""


def a_month(customers: Collection[CustomerKey]) -> tuple[Money, ...]:
    """The monthly recurring revenue of these Stripe customers, by currency, the largest amount first.

    Who is part of another customer counts as that one, once; who is not known counts for nothing.
    """
    if not customers:
        return ()
    values = {
        "account_id": arrays.int8s([key[0] for key in customers]),
        "livemode": arrays.bools([key[1] for key in customers]),
        "customer": arrays.texts([key[2] for key in customers]),
    }
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for row in psycopg.Cursor(database.connection()).execute(_STATES, values, binary=True).fetchall():
        for part in stored.decode(row[0]).mrr:
            sums[part.currency] += Fraction(part.numerator, part.denominator)
    found = [Money(minor=rounded(each, Rounding.HALF_AWAY), currency=code) for code, each in sums.items() if each]
    return tuple(sorted(found, key=lambda one: (-one.minor, one.currency)))
