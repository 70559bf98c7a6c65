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
