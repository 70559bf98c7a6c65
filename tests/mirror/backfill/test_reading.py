"""Without a single webhook, what Stripe's lists show is what the mirror holds."""

from __future__ import annotations

from typing import Any

from tests import instance
from tests.mirror.backfill.conftest import Connect, mirrored, read_all
from trueup.connectors.stripe.resources import RESOURCES
from trueup.mirror import service as mirror
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


def test_all_that_the_api_lists_is_mirrored_and_equal(sandbox: Sandbox, connect: Connect) -> None:
    account = connect(sandbox)
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
    rows = database.execute("select object_type, object_id from mirror_object").fetchall()
    assert sorted(rows) == sorted(expected)
    different = [key for key, data in expected.items() if mirror.get(key[1], type=key[0]).shape != data]
    assert different == []
    assert told.objects == told.new == len(expected)
    assert (told.changed, told.known, told.expected) == (0, 0, len(expected))
