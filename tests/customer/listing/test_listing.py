"""Which customers a list has: by each filter, by whatever somebody types, and how many."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.customer import service as customers
from trueup.customer.identity import service as identity
from trueup.customer.listing import service as listing
from trueup.customer.listing.types import Filters
from trueup.customer.owners import service as owners
from trueup.customer.types import LinkKind, Stage
from trueup.kernel.actor import system
from trueup.kernel.time import from_unix
from trueup.operators import service as operators
from trueup.operators.types import Role
from trueup.runtime import database, recalling

TESTER = system("test")


@pytest.fixture
def account(db: None) -> Account:
    found = world.connect()
    world.many(found, 9)
    return found


def ids(sort: str = "name", **given: Any) -> list[str]:
    """Stripe's ids of the customers that match, without what all share."""
    found = listing.search(Filters(**given), sort=sort)
    assert found.total == len(found.data)
    return [row.stripe_customer_id.removeprefix("cus_") for row in found.data]


def test_status_revenue_and_product_narrow_a_list(account: Account) -> None:
    everybody = [row.stripe_customer_id for row in listing.search(Filters(), sort="-mrr").data]
    most = customers.get(everybody[0])

    assert ids(billing_status="past_due") == ["001", "004", "007"]
    assert ids(billing_status="active") == ["000", "003", "006"]
    assert everybody[0].removeprefix("cus_") in ids(mrr_from=Decimal(most.mrr[0].minor) / 100)
    assert ids(mrr_from=Decimal(10) ** 6) == []
    assert set(ids(mrr_to=Decimal(0))) | set(ids(mrr_from=Decimal("0.01"))) == set(ids())
    assert ids(product_id="prod_pro") == ids()
    assert ids(product_id="prod_other") == []
    assert ids(stage=Stage.PAST_DUE, mrr_to=Decimal(0)) == []


def test_trials_are_listed_by_their_end_and_until_a_moment(account: Account) -> None:
    for number, days in (("002", 9), ("005", 2), ("008", 5)):
        changed = world.subscription(
            f"sub_{number}", f"cus_{number}", status="trialing", trial_end=world.START + days * world.DAY
        )
        world.told(account, world.event("customer.subscription.updated", changed, at=world.START + 5_000))
    week = from_unix(world.START) + timedelta(days=7)

    assert ids(trial_ends_before=week) == ["005", "008"]
    assert ids(sort="trial_end") == ["005", "008", "002"]
    assert ids(sort="-trial_end") == ["002", "008", "005"]


def test_a_list_is_of_one_owner_or_of_nobody(account: Account) -> None:
    person = operators.create_operator(
        email="a@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=TESTER
    )
    owners.assign(ids=["cus_003", "cus_005"], operator_id=person.id, by=TESTER)

    assert ids(owner=person.id) == ["003", "005"]
    assert ids(owner=person.id, stage=Stage.TRIALING) == ["005"]
    assert ids(owner=person.id + 1) == []
    assert ids(unowned=True) == ["000", "001", "002", "004", "006", "007", "008"]


def test_a_list_is_of_those_that_differ_from_stripe(account: Account) -> None:
    assert ids(differing=True) == []
    database.execute(
        "insert into mirror_drift (account_id, livemode, object_type, object_id, customer, kind, fields, cause,"
        " explanation, run_id) values (%s, false, 'invoice', 'in_1', 'cus_004', 'stale', '[]', 'never_came', '', 1)",
        (account.id,),
    )

    assert ids(differing=True) == ["004"]
    assert ids(differing=True, stage=Stage.ACTIVE) == []


@pytest.mark.parametrize(
    ("q", "_case"),
    [
        ("company 004", "its name"),
        ("c004@x.example", "its address"),
        ("cus_004", "Stripe's id of it"),
        ("sub_004", "Stripe's id of its subscription"),
        ("u-4711", "a user id that a person linked"),
        ("003A", "an id of the CRM that a person linked"),
        ("004@elsewhere.example", "an address that a person linked"),
    ],
)
def test_a_search_takes_anything(account: Account, q: str, _case: str) -> None:
    identity.link(id="cus_004", kind=LinkKind.USER, value="u-4711", by=TESTER)
    identity.link(id="cus_004", kind=LinkKind.CRM, value="003A", system="salesforce", by=TESTER)
    identity.link(id="cus_004", kind=LinkKind.EMAIL, value="004@elsewhere.example", by=TESTER)

    assert ids(q=q) == ["004"]
    assert customers.counts(q=q)[Stage.PAST_DUE] == 1
    assert customers.search(q=customers.get("cus_004").id).total == 1


@pytest.mark.parametrize("q", ["u-47", "sub_00", "sub_999", "\x00", "evt_1", "no-such-word"])
def test_a_search_for_what_nobody_has_finds_nobody(account: Account, q: str) -> None:
    identity.link(id="cus_004", kind=LinkKind.USER, value="u-4711", by=TESTER)

    assert ids(q=q) == []


def test_chunks_give_everybody_once_and_in_order(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "CHUNK", 4)

    found = [[row.name for row in chunk] for chunk in listing.chunks(Filters(), sort="name")]

    assert [len(chunk) for chunk in found] == [4, 4, 1]
    assert [name for chunk in found for name in chunk] == [f"Company {n:03}" for n in range(9)]


def test_a_large_number_is_remembered_for_a_while_and_a_small_one_is_not(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sum(customers.counts().values()) == 9
    monkeypatch.setattr(listing, "LARGE", 5)
    assert sum(customers.counts().values()) == 9

    world.told(account, world.event("customer.created", world.customer("cus_new", "New"), at=world.START + 99))

    assert sum(customers.counts().values()) == 9
    assert len(listing.search(Filters()).data) == 10
    recalling.forget()
    assert sum(customers.counts().values()) == 10


def test_a_narrowed_list_is_counted_so_far_and_no_further(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_COUNTED", 2)

    assert listing.total(Filters(billing_status="past_due")) is None
    assert listing.total(Filters(billing_status="past_due", q="001")) == 1
    assert listing.total(Filters(stage=Stage.PAST_DUE)) == 3
