"""What a batch takes: rows that say the same again and again are one thing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from tests.inbox.conftest import Ask
from tests.inbox.store import keep_all
from tests.instance import customer, encoded, event
from trueup.accounts.types import Account
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.runtime import drains
from trueup.runtime.drains import Drain
from trueup.runtime.queues import Claimed

pytestmark = pytest.mark.usefixtures("database")


def told(account: Account, customers: int, each: int) -> None:
    """So many events about each of so many customers, in turn, a round in a batch of the mirror's."""
    for turn in range(each):
        keep_all(
            account,
            [
                encoded(event("customer.updated", customer(f"cus_{one}", name=f"Name {turn}"), at=1_790_000_000 + turn))
                for one in range(customers)
            ],
        )
        drains.empty(MIRROR)


def test_a_batch_takes_all_rows_of_as_many_things_as_it_may_and_leaves_the_others(account: Account, ask: Ask) -> None:
    told(account, customers=4, each=5)
    seen: list[set[str]] = []

    def apply(rows: Sequence[Claimed]) -> None:
        seen.append({str(row.values[3]) for row in rows})
        CUSTOMER.apply(rows)

    bounded: Drain = msgspec.structs.replace(CUSTOMER, apply=apply, units=3)
    first, second = drains.step(bounded), drains.step(bounded)

    assert (first.claimed, second.claimed) == (15, 5)
    assert [len(customers) for customers in seen] == [3, 1]
    assert not seen[0] & seen[1]
    assert drains.step(bounded).claimed == 0
    assert {row[0] for row in ask("select name from customer_customer")} == {"Name 4"}


def test_without_a_bound_every_row_is_a_thing_of_its_own(account: Account) -> None:
    told(account, customers=4, each=2)
    unbounded: Drain = msgspec.structs.replace(CUSTOMER, batch=6, units=None)

    assert [drains.step(unbounded).claimed for _ in range(3)] == [6, 2, 0]


def test_where_one_thing_fails_each_thing_is_tried_once_and_only_its_own_rows_wait(account: Account, ask: Ask) -> None:
    told(account, customers=4, each=5)
    tried: list[set[str]] = []

    def apply(rows: Sequence[Claimed]) -> None:
        customers = {str(row.values[3]) for row in rows}
        tried.append(customers)
        if "cus_2" in customers:
            raise ValueError("poison")
        CUSTOMER.apply(rows)

    step = drains.step(msgspec.structs.replace(CUSTOMER, apply=apply))

    assert (step.claimed, step.done, step.failed) == (20, 15, 5)
    assert sorted(map(sorted, tried[1:])) == [["cus_0"], ["cus_1"], ["cus_2"], ["cus_3"]]
    assert ask("select distinct object_id, attempts, last_error from mirror_changed") == [
        ("cus_2", 1, "ValueError: poison")
    ]
    assert ask("select count(*) from customer_customer") == [(3,)]
