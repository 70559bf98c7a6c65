"""What is rare: metered prices, codes with a minimum, discounts of items, settings of platforms, pauses."""

from __future__ import annotations

import pytest

from tests.sandbox.schedules.conftest import DAY, FEBRUARY, MARCH, START, Acts, Json, phase


def test_a_metered_price_comes_and_goes_without_a_quantity(own: Acts) -> None:
    customer, licensed = own.customer(), own.price(1000)
    metered = own.price(5, recurring={"interval": "month", "usage_type": "metered", "meter": "mtr_test"})
    schedule = own.schedule(customer, phase(licensed, 1, 3), phase(metered, 1), phase(licensed, 1, 2))
    twice = own.api.post(
        "/v1/subscription_schedules", customer=customer, phases=[phase(metered, 1, 2)], start_date="now", error=True
    )

    own.until(FEBRUARY + DAY)
    between = own.subscription(schedule)["items"]["data"][0]
    own.until(MARCH + DAY)
    last = own.subscription(schedule)["items"]["data"][0]

    assert twice["message"] == "You cannot set the quantity for metered plans."
    assert (between["price"]["id"], between["quantity"]) == (metered, None)
    assert (last["price"]["id"], last["quantity"]) == (licensed, 2)


def test_discounts_of_items_follow_their_phase(own: Acts) -> None:
    customer, price, other = own.customer(), own.price(1000), own.price(2000)
    coupon = own.api.post("/v1/coupons", percent_off=50, duration="forever")["id"]
    named = {"discounts": [{"coupon": coupon}]}
    month = {"duration": {"interval": "month"}}
    schedule = own.schedule(
        customer,
        {"items": [{"price": price, **named}], **month},
        {"items": [{"price": price, "quantity": 2, **named}, {"price": other, **named}], **month},
        {"items": [{"price": price}, {"price": other}], **month},
    )

    own.until(START + 70 * DAY)

    assert [invoice["total"] for invoice in own.invoices(customer)] == [500, 2000, 3000]
    assert [item["discounts"] for item in own.subscription(schedule)["items"]["data"]] == [[], []]
    assert own.api.get(f"/v1/coupons/{coupon}")["times_redeemed"] == 2


def test_a_code_that_asks_for_more_is_refused_or_left_out(own: Acts) -> None:
    customer, cheap, dear = own.customer(), own.price(1000), own.price(9000)
    coupon = own.api.post("/v1/coupons", percent_off=50, duration="forever")["id"]
    code = own.api.post(
        "/v1/promotion_codes",
        promotion={"type": "coupon", "coupon": coupon},
        restrictions={"minimum_amount": 5000, "minimum_amount_currency": "usd"},
    )["id"]
    named: Json = {"discounts": [{"promotion_code": code}]}
    params: Json = {"customer": customer, "start_date": "now"}

    refused = own.api.post("/v1/subscription_schedules", **params, phases=[phase(cheap, 1, **named)], error=True)
    own.schedule(customer, phase(dear, 1, **named), phase(dear, 1, **named))
    own.until(START + 40 * DAY)

    assert refused["message"] == "This promotion code cannot be redeemed because the minimum amount is not met."
    assert [invoice["total"] for invoice in own.invoices(customer)] == [4500, 4500]
    assert own.api.get(f"/v1/promotion_codes/{code}")["times_redeemed"] == 1


def test_discounts_that_run_go_on_beside_new_ones(own: Acts) -> None:
    customer, price = own.customer(), own.price(1000)
    kept, fresh = (own.api.post("/v1/coupons", percent_off=10, duration="forever")["id"] for _ in range(2))
    code = own.api.post("/v1/promotion_codes", promotion={"type": "coupon", "coupon": kept})["id"]
    bought = own.api.post(
        "/v1/subscriptions", customer=customer, items=[{"price": price}], discounts=[{"promotion_code": code}]
    )
    schedule = own.api.post("/v1/subscription_schedules", from_subscription=bought["id"])
    held, new = {"discount": bought["discounts"][0]}, {"coupon": fresh}
    own.api.events()

    own.change(
        schedule,
        phases=[
            phase(price, start_date=START, end_date=FEBRUARY, discounts=[held]),
            phase(price, 1, discounts=[held, new]),
            phase(price, 1, discounts=[new, {"promotion_code": code}]),
        ],
    )
    own.until(START + 70 * DAY)

    assert [invoice["total"] for invoice in own.invoices(customer)] == [900, 810, 810]
    assert own.api.get(f"/v1/promotion_codes/{code}")["times_redeemed"] == 1
    assert own.api.get(f"/v1/coupons/{fresh}")["times_redeemed"] == 1


def test_the_last_redemption_is_not_promised_twice(own: Acts) -> None:
    customer, price = own.customer(), own.price(1000)
    coupon = own.api.post("/v1/coupons", percent_off=50, duration="forever", max_redemptions=1)["id"]
    twice = {"items": [{"price": price, "discounts": [{"coupon": coupon}]}], "discounts": [{"coupon": coupon}]}

    schedule = own.schedule(customer, {**phase(price, 1), "discounts": []}, {**twice})
    own.until(FEBRUARY + DAY)

    subscription = own.subscription(schedule) if own.read(schedule)["subscription"] else {}
    assert len(subscription["discounts"]) + len(subscription["items"]["data"][0]["discounts"]) == 1
    assert own.invoices(customer)[-1]["total"] == 500


