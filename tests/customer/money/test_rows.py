"""Rows of lists of money as people read them: whose they are, why they failed, and what leaves with a subscription."""

from __future__ import annotations

import pytest

from tests.web.console import ledger, world
from tests.web.console.world import DAY, START, event
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.customer import merging
from trueup.customer.money import service as money
from trueup.kernel.actor import Actor, ActorKind
from trueup.kernel.errors import Forbidden
from trueup.kernel.money import Money
from trueup.kernel.time import from_unix
from trueup.mirror.amounts import ENDS
from trueup.mirror.money.types import Which
from trueup.operators import service as operators
from trueup.operators.types import Role
from trueup.runtime import database

BY = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
PAYMENTS = Which(types=("charge", "payment_intent"))


@pytest.fixture
def account(db: None) -> Account:
    account = world.connect()
    world.many(account, 3)
    return account


def pay(account: Account, id: str, of: str, **more: object) -> None:  # noqa: A002
    world.told(account, event("charge.updated", ledger.charge(id, of, **more)))  # type: ignore[arg-type]


def test_a_failed_payment_says_why_and_whose_it_is(account: Account) -> None:
    pay(account, "ch_1", "cus_001", failed="insufficient_funds")

    ((row,), _next) = money.rows(PAYMENTS)

    assert row.customer is not None
    assert (row.customer.name, row.amount, row.status) == ("Company 001", Money(4900, "usd"), "failed")
    assert row.failure is not None
    assert row.failure.code == "insufficient_funds"


def test_a_dispute_belongs_to_the_customer_of_its_charge_and_is_due(account: Account) -> None:
    pay(account, "ch_1", "cus_001")
    world.told(account, event("charge.dispute.created", ledger.dispute("dp_1", "ch_1", due=START + 9 * DAY)))

    ((row,), _next) = money.rows(Which(types=("dispute",)))

    assert row.customer is not None
    assert (row.customer.stripe_customer_id, row.due) == ("cus_001", from_unix(START + 9 * DAY))


def test_a_search_finds_payments_by_name_and_by_id_also_of_whoever_was_merged(account: Account) -> None:
    for n in range(3):
        pay(account, f"ch_{n}", f"cus_00{n}", at=START + n)
    merging.merge(id="cus_001", others=["cus_002"], by=BY)

    by_name = money.rows(money.searched(PAYMENTS, "company 001"))[0]

    assert [row.key.object_id for row in by_name] == ["ch_2", "ch_1"]
    assert [row.key.object_id for row in money.rows(money.searched(PAYMENTS, " ch_0 "))[0]] == ["ch_0"]
    assert money.rows(money.searched(PAYMENTS, "nobody"))[0] == ()


def test_totals_are_by_status_whatever_status_is_looked_at(account: Account) -> None:
    pay(account, "ch_1", "cus_001", amount=100)
    pay(account, "ch_2", "cus_002", amount=50, failed="expired_card", currency="eur")

    found = money.totals(Which(types=("charge",), statuses=("failed",)))

    assert [(one.status, one.number, one.amounts) for one in found] == [
        ("failed", 1, (Money(50, "eur"),)),
        ("succeeded", 1, (Money(100, "usd"),)),
    ]


def test_a_subscription_that_ends_says_how_much_revenue_goes_with_it(account: Account) -> None:
    world.told(
        account,
        event(
            "customer.subscription.updated",
            world.subscription("sub_000", "cus_000", amount=3000, quantity=2, cancel_at=START + 20 * DAY),
            at=START + DAY,
        ),
    )

    found, _next = money.ahead(ENDS, since=from_unix(START), until=from_unix(START + 30 * DAY))

    assert [[one.money for one in row.mrr] for row in found] == [[Money(6000, "usd")]]
    assert [one.money for one in money.revenue_leaving(found)] == [Money(6000, "usd")]
    total = money.coming(ENDS, since=from_unix(START), until=from_unix(START + 30 * DAY))
    assert (total.number, total.amounts, total.more) == (1, (Money(6000, "usd"),), False)


def test_who_takes_a_list_away_may_do_so_and_it_is_written_down(account: Account) -> None:
    pay(account, "ch_1", "cus_001")
    operators.create_operator(email="o@acme.example", password="nine quiet rivers", by=BY)
    person = operators.create_operator(
        email="s@acme.example", password="nine quiet rivers", roles=[Role.SUPPORT], by=BY
    )
    support = Actor(kind=ActorKind.OPERATOR, id=str(person.id))

    with pytest.raises(Forbidden):
        money.begin_export(1, kind="payments", told="q=x", by=support)
    money.begin_export(money.number_of(PAYMENTS), kind="payments", told="q=x", by=BY)

    (entry,) = audit.entries(database.connection(), action="customer.money.exported", opened=True)
    assert entry.after == {"rows": 1, "filter": "q=x"}
    assert b"q=x" not in entry.body
