"""What differs by type and field, and mending some of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from tests.web.console.test_differences import differ, seen
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.kernel.actor import system
from trueup.mirror.reconcile import cells
from trueup.mirror.reconcile import service as reconcile
from trueup.mirror.reconcile.types import STATE, FieldDifference, Kind
from trueup.runtime.crypto import Sealer
from trueup.web.console import drift


def amount(item: str) -> FieldDifference:
    return FieldDifference(path=f"items.data[{item}].price.unit_amount", ours=4900, theirs=5900)


@pytest.fixture
def keyed(account: Account) -> Account:
    """The account with a key to read with."""
    return accounts.connect(
        name="acme",
        api_key="rk_test_" + "a" * 24,
        webhook_secrets=[],
        livemode=None,
        access=None,
        api_base="http://127.0.0.1:9",
        stripe_account_id=None,
        sealer=Sealer(bytes(32)),
        by=system("test"),
    )


@pytest.fixture
def differing(keyed: Account) -> Account:
    status = FieldDifference(path="status", ours="active", theirs="past_due")
    differ(keyed, "subscription", "sub_1", fields=(amount("si_1"), status))
    differ(keyed, "subscription", "sub_2", fields=(amount("si_2"), amount("si_3")), customer="cus_2")
    differ(keyed, "price", "price_1", customer=None, fields=(FieldDifference(path="active", ours=True, theirs=False),))
    differ(keyed, "invoice", "in_1", kind=Kind.MISSING)
    differ(keyed, STATE, "cus_1", fields=(FieldDifference(path="stage", ours="active", theirs="past_due"),))
    return keyed


def test_elements_of_lists_are_one_field(differing: Account) -> None:
    found = [(one.type, one.kind.value, one.field, one.number, one.customers) for one in cells.cells()]

    assert found == [
        ("invoice", "missing", "", 1, 1),
        ("price", "stale", "active", 1, 0),
        ("subscription", "stale", "items.data[].price.unit_amount", 2, 2),
        ("subscription", "stale", "status", 1, 1),
        (STATE, "stale", "stage", 1, 1),
    ]


def test_a_cell_leads_to_its_differences_and_to_no_others(reader: Client, differing: Account) -> None:
    page = seen(reader, "/drift")
    assert "items.data[].price.unit_amount" in page

    inside = seen(reader, "/drift/cell?type=subscription&kind=stale&field=items.data[].price.unit_amount")

    assert "sub_1" in inside
    assert "sub_2" in inside
    assert "price_1" not in inside
    assert "everything of 2 customers of acme" in inside


def test_what_is_chosen_is_compared_with_repair_and_nothing_else(reader: Client, differing: Account) -> None:
    by_object = {one.object_id: one.id for one in reconcile.differences(limit=50).data}

    answer = reader.post("/drift/repair", {"id": [by_object["sub_2"], by_object["price_1"]], "type": "subscription"})

    assert answer["Location"] == "/drift"
    runs = {(one.customers, one.types if one.customers is None else (), one.repair) for one in reconcile.runs().data}
    assert (("cus_2",), (), True) in runs
    assert len(runs) == 2
    assert "2 differences are being repaired." in seen(reader, "/drift")


def test_choosing_nothing_is_refused_on_the_page(reader: Client, differing: Account) -> None:
    answer = reader.post("/drift/repair", {"type": "subscription"})

    assert "Nothing that was chosen differs any more." in answer.content.decode()
    assert reconcile.runs().data == ()


def test_a_comparison_is_started_and_ended(reader: Client, keyed: Account) -> None:
    reader.post("/drift/run", {"account": "acme", "repair": "1"})
    run = reconcile.runs().data[0]
    assert run.repair
    assert f"/drift/runs/{run.id}/cancel" in reader.get("/drift").content.decode()

    reader.post(f"/drift/runs/{run.id}/cancel")

    assert reconcile.runs().data[0].status.value == "cancelled"


def test_that_all_agree_is_said_with_when_it_was_seen(reader: Client, keyed: Account) -> None:
    assert "Not compared yet" in seen(reader, "/drift")


@pytest.mark.parametrize(
    ("_case", "hour", "expected"),
    [("later today", 14, 0), ("tomorrow", 3, 1)],
)
def test_the_next_comparison_is_told(_case: str, hour: int, expected: int) -> None:
    now = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)

    assert drift._next(hour, now) == now.replace(hour=hour, minute=0) + timedelta(days=expected)
    assert drift._next(-1, now) is None


def test_a_price_is_mended_by_its_type_and_a_customers_objects_by_the_customer(differing: Account) -> None:
    assert drift.targets(reconcile.differences(limit=50).data) == [
        drift.Target(account="acme", customers=("cus_1", "cus_2"), types=()),
        drift.Target(account="acme", customers=(), types=("price",)),
    ]


def test_an_address_without_a_type_is_not_found(reader: Client, account: Account) -> None:
    assert reader.get("/drift/cell").status_code == 404
