"""How subscriptions begin: the first invoice, its payment, and every event of it in order."""

# ruff: noqa: RUF001 - Stripe writes the multiplication sign

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Json = dict[str, Any]
Make = Callable[..., Json]

HOUR, DAY = 3_600, 86_400
JANUARY, FEBRUARY = 1_767_225_600, 1_769_904_000
PAID = ["invoice_payment.paid", "invoice.updated", "invoice.paid", "invoice.payment_succeeded"]
SUCCEEDED = ["charge.succeeded", "payment_intent.succeeded"]


def test_a_subscription_that_is_paid_at_once_is_active(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(payer(), price())

    assert api.types() == [
        "customer.subscription.created",
        "invoice.created",
        "payment_intent.created",
        "invoice.finalized",
        *SUCCEEDED,
        *PAID,
        "customer.updated",
    ]
    invoice = subscription["latest_invoice"]
    assert subscription["status"] == "active"
    assert subscription["billing_cycle_anchor"] == subscription["start_date"] == JANUARY
    assert subscription["billing_mode"]["type"] == "flexible"
    [item] = subscription["items"]["data"]
    assert (item["current_period_start"], item["current_period_end"]) == (JANUARY, FEBRUARY)
    assert (invoice["status"], invoice["billing_reason"]) == ("paid", "subscription_create")
    assert (invoice["attempt_count"], invoice["attempted"], invoice["auto_advance"]) == (1, True, False)
    assert invoice["period_start"] == invoice["period_end"] == JANUARY
    assert invoice["number"].endswith("-0001")
    [line] = invoice["lines"]["data"]
    assert line["description"] == "1 × Pro (at $20.00 / month)"
    assert (line["amount"], line["period"]) == (2000, {"start": JANUARY, "end": FEBRUARY})


def test_the_first_events_tell_an_active_subscription_and_the_customers_currency(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    subscribe(payer(), price())

    events = {event["type"]: event for event in api.events()}

    assert events["customer.subscription.created"]["data"]["object"]["status"] == "active"
    assert events["customer.updated"]["data"]["previous_attributes"] == {
        "currency": None,
        "next_invoice_sequence": 1,
    }
    assert {event["request"]["id"] for event in events.values()} != {None}


def test_without_a_payment_method_nothing_is_written(api: Any, payer: Make, price: Any) -> None:
    customer, named = payer(None), price()

    error = api.post("/v1/subscriptions", customer=customer["id"], items=[{"price": named}], error=True)

    assert (error["status"], error["code"]) == (400, "resource_missing")
    assert api.types() == []
    assert api.get("/v1/subscriptions", status="all")["data"] == []


def test_default_incomplete_waits_for_its_intent_to_be_confirmed(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    subscription = subscribe(payer(None), price(), payment_behavior="default_incomplete")
    assert api.types() == [
        "customer.subscription.created",
        "invoice.created",
        "payment_intent.created",
        "invoice.finalized",
        "customer.updated",
    ]
    invoice = subscription["latest_invoice"]
    assert (subscription["status"], invoice["status"]) == ("incomplete", "open")
    [payment] = invoice["payments"]["data"]
    intent = api.get(f"/v1/payment_intents/{payment['payment']['payment_intent']}")
    assert (intent["status"], intent["amount"]) == ("requires_payment_method", 2000)

    api.post(f"/v1/payment_intents/{intent['id']}/confirm", payment_method="pm_card_visa")

    events = api.events()
    [updated] = [event for event in events if event["type"] == "customer.subscription.updated"]
    assert [one["type"] for one in events if one["type"] != "payment_method.attached"] == [
        *SUCCEEDED,
        *PAID,
        "customer.subscription.updated",
    ]
    assert updated["data"]["previous_attributes"] == {"status": "incomplete"}


def test_the_method_that_paid_first_can_become_the_subscriptions(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    customer = payer(None)
    subscription = subscribe(
        customer,
        price(),
        payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
    )
    method = api.post("/v1/payment_methods/pm_card_visa/attach", customer=customer["id"])
    intent = subscription["latest_invoice"]["payments"]["data"][0]["payment"]["payment_intent"]

    api.post(f"/v1/payment_intents/{intent}/confirm", payment_method=method["id"])

    found = api.get(f"/v1/subscriptions/{subscription['id']}")
    assert (found["status"], found["default_payment_method"]) == ("active", method["id"])


def test_allow_incomplete_keeps_a_declined_subscription(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(payer("pm_card_chargeCustomerFail"), price())

    assert api.types() == [
        "customer.subscription.created",
        "invoice.created",
        "payment_intent.created",
        "invoice.finalized",
        "charge.failed",
        "payment_intent.payment_failed",
        "invoice.updated",
        "invoice.payment_failed",
        "customer.updated",
    ]
    invoice = subscription["latest_invoice"]
    assert (subscription["status"], invoice["status"]) == ("incomplete", "open")
    assert (invoice["attempt_count"], invoice["next_payment_attempt"]) == (1, None)
    assert api.get(f"/v1/customers/{subscription['customer']}")["delinquent"] is False


def test_allow_incomplete_waits_for_the_holder_to_authenticate(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    subscription = subscribe(payer("pm_card_authenticationRequired"), price())

    types = api.types()
    assert "payment_intent.requires_action" in types
    assert "invoice.payment_action_required" in types
    assert "invoice.payment_failed" not in types
    invoice = subscription["latest_invoice"]
    assert (subscription["status"], invoice["status"]) == ("incomplete", "open")
    assert (invoice["attempted"], invoice["attempt_count"], invoice["next_payment_attempt"]) == (True, 0, None)


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_chargeCustomerFail", "card_declined"),
        ("pm_card_authenticationRequired", "subscription_payment_intent_requires_action"),
    ],
)
def test_error_if_incomplete_writes_nothing(api: Any, payer: Make, price: Any, card: str, code: str) -> None:
    customer, named = payer(card), price()

    error = api.post(
        "/v1/subscriptions",
        customer=customer["id"],
        items=[{"price": named}],
        payment_behavior="error_if_incomplete",
        error=True,
    )

    assert (error["status"], error["type"], error["code"]) == (402, "card_error", code)
    assert api.types() == []
    assert api.get("/v1/subscriptions", status="all")["data"] == []
    assert api.get("/v1/invoices", customer=customer["id"])["data"] == []


def test_a_new_subscription_cannot_be_a_pending_update(api: Any, payer: Make, price: Any) -> None:
    error = api.post(
        "/v1/subscriptions",
        customer=payer()["id"],
        items=[{"price": price()}],
        payment_behavior="pending_if_incomplete",
        error=True,
    )

    assert (error["status"], error["param"]) == (400, "payment_behavior")


def test_an_invoice_that_is_sent_stays_a_draft_for_an_hour(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(payer(None), price(), collection_method="send_invoice", days_until_due=30)
    invoice = subscription["latest_invoice"]
    assert api.types() == ["customer.subscription.created", "invoice.created", "customer.updated"]
    assert (subscription["status"], invoice["status"], invoice["auto_advance"]) == ("active", "draft", True)
    assert invoice["due_date"] == JANUARY + 30 * DAY
    assert invoice["next_payment_attempt"] is None

    api.advance(HOUR)
    assert api.types() == ["payment_intent.created", "invoice.finalized", "invoice.sent", "customer.updated"]

    api.advance(23 * DAY)
    assert api.types() == ["invoice.will_be_due"]


def test_an_invoice_that_was_sent_and_not_paid_makes_past_due(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    subscription = subscribe(payer(None), price(), collection_method="send_invoice", days_until_due=5)
    api.advance(4 * DAY)
    api.events()

    api.advance(DAY)

    events = api.events()
    assert [event["type"] for event in events] == [
        "invoice.overdue",
        "customer.subscription.updated",
        "customer.updated",
    ]
    assert events[1]["data"]["previous_attributes"] == {"status": "active"}
    assert events[2]["data"]["previous_attributes"] == {"delinquent": False}
    assert events[1]["created"] == JANUARY + 5 * DAY

    api.post(f"/v1/invoices/{subscription['latest_invoice']['id']}/pay", paid_out_of_band=True)
    events = api.events()
    assert [event["type"] for event in events][-2:] == ["customer.updated", "customer.subscription.updated"]
    assert events[-1]["data"]["previous_attributes"] == {"status": "past_due"}
    assert events[-2]["data"]["previous_attributes"] == {"delinquent": True}


def test_a_trial_begins_with_a_paid_invoice_over_nothing(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(payer(), price(), trial_period_days=14)

    assert api.types() == [
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.updated",
    ]
    end = JANUARY + 14 * DAY
    assert (subscription["status"], subscription["pending_setup_intent"]) == ("trialing", None)
    assert (subscription["trial_start"], subscription["trial_end"]) == (JANUARY, end)
    assert subscription["billing_cycle_anchor"] == end
    [item] = subscription["items"]["data"]
    assert (item["current_period_start"], item["current_period_end"]) == (JANUARY, end)
    invoice = subscription["latest_invoice"]
    assert (invoice["status"], invoice["amount_due"], invoice["attempt_count"]) == ("paid", 0, 0)
    [line] = invoice["lines"]["data"]
    assert (line["description"], line["amount"]) == ("Free trial for 1 × Pro", 0)


def test_a_classic_trial_is_worded_otherwise(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    product = api.post("/v1/products", name="Pro", unit_label="user")["id"]

    subscription = subscribe(payer(), price(product=product), trial_period_days=14, billing_mode={"type": "classic"})

    [line] = subscription["latest_invoice"]["lines"]["data"]
    assert (line["description"], line["amount"]) == ("Trial period for Pro (per user)", 0)


def test_a_trial_without_a_method_asks_for_one(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    customer = payer(None)
    subscription = subscribe(customer, price(), trial_period_days=14)

    assert "setup_intent.created" in api.types()
    intent = api.get(f"/v1/setup_intents/{subscription['pending_setup_intent']}")
    assert (intent["status"], intent["usage"], intent["customer"]) == (
        "requires_payment_method",
        "off_session",
        customer["id"],
    )

    api.post(f"/v1/setup_intents/{intent['id']}/confirm", payment_method="pm_card_visa")

    [updated] = [event for event in api.events() if event["type"] == "customer.subscription.updated"]
    assert updated["data"]["object"]["pending_setup_intent"] is None
    assert updated["data"]["previous_attributes"]["pending_setup_intent"] == intent["id"]


def test_a_prices_own_trial_counts_only_when_it_is_asked_for(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    named = price(recurring={"interval": "month", "trial_period_days": 7})

    plain = subscribe(payer(), named)
    asked = subscribe(payer(), named, trial_from_plan=True)

    assert plain["status"] == "active"
    assert (asked["status"], asked["trial_end"]) == ("trialing", JANUARY + 7 * DAY)


def test_nobody_pays_for_23_hours(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(payer(None), price(), payment_behavior="default_incomplete")
    api.events()

    api.advance(23 * HOUR - 1)
    assert api.types() == []

    api.advance(1)
    events = api.events()
    assert [event["type"] for event in events] == [
        "customer.subscription.updated",
        "payment_intent.canceled",
        "invoice.voided",
    ]
    found = events[0]["data"]["object"]
    assert (found["status"], found["canceled_at"]) == ("incomplete_expired", None)
    assert events[0]["data"]["previous_attributes"]["status"] == "incomplete"
    assert events[0]["request"] == {"id": None, "idempotency_key": None}
    assert events[2]["data"]["object"]["status"] == "void"
    api.advance(400 * DAY)
    assert api.types() == []
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["status"] == "incomplete_expired"


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
