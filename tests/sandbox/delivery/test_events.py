"""Events through the API, as snapshots and as thin ones."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.sandbox.delivery import thin
from trueup.sandbox.wire import parameters
from trueup.sandbox.wire.schema import event_objects, event_types, violations

DAY = 86_400


def _customers(api: Any, number: int) -> list[str]:
    found: list[str] = []
    for at in range(number):
        found.append(api.post("/v1/customers", email=f"{at}@b.c")["id"])
        api.advance(10)
    return found


def test_events_are_listed_newest_first_and_found_by_their_id(api: Any) -> None:
    customers = _customers(api, 3)

    listed = api.get("/v1/events")

    assert [event["data"]["object"]["id"] for event in listed["data"]] == customers[::-1]
    assert api.get(f"/v1/events/{listed['data'][1]['id']}") == listed["data"][1]
    assert api.get("/v1/events/evt_none", error=True)["status"] == 404


def test_pages_of_events_go_on_where_the_last_ended(api: Any) -> None:
    _customers(api, 5)

    first = api.get("/v1/events", limit=2)
    second = api.get("/v1/events", limit=2, starting_after=first["data"][-1]["id"])
    back = api.get("/v1/events", limit=2, ending_before=second["data"][0]["id"])

    assert first["has_more"] is True
    assert [event["data"]["object"]["email"] for event in second["data"]] == ["2@b.c", "1@b.c"]
    assert back["data"] == first["data"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"type": "customer.created"}, ["customer.created"] * 2),
        ({"type": "customer.*"}, ["customer.deleted", "customer.updated", "customer.created", "customer.created"]),
        ({"types": ["customer.updated", "customer.deleted"]}, ["customer.deleted", "customer.updated"]),
        ({"created": {"gte": 1_767_225_620}}, ["customer.deleted", "customer.updated"]),
        ({"created": 1_767_225_610}, ["customer.created"]),
        ({"type": "invoice.paid"}, []),
    ],
)
def test_events_are_filtered(api: Any, params: dict[str, Any], expected: list[str]) -> None:
    customers = _customers(api, 2)
    api.post(f"/v1/customers/{customers[0]}", email="new@b.c")
    api.delete(f"/v1/customers/{customers[1]}")

    assert [event["type"] for event in api.get("/v1/events", **params)["data"]] == expected


@pytest.mark.parametrize(
    "params", [{"type": "customer.created", "types": ["customer.created"]}, {"types": ["customer.created"] * 21}]
)
def test_filters_that_stripe_refuses_are_refused(api: Any, params: dict[str, Any]) -> None:
    assert api.get("/v1/events", **params, error=True)["status"] == 400


def test_the_api_gives_events_of_the_last_thirty_days(api: Any) -> None:
    api.post("/v1/customers", email="old@b.c")
    event = api.events()[0]["id"]
    api.advance(30 * DAY)
    assert api.get(f"/v1/events/{event}")["type"] == "customer.created"

    api.advance(1)

    assert api.get(f"/v1/events/{event}", error=True)["status"] == 404
    assert api.get("/v1/events")["data"] == []


def test_events_of_a_test_clock_live_by_the_clock(api: Any) -> None:
    past = 1_767_225_600 - 400 * DAY
    clock = api.post("/v1/test_helpers/test_clocks", frozen_time=past)
    api.post("/v1/customers", test_clock=clock["id"])
    event = api.events()[-1]
    assert event["created"] == past
    assert api.get(f"/v1/events/{event['id']}")["id"] == event["id"]

    api.post(f"/v1/test_helpers/test_clocks/{clock['id']}/advance", frozen_time=past + 31 * DAY)

    assert api.get(f"/v1/events/{event['id']}", error=True)["status"] == 404


def test_every_event_has_a_thin_twin_that_names_its_object(api: Any) -> None:
    customer = api.post("/v1/customers", email="a@b.c", key="the-key")
    event = api.events()[0]

    listed = api.get("/v2/core/events", object_id=customer["id"])["data"]

    assert len(listed) == 1
    twin = listed[0]
    assert api.get(f"/v2/core/events/{twin['id']}") == twin
    assert twin["type"] == "v1.customer.created"
    assert twin["created"] == "2026-01-01T00:00:00.000Z"
    assert twin["snapshot_event"] == event["id"]
    assert twin["related_object"] == {
        "id": customer["id"],
        "type": "customer",
        "url": f"/v1/customers/{customer['id']}",
    }
    assert twin["reason"] == {
        "type": "request",
        "request": {"id": event["request"]["id"], "idempotency_key": "the-key"},
    }


def test_thin_events_are_filtered(api: Any) -> None:
    customers = _customers(api, 3)
    api.delete(f"/v1/customers/{customers[0]}")

    deleted = api.get("/v2/core/events", types=["v1.customer.deleted"])["data"]
    late = api.get("/v2/core/events", created={"gt": "2026-01-01T00:00:10.000Z"})["data"]

    assert [one["related_object"]["id"] for one in deleted] == [customers[0]]
    assert [one["related_object"]["id"] for one in late] == [customers[0], customers[2]]
    assert api.get("/v2/core/events", created={"gt": "yesterday"}, error=True)["status"] == 400
    assert api.get("/v2/core/events/evt_none", error=True)["status"] == 404


@pytest.mark.parametrize("name", [name for name in event_types() if f"v1.{name}" in event_types(thin=True)])
def test_every_type_of_event_can_be_told_thin(name: str) -> None:
    kinds = event_objects(f"v1.{name}")
    obj = {
        "id": "x_1",
        "object": kinds[0] if kinds else "thing",
        "customer": "cus_1",
        "account": "acct_1",
        "fee": "fee_1",
    }
    event = {"id": "evt_1abc", "type": name, "created": 0, "data": {"object": obj}, "request": {"id": None}}

    told = thin.full(event)

    assert violations(told) == []
    assert thin.snapshot_id(told["id"]) == "evt_1abc"
    assert ("related_object" in told) == bool(kinds)
    # A discount's address is known for its deletion only.
    if kinds and kinds != ("discount",):
        assert parameters.match("GET", told["related_object"]["url"]) is not None
