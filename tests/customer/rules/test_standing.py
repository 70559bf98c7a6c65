"""When there is something of a customer that others are told about."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.console import world
from trueup.runtime import database

DAY = world.DAY


@pytest.fixture
def account(db: None) -> Any:
    account = world.connect()
    told(account, world.event("customer.created", world.customer("cus_1", "Ada")))
    told(account, world.event("customer.subscription.created", world.subscription("sub_1", "cus_1")))
    database.execute("delete from customer_moved")
    return account


def told(account: Any, *events: Any) -> None:
    world.told(account, *events)


def moved() -> int:
    return int(database.execute("select count(*) from customer_moved").fetchall()[0][0])


@pytest.mark.parametrize(
    ("_case", "changed", "expected"),
    [
        ("another status", {"status": "past_due"}, 1),
        ("the end of a trial", {"trial_end": world.START + 9 * DAY}, 1),
        ("an end that is planned", {"cancel_at_period_end": True}, 1),
        ("an end at a moment", {"cancel_at": world.START + 9 * DAY}, 1),
        ("a quantity", {"quantity": 7}, 0),
        ("a note of the application's", {"metadata": {"seen": "yes"}}, 0),
    ],
)
def test_a_customer_is_queued_when_something_that_is_told_changed(
    account: Any, _case: str, changed: dict[str, Any], expected: int
) -> None:
    after = world.subscription("sub_1", "cus_1", **changed)

    told(account, world.event("customer.subscription.updated", after, at=world.START + 60, previous={}))

    assert moved() == expected


def test_a_state_that_is_folded_again_queues_nobody(account: Any) -> None:
    database.execute("update customer_customer set fold_version = 0")
    again = world.event("customer.updated", world.customer("cus_1", "Ada B."), at=world.START + 60)

    told(account, again)

    assert moved() == 0


def test_a_new_customer_is_queued_once(account: Any) -> None:
    told(account, world.event("customer.created", world.customer("cus_2", "Bob")))

    assert moved() == 1