def test_one_off_items_have_discounts_and_times_of_their_own(own: Acts) -> None:
    customer, price, once = own.customer(), own.price(1000), own.price(800, None)
    coupon = own.api.post("/v1/coupons", percent_off=25, duration="forever")["id"]
    gone = own.api.post("/v1/coupons", percent_off=25, duration="forever")["id"]
    at = {"type": "timestamp", "timestamp": FEBRUARY + 5}
    added = [
        {"price": once, "discounts": [{"coupon": coupon}], "period": {"start": at, "end": at}},
        {"price": once, "discounts": [{"coupon": gone}], "discountable": False},
    ]
    own.schedule(customer, phase(price, 1), phase(price, 1, add_invoice_items=added))
    own.api.delete(f"/v1/coupons/{gone}")

    own.until(FEBRUARY + 7200)

    invoice = own.invoices(customer)[-1]
    assert (invoice["subtotal"], invoice["total"]) == (2600, 2400)
    assert {"start": FEBRUARY + 5, "end": FEBRUARY + 5} in [line["period"] for line in invoice["lines"]["data"]]


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"price": "recurring"}, "only accepts prices with `type=one_time`"),
        ({"price": "once", "quantity": -1}, "Invalid non-negative integer"),
        (
            {"price": "once", "period": {"start": {"type": "timestamp"}, "end": {"type": "phase_end"}}},
            "Missing required param: phases[0][add_invoice_items][0][period][start][timestamp].",
        ),
    ],
)
def test_one_off_items_that_cannot_be_are_refused(own: Acts, extra: Json, said: str) -> None:
    prices = {"recurring": own.price(), "once": own.price(5, None)}
    added = {**extra, "price": prices[extra["price"]]}

    refused = own.api.post(
        "/v1/subscription_schedules",
        customer=own.customer(),
        phases=[phase(own.price(), 1, add_invoice_items=[added])],
        error=True,
    )

    assert said in refused["message"]


def test_settings_of_platforms_are_kept_and_passed_on(own: Acts) -> None:
    account = {"destination": "acct_1032D82eZvKYlo2C", "amount_percent": "12.5"}
    given: Json = {
        "application_fee_percent": "2.5",
        "billing_thresholds": {"amount_gte": 5000},
        "transfer_data": account,
        "automatic_tax": {"enabled": True},
        "billing_cycle_anchor": "phase_start",
    }

    schedule = own.schedule(own.customer(), phase(own.price(), 1), phase(own.price(), 1), default_settings=given)

    defaults, subscription = schedule["default_settings"], own.subscription(schedule)
    assert defaults["automatic_tax"] == {"disabled_reason": None, "enabled": True, "liability": {"type": "self"}}
    for name, value in (
        ("application_fee_percent", 2.5),
        ("billing_thresholds", {"amount_gte": 5000, "reset_billing_cycle_anchor": None}),
        ("transfer_data", {"amount_percent": 12.5, "destination": "acct_1032D82eZvKYlo2C"}),
    ):
        assert defaults[name] == subscription[name] == value


def test_a_description_that_a_phase_gave_ends_with_it(own: Acts) -> None:
    price = own.price()
    schedule = own.schedule(
        own.customer(), phase(price, 1, description="First", invoice_settings={"footer": "Thanks"}), phase(price, 1)
    )

    first = own.subscription(schedule)
    own.until(FEBRUARY)
    second = own.subscription(schedule)

    assert (first["description"], first["invoice_settings"]["footer"]) == ("First", "Thanks")
    assert (second["description"], second["invoice_settings"]["footer"]) == (None, None)


def test_a_paused_subscription_has_a_schedule_too(own: Acts) -> None:
    customer = own.customer(card=None)
    paused = own.api.post(
        "/v1/subscriptions",
        customer=customer,
        items=[{"price": own.price()}],
        trial_period_days=5,
        trial_settings={"end_behavior": {"missing_payment_method": "pause"}},
    )
    own.until(START + 6 * DAY)

    schedule = own.api.post("/v1/subscription_schedules", from_subscription=paused["id"])
    price = own.price(700)
    changed = own.change(
        schedule,
        end_behavior="cancel",
        phases=[phase(price, start_date=START, end_date=START + 20 * DAY)],
    )
    subscription = own.subscription(schedule)

    assert changed["status"] == "active"
    assert (subscription["status"], subscription["cancel_at"]) == ("paused", START + 20 * DAY)
    assert subscription["items"]["data"][0]["price"]["id"] == price
    own.change(schedule, end_behavior="none")
    assert own.subscription(schedule)["cancel_at"] is None
    own.until(START + 21 * DAY)
    assert own.read(schedule)["status"] == "completed"


def test_one_customer_has_one_currency(own: Acts) -> None:
    customer, dollars, euros = own.customer(), own.price(), own.price(900, currency="eur")
    schedule = own.schedule(customer, phase(dollars, 1))

    other = own.api.post("/v1/subscription_schedules", customer=customer, phases=[phase(euros, 1)], error=True)

    assert other["message"].endswith("quote, or invoice item with currency usd")
    assert own.refusal(schedule, phases=[phase(dollars, start_date=START, currency="eur")]) == (
        "All phases of a subscription schedule must have one currency: `usd`."
    )


def test_a_preview_of_a_subscription_uses_the_schedule_that_it_has(own: Acts) -> None:
    schedule = own.schedule(own.customer(), phase(own.price(1000), 1), phase(own.price(3000), 1))

    seen = own.api.post(
        "/v1/invoices/create_preview",
        subscription=schedule["subscription"],
        schedule_details={"end_behavior": "cancel"},
    )

    assert seen["total"] == 3000
    assert (
        own.api.post("/v1/invoices/create_preview", schedule_details={"end_behavior": "cancel"}, error=True)["message"]
        == "Missing required param: customer."
    )
