"""Changes in mid-period: what they cost and when they are billed."""

# ruff: noqa: RUF001 - Stripe writes the multiplication sign

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.subscriptions.conftest import change, previous, waiting

Json = dict[str, Any]
Make = Callable[..., Json]

HOUR, DAY = 3_600, 86_400
JANUARY, FEBRUARY = 1_767_225_600, 1_769_904_000
HALF = (FEBRUARY - JANUARY) // 2


def test_a_change_leaves_a_credit_and_a_debit_for_the_next_invoice(api: Any, begun: Json, price: Any) -> None:
    dear = price(5000, name="Team")

    found = change(api, begun, dear)

    events = api.events()
    assert [event["type"] for event in events] == [
        "invoiceitem.created",
        "invoiceitem.created",
        "customer.subscription.updated",
    ]
    assert set(previous(events[2])) == {"items"}
    assert previous(events[2])["items"]["data"][0]["price"]["unit_amount"] == 2000
    credit, debit = (event["data"]["object"] for event in events[:2])
    assert (credit["amount"], debit["amount"]) == (-1000, 2500)
    assert credit["description"] == "Unused time on Pro after 16 Jan 2026"
    assert debit["description"] == "Remaining time on Team after 16 Jan 2026"
    for item in (credit, debit):
        assert item["proration"] is True
        assert item["discountable"] is False
        assert item["period"] == {"start": JANUARY + HALF, "end": FEBRUARY}
        assert item["frozen_fields"] == ["pricing", "quantity", "discounts"]
        assert item["parent"]["type"] == "subscription_details"
    assert found["latest_invoice"] == begun["latest_invoice"]["id"]
    assert found["items"]["data"][0]["current_period_end"] == FEBRUARY

    api.engine.advance(FEBRUARY + HOUR)
    [latest, _] = api.get("/v1/invoices", subscription=begun["id"])["data"]
    assert [line["amount"] for line in latest["lines"]["data"]] == [-1000, 2500, 5000]
    assert (latest["status"], latest["total"]) == ("paid", 6500)
    assert waiting(api, begun) == []


def test_a_change_of_quantity_credits_the_whole_and_debits_the_whole(api: Any, begun: Json) -> None:
    item = begun["items"]["data"][0]["id"]

    api.post(f"/v1/subscription_items/{item}", quantity=3)

    assert waiting(api, begun) == [-1000, 3000]
    texts = [e["data"]["object"].get("description") for e in api.events()]
    assert texts[1] == "Remaining time on 3 × Pro after 16 Jan 2026"


def test_another_price_begins_with_one_unless_told_how_many(api: Any, begun: Json, price: Any) -> None:
    item, dear = begun["items"]["data"][0]["id"], price(5000)
    api.post(f"/v1/subscription_items/{item}", quantity=3)

    assert api.post(f"/v1/subscription_items/{item}", price=dear)["quantity"] == 1
    assert api.post(f"/v1/subscription_items/{item}", price=price(6000), quantity=2)["quantity"] == 2


def test_without_prorations_a_change_costs_nothing_before_the_renewal(api: Any, begun: Json, price: Any) -> None:
    change(api, begun, price(5000), proration_behavior="none")

    assert api.types() == ["customer.subscription.updated"]
    api.engine.advance(FEBRUARY + HOUR)
    [latest, _] = api.get("/v1/invoices", subscription=begun["id"])["data"]
    assert latest["total"] == 5000


def test_always_invoice_is_paid_within_the_request(api: Any, begun: Json, price: Any) -> None:
    found = change(api, begun, price(5000), proration_behavior="always_invoice", expand=["latest_invoice"])

    invoice = found["latest_invoice"]
    assert (invoice["billing_reason"], invoice["status"], invoice["total"]) == ("subscription_update", "paid", 1500)
    assert invoice["attempt_count"] == 1
    types = api.types()
    assert types[:3] == ["invoiceitem.created", "invoiceitem.created", "invoice.created"]
    assert types[-2:] == ["customer.subscription.updated", "customer.updated"]
    assert "invoice.paid" in types


def test_a_credit_that_is_larger_goes_to_the_customers_balance(api: Any, begun: Json, price: Any) -> None:
    found = change(api, begun, price(500), proration_behavior="always_invoice", expand=["latest_invoice"])

    invoice = found["latest_invoice"]
    assert (invoice["total"], invoice["amount_due"], invoice["status"]) == (-750, 0, "paid")
    assert api.get(f"/v1/customers/{begun['customer']}")["balance"] == -750
    api.engine.advance(FEBRUARY + HOUR)
    [latest, *_] = api.get("/v1/invoices", subscription=begun["id"])["data"]
    assert (latest["total"], latest["amount_due"], latest["ending_balance"]) == (500, 0, -250)


def test_a_proration_date_of_the_past_counts_from_there(api: Any, begun: Json, price: Any) -> None:
    change(api, begun, price(5000), proration_date=JANUARY)

    assert waiting(api, begun) == [-2000, 5000]
    error = api.post(
        f"/v1/subscriptions/{begun['id']}",
        items=[{"id": begun["items"]["data"][0]["id"], "quantity": 2}],
        proration_date=JANUARY - DAY,
        error=True,
    )
    assert error["param"] == "proration_date"


