"""A plan that was deleted: nobody can buy it any more, and whoever has it goes on paying by its terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Make = Callable[..., Any]

HOUR, DAY = 3_600, 86_400
JANUARY, FEBRUARY, MARCH = 1_767_225_600, 1_769_904_000, 1_772_323_200
TIERED: Json = {
    "billing_scheme": "tiered",
    "tiers_mode": "graduated",
    "tiers": [{"up_to": 3, "unit_amount": 1000}, {"up_to": "inf", "unit_amount": 100}],
}


def paid(api: Any, customer: Json) -> list[int]:
    """What the customer has paid by invoice, oldest first."""
    found = api.get("/v1/invoices", customer=customer["id"], status="paid")["data"]
    return [invoice["amount_paid"] for invoice in found][::-1]


def test_a_subscription_renews_by_a_plan_that_was_deleted(api: Any, payer: Make, price: Make, subscribe: Make) -> None:
    customer, flat, tiered = payer(), price(), price(**TIERED)
    subscription = subscribe(customer, flat, items=[{"price": flat}, {"price": tiered, "quantity": 5}])
    before = subscription["items"]["data"]
    for deleted in (flat, tiered):
        assert api.delete(f"/v1/plans/{deleted}")["deleted"]

    api.engine.advance(MARCH + 2 * HOUR)

    assert paid(api, customer) == [5200, 5200, 5200]
    invoice = api.get("/v1/invoices", customer=customer["id"])["data"][0]
    assert {line["pricing"]["price_details"]["price"] for line in invoice["lines"]["data"]} == {flat, tiered}
    now = api.get(f"/v1/subscriptions/{subscription['id']}", expand=["items.data.price.tiers"])["items"]["data"]
    assert [(one["price"]["id"], one["plan"]) for one in now] == [(one["price"]["id"], one["plan"]) for one in before]
    assert [tier["up_to"] for tier in now[1]["price"]["tiers"]] == [3, None]
    assert api.get(f"/v1/prices/{flat}", error=True)["status"] == 404
    assert api.post("/v1/subscriptions", customer=customer["id"], items=[{"price": flat}], error=True)["status"] == 400


def test_a_subscription_to_a_deleted_plan_can_be_changed(api: Any, payer: Make, price: Make, subscribe: Make) -> None:
    customer, old, new = payer(), price(), price(4000)
    subscription = subscribe(customer, old)
    api.delete(f"/v1/plans/{old}")
    item = subscription["items"]["data"][0]["id"]

    api.post(f"/v1/subscription_items/{item}", quantity=2, proration_behavior="always_invoice")
    api.post(f"/v1/subscription_items/{item}", price=new, quantity=1, proration_behavior="always_invoice")

    # Twice twenty dollars was as much as once forty.
    assert paid(api, customer) == [2000, 2000, 0]
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["items"]["data"][0]["price"]["id"] == new


def test_a_schedule_comes_to_a_plan_that_was_deleted_after_it_was_named(api: Any, payer: Make, price: Make) -> None:
    customer, now, later = payer(), price(), price(3000)
    schedule = api.post(
        "/v1/subscription_schedules",
        customer=customer["id"],
        start_date="now",
        phases=[
            {"items": [{"price": now}], "duration": {"interval": "month", "interval_count": 1}},
            {"items": [{"price": later}], "duration": {"interval": "month", "interval_count": 1}},
        ],
    )
    api.delete(f"/v1/plans/{later}")

    api.engine.advance(FEBRUARY + 2 * HOUR)

    assert paid(api, customer)[-1] == 3000
    assert api.get(f"/v1/subscription_schedules/{schedule['id']}")["status"] == "active"
