"""With what subscriptions begin: anchors, items, discounts, currencies, clocks."""

# ruff: noqa: RUF001 - Stripe writes the multiplication sign

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Json = dict[str, Any]
Make = Callable[..., Json]

HOUR, DAY = 3_600, 86_400
JANUARY, FEBRUARY = 1_767_225_600, 1_769_904_000


def test_an_anchor_ahead_bills_the_part_before_it(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    anchor = JANUARY + 15 * DAY + 43_200

    subscription = subscribe(payer(), price(3100), billing_cycle_anchor=anchor)

    [item] = subscription["items"]["data"]
    assert (item["current_period_start"], item["current_period_end"]) == (JANUARY, anchor)
    [line] = subscription["latest_invoice"]["lines"]["data"]
    assert (line["amount"], line["period"]) == (1550, {"start": JANUARY, "end": anchor})
    api.advance(anchor - JANUARY)
    [item] = api.get(f"/v1/subscriptions/{subscription['id']}")["items"]["data"]
    assert item["current_period_start"] == anchor


def test_an_anchor_ahead_bills_nothing_where_prorations_are_off(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    anchor = JANUARY + 15 * DAY

    subscription = subscribe(payer(), price(3100), billing_cycle_anchor=anchor, proration_behavior="none")

    assert subscription["status"] == "active"
    assert subscription["latest_invoice"] is None or subscription["latest_invoice"]["total"] == 0
    api.advance(15 * DAY + HOUR)
    [latest, *_] = api.get("/v1/invoices", subscription=subscription["id"])["data"]
    assert (latest["status"], latest["total"]) == ("paid", 3100)


@pytest.mark.parametrize(("mode", "amounts"), [("flexible", [2000, 2000, 2000]), ("classic", [4000, 2000])])
def test_a_start_that_lies_back_is_billed(
    api: Any, payer: Make, price: Any, *, subscribe: Make, mode: str, amounts: list[int]
) -> None:
    november = 1_761_955_200

    subscription = subscribe(
        payer(), price(), backdate_start_date=november, billing_mode={"type": mode}, billing_cycle_anchor=FEBRUARY
    )

    assert subscription["start_date"] == november
    assert [line["amount"] for line in subscription["latest_invoice"]["lines"]["data"]] == amounts


def test_items_for_one_invoice_are_on_the_first(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    setup = price(500, None, name="Set-up")

    subscription = subscribe(payer(), price(), add_invoice_items=[{"price": setup, "quantity": 2}])

    invoice = subscription["latest_invoice"]
    assert sorted(line["amount"] for line in invoice["lines"]["data"]) == [1000, 2000]
    assert (invoice["total"], invoice["status"]) == (3000, "paid")


def test_a_quantity_of_nothing_costs_nothing(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    named = price()

    subscription = subscribe(payer(), named, items=[{"price": named, "quantity": 0}])

    assert (subscription["status"], subscription["latest_invoice"]["total"]) == ("active", 0)


def test_a_currency_without_cents_is_billed_in_its_own_unit(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(payer(), price(1500, currency="jpy"))

    invoice = subscription["latest_invoice"]
    assert (subscription["currency"], invoice["currency"], invoice["amount_paid"]) == ("jpy", "jpy", 1500)
    assert invoice["lines"]["data"][0]["description"] == "1 × Pro (at ¥1,500 / month)"


def test_items_may_have_intervals_of_their_own(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    monthly, yearly = price(), price(24_000, "year", name="Support")
    customer = payer()

    subscription = subscribe(customer, monthly, items=[{"price": monthly}, {"price": yearly}])

    assert sorted((item["current_period_end"] - JANUARY) // DAY for item in subscription["items"]["data"]) == [31, 365]
    assert subscription["latest_invoice"]["total"] == 26_000
    api.advance(32 * DAY)
    [latest, *_] = api.get("/v1/invoices", subscription=subscription["id"])["data"]
    assert (latest["status"], latest["total"]) == ("paid", 2000)

    error = api.post(
        "/v1/subscriptions",
        customer=customer["id"],
        items=[{"price": monthly}, {"price": yearly}],
        billing_mode={"type": "classic"},
        error=True,
    )
    assert error["status"] == 400


def test_a_discount_for_one_invoice_is_used_up_by_the_first(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    coupon = api.post("/v1/coupons", percent_off=50, duration="once")
    api.events()

    subscription = subscribe(payer(), price(), discounts=[{"coupon": coupon["id"]}])

    types = api.types()
    assert types.count("customer.discount.created") == types.count("customer.discount.deleted") == 1
    assert subscription["discounts"] == []
    assert subscription["latest_invoice"]["total"] == 1000
    api.advance(32 * DAY)
    [latest, *_] = api.get("/v1/invoices", subscription=subscription["id"])["data"]
    assert latest["total"] == 2000


def test_a_discount_of_an_item_takes_off_that_item_only(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    coupon = api.post("/v1/coupons", percent_off=50, duration="forever")
    plain, cheap = price(), price(1000, name="Seat")

    subscription = subscribe(
        payer(), plain, items=[{"price": plain}, {"price": cheap, "discounts": [{"coupon": coupon["id"]}]}]
    )

    amounts = {item["price"]["id"]: item["discounts"] for item in subscription["items"]["data"]}
    assert (len(amounts[plain]), len(amounts[cheap])) == (0, 1)
    assert subscription["latest_invoice"]["total"] == 2500
    api.advance(32 * DAY)
    [latest, *_] = api.get("/v1/invoices", subscription=subscription["id"])["data"]
    assert latest["total"] == 2500


def test_prices_in_two_currencies_do_not_go_together(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    customer, dollars, euros = payer(), price(), price(currency="eur")
    subscribe(customer, dollars)

    error = api.post("/v1/subscriptions", customer=customer["id"], items=[{"price": euros}], error=True)

    assert error["status"] == 400
    assert "combine currencies" in error["message"]


def test_a_clocks_customer_lives_by_its_clock(api: Any, payer: Make, price: Any, subscribe: Make, frozen: Make) -> None:
    clock = frozen(JANUARY + 100 * DAY)

    subscription = subscribe(payer(**clock), price(), trial_period_days=3)

    assert subscription["test_clock"] == clock["test_clock"]
    assert subscription["created"] == subscription["trial_start"] == JANUARY + 100 * DAY
    assert subscription["latest_invoice"]["created"] == JANUARY + 100 * DAY


def test_a_coupon_is_shared_by_the_items(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    coupon = api.post("/v1/coupons", amount_off=500, currency="usd", duration="forever")
    cheap, dear = price(1000, name="Seat"), price(2000)

    subscription = subscribe(
        payer(), dear, items=[{"price": cheap}, {"price": dear}], discounts=[{"coupon": coupon["id"]}]
    )

    lines = subscription["latest_invoice"]["lines"]["data"]
    assert [line["discount_amounts"][0]["amount"] for line in lines] == [166, 334]
    assert subscription["latest_invoice"]["total"] == 2500


def test_a_promotion_code_is_redeemed(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    coupon = api.post("/v1/coupons", percent_off=10, duration="forever")
    code = api.post(
        "/v1/promotion_codes",
        promotion={"type": "coupon", "coupon": coupon["id"]},
        restrictions={"minimum_amount": 5000, "minimum_amount_currency": "usd"},
    )
    customer, named = payer(), price()

    error = api.post(
        "/v1/subscriptions",
        customer=customer["id"],
        items=[{"price": named, "quantity": 2}],
        discounts=[{"promotion_code": code["id"]}],
        error=True,
    )
    subscription = subscribe(
        customer, named, items=[{"price": named, "quantity": 3}], discounts=[{"promotion_code": code["id"]}]
    )

    assert (error["status"], error["param"]) == (400, "discounts[0][promotion_code]")
    assert subscription["latest_invoice"]["total"] == 5400
    assert api.get(f"/v1/promotion_codes/{code['id']}")["times_redeemed"] == 1
    assert {"customer.discount.created", "promotion_code.updated", "coupon.updated"} <= set(api.types())


def test_the_secret_of_the_first_payment_is_given_where_it_is_asked_for(api: Any, payer: Make, price: Any) -> None:
    found = api.post(
        "/v1/subscriptions",
        customer=payer(None)["id"],
        items=[{"price": price()}],
        payment_behavior="default_incomplete",
        expand=["latest_invoice.confirmation_secret"],
    )

    assert found["latest_invoice"]["confirmation_secret"]["client_secret"].startswith("pi_")


def test_items_may_describe_their_prices(api: Any, payer: Make, subscribe: Make) -> None:
    product = api.post("/v1/products", name="Pro")["id"]
    described = {"currency": "usd", "product": product, "recurring": {"interval": "month"}}

    subscription = subscribe(
        payer(),
        "",
        items=[
            {"price_data": {**described, "unit_amount": 1000}},
            {"price_data": {**described, "unit_amount": 500}, "quantity": 2},
        ],
    )

    assert subscription["latest_invoice"]["total"] == 2000
    assert len(api.get("/v1/prices", product=product)["data"]) == len(subscription["items"]["data"]) == 2


def test_an_anchor_is_configured_by_its_day(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(
        payer(), price(3100), billing_cycle_anchor_config={"day_of_month": 11, "hour": 0, "minute": 0, "second": 0}
    )

    assert subscription["billing_cycle_anchor"] == JANUARY + 10 * DAY
    assert subscription["latest_invoice"]["total"] == 1000


def test_an_anchor_is_not_later_than_the_next_renewal(api: Any, payer: Make, price: Any) -> None:
    error = api.post(
        "/v1/subscriptions",
        customer=payer()["id"],
        items=[{"price": price()}],
        billing_cycle_anchor=FEBRUARY + DAY,
        error=True,
    )

    assert (error["status"], error["param"]) == (400, "billing_cycle_anchor")
