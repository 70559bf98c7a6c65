"""Rows of customers that the mirror knows nothing of. What people said is never among them."""

from __future__ import annotations

from typing import Final

from trueup.runtime.orphans import Orphan

_UNHEARD: Final = """not exists (
    select from mirror_version v
    where (v.account_id, v.livemode, v.customer) = ({0}.account_id, {0}.livemode, {0}.stripe_customer_id)
)"""

_WITHOUT: Final = "not exists (select from customer_customer c where c.id = t.customer_id)"

ORPHANS: Final = (
    Orphan(
        table="customer_customer",
        what="a customer without any object",
        key="concat(t.id, ' (', t.stripe_customer_id, ')')",
        condition=f"""{_UNHEARD.format("t")} and not exists (
            select from customer_merged m
            where (m.account_id, m.livemode, m.leader) = (t.account_id, t.livemode, t.stripe_customer_id)
              and not {_UNHEARD.format("m")}
        )""",
    ),
    Orphan(
        table="customer_lookup",
        what="words of a customer that is not there",
        key="concat(t.customer_id, ' (', t.stripe_customer_id, ')')",
        condition=_WITHOUT,
    ),
    Orphan(
        table="customer_turn",
        what="a turn of a customer that is not there",
        key="concat(t.customer_id, ' (', t.stripe_customer_id, ')')",
        condition=_WITHOUT,
    ),
    Orphan(
        table="customer_trait",
        what="a derived tie of a customer that is not there",
        key="concat_ws(' ', t.customer_id, t.kind, t.system, t.value, t.source)",
        condition=f"""t.source in ('stripe', 'metadata') and {_WITHOUT} and not exists (
            select from customer_merged m join customer_customer c on c.id = m.leader_id
            where m.customer_id = t.customer_id
        )""",
    ),
)
"""In the order in which they are removed: without its customer what stands beside it is an orphan too."""
