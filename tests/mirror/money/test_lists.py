"""Lists of money over all customers: which objects, in which order, and how much they are together."""

from __future__ import annotations

import pytest

from tests.web.console import ledger, world
from tests.web.console.world import DAY, START, event
from trueup.accounts.types import Account
from trueup.kernel.errors import Refused
from trueup.mirror.amounts import ENDS, RENEWS
from trueup.mirror.money import service as money
from trueup.mirror.money.types import Listed, Order, Which

PAYMENTS = Which(types=("charge", "payment_intent"))


@pytest.fixture
def account(db: None) -> Account:
    return world.connect()


def ids(rows: tuple[Listed, ...]) -> list[str]:
    return [row.key.object_id for row in rows]


def charges(account: Account, number: int) -> None:
    """That many charges, a second apart; each third failed."""
    world.told(
        account,
        *(
            event(
                "charge.succeeded",
                ledger.charge(
                    f"ch_{n}", f"cus_{n % 2}", amount=100 * n, at=START + n, failed="" if n % 3 else "expired"
                ),
                at=START + n,
            )
            for n in range(number)
        ),
    )


def test_pages_walk_through_all_statuses_in_one_order_and_meet_nobody_twice(account: Account) -> None:
    charges(account, 9)

    first, after = money.rows(PAYMENTS, limit=4)
    second, more = money.rows(PAYMENTS, limit=4, after=after)
    third, none = money.rows(PAYMENTS, limit=4, after=more)

    assert ids(first) + ids(second) + ids(third) == [f"ch_{n}" for n in range(8, -1, -1)]
    assert none is None
    assert ids(money.rows(PAYMENTS, order=Order.OLDEST, limit=2)[0]) == ["ch_0", "ch_1"]


def test_a_cursor_of_another_order_is_refused(account: Account) -> None:
    charges(account, 3)
    _rows, after = money.rows(PAYMENTS, limit=1)

    with pytest.raises(Refused, match="another order"):
        money.rows(PAYMENTS, order=Order.LARGEST, after=after)


@pytest.mark.parametrize(
    ("_case", "which", "expected"),
    [
        ("a status", {"statuses": ("failed",)}, ["ch_6", "ch_3", "ch_0"]),
        ("a reason", {"reason": "expired"}, ["ch_6", "ch_3", "ch_0"]),
        ("a span", {"since": START + 2, "until": START + 4}, ["ch_3", "ch_2"]),
        ("amounts", {"amount_from": 200, "amount_to": 400}, ["ch_4", "ch_3", "ch_2"]),
        ("another currency", {"currency": "eur"}, []),
        ("another account", {"account_id": 0}, []),
        ("an id", {"object_id": "ch_5"}, ["ch_5"]),
    ],
)
def test_a_list_is_narrowed(account: Account, _case: str, which: dict[str, object], expected: list[str]) -> None:
    charges(account, 7)

    assert ids(money.rows(Which(types=("charge",), **which))[0]) == expected  # type: ignore[arg-type]


def test_the_list_of_one_customer_has_its_own_alone(account: Account) -> None:
    charges(account, 7)
    theirs = Which(types=("charge",), customers=((account.id, False, "cus_1"),))

    assert ids(money.rows(theirs)[0]) == ["ch_5", "ch_3", "ch_1"]
    assert [(one.status, one.number) for one in money.sums(theirs)] == [("failed", 1), ("succeeded", 2)]


def test_sums_are_by_status_and_currency_and_say_where_they_end(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    charges(account, 7)

    assert [(one.status, one.currency, one.number, one.amount, one.more) for one in money.sums(PAYMENTS)] == [
        ("failed", "usd", 3, 900, False),
        ("succeeded", "usd", 4, 1200, False),
    ]
    monkeypatch.setattr(money, "MOST_COUNTED", 3)
    assert [one.more for one in money.sums(PAYMENTS)] == [False, True]


def test_what_failed_is_told_by_events_and_stands_as_the_invoice_does_now(account: Account) -> None:
    ledger.failing(account, "in_open", "cus_1", reason="expired_card", at=START)
    ledger.failing(account, "in_paid", "cus_2", reason="insufficient_funds", at=START + DAY)
    ledger.settled(account, "in_paid", "cus_2", status="paid", at=START + DAY)
    world.told(account, event("invoice.paid", ledger.invoice("in_fine", "cus_3", status="paid", attempt_count=1)))

    found = {one.key.object_id: one for one in money.failed(since=START, until=START + 9 * DAY)}

    assert {id_: one.status for id_, one in found.items()} == {"in_open": "open", "in_paid": "paid"}
    assert [one.key.object_id for one in money.failing()] == ["in_open"]
    assert money.failed(since=START + DAY, until=START + DAY + 2) == ()
    key = found["in_open"].key
    assert money.failures([key]) == {key: (START + 2, START + 2, 1)}


def test_what_comes_of_subscriptions_is_told_by_when(account: Account) -> None:
    world.told(
        account,
        event("customer.subscription.created", world.subscription("sub_1", "cus_1", amount=100)),
        event("customer.subscription.created", world.subscription("sub_2", "cus_2", cancel_at=START + 3 * DAY)),
    )
    until = START + 60 * DAY

    assert ids(money.ahead(RENEWS, since=START, until=until)[0]) == ["sub_1"]
    assert ids(money.ahead(ENDS, since=START, until=until)[0]) == ["sub_2"]
    (week,) = money.spans(RENEWS, since=START, until=until, length=7 * DAY)
    assert (week.place, week.currency, week.number, week.amount, week.unknown) == (4, "usd", 1, 100, 0)