def test_an_item_more_and_an_item_less(api: Any, begun: Json, price: Any) -> None:
    seat = price(1000, name="Seat")
    added = api.post("/v1/subscription_items", subscription=begun["id"], price=seat, quantity=2)
    assert waiting(api, begun) == [1000]

    api.delete(f"/v1/subscription_items/{added['id']}")

    assert waiting(api, begun) == [1000, -1000]
    error = api.delete(f"/v1/subscription_items/{begun['items']['data'][0]['id']}", error=True)
    assert error["status"] == 400


def test_the_cycle_can_begin_anew(api: Any, begun: Json) -> None:
    found = api.post(
        f"/v1/subscriptions/{begun['id']}", billing_cycle_anchor={"type": "now"}, expand=["latest_invoice"]
    )

    now = JANUARY + HALF
    [item] = found["items"]["data"]
    assert (found["billing_cycle_anchor"], item["current_period_start"]) == (now, now)
    assert sorted(line["amount"] for line in found["latest_invoice"]["lines"]["data"]) == [-1000, 2000]
    assert (found["latest_invoice"]["total"], found["latest_invoice"]["status"]) == (1000, "paid")


@pytest.mark.parametrize(("mode", "anchor"), [("flexible", JANUARY), ("classic", JANUARY + HALF)])
def test_another_interval_begins_anew_in_classic_mode_only(
    api: Any, payer: Make, price: Any, *, subscribe: Make, mode: str, anchor: int
) -> None:
    subscription = subscribe(payer(), price(), billing_mode={"type": mode})
    api.advance(HALF)
    api.events()

    found = change(api, subscription, price(24_000, "year"))

    [item] = found["items"]["data"]
    assert found["billing_cycle_anchor"] == anchor
    assert (item["current_period_start"], item["current_period_end"]) == (anchor, anchor + 365 * DAY)
    [latest, *_] = api.get("/v1/invoices", subscription=subscription["id"])["data"]
    if_flexible = [-1000, round(24_000 * (365 * DAY - HALF) / (365 * DAY))]
    amounts = {"flexible": if_flexible, "classic": []}
    assert waiting(api, subscription) == amounts[mode]
    assert latest["total"] == {"flexible": 2000, "classic": 23_000}[mode]


@pytest.mark.parametrize(("mode", "credit"), [("flexible", -1000), ("classic", -2000)])
def test_flexible_credits_are_of_what_was_debited_classic_ones_of_what_it_costs_now(
    api: Any, payer: Make, price: Any, *, subscribe: Make, mode: str, credit: int
) -> None:
    subscription = subscribe(payer(), price(), billing_mode={"type": mode})
    api.advance(HALF)
    change(api, subscription, price(4000), proration_behavior="none")

    change(api, subscription, price(5000))

    assert waiting(api, subscription) == [credit, 2500]


@pytest.mark.parametrize(("mode", "amounts"), [("flexible", [-417, 1111]), ("classic", [-375, 1125])])
def test_prorations_include_discounts_by_cost_or_evenly(
    api: Any, payer: Make, price: Any, *, subscribe: Make, mode: str, amounts: list[int]
) -> None:
    coupon = api.post("/v1/coupons", amount_off=500, currency="usd", duration="forever")
    cheap, dear = price(1000, name="Seat"), price(2000)
    subscription = subscribe(
        payer(),
        dear,
        items=[{"price": cheap}, {"price": dear}],
        discounts=[{"coupon": coupon["id"]}],
        billing_mode={"type": mode},
    )
    api.advance(HALF)
    items = {item["price"]["id"]: item["id"] for item in subscription["items"]["data"]}

    api.post(f"/v1/subscription_items/{items[cheap]}", price=price(2500, name="Desk"))

    assert waiting(api, subscription) == amounts


def test_what_was_debited_with_a_discount_is_credited_with_it(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    coupon = api.post("/v1/coupons", percent_off=50, duration="forever")
    subscription = subscribe(payer(), price(), discounts=[{"coupon": coupon["id"]}])
    api.advance(HALF)
    dear, dearest = price(5000), price(8000)

    change(api, subscription, dear)
    change(api, subscription, dearest)

    assert waiting(api, subscription) == [-500, 1250, -1250, 2000]


def test_what_was_never_debited_is_not_credited_in_flexible_mode(api: Any, begun: Json, price: Any) -> None:
    added = api.post("/v1/subscription_items", subscription=begun["id"], price=price(9000), proration_behavior="none")

    api.delete(f"/v1/subscription_items/{added['id']}")

    assert waiting(api, begun) == [0]


def test_the_part_before_an_anchor_is_credited_as_it_was_billed(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    anchor = JANUARY + HALF
    subscription = subscribe(payer(), price(3100), billing_cycle_anchor=anchor)
    assert subscription["latest_invoice"]["total"] == 1550
    api.advance(HALF // 2)

    change(api, subscription, price(6200))

    assert waiting(api, subscription) == [-775, 1550]
