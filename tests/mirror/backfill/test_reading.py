"""Without a single webhook, what Stripe's lists show is what the mirror holds."""

from __future__ import annotations

from typing import Any

import orjson

from tests import instance
from tests.mirror.backfill.conftest import Connect, mirrored, read_all
from tests.mirror.backfill.gate import Gate
from trueup.connectors.stripe.resources import RESOURCES
from trueup.mirror.backfill import lists, service
from trueup.mirror.backfill.types import Status, TypeStatus
from trueup.runtime import database
from trueup.sandbox import Sandbox

Json = dict[str, Any]


def listed(sandbox: Sandbox, path: str, params: dict[str, Any]) -> list[Json]:
    """All of a list, as the API answers it."""
    found: list[Json] = []
    more: dict[str, Any] = {}
    while True:
        page = sandbox.request("GET", path, {**params, **more, "limit": 100})
        found += page["data"]
        if not page["has_more"]:
            return found
        more = {"starting_after": page["data"][-1]["id"]}


def everything(sandbox: Sandbox, types: tuple[str, ...]) -> dict[tuple[str, str], Json]:
    """All objects of these types that any list of the API shows."""
    found: list[Json] = []
    clocks = [one["id"] for one in listed(sandbox, "/v1/test_helpers/test_clocks", {})]
    customers = listed(sandbox, "/v1/customers", {})
    for clock in clocks:
        customers += listed(sandbox, "/v1/customers", {"test_clock": clock})
    for name in types:
        resource = RESOURCES[name]
        if name == "customer":
            found += customers
        elif resource.parent is None:
            found += [one for path, params in resource.many() for one in listed(sandbox, path, params)]
        elif resource.parent.object_type == "customer":
            for customer in customers:
                for path, params in resource.many(parent=customer["id"]):
                    found += listed(sandbox, path, params)
    return {(one["object"], one["id"]): one for one in found}


def mirror() -> dict[tuple[str, str], Json]:
    """Every object as its newest version in the mirror was told."""
    rows = database.execute(
        """
        select o.object_type, o.object_id, e.body from mirror_object o join inbox_event e
            on (e.account_id, e.livemode, e.event_id, e.created)
                = (o.account_id, o.livemode, o.event_id collate "default", to_timestamp(o.created))
        """
    ).fetchall()
    return {(row[0], row[1]): orjson.loads(row[2])["data"]["object"] for row in rows}


def test_all_that_the_api_lists_is_mirrored_and_equal(sandbox: Sandbox, connect: Connect) -> None:
    account = connect(sandbox.base_url)
    types = (*lists.DEFAULT, *lists.DEAR)

    service.start(account=account, types=types, by=instance.TESTER)
    read_all()
    mirrored()

    told = service.progress(account)
    assert told.run.status is Status.COMPLETE
    absent = {one.object_type for one in told.types if one.status is TypeStatus.ABSENT}
    assert absent == {"tax_rate", "quote", "checkout.session"}
    assert {one.status for one in told.types if one.object_type not in absent} == {TypeStatus.DONE}
    expected = everything(sandbox, tuple(one for one in told.run.types if one not in absent))
    assert len(expected) > 500
    assert mirror() == expected
    assert told.objects == told.new == len(expected)
    assert (told.changed, told.known, told.expected) == (0, 0, len(expected))


def test_objects_of_a_test_clock_are_read_at_its_time_and_once(
    sandbox: Sandbox, before: Gate, connect: Connect
) -> None:
    account = connect(before.base_url)
    (clock,) = listed(sandbox, "/v1/test_helpers/test_clocks", {})

    types = ["product", "subscription", "invoice", "charge", "payment_method"]

    service.start(account=account, types=types, by=instance.TESTER)
    read_all()
    mirrored()

    (customer, _other) = listed(sandbox, "/v1/customers", {"test_clock": clock["id"]})
    of_clock = "select object_type, created from mirror_version where customer = %s and read"
    read = database.execute(of_clock, (customer["id"],)).fetchall()
    assert {kind for kind, _second in read} >= {"customer", "subscription", "invoice", "charge", "payment_method"}
    # One version of each: the plain lists, which show some of them too, leave them to the clock's.
    assert len(read) == len(set(read))
    assert {second for _kind, second in read} == {clock["frozen_time"]}
    plain = database.execute("select max(created) from mirror_version where object_type = 'product'").fetchone()
    assert plain is not None
    assert plain[0] <= sandbox.now < clock["frozen_time"]


def test_no_page_is_asked_for_twice(before: Gate, connect: Connect) -> None:
    account = connect(before.base_url)

    service.start(account=account, types=["invoice", "customer"], by=instance.TESTER)
    read_all(threads=4)

    assert len(before.pages()) == len(set(before.pages())) > 5
    assert any("created%5Blt%5D" in page for page in before.pages())
    assert service.progress(account).pages == len(before.pages())


def test_a_second_backfill_finds_all_known(sandbox: Sandbox, connect: Connect) -> None:
    account = connect(sandbox.base_url)
    service.start(account=account, types=["invoice"], by=instance.TESTER)
    read_all()
    mirrored()
    changed = listed(sandbox, "/v1/customers", {})[0]["id"]
    sandbox.request("POST", f"/v1/customers/{changed}", {"name": "Another"})

    service.start(account=account, types=["customer"], by=instance.TESTER)
    read_all()
    mirrored()
    service.start(account=account, types=["customer", "invoice"], by=instance.TESTER)
    read_all()

    told = service.progress(account)
    assert told.known == told.objects > 100
    assert (told.new, told.changed) == (0, 0)
    rows = database.execute("select count(*) from mirror_version where object_id = %s", (changed,)).fetchall()
    assert rows == [(1,)]


def test_a_day_leaves_out_what_is_older(sandbox: Sandbox, connect: Connect) -> None:
    account = connect(sandbox.base_url)
    invoices = listed(sandbox, "/v1/invoices", {})
    since = invoices[len(invoices) // 2]["created"]
    of_clocks = {one["id"] for one in invoices if one["created"] > sandbox.now}

    service.start(account=account, types=["invoice"], since=since, by=instance.TESTER)
    read_all()
    mirrored()

    rows = database.execute("select object_id from mirror_object where object_type = 'invoice'").fetchall()
    assert {row[0] for row in rows} == {one["id"] for one in invoices if one["created"] >= since} | of_clocks
    assert "objects created before the date that was given" in {one.what for one in service.progress(account).unreached}


def test_deleted_customers_whom_others_name_are_asked_for_one_by_one(sandbox: Sandbox, connect: Connect) -> None:
    account = connect(sandbox.base_url)
    (customer, *_rest) = {
        one["customer"]: None for one in listed(sandbox, "/v1/invoices", {}) if one["created"] <= sandbox.now
    }
    sandbox.request("DELETE", f"/v1/customers/{customer}")

    service.start(account=account, types=["customer", "invoice"], by=instance.TESTER)
    read_all()
    asked_before_it_was_mirrored = database.execute("select object_id from mirror_fetch").fetchall()
    mirrored()
    read_all()

    assert asked_before_it_was_mirrored == []
    rows = database.execute("select object_type, object_id, reason from mirror_fetch").fetchall()
    assert ("customer", customer, "asked") in rows
    there = {one["id"] for one in listed(sandbox, "/v1/customers", {})}
    assert not there & {object_id for _kind, object_id, _reason in rows}
